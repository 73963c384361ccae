// Collapse: the sigmoid as four nodes and as one. Move x, and see what each way of computing it makes
// of value and slope, how many digits of them are right, and where nan comes from. All of it happens
// here, so that the widget also lives in a page without a kernel.

import { announcer, drag, html, keepKeys, onNextFrame, set, svg } from "./common.js";
import { DTYPES, FULL, compute, digits, notes, rows, short, verdict } from "./collapse_math.js";

const LIMIT = 1000;
const PLACES = [-1000, -100, -60, -20, 0, 20, 40, 1000];
const QUANTITIES = ["slope", "value"];

const clamp = (x) => Math.min(LIMIT, Math.max(-LIMIT, Math.round(x)));
const text = (x, y, className, content = "") => svg("text", { x, y, class: className }, content);

// --- the graph, in the coordinates of its viewBox ----------------------------------------------

const WIDTH = 684;
const HEIGHT = 132;
const BOX = { width: 116, height: 88, gap: 26, top: 26 };
const leftOf = (k) => k * (BOX.width + BOX.gap);
const STEPS = [
  { name: "x", value: "x", grad: "grad_x" },
  { name: "negate", value: "negate", grad: "grad_negate" },
  { name: "exp", value: "exp", grad: "grad_exp" },
  { name: "add 1", value: "add", grad: "grad_add" },
  { name: "divide", value: "out", grad: "grad_out" },
];

/** A box with a name, a value and a gradient; the badge says in a word what is wrong with it. */
function box(left, width, name, className) {
  const [value, grad] = [text(width - 9, 45, "value"), text(width - 9, 70, "value grad")];
  const badge = text(width / 2, BOX.height + 15, "badge middle");
  const node = svg("g", { transform: `translate(${left} ${BOX.top})`, class: `node ${className}` },
    svg("rect", { class: "face", width, height: BOX.height, rx: 9 }),
    text(9, 20, "name", name), text(9, 45, "small muted", "value"), text(9, 70, "small grad", "grad"),
    value, grad, badge);
  const update = (v, g, words = "") => {
    value.textContent = short(v);
    grad.textContent = short(g);
    badge.textContent = words;
    node.classList.toggle("bad", words !== "");
  };
  return { node, update };
}

/** Two arrows between places: forward above, backward below. */
function arrows(from, to, className = "") {
  const [top, low] = [BOX.top + 38, BOX.top + 66];
  return svg("g", { class: className },
    svg("path", { class: "flow", d: `M${from + 3} ${top}H${to - 8}` }),
    svg("path", { class: "head", d: `M${to - 2} ${top}l-7 -4v8z` }),
    svg("path", { class: "flow back", d: `M${from + 8} ${low}H${to - 3}` }),
    svg("path", { class: "head back", d: `M${from + 2} ${low}l7 -4v8z` }));
}

/** In a word what is wrong at a step, "" if nothing is. */
function trouble(v, step, dtype) {
  const [value, grad] = [v[step.value], v[step.grad]];
  if (Number.isNaN(grad)) return "grad is nan";
  if (value === Infinity) return "overflow: inf";
  if (step.name === "x" && digits(grad, v.exact_slope, dtype) < 1) return "slope lost";
  if (grad === 0) return "grad rounded to 0";
  return "";
}

