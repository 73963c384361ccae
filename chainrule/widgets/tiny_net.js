// TinyNet: two inputs, three ReLU units, one output, squared error. Drag a weight sideways and
// every value, every gradient and the loss follow. All of it happens here, so that the widget also
// lives in a page without a kernel.

import {
  announcer, drag, html, keepKeys, number, onNextFrame, set, signed, slider, svg, ticks,
} from "./common.js";
import { UNITS, WEIGHTS, compute, gradients, rows } from "./tiny_net_math.js";

const LIMIT = 2; // a weight is dragged between -LIMIT and LIMIT
const SLIDER = { step: 0.05, bigStep: 0.25, perPixel: 0.01 };
const RUNAWAY = 1000; // a gradient step that throws a weight further than this is refused

// --- the net, in the coordinates of its viewBox ------------------------------------------------

const WIDTH = 660;
const HEIGHT = 322;
const PITCH = 53; // from one w1 card to the next; a unit stands level with the middle of its two
const unitY = (j) => HEIGHT / 2 + (j - 1) * 2 * PITCH;
const inputY = (i) => HEIGHT / 2 + (i - 0.5) * 3 * PITCH;
const INPUT = { x: 32, radius: 29 };
const CARD = { width: 108, height: 45, left: [130, 422] };
const UNIT = { left: 264, width: 138, height: 94 };
const OUTPUT = { left: 558, width: 98, y: 88, height: 76 };
const LOSS = { top: 164, height: 102 };

const text = (x, y, className, content = "") => svg("text", { x, y, class: className }, content);
const at = (x, y, attributes, ...children) =>
  svg("g", { transform: `translate(${x} ${y})`, ...attributes }, ...children);
const box = (width, height) => svg("rect", { class: "box", width, height, rx: 9 });

/** A line that leaves and arrives horizontally. */
function bend(x1, y1, x2, y2) {
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}

function inputNode(i) {
  const value = text(0, 14, "big input");
  const node = at(INPUT.x, inputY(i), {}, svg("circle", { class: "box", r: INPUT.radius }),
    text(0, -9, "name code middle", `x[${i}]`), value);
  return { node, update: (v) => { value.textContent = number(v.x[i], 1); } };
}

function unitNode(j) {
  const [h, gradH] = [text(84, 62, "value"), text(131, 62, "value grad")];
  const [relu, gradRelu] = [text(84, 84, "value"), text(131, 84, "value grad")];
  const dot = svg("circle", { r: 3.4 });
  const badge = text(115, 20, "middle");
  const node = at(UNIT.left, unitY(j) - UNIT.height / 2, {},
    box(UNIT.width, UNIT.height), text(9, 20, "name", `unit ${j}`),
    svg("g", { class: "relu", "aria-hidden": "true" }, svg("path", { d: "M55 23H73L88 9" }), dot),
    svg("rect", { class: "badge", x: 99, y: 8.5, width: 32, height: 16, rx: 8 }), badge,
    text(84, 42, "small muted value", "value"), text(131, 42, "small grad value", "grad"),
    text(9, 62, "small code", "h"), h, gradH, text(9, 84, "small code", "h_relu"), relu, gradRelu);
  const update = (v) => {
    const on = v.h[j] > 0;
    const along = Math.tanh(v.h[j]); // the dot stays on the little picture of the ReLU
    node.classList.toggle("off", !on);
    badge.textContent = on ? "on" : "off";
    dot.setAttribute("cx", 73 + along * (on ? 15 : 18));
    dot.setAttribute("cy", 23 - (on ? along * 14 : 0));
    h.textContent = number(v.h[j]);
    relu.textContent = number(v.h_relu[j]);
    gradH.textContent = signed(v.grad_h[j]);
    gradRelu.textContent = signed(v.grad_h_relu[j]);
  };
  return { node, update };
}

function outputNodes() {
  const { left, width, height, y } = OUTPUT;
  const middle = width / 2;
  const [value, grad] = [text(middle, 44, "big"), text(middle, 65, "small grad middle")];
  const [loss, formula] = [text(middle, 46, "big loss"), text(middle, 68, "small muted middle")];
  const target = text(middle, 88, "small middle");
  const node = svg("g", {},
    svg("path", { class: "edge plain", d: `M${left + middle} ${y + height / 2}V${LOSS.top}` }),
    at(left, y - height / 2, {}, box(width, height),
      text(middle, 20, "name code middle", "y_pred"), value, grad),
    at(left, LOSS.top, {}, box(width, LOSS.height),
      text(middle, 20, "name middle", "loss"), loss, formula, target));
  const update = (v) => {
    const y = number(v.y);
    value.textContent = number(v.y_pred);
    grad.textContent = `grad ${signed(v.grad_y_pred)}`;
    loss.textContent = number(v.loss, 4);
    formula.textContent = `(${number(v.y_pred)} − ${v.y < 0 ? `(${y})` : y})²`;
    target.textContent = `target y = ${y}`;
  };
  return { node, update };
}

