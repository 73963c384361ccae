// StepCurve: the error of a numerical derivative against its step. Move the step, and see which
// digits cancel and which error rules. All of it is computed here, so that the widget also lives in
// a page without a kernel.

import { announcer, drag, html, keepKeys, onNextFrame, set, svg } from "./common.js";
import {
  DIGITS, FIRST, FUNCTIONS, KINDS, LAST, METHODS, POINTS, brief, commonDigits, parts, ruling, stepNote,
  stepOf, stepRows, stepValues,
} from "./step_curve_math.js";

const WATCHED = ["notch", "function", "x", "method", "dtype"];
const label = (x, y, className, content = "") => svg("text", { x, y, class: className }, content);

// --- the curve -----------------------------------------------------------------------------------

const PAD = { left: 46, right: 14, top: 26, bottom: 38 };
const TOP = 1; // powers of ten: errors from 1e1 down to 1e-17
const LOW = -17;
const level = (error) => Math.min(TOP, Math.max(LOW, Math.log10(error)));

/** Hatching and dots, so that the two regions differ without color. */
function patterns(id) {
  const pattern = (name, size, ...marks) =>
    svg("pattern", { id: `${id}-${name}`, width: size, height: size, patternUnits: "userSpaceOnUse" }, ...marks);
  return svg("defs", {},
    pattern("hatch", 9, svg("path", { class: "hatch", d: "M-1 10L10 -1M-1 1L1 -1M8 10L10 8" })),
    pattern("dots", 9, svg("circle", { class: "dots", cx: 4.5, cy: 4.5, r: 1.2 })));
}

/** The step where truncation and round-off are equal, as a notch; FIRST or LAST if there is none. */
function crossing(points) {
  const first = points.findIndex((v) => v.truncation > v.round_off);
  return first < 0 ? LAST : FIRST + first;
}

function chart(change) {
  const id = `step-curve-${Math.random().toString(36).slice(2)}`;
  const region = (name, fill) => ({
    box: svg("rect", { class: "region", fill: `url(#${id}-${fill})` }),
    name: label(0, PAD.top - 8, `region-name ${name}`),
  });
  const [left, right] = [region("left", "hatch"), region("right", "dots")];
  const grid = svg("g");
  const path = (className) => svg("path", { class: className });
  const [lost, bent, curve, marker] = ["bound", "bound", "curve", "marker"].map(path);
  const dot = svg("circle", { class: "dot", r: 6 });
  const picture = svg("svg", { role: "img" }, patterns(id), left.box, right.box, grid, lost, bent,
    curve, marker, dot, left.name, right.name);
  let notchAt = () => 0;
  const follow = (event) =>
    change({ notch: notchAt(event.clientX - picture.getBoundingClientRect().left) });
  drag(picture, (event) => { follow(event); return follow; });
  let drawn = "";

  const update = (v, state) => {
    const [edge, bottom] = [(picture.clientWidth || 640) - PAD.right, (picture.clientHeight || 300) - PAD.bottom];
    const x = (notch) => PAD.left + ((notch - FIRST) / (LAST - FIRST)) * (edge - PAD.left);
    const y = (error) => bottom - ((level(error) - LOW) / (TOP - LOW)) * (bottom - PAD.top);
    notchAt = (pixel) => {
      const part = (pixel - PAD.left) / (edge - PAD.left);
      return Math.round(FIRST + Math.min(1, Math.max(0, part)) * (LAST - FIRST));
    };
    const key = [state.function, state.x, state.method, state.dtype, edge, bottom].join();
    if (key !== drawn) {
      drawn = key;
      const points = Array.from({ length: LAST - FIRST + 1 }, (_, k) =>
        stepValues({ ...state, notch: FIRST + k }));
      const line = (name) => {
        let pen = "M";
        return points.map((p, k) => {
          if (!Number.isFinite(p[name])) { pen = "M"; return ""; }
          const step = `${pen}${x(FIRST + k).toFixed(1)} ${y(p[name]).toFixed(1)}`;
          pen = "L";
          return step;
        }).join("");
      };
      curve.setAttribute("d", line("error"));
      lost.setAttribute("d", line("round_off"));
      bent.setAttribute("d", line("truncation"));
      const middle = x(crossing(points));
      const height = bottom - PAD.top;
      set(left.box, { x: PAD.left, y: PAD.top, width: middle - PAD.left, height });
      set(right.box, { x: middle, y: PAD.top, width: edge - middle, height });
      set(left.name, { x: (PAD.left + middle) / 2 });
      set(right.name, { x: (middle + edge) / 2 });
      left.name.textContent = state.method === "complex" ? "rounding only ▨" : "round-off rules ▨";
      right.name.textContent = edge - middle > 120 ? "truncation rules ⁘" : "truncation ⁘";
      grid.replaceChildren(...axes(x, y, edge, bottom));
    }
    const at = Number.isFinite(v.error) ? v.error : 10;
    set(dot, { cx: x(state.notch), cy: y(at) });
    dot.classList.toggle("gone", !Number.isFinite(v.error));
    marker.setAttribute("d", `M${x(state.notch)} ${PAD.top}V${bottom}`);
    picture.setAttribute("aria-label", `Relative error against the step: at ${brief(v.step)} it is `
      + `${brief(v.error)}, ${ruling(v)} ${ruling(v) === "both" ? "rule" : "rules"}`);
  };
  return { node: html("div", { class: "chart" }, picture), picture, update };
}

