// The arithmetic of EdgeWalk, and its text form. `edge_walk.py` computes the same numbers and
// writes the same sentences; a test compares the two.

import { number } from "./common.js";

export const INPUTS = ["x", "y", "z", "w"];
export const MADE = {
  s: ["add", "x", "y"],
  p: ["multiply", "s", "z"],
  m: ["max", "y", "w"],
  q: ["multiply", "p", "m"],
  L: ["add", "q", "s"],
};
export const NODES = [...INPUTS, ...Object.keys(MADE)];
const WRITTEN = {
  add: (one, other) => `${one} + ${other}`,
  multiply: (one, other) => `${one} × ${other}`,
  max: (one, other) => `max(${one}, ${other})`,
};
export const FORTH = Object.entries(MADE).flatMap(([node, [, ...operands]]) =>
  operands.map((operand) => [operand, node]));
export const BACK = Object.keys(MADE).reverse().flatMap((node) =>
  MADE[node].slice(1).map((operand) => [node, operand]));
export const START = FORTH.length + 1;
export const STEPS = START + BACK.length;
export const LARGEST = 10;

/** A number with up to three decimals, without zeros at the end. */
export function plain(value) {
  const text = number(value, 3);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A number for the inside of a sum or product: negative ones in brackets. */
export function bracketed(value) {
  const text = plain(value);
  return text.startsWith("−") ? `(${text})` : text;
}

/** The operation that makes a node, as it is written. */
export const madeBy = (node) => WRITTEN[MADE[node][0]](...MADE[node].slice(1));

/** The nodes that use `name`, in the order in which they send it a gradient. */
export const usersOf = (name) =>
  BACK.filter(([, operand]) => operand === name).map(([node]) => node);

const awaited = (name, sent) => usersOf(name).slice(sent.length).join(" and ");

/** The value of each node when forward is done. */
export function valuesOf(state) {
  const v = Object.fromEntries(INPUTS.map((name) => [name, state[name]]));
  for (const [node, [operation, one, other]] of Object.entries(MADE)) {
    if (operation === "add") v[node] = v[one] + v[other];
    else if (operation === "multiply") v[node] = v[one] * v[other];
    else v[node] = Math.max(v[one], v[other]);
  }
  return v;
}

/** The local derivative of `node` by `operand`; at a tie max gives all to the first. */
export function slopeOf(v, node, operand) {
  const [operation, one, other] = MADE[node];
  if (operation === "add") return 1;
  if (operation === "multiply") return v[operand === one ? other : one];
  return Number(v[one] >= v[other] === (operand === one));
}

/** What there is after `state.step`, as `EdgeWalk.frame` has it; an edge's key is "p>s". */
export function frameOf(state) {
  const { step, overwrite } = state;
  const v = valuesOf(state);
  const missing = new Set(FORTH.slice(step).map(([, node]) => node));
  const gradients = step < START ? {} : { L: 1 };
  const [arrived, edges] = [{}, {}];
  for (const [node, operand] of BACK.slice(0, Math.max(0, step - START))) {
    const [upstream, local] = [gradients[node], slopeOf(v, node, operand)];
    const product = upstream * local;
    edges[`${node}>${operand}`] = [upstream, local, product];
    (arrived[operand] ??= []).push([node, product]);
    gradients[operand] = (overwrite ? 0 : gradients[operand] ?? 0) + product;
  }
  const right = overwrite ? frameOf({ ...state, overwrite: false }).gradients : gradients;
  const wrong = Object.entries(gradients).filter(([name, now]) => now !== right[name])
    .map(([name, now]) => [name, [now, right[name]]]);
  const values = Object.entries(v).filter(([name]) => !missing.has(name));
  return { values: Object.fromEntries(values), gradients, arrived, edges,
    wrong: Object.fromEntries(wrong) };
}

/** The numbers of an operation, written as its operands are. */
export function filledIn(v, node) {
  const [operation, one, other] = MADE[node];
  if (operation === "max") return WRITTEN.max(plain(v[one]), plain(v[other]));
  const first = operation === "multiply" ? bracketed(v[one]) : plain(v[one]);
  return WRITTEN[operation](first, bracketed(v[other]));
}

function forwardWords(state, [operand, node]) {
  const [v, [, one, other]] = [valuesOf(state), MADE[node]];
  const start = `Forward, ${operand} → ${node}: the value ${plain(v[operand])} arrives.`;
  if (operand === one) return `${start} ${node} waits for ${other}.`;
  return `${start} ${node} = ${madeBy(node)} = ${filledIn(v, node)} = ${plain(v[node])}.`;
}

function reason(v, node, operand) {
  const [operation, one, other] = MADE[node];
  const ratio = `d${node}/d${operand} = `;
  if (operation === "add") return ratio;
  const rest = operand === one ? other : one;
  if (operation === "multiply") return `${ratio}${rest} = `;
  if (v[one] === v[other]) return `(${one} and ${other} tie, the first takes all) ${ratio}`;
  return `(${operand} is the ${v[operand] > v[rest] ? "larger" : "smaller"}) ${ratio}`;
}

function keptWords(operand, after, overwrite) {
  const [sent, now] = [after.arrived[operand], after.gradients[operand]];
  const waits = awaited(operand, sent);
  if (waits) return `${operand} has ${plain(now)} and waits for ${waits}.`;
  let said = `${operand} has its gradient, ${plain(now)}`;
  if (sent.length > 1) {
    const first = plain(sent[0][1]);
    said = overwrite ? `${operand} had ${first} and is overwritten with ${plain(now)}`
      : `${operand} adds it to what it has: ${first} + ${bracketed(sent[1][1])} = ${plain(now)}`;
  }
  if (!(operand in after.wrong)) return `${said}.`;
  const should = after.wrong[operand][1];
  return `${said}. Wrong: it should be ${plain(should)}, off by ${plain(now - should)}.`;
}

/** What happens at `state.step`, in words. */
export function stepWords(state) {
  const { step, overwrite } = state;
  if (step === 0) {
    const given = INPUTS.map((name) => `${name} = ${plain(state[name])}`).join(", ");
    return `The inputs are there: ${given}. Nothing is computed yet.`;
  }
  if (step < START) return forwardWords(state, FORTH[step - 1]);
  if (step === START) return "Backward starts at the end: dL/dL = 1.";
  const [node, operand] = BACK[step - START - 1];
  const after = frameOf(state);
  const [upstream, local, product] = after.edges[`${node}>${operand}`].map(plain);
  return `Backward, ${node} → ${operand}: upstream ${upstream}, local derivative `
    + `${reason(valuesOf(state), node, operand)}${local}, product ${product}. `
    + keptWords(operand, after, overwrite);
}

/** Which gradients are wrong at this step, and by how much. */
export function verdictOf(state) {
  if (!state.overwrite)
    return "s and y are used twice: what comes back on their two edges is added.";
  const wrong = Object.entries(frameOf(state).wrong);
  if (!wrong.length) return "Overwriting: no gradient is wrong so far.";
  const count = wrong.length === 1 ? "1 gradient is" : `${wrong.length} gradients are`;
  const each = wrong.map(([name, [now, should]]) =>
    `${name} is ${plain(now)}, should be ${plain(should)}, off by ${plain(now - should)}`);
  return `✗ ${count} wrong: ${each.join("; ")}.`;
}

function stateWords(name, now) {
  if (!(name in now.values)) return "not computed yet";
  if (name in now.wrong) {
    const [is, should] = now.wrong[name];
    return `✗ wrong: should be ${plain(should)}, off by ${plain(is - should)}`;
  }
  if (!(name in now.gradients)) return "";
  const waits = awaited(name, now.arrived[name] ?? []);
  return waits ? `waits for ${waits}` : "complete";
}

export const WALK_HEAD = ["node", "made by", "value", "gradient", "arrived", "state"];

/** The nodes after this step as rows of text. */
export function walkRows(state) {
  const now = frameOf(state);
  const known = (numbers, name) => (name in numbers ? plain(numbers[name]) : "");
  return NODES.map((name) => [
    name,
    name in MADE ? madeBy(name) : "input",
    known(now.values, name),
    known(now.gradients, name),
    (now.arrived[name] ?? []).map(([node, part]) => `${plain(part)} from ${node}`).join(", "),
    stateWords(name, now),
  ]);
}