/** The line of weight `k`, from node to card and from card to node. */
function weightLine(k, left, y) {
  const { i, unit } = WEIGHTS[k];
  const right = left + CARD.width;
  const d = i === null
    ? bend(UNIT.left + UNIT.width, y, left, y) + bend(right, y, OUTPUT.left, OUTPUT.y)
    : bend(INPUT.x + INPUT.radius, inputY(i), left, y) + bend(right, y, UNIT.left, unitY(unit));
  return svg("path", { class: "edge", d });
}

/** The line of weight `k` and the card on it: a slider with value, place on its track, gradient. */
function weightNodes(k, controls) {
  const { name, from, to, i, unit } = WEIGHTS[k];
  const { width, height } = CARD;
  const middle = width / 2;
  const left = CARD.left[i === null ? 1 : 0];
  const y = unitY(unit) + (i === null ? 0 : (i - 0.5) * PITCH);
  const line = weightLine(k, left, y);
  const [value, grad] = [text(width - 8, 16, "value"), text(middle, 39, "small grad middle")];
  const bar = svg("rect", { class: "bar", y: 21.5, height: 4 });
  const thumb = svg("circle", { class: "bar", cy: 23.5, r: 4 });
  const arrow = svg("path", { class: "arrow" });
  const card = at(left, y - height / 2, {
    class: "card", tabindex: 0, role: "slider",
    "aria-label": `weight ${name}, from ${from} to ${to}`,
  },
  svg("rect", { class: "ring", x: -4, y: -4, width: width + 8, height: height + 8, rx: 11 }),
  svg("rect", { class: "face", width, height, rx: 7 }),
  svg("path", { class: "track", d: `M10 23.5H${width - 10}M${middle} 20v7` }), bar, thumb,
  text(8, 15.5, "small code muted", name), value, grad, arrow);
  slider(card, { ...SLIDER, ...controls.weight(k) });
  card.addEventListener("focus", () => controls.select(k));
  const update = (v, weights, grads, selected) => {
    const [w, g] = [weights[k], grads[k]];
    const end = (Math.max(-LIMIT, Math.min(LIMIT, w)) / LIMIT) * (middle - 10);
    const side = g > 0 ? -1 : 1; // a descent step goes against the gradient
    for (const node of [line, card]) node.classList.toggle("negative", w < 0);
    line.classList.toggle("off", !(v.h[unit] > 0));
    line.setAttribute("stroke-width", 1.5 + 2 * Math.min(Math.abs(w), LIMIT));
    bar.setAttribute("x", middle + Math.min(end, 0));
    bar.setAttribute("width", Math.abs(end));
    thumb.setAttribute("cx", middle + end);
    value.textContent = number(w);
    grad.textContent = `grad ${signed(g)}`;
    const pointing = `M${middle + side * 37} 31v9l${side * 7} -4.5z`;
    arrow.setAttribute("d", Math.abs(g) < 5e-3 ? "" : pointing);
    card.classList.toggle("selected", selected === k);
    card.setAttribute("aria-valuemin", Math.min(-LIMIT, w));
    card.setAttribute("aria-valuemax", Math.max(LIMIT, w));
    card.setAttribute("aria-valuenow", w);
    card.setAttribute("aria-valuetext",
      `${number(w)}, gradient ${signed(g)}, loss ${number(v.loss, 4)}`);
  };
  return { line, card, column: left, y, update };
}

// --- the loss against the selected weight ------------------------------------------------------

const PAD = { left: 34, right: 10, top: 10, bottom: 34 };

/** The loss at 401 places of weight `k` between -reach and reach, the others as they are. */
function lossCurve(v, weights, k, reach) {
  return Array.from({ length: 401 }, (_, n) => {
    const w = reach * (n / 200 - 1);
    const { loss, h } = compute(weights.with(k, w), v.x, v.y);
    return { w, loss, off: !(h[WEIGHTS[k].unit] > 0) };
  });
}

function gridLines(x, y, top, reach, right, bottom) {
  const losses = ticks(top).map((loss) => svg("g", {},
    svg("path", { class: loss ? "grid" : "axis", d: `M${PAD.left} ${y(loss)}H${right}` }),
    text(PAD.left - 6, y(loss) + 4, "small muted value", String(Number(loss.toPrecision(3))))));
  const weights = [-reach, -reach / 2, 0, reach / 2, reach].map((w) =>
    text(x(w), bottom + 15, "small muted middle", number(w, reach === LIMIT ? 0 : 1)));
  return [...losses, ...weights];
}