function axes(x, y, edge, bottom) {
  const power = (n) => (n === 0 ? "1" : `1e${n}`.replace("-", "−"));
  const few = edge < 560;
  const levels = [0, -4, -8, -12, -16].map((n) => svg("g", {},
    svg("path", { class: "grid", d: `M${PAD.left} ${y(10 ** n)}H${edge}` }),
    label(PAD.left - 6, y(10 ** n) + 4, "small muted end", power(n))));
  const marks = [-18, -15, -12, -9, -6, -3, 0].filter((n, k) => !few || k % 2 === 0).map((n) =>
    svg("g", {},
      svg("path", { class: "axis", d: `M${x(10 * n)} ${bottom}v4` }),
      label(x(10 * n), bottom + 16, "small muted middle", power(n))));
  return [svg("path", { class: "axis", d: `M${PAD.left} ${bottom}H${edge}` }), ...levels, ...marks,
    label((PAD.left + edge) / 2, bottom + 33, "small middle", "step"),
    label(4, 14, "small", "relative error")];
}

// --- everything around it ------------------------------------------------------------------------

/** Radio buttons for one trait. */
function options(name, words, values, write, read, change) {
  const group = `step-curve-${name}-${Math.random()}`;
  const buttons = values.map((value) => {
    const radio = html("input", { type: "radio", name: group });
    radio.addEventListener("change", () => change({ [name]: value }));
    return { radio, value, node: html("label", {}, radio, write(value)) };
  });
  const node = html("fieldset", {}, html("legend", {}, words), ...buttons.map((one) => one.node));
  const update = () => {
    for (const { radio, value } of buttons) radio.checked = read(name) === value;
  };
  return { node, update };
}

function controlsOf(model, change) {
  const read = (name) => model.get(name);
  const range = html("input", { type: "range", min: FIRST, max: LAST, step: 1 });
  const shown = html("output", { class: "step" });
  range.addEventListener("input", () => change({ notch: Number(range.value) }));
  const plain = (value) => value;
  const groups = [
    options("function", "f(x)", Object.keys(FUNCTIONS), (name) => FUNCTIONS[name], read, change),
    options("x", "at x =", POINTS, brief, read, change),
    options("method", "method", METHODS, plain, read, change),
    options("dtype", "numbers", KINDS, plain, read, change),
  ];
  const node = html("div", {},
    html("div", { class: "controls" }, html("label", { class: "wide" }, "step", range, shown)),
    html("div", { class: "controls" }, ...groups.map((group) => group.node)));
  const update = (v, state) => {
    range.value = state.notch;
    shown.textContent = brief(stepOf(state.notch));
    range.setAttribute("aria-valuetext", `step ${brief(v.step)}, error ${brief(v.error)}. ${stepNote(v, state)}`);
    for (const group of groups) group.update();
  };
  return { node, update };
}