function graph() {
  const input = box(leftOf(0), BOX.width, "x", "input");
  const many = STEPS.slice(1).map(({ name }, k) => box(leftOf(k + 1), BOX.width, name, ""));
  const wide = leftOf(4) + BOX.width - leftOf(1);
  const one = box(leftOf(1), wide, "Sigmoid: one node, which saves y", "single");
  const chain = svg("g", { class: "many" },
    ...many.map(({ node }) => node),
    ...[1, 2, 3].map((k) => arrows(leftOf(k) + BOX.width, leftOf(k + 1))));
  const single = svg("g", { class: "one" }, one.node);
  const picture = svg("svg", { viewBox: `-2 0 ${WIDTH + 4} ${HEIGHT}`, role: "img" },
    text(leftOf(1), 14, "small muted", "the graph behind y"),
    input.node, arrows(BOX.width, leftOf(1)), chain, single);
  const update = (v, { dtype, collapsed }) => {
    const slope = collapsed ? v.slope : v.grad_x;
    const lost = digits(slope, v.exact_slope, dtype) < 1;
    const words = Number.isNaN(slope) ? "grad is nan" : lost ? "slope lost" : "";
    input.update(v.x, slope, words);
    STEPS.slice(1).forEach((step, k) =>
      many[k].update(v[step.value], v[step.grad], trouble(v, step, dtype)));
    one.update(v.value, 1, v.value === 1 && lost ? "y rounded to 1" : "");
    picture.classList.toggle("collapsed", collapsed);
    chain.setAttribute("aria-hidden", collapsed);
    single.setAttribute("aria-hidden", !collapsed);
    picture.setAttribute("aria-label", `${collapsed ? "One node" : "Four nodes"} at x = ${short(v.x)}: `
      + `y = ${short(collapsed ? v.value : v.out)}, slope ${short(slope)}`);
  };
  return { node: html("div", { class: "graph" }, picture), update };
}

// --- right digits against x --------------------------------------------------------------------

const PAD = { left: 30, right: 12, top: 12, bottom: 34 };
const CURVES = {
  slope: { many: "grad_x", one: "slope", exact: "exact_slope" },
  value: { many: "out", one: "value", exact: "exact_value" },
};
const TICKS = [-1000, -700, -400, -200, -100, -50, -20, 0, 20, 50, 100, 200, 400, 700, 1000];
const stretch = (x) => Math.sign(x) * Math.sqrt(Math.abs(x) / LIMIT); // more room near 0
const shrink = (place) => Math.sign(place) * place * place * LIMIT;

/** For 801 places along the axis: x and the right digits of the composite and of the node. */
function curves(dtype, shown) {
  const names = CURVES[shown];
  return Array.from({ length: 801 }, (_, n) => {
    const x = shrink(n / 400 - 1);
    const v = compute(x, dtype);
    const exact = v[names.exact];
    return { x, many: digits(v[names.many], exact, dtype), one: digits(v[names.one], exact, dtype) };
  });
}

/** The path through the points that are numbers. */
function line(points, key, x, y) {
  let pen = "M";
  return points.map((point) => {
    if (point[key] < 0) { pen = "M"; return ""; }
    const step = `${pen}${x(point.x).toFixed(1)} ${y(point[key]).toFixed(1)}`;
    pen = "L";
    return step;
  }).join("");
}