function lossChart(controls) {
  const [title, slope] = [html("p"), html("p", { class: "grad" })];
  const clip = svg("rect");
  const id = `tiny-net-${Math.random().toString(36).slice(2)}`;
  const [flat, flatName] = [svg("rect", { class: "flat" }), text(0, 0, "small muted middle")];
  const [grid, axisName] = [svg("g"), text(0, 0, "small middle code")];
  const [curve, tangent] = [svg("path", { class: "curve" }), svg("path", { class: "tangent" })];
  const point = svg("circle", { class: "point", r: 6 });
  const picture = svg("svg", { role: "img" }, svg("clipPath", { id }, clip), flat, grid, axisName,
    svg("g", { "clip-path": `url(#${id})` }, tangent, curve), flatName, point);
  let weightAt = () => 0; // the weight under a horizontal place on the screen
  const follow = (event) => controls.weight(controls.selected()).set(
    weightAt(event.clientX - picture.getBoundingClientRect().left));
  drag(picture, (event) => { follow(event); return follow; });

  const update = (v, weights, grads, selected) => {
    const [{ name, unit }, w, g] = [WEIGHTS[selected], weights[selected], grads[selected]];
    const right = (picture.clientWidth || 300) - PAD.right;
    const bottom = (picture.clientHeight || 230) - PAD.bottom;
    const reach = Math.max(LIMIT, Math.abs(w));
    const points = lossCurve(v, weights, selected, reach);
    const top = Math.max(0.5, ...points.map((p) => p.loss)) * 1.06;
    const x = (weight) => PAD.left + ((weight + reach) / (2 * reach)) * (right - PAD.left);
    const y = (loss) => bottom - (loss / top) * (bottom - PAD.top);
    weightAt = (pixel) => reach * ((2 * (pixel - PAD.left)) / (right - PAD.left) - 1);
    const area = { x: PAD.left, y: PAD.top, width: right - PAD.left, height: bottom - PAD.top };
    const off = points.filter((p) => p.off).map((p) => x(p.w));
    const [from, to] = [off[0] ?? 0, off.at(-1) ?? 0];
    set(clip, area);
    set(flat, { ...area, x: from, width: to - from });
    set(flatName, { x: (from + to) / 2, y: PAD.top + 14 });
    set(axisName, { x: (PAD.left + right) / 2, y: bottom + 30 });
    set(point, { cx: x(w), cy: y(v.loss) });
    grid.replaceChildren(...gridLines(x, y, top, reach, right, bottom));
    curve.setAttribute("d", `M${points.map((p) => `${x(p.w)} ${y(p.loss)}`).join("L")}`);
    const end = (weight) => `${x(weight)} ${y(v.loss + g * (weight - w))}`;
    tangent.setAttribute("d", `M${end(w - reach / 2)}L${end(w + reach / 2)}`);
    flatName.textContent = to - from > 90 ? `unit ${unit} off: flat` : to - from > 44 ? "flat" : "";
    axisName.textContent = name;
    title.replaceChildren("The loss when only ", html("code", {}, name), " moves");
    slope.textContent = `Tangent: slope ${signed(g)} = gradient`;
    picture.setAttribute("aria-label", `Curve of the loss against ${name}; at ${number(w)} `
      + `the loss is ${number(v.loss, 4)} and the slope ${signed(g)}`);
  };
  return { node: html("div", { class: "chart" }, title, picture, slope), picture, update };
}

// --- everything around them --------------------------------------------------------------------

function legend() {
  const sample = (className, words) => html("span", { class: "key" },
    svg("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" },
      svg("path", { class: `edge ${className}`, d: "M3 4H23", "stroke-width": 4 })), ` ${words}`);
  return html("p", { class: "legend" },
    "Drag a weight sideways, or Tab to it and press arrow keys (Shift: larger steps, Home: back). ",
    sample("", "positive"), " ", sample("negative", "negative"), " ",
    sample("off", "unit off"), " ", html("span", { class: "key" },
      html("span", { class: "grad" }, "◂ ▸"), " where a descent step moves it"));
}

