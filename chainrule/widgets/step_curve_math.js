// The arithmetic of StepCurve, and its text form. `step_curve.py` computes the same numbers with
// NumPy, bit for bit, and writes the same rows; a test compares the two.

export const FIRST = -180;
export const LAST = 0;
const MANTISSAS = ["1", "1.26", "1.58", "2", "2.51", "3.16", "3.98", "5.01", "6.31", "7.94"];
export const POINTS = [0.013, 1.3, 130];
export const METHODS = ["forward", "central", "complex"];
export const KINDS = ["float64", "float32"];
export const FUNCTIONS = { cube: "x³", reciprocal: "1/x", root: "√x", bell: "1/(1 + x²)" };
const UNIT = { float64: 2 ** -53, float32: 2 ** -24 };
export const DIGITS = { float64: 16, float32: 8 };
const ROUNDING = { float64: (value) => value, float32: Math.fround };

const OF = {
  cube: (x, r) => r(r(x * x) * x),
  reciprocal: (x, r) => r(1 / x),
  root: (x, r) => r(Math.sqrt(x)),
  bell: (x, r) => r(1 / r(1 + r(x * x))),
};

/** The imaginary part of each function at x + ih, in real numbers. */
const IMAGINARY = {
  cube: (x, h, r) => {
    const both = r(r(x * h) + r(x * h));
    return r(r(r(r(x * x) - r(h * h)) * h) + r(both * x));
  },
  reciprocal: (x, h, r) => r(-h / r(r(x * x) + r(h * h))),
  root: (x, h, r) => {
    const size = r(Math.sqrt(r(r(x * x) + r(h * h))));
    return r(h / r(2 * r(Math.sqrt(r(r(size + x) / 2)))));
  },
  bell: (x, h, r) => {
    const below = r(1 + r(r(x * x) - r(h * h)));
    const imaginary = r(r(x * h) + r(x * h));
    return r(-imaginary / r(r(below * below) + r(imaginary * imaginary)));
  },
};

/** First, second and third derivative, in float64. */
const SLOPES = {
  cube: (x) => [3 * x * x, 6 * x, 6],
  reciprocal: (x) => [-1 / (x * x), 2 / (x * x * x), -6 / (x * x * x * x)],
  root: (x) => {
    const root = Math.sqrt(x);
    return [1 / (2 * root), -1 / (4 * x * root), 3 / (8 * x * x * root)];
  },
  bell: (x) => {
    const b = 1 + x * x;
    return [(-2 * x) / (b * b), (6 * x * x - 2) / (b * b * b),
      (24 * x * (1 - x * x)) / (b * b * b * b)];
  },
};

/** The step at a notch: 10 to the notch / 10, rounded to three digits. */
export function stepOf(notch) {
  const power = Math.floor(notch / 10);
  return Number(`${MANTISSAS[notch - 10 * power]}e${power}`);
}

/** All numbers at one step, as `StepCurve.values` has them. */
export function stepValues({ notch, function: name, x: point, method, dtype }) {
  const r = ROUNDING[dtype];
  const [x, h, f] = [r(point), r(stepOf(notch)), OF[name]];
  let [high, low, estimate] = [NaN, NaN, 0];
  if (method === "complex") estimate = r(IMAGINARY[name](x, h, r) / h);
  else {
    high = f(r(x + h), r);
    low = method === "central" ? f(r(x - h), r) : f(x, r);
    estimate = r(r(high - low) / (method === "central" ? r(h + h) : h));
  }
  const [slope, second, third] = SLOPES[name](x);
  const forward = method === "forward";
  const bend = forward ? Math.abs(second) / 2 : Math.abs(third) / 6;
  const ends = (forward ? 2 : 1) * Math.abs(f(x, r)) + Math.abs(x * slope);
  const unit = UNIT[dtype];
  return {
    x, step: h, slope, high, low, estimate,
    error: Math.abs(estimate - slope) / Math.abs(slope),
    truncation: (bend * (forward ? h : h * h)) / Math.abs(slope),
    round_off: method === "complex" ? 4 * unit : (unit * ends) / h / Math.abs(slope),
  };
}

/** Which error rules at this step. */
export function ruling(v) {
  const ratio = v.truncation / v.round_off;
  return ratio > 20 ? "truncation" : ratio < 1 / 20 ? "round-off" : "both";
}

/** A number as a person reads it: five digits, or four and a power of ten. */
export function brief(value) {
  if (Number.isNaN(value)) return "nan";
  const size = Math.abs(value);
  const text = size === Infinity ? "inf" : size === 0 ? "0"
    : size >= 1e-3 && size < 99999 ? String(Number(size.toPrecision(5)))
      : size.toExponential(3).replace("+", "").replace("-", "−");
  return (value < 0 ? "−" : "") + text;
}

/** A number with all digits that its dtype has: sign, mantissa and what follows. */
export function parts(value, dtype) {
  if (!Number.isFinite(value)) return ["", brief(value), ""];
  const [mantissa, exponent] = Math.abs(value).toExponential(DIGITS[dtype]).split("e");
  const power = Number(exponent);
  return [value < 0 ? "−" : "", mantissa, power ? `e${power}`.replace("-", "−") : ""];
}

/** How many leading digits two numbers share: how much larger they are than their gap. */
export function commonDigits(one, other, dtype) {
  const [size, gap] = [Math.max(Math.abs(one), Math.abs(other)), Math.abs(one - other)];
  let count = 0;
  while (count < DIGITS[dtype] && gap * Number(`1e${count + 1}`) <= size) count += 1;
  return count;
}

const ADVICE = {
  truncation: " Truncation rules: a smaller step is better.",
  "round-off": " Round-off rules: a larger step is better.",
  both: " Both errors are about equal: this is about the best step.",
};

/** A sentence on what happens at this step. */
export function stepNote(v, { method, dtype }) {
  const rules = ruling(v);
  if (!Number.isFinite(v.error))
    return "There is no number: the step leads to where the function has no value.";
  if (method === "complex") {
    const start = "Nothing is subtracted, so nothing cancels.";
    if (rules !== "round-off") return start + ADVICE[rules];
    return `${start} The error is rounding alone, however small the step.`;
  }
  if (v.high === v.low)
    return `Both values are the same in ${dtype}: the difference is 0, the error 100%.`;
  const count = commonDigits(v.high, v.low, dtype);
  return `${count} of the ${DIGITS[dtype]} digits cancel.${ADVICE[rules]}`;
}

/** The picture as rows of text: name, value, what it is. */
export function stepRows(v, { function: name, x, method, dtype }) {
  const all = (value, kind = dtype) => parts(value, kind).join("");
  const below = method === "central" ? "f(x − step)" : "f(x)";
  const pair = [["f(x + step)", all(v.high), "the one value"], [below, all(v.low), "the other"]];
  return [
    ["step", brief(v.step), `for ${FUNCTIONS[name]} at ${brief(x)}`],
    ...(method === "complex" ? [] : pair),
    ["estimate", all(v.estimate), `${method}, in ${dtype}`],
    ["slope", all(v.slope, "float64"), "the true one"],
    ["error", brief(v.error), "relative, as measured"],
    ["truncation", brief(v.truncation), "relative, as expected"],
    ["round-off", brief(v.round_off), "relative, as expected"],
  ];
}