function chart(change) {
  const title = html("p");
  const [noNumber, noName] = [svg("rect", { class: "flat" }), text(0, 0, "small middle", "nan")];
  const grid = svg("g");
  const [many, one] = [svg("path", { class: "curve composite" }), svg("path", { class: "curve node" })];
  const marker = svg("path", { class: "marker" });
  const [dotMany, dotOne] = [svg("path", { class: "dot composite", d: "M-5 -5L5 5M-5 5L5 -5" }),
    svg("circle", { class: "dot node", r: 5 })];
  const picture = svg("svg", { role: "img" }, noNumber, grid, marker, many, one, noName, dotOne, dotMany);
  let xAt = () => 0;
  const follow = (event) =>
    change({ x: clamp(xAt(event.clientX - picture.getBoundingClientRect().left)) });
  drag(picture, (event) => { follow(event); return follow; });
  let drawn = "";

  const update = (v, { dtype, shown }) => {
    const right = (picture.clientWidth || 640) - PAD.right;
    const bottom = (picture.clientHeight || 210) - PAD.bottom;
    const top = FULL[dtype];
    const middle = (PAD.left + right) / 2;
    const x = (value) => middle + stretch(value) * (right - PAD.left) / 2;
    const y = (value) => bottom - (value / top) * (bottom - PAD.top);
    xAt = (pixel) => shrink(Math.max(-1, Math.min(1, (2 * (pixel - middle)) / (right - PAD.left))));
    const key = [dtype, shown, right, bottom].join();
    if (key !== drawn) {
      drawn = key;
      const points = curves(dtype, shown);
      const broken = points.filter((point) => point.many < 0);
      const edge = broken.length ? x(broken.at(-1).x) : PAD.left;
      set(noNumber, { x: PAD.left, y: PAD.top, width: edge - PAD.left, height: bottom - PAD.top });
      set(noName, { x: (PAD.left + edge) / 2, y: (PAD.top + bottom) / 2 });
      noName.textContent = !broken.length ? "" : edge - PAD.left > 120 ? "composite: nan" : "nan";
      many.setAttribute("d", line(points, "many", x, y));
      one.setAttribute("d", line(points, "one", x, y));
      grid.replaceChildren(...axes(x, y, top, right, bottom));
      title.textContent = `Right digits of the ${shown}, in ${dtype}`;
    }
    const names = CURVES[shown];
    const count = (name) => digits(v[name], v[names.exact], dtype);
    set(dotMany, { transform: `translate(${x(v.x)} ${y(Math.max(0, count(names.many)))})` });
    set(dotOne, { cx: x(v.x), cy: y(Math.max(0, count(names.one))) });
    dotMany.classList.toggle("gone", count(names.many) < 0);
    marker.setAttribute("d", `M${x(v.x)} ${PAD.top}V${bottom}`);
    picture.setAttribute("aria-label", `Right digits of the ${shown} against x in ${dtype}: at `
      + `${short(v.x)} the composite is ${verdict(v[names.many], v[names.exact], dtype)}, `
      + `the one node is ${verdict(v[names.one], v[names.exact], dtype)}`);
  };
  return { node: html("div", { class: "chart" }, title, picture), picture, update };
}

function axes(x, y, top, right, bottom) {
  const few = right < 620;
  const levels = [0, top / 2, top].map((n) => svg("g", {},
    svg("path", { class: n ? "grid" : "axis", d: `M${PAD.left} ${y(n)}H${right}` }),
    text(PAD.left - 6, y(n) + 4, "small muted end", String(n))));
  const marks = TICKS.filter((n, k) => !few || k % 2 === 0 || n === 0).map((n) => svg("g", {},
    svg("path", { class: "axis", d: `M${x(n)} ${bottom}v4` }),
    text(x(n), bottom + 16, "small muted middle", short(n))));
  return [...levels, ...marks, text((PAD.left + right) / 2, bottom + 31, "small middle", "x")];
}

// --- everything around them --------------------------------------------------------------------

/** Radio buttons for one trait. */
function choice(name, words, options, read, change) {
  const group = `collapse-${name}-${Math.random()}`;
  const buttons = options.map((option) => {
    const radio = html("input", { type: "radio", name: group });
    radio.addEventListener("change", () => change({ [name]: option }));
    return { radio, option, label: html("label", {}, radio, option) };
  });
  const node = html("fieldset", {}, html("legend", { class: "hidden" }, words),
    ...buttons.map(({ label }) => label));
  const update = () => {
    for (const { radio, option } of buttons) radio.checked = read(name) === option;
  };
  return { node, update };
}