/** The two values that are subtracted, digit under digit; what cancels is crossed out. */
function cancellation() {
  const body = html("tbody");
  const node = html("table", { class: "digits" }, body);
  const number = (value, kind, shared) => {
    const [sign, mantissa, tail] = parts(value, kind);
    const cut = shared === 0 ? 0 : shared === 1 ? 1 : shared + 1; // the point is no digit
    return html("td", { class: "code" }, sign, html("s", {}, mantissa.slice(0, cut)),
      html("b", {}, mantissa.slice(cut)), tail);
  };
  const update = (v, { method, dtype }) => {
    const row = (name, cell, words = "") =>
      html("tr", {}, html("td", {}, name), cell, html("td", {}, words));
    const shared = method === "complex" ? 0 : commonDigits(v.high, v.low, dtype);
    const pair = method === "complex" ? [] : [
      row("f(x + step)", number(v.high, dtype, shared), shared ? "crossed out: the digits that cancel" : ""),
      row(method === "central" ? "f(x − step)" : "f(x)", number(v.low, dtype, shared))];
    const right = Number.isFinite(v.error) ? commonDigits(v.estimate, v.slope, dtype) : 0;
    body.replaceChildren(...pair,
      row("estimate", number(v.estimate, dtype, 0), `relative error ${brief(v.error)}`),
      row("true slope", number(v.slope, dtype, 0), `${right} of ${DIGITS[dtype]} digits agree`));
  };
  return { node: html("div", { class: "scroll" }, node), update };
}

function tableView() {
  const body = html("tbody");
  const head = ["name", "value", "what it is"].map((name) => html("th", {}, name));
  const node = html("details", {}, html("summary", {}, "Read it as a table"),
    html("table", {}, html("thead", {}, html("tr", {}, ...head)), body));
  const update = (v, state) => body.replaceChildren(...stepRows(v, state).map((cells) =>
    html("tr", {}, ...cells.map((cell) => html("td", {}, cell)))));
  return { node, update };
}

function legend() {
  const sample = (className, words) => html("span", { class: "key" },
    svg("svg", { viewBox: "0 0 26 8", "aria-hidden": "true" },
      svg("path", { class: className, d: "M1 4H25" })), ` ${words}`);
  return html("p", { class: "legend" }, sample("curve", "measured error (solid)"), " ",
    sample("bound", "expected round-off and truncation (dashed)"),
    " Drag in the picture, or use the slider and arrow keys.");
}

function render({ model, el }) {
  const change = (state) => {
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.save_changes();
  };
  const [plot, controls, digits, table] = [chart(change), controlsOf(model, change), cancellation(), tableView()];
  const note = html("p", { class: "note" });
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live);
  el.append(keepKeys(html("div", { class: "chainrule step-curve" }, plot.node, legend(),
    controls.node, note, digits.node, table.node, live)));

  const draw = () => {
    const state = Object.fromEntries(WATCHED.map((key) => [key, model.get(key)]));
    const v = stepValues(state);
    for (const part of [plot, controls, digits, table]) part.update(v, state);
    note.textContent = stepNote(v, state);
    announce(`Step ${brief(v.step)}: error ${brief(v.error)}. ${note.textContent}`);
  };
  const redraw = onNextFrame(draw);
  for (const key of WATCHED) model.on(`change:${key}`, redraw);
  const resized = new ResizeObserver(redraw);
  resized.observe(plot.picture);
  draw();
  return () => {
    resized.disconnect();
    for (const key of WATCHED) model.off(`change:${key}`, redraw);
  };
}

export default { render };
