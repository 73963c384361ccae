// The arithmetic of Collapse, and its text form. `collapse.py` computes the same numbers with NumPy
// and writes the same rows; a test compares the two.

/** How many right digits count as all: a little fewer than the dtype has, so that curves are calm. */
export const FULL = { float32: 6, float64: 14 };
export const DTYPES = ["float32", "float64"];
const ROUND = { float32: Math.fround, float64: (value) => value };

/** Value and slope of the sigmoid at x: operation by operation, as one node, and exact. */
export function compute(x, dtype) {
  const r = ROUND[dtype];
  const negate = r(-r(x));
  const exp = r(Math.exp(negate));
  const add = r(1 + exp);
  const out = r(1 / add);
  const grad_add = r(-out / add);
  const grad_negate = r(grad_add * exp);
  const e = r(Math.exp(-Math.abs(negate)));
  const value = r((x >= 0 ? 1 : e) / r(1 + e));
  const tiny = Math.exp(-Math.abs(negate));
  return {
    x: r(x), negate, exp, add, out, grad_out: 1, grad_add, grad_exp: grad_add, grad_negate,
    grad_x: r(-grad_negate), value, slope: r(value * r(1 - value)),
    exact_value: (x >= 0 ? 1 : tiny) / (1 + tiny), exact_slope: tiny / (1 + tiny) ** 2,
  };
}

/** How many digits of `came` are right; -1 if it is no finite number. */
export function digits(came, exact, dtype) {
  if (!Number.isFinite(came)) return -1;
  if (came === exact || (ROUND[dtype](exact) === 0 && came === 0)) return FULL[dtype];
  const error = Math.abs(came - exact) / exact;
  return Math.min(FULL[dtype], Math.max(0, -Math.log10(error)));
}

/** A number as a person reads it: five digits, or four and a power of ten. */
export function short(value) {
  if (Number.isNaN(value)) return "nan";
  const size = Math.abs(value);
  const text = size === Infinity ? "inf" : size === 0 ? "0"
    : size >= 1e-3 && size < 99999 ? String(Number(size.toPrecision(5)))
      : size.toExponential(3).replace("+", "").replace("-", "−");
  return (value < 0 ? "−" : "") + text;
}

/** In words how good a number is. */
export function verdict(came, exact, dtype) {
  const right = digits(came, exact, dtype);
  if (right < 0) return "no number";
  if (right >= FULL[dtype]) return "right";
  if (came === 0) return "lost, rounded to 0";
  return right < 1 ? "wrong" : `right to ${Math.floor(right)} digits`;
}

/** What happened at this x, one sentence for the composite and one for the node. */
export function notes(v, dtype) {
  const many = v.exp === Infinity
    ? `Composite: exp(${short(v.negate)}) is inf in ${dtype}. Forward, 1 / inf is 0. `
      + "Backward, 0 · inf is nan."
    : v.grad_x === 0 && digits(v.grad_x, v.exact_slope, dtype) < 1
      ? `Composite: on the way back 1 / (1 + exp)² is too small for ${dtype}, so the slope is lost.`
      : `Composite: the slope is ${verdict(v.grad_x, v.exact_slope, dtype)}.`;
  const one = v.slope === 0 && digits(v.slope, v.exact_slope, dtype) < 1
    ? "One node: y is rounded to 1, so y · (1 − y) is 0; only the composite still knows exp(−x)."
    : `One node: the slope is ${verdict(v.slope, v.exact_slope, dtype)}.`;
  return [many, one];
}

/** The picture as rows of text: name, value, gradient of y for it, what it is. */
export function rows(v) {
  const row = (name, value, grad, note) => [name, short(value), short(grad), note];
  return [
    row("x", v.x, v.grad_x, "input; its gradient is the composite's slope"),
    row("−x", v.negate, v.grad_negate, "negate"),
    row("exp(−x)", v.exp, v.grad_exp, v.exp === Infinity ? "exp: overflow" : "exp"),
    row("1 + exp(−x)", v.add, v.grad_add, "add 1"),
    row("y", v.out, v.grad_out, "divide: the composite's value"),
    row("Sigmoid(x)", v.value, v.slope, "one node: value and slope"),
    row("exact", v.exact_value, v.exact_slope, "value and slope"),
  ];
}