function controlsOf(model, change) {
  const read = (name) => model.get(name);
  const range = html("input", { type: "range", min: -LIMIT, max: LIMIT, step: 1 });
  const shown = html("output", { class: "x" });
  range.addEventListener("input", () => change({ x: Number(range.value) }));
  const places = PLACES.map((x) => {
    const button = html("button", { type: "button" }, short(x));
    button.setAttribute("aria-label", `x = ${short(x)}`);
    button.addEventListener("click", () => change({ x }));
    return button;
  });
  const fold = html("button", { type: "button", class: "primary fold" });
  fold.addEventListener("click", () => change({ collapsed: !read("collapsed") }));
  const kinds = choice("dtype", "Numbers", DTYPES, read, change);
  const quantity = choice("shown", "Curve", QUANTITIES, read, change);
  const node = html("div", {},
    html("div", { class: "controls" }, html("label", { class: "wide" }, "x", range, shown)),
    html("div", { class: "controls" }, ...places),
    html("div", { class: "controls" }, fold, kinds.node, "curve:", quantity.node));
  const update = (v) => {
    range.value = v.x;
    shown.textContent = short(v.x);
    range.setAttribute("aria-valuetext", `x = ${short(v.x)}. ${notes(v, read("dtype")).join(" ")}`);
    fold.textContent = read("collapsed") ? "Expand into four nodes" : "Collapse into one node";
    kinds.update();
    quantity.update();
  };
  return { node, update };
}

/** Composite, one node and exact side by side, with a verdict in words. */
function comparison() {
  const body = html("tbody");
  const head = ["", "composite", "", "one node", "", "exact"].map((name) => html("th", {}, name));
  const node = html("table", { class: "compare" }, html("thead", {}, html("tr", {}, ...head)), body);
  const update = (v, { dtype }) => {
    const line = (name, many, one, exact) => html("tr", {}, html("td", {}, name),
      html("td", { class: "composite" }, short(many)), html("td", {}, verdict(many, exact, dtype)),
      html("td", { class: "node" }, short(one)), html("td", {}, verdict(one, exact, dtype)),
      html("td", {}, short(exact)));
    body.replaceChildren(line("value", v.out, v.value, v.exact_value),
      line("slope", v.grad_x, v.slope, v.exact_slope));
  };
  return { node: html("div", { class: "scroll" }, node), update };
}

function tableView() {
  const body = html("tbody");
  const head = ["name", "value", "gradient", "what it is"].map((name) => html("th", {}, name));
  const node = html("details", {}, html("summary", {}, "Read it as a table"),
    html("table", {}, html("thead", {}, html("tr", {}, ...head)), body));
  const update = (v) => body.replaceChildren(...rows(v).map((cells) =>
    html("tr", {}, ...cells.map((cell) => html("td", {}, cell)))));
  return { node, update };
}

function legend() {
  const sample = (className, words) => html("span", { class: "key" },
    svg("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" },
      svg("path", { class: `curve ${className}`, d: "M1 4H25" })), ` ${words}`);
  return html("p", { class: "legend" }, sample("composite", "four nodes (dashed, ×)"), " ",
    sample("node", "one node (solid, ●)"), " Drag in the picture, or use the slider and arrow keys.");
}

function render({ model, el }) {
  const change = (state) => {
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.save_changes();
  };
  const [picture, plot, table] = [graph(), chart(change), tableView()];
  const [controls, compare] = [controlsOf(model, change), comparison()];
  const [many, one] = [html("p", { class: "note" }), html("p", { class: "note" })];
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live);
  el.append(keepKeys(html("div", { class: "chainrule collapse" },
    picture.node, controls.node, compare.node, many, one, plot.node, legend(), table.node, live)));

  const watched = ["x", "dtype", "collapsed", "shown"];
  const draw = () => {
    const state = Object.fromEntries(watched.map((key) => [key, model.get(key)]));
    const v = compute(state.x, state.dtype);
    for (const part of [picture, controls, compare, plot, table]) part.update(v, state);
    [many.textContent, one.textContent] = notes(v, state.dtype);
    announce(`x = ${short(v.x)}. ${many.textContent} ${one.textContent}`);
  };
  const redraw = onNextFrame(draw);
  for (const key of watched) model.on(`change:${key}`, redraw);
  const resized = new ResizeObserver(redraw);
  resized.observe(plot.picture);
  draw();
  return () => {
    resized.disconnect();
    for (const key of watched) model.off(`change:${key}`, redraw);
  };
}

export default { render };