function samplePicker(model, change) {
  const group = `tiny-net-${Math.random()}`;
  const choices = model.get("samples").map(({ inputs, target }, n) => {
    const radio = html("input", { type: "radio", name: group });
    radio.addEventListener("change", () => change({ inputs, target }));
    const x = inputs.map((value) => number(value, 0)).join(", ");
    const words = `sample ${n + 1}: x = (${x}), y = ${number(target)}`;
    return { radio, inputs, target, label: html("label", {}, radio, words) };
  });
  const node = html("fieldset", {}, html("legend", { class: "hidden" }, "Sample"),
    ...choices.map(({ label }) => label));
  const update = (v) => {
    for (const { radio, inputs, target } of choices)
      radio.checked = target === v.y && inputs.every((value, i) => value === v.x[i]);
  };
  return { node, update };
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

/** What the parts may read and do: the synced state, by name. */
function controlsOf(model, change) {
  const weights = (k, value) => ({ weights: model.get("weights").with(k, value), selected: k });
  const rounded = (value) => Math.round(Math.min(LIMIT, Math.max(-LIMIT, value)) * 100) / 100;
  return {
    selected: () => model.get("selected"),
    select: (k) => change({ selected: k }),
    weight: (k) => ({
      get: () => model.get("weights")[k],
      set: (value) => change(weights(k, rounded(value))),
      reset: () => change(weights(k, model.get("start")[k])),
    }),
  };
}

/** Learning rate, "One step of gradient descent", "Reset weights", and a note on what happened. */
function descent(model, read, change) {
  const rate = html("input", { type: "range", min: 0.01, max: 0.3, step: 0.01 });
  const rateText = html("output");
  const step = html("button", { type: "button", class: "primary" }, "One step of gradient descent");
  const reset = html("button", { type: "button" }, "Reset weights");
  const note = html("p", { class: "note" });
  rate.addEventListener("input", () => change({ learning_rate: Number(rate.value) }));
  reset.addEventListener("click", () => {
    note.textContent = "";
    change({ weights: [...model.get("start")] });
  });
  step.addEventListener("click", () => {
    const before = read();
    const grads = gradients(before);
    const next = model.get("weights").map((w, k) => w - model.get("learning_rate") * grads[k]);
    const sane = next.every((w) => Math.abs(w) <= RUNAWAY);
    if (sane) change({ weights: next });
    note.textContent = sane
      ? `One step took the loss from ${number(before.loss, 4)} to ${number(read().loss, 4)}.`
      : `A step would throw a weight beyond ${RUNAWAY}: the learning rate is too large. Reset.`;
  });
  const update = () => {
    rate.value = model.get("learning_rate");
    rateText.textContent = number(model.get("learning_rate"));
  };
  const node = html("div", { class: "controls" },
    html("label", {}, "learning rate", rate, rateText), step, reset);
  return { node, note, update };
}

function render({ model, el }) {
  const read = () => compute(model.get("weights"), model.get("inputs"), model.get("target"));
  const change = (state) => {
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.save_changes();
  };
  const controls = controlsOf(model, change);
  const edges = WEIGHTS.map((_, k) => weightNodes(k, controls));
  const boxes = [...[0, 1].map(inputNode), ...UNITS.map(unitNode), outputNodes()];
  const [chart, table] = [lossChart(controls), tableView()];
  const [samples, steps] = [samplePicker(model, change), descent(model, read, change)];
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live);
  const tabOrder = [...edges].sort((a, b) => a.column - b.column || a.y - b.y);
  const net = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label":
    "A net of two inputs, three ReLU units and one output; each weight is a slider" },
  ...edges.map((e) => e.line), ...boxes.map((b) => b.node), ...tabOrder.map((e) => e.card));
  el.append(keepKeys(html("div", { class: "chainrule tiny-net" },
    html("div", { class: "stage" }, html("div", { class: "net" }, net), chart.node), legend(),
    html("div", { class: "controls" }, samples.node, steps.node), steps.note, table.node, live)));

  const draw = () => {
    const [v, weights, selected] = [read(), model.get("weights"), model.get("selected")];
    const grads = gradients(v);
    for (const part of [...edges, ...boxes, chart, samples, steps, table])
      part.update(v, weights, grads, selected);
    announce(`${WEIGHTS[selected].name} is ${number(weights[selected])}, its gradient `
      + `${signed(grads[selected])}, the loss ${number(v.loss, 4)}. ${steps.note.textContent}`);
  };
  const redraw = onNextFrame(draw);
  const watched = ["weights", "inputs", "target", "learning_rate", "selected"];
  for (const key of watched) model.on(`change:${key}`, redraw);
  const resized = new ResizeObserver(redraw);
  resized.observe(chart.picture);
  draw();
  return () => {
    resized.disconnect();
    for (const key of watched) model.off(`change:${key}`, redraw);
  };
}

export default { render };
