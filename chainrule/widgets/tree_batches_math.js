// Trees from text, and the order in which their nodes are computed. The same as
// tree_batches_math.py, which a test holds against this file.

export const ORDERS = ["one by one", "in batches"];
const [LINES, LENGTH, DEEPEST] = [8, 60, 12];

function parserOf(line, tree, nodes) {
  const tokens = line.match(/\d+|[-+*()]|\S/gu) ?? [];
  let at = 0;
  const fail = (words) => new Error(`line ${tree + 1}: ${words}`);
  const peek = () => tokens[at] ?? "";
  const add = (node) => nodes.push({ tree, ...node }) - 1;
  const join = (sign, left, right) => {
    const [a, b] = [nodes[left], nodes[right]];
    const value = { "+": a.value + b.value, "-": a.value - b.value, "*": a.value * b.value }[sign];
    const depth = 1 + Math.max(a.depth, b.depth);
    if (depth > DEEPEST) throw fail(`deeper than ${DEEPEST}`);
    const [x, y] = [a, b].map((n) => (n.depth === 0 ? n.words : `(${n.words})`));
    return add({ label: sign, left, right, depth, value, words: `${x} ${sign} ${y}` });
  };
  const expression = (signs = ["+-", "*"]) => {
    if (!signs.length) return atom();
    let left = expression(signs.slice(1));
    while (peek() && signs[0].includes(peek())) {
      const sign = tokens[at];
      at += 1;
      left = join(sign, left, expression(signs.slice(1)));
    }
    return left;
  };
  const atom = () => {
    const token = peek();
    at += 1;
    if (/^[0-9]{1,3}$/.test(token))
      return add({ label: `${Number(token)}`, left: -1, right: -1, depth: 0, value: Number(token), words: token });
    if (token === "(") {
      const inner = expression();
      if (peek() !== ")") throw fail("a ) is missing");
      at += 1;
      return inner;
    }
    throw fail(`expected a number up to 999 or a (, found ${token ? `'${token}'` : "the end"}`);
  };
  return { expression, peek, fail };
}

/** The nodes of all trees, each after its sides; throws an Error with the line and what is wrong. */
export function parseTrees(source) {
  const lines = source.split("\n").filter((line) => line.trim());
  if (lines.length < 1 || lines.length > LINES) throw new Error(`type 1 to ${LINES} trees, one in a line`);
  const nodes = [];
  lines.forEach((line, tree) => {
    const parser = parserOf(line, tree, nodes);
    if (line.length > LENGTH) throw parser.fail(`longer than ${LENGTH} characters`);
    parser.expression();
    if (parser.peek()) throw parser.fail(`expected + - * or the end, found '${parser.peek()}'`);
  });
  return nodes;
}

/** The calls: one for each node, or one for each depth and operator. */
export function callsOf(nodes, order) {
  const name = (n) => (n.depth ? n.label : "leaf");
  if (order === ORDERS[0]) return nodes.map((n, place) => ({ name: name(n), depth: n.depth, places: [place] }));
  const groups = new Map();
  nodes.forEach((n, place) => {
    const key = `${n.depth} ${name(n)}`;
    if (!groups.has(key)) groups.set(key, { name: name(n), depth: n.depth, places: [] });
    groups.get(key).places.push(place);
  });
  return [...groups.values()].sort((a, b) => a.depth - b.depth || (a.name < b.name ? -1 : 1));
}

const rowWords = (nodes, call) => call.places.map((p) => nodes[p].words).join("; ");

/** In words which call is made, and how many calls each order takes. */
export function saidOf(nodes, order, step) {
  const calls = callsOf(nodes, order);
  const total = `Calls in all: ${ORDERS.map((o) => `${callsOf(nodes, o).length} ${o}`).join(" and ")}.`;
  if (step === 0) return `Nothing is computed yet. ${total}`;
  const number = Math.min(step, calls.length);
  const call = calls[number - 1];
  const count = call.places.length === 1 ? "1 row" : `${call.places.length} rows`;
  return `Call ${number} of ${calls.length}, ${order}: ${call.name} at depth ${call.depth}, ${count}: `
    + `${rowWords(nodes, call)}. ${total}`;
}

/** For each call its number, operator, depth and rows, as text. */
export const tableRowsOf = (nodes, order) => callsOf(nodes, order)
  .map((call, i) => [`${i + 1}`, call.name, `${call.depth}`, rowWords(nodes, call)]);
