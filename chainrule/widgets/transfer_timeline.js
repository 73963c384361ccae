// TransferTimeline: four batches travel to a device. Drag the end of the first copy, or a slider, and
// see who waits for whom. All of it is computed here, so that it also lives in a page without a kernel.

import { announcer, html, keepKeys, onNextFrame, set, slider, svg, ticks } from "./common.js";
import { LANES, schedule, summary, timelineRows } from "./transfer_timeline_math.js";

const START = { bandwidth: 11, tflops: 12, batch: 64, pinned: false, overlap: false, look: true };
const WATCHED = Object.keys(START);
const NAMES = { host: "host", copy: "copy there", compute: "compute", back: "copy back" };
const SWITCHES = {
  pinned: "pinned memory", overlap: "copies in a stream of their own", look: "look at each batch",
};
const TRIES = {
  "all wrong": {},
  "pinned": { pinned: true },
  "nobody looks": { pinned: true, look: false },
  "overlapped": { pinned: true, overlap: true, look: false },
  "overlapped, but somebody looks": { pinned: true, overlap: true, look: true },
  "batch of 1": { pinned: true, overlap: true, look: false, batch: 1 },
  "a fast link": { pinned: true, overlap: true, look: false, bandwidth: 55 },
};

// --- the picture -------------------------------------------------------------------------------

const [LEFT, RIGHT, TOP, LANE, BAR] = [86, 24, 8, 42, 28];
const HEIGHT = TOP + LANES.length * LANE + 26;
const text = (x, y, className, words) => svg("text", { x, y, class: className }, words);

function pictureOf(change, read) {
  const picture = svg("svg", { role: "img", height: HEIGHT });
  const bars = svg("g");
  const grip = svg("g", { class: "grip", tabindex: 0, role: "slider", "aria-label": "bandwidth of the link",
    "aria-valuemin": 1, "aria-valuemax": 64 },
  svg("path", { class: "edge" }), svg("circle", { r: 7 }), svg("path", { class: "arrows", d: "M-3 -2.5L-5.5 0L-3 2.5M3 -2.5L5.5 0L3 2.5" }));
  const bound = (value) => Number(Math.min(64, Math.max(1, 10 ** value)).toPrecision(3));
  slider(grip, { get: () => Math.log10(read("bandwidth")), set: (v) => change({ bandwidth: bound(v) }),
    reset: () => change({ bandwidth: START.bandwidth }), step: 0.02, bigStep: 0.2, perPixel: -0.004 });
  picture.append(bars, grip);
  const update = (plan, state) => {
    const edge = (picture.clientWidth || 720) - RIGHT;
    const x = (time) => LEFT + time / plan.total * (edge - LEFT);
    const y = (lane) => TOP + LANES.indexOf(lane) * LANE;
    set(picture, { viewBox: `0 0 ${edge + RIGHT} ${HEIGHT}`,
      "aria-label": `Timeline of ${Object.values(NAMES).join(", ")}: ${summary(plan, state)}` });
    const marks = ticks(plan.total / 1e3, 6).map((ms) => svg("g", {},
      svg("path", { class: "grid", d: `M${x(ms * 1e3)} ${TOP}V${HEIGHT - 24}` }),
      text(x(ms * 1e3), HEIGHT - 8, "small middle muted", `${Number(ms.toPrecision(3))} ms`)));
    const lanes = LANES.map((lane) => svg("g", {},
      svg("path", { class: "floor", d: `M${LEFT} ${y(lane) + BAR + 0.5}H${edge}` }),
      text(LEFT - 8, y(lane) + 19, "end", NAMES[lane])));
    const spans = plan.spans.map(({ lane, kind, batch, start, end }) => {
      const [from, width] = [x(start), Math.max(x(end) - x(start), 0.6)];
      const box = svg("rect", { class: `${kind} odd${batch % 2}`, x: from, y: y(lane), width, height: BAR });
      const words = kind === "wait" ? "waits" : `${batch + 1}`;
      if (kind === "launch" || width < (kind === "wait" ? 36 : 10)) return box;
      return svg("g", {}, box, text(from + width / 2, y(lane) + 19, `middle on-${kind}`, words));
    });
    bars.replaceChildren(...marks, ...lanes, ...spans);
    const first = plan.spans.find(({ lane }) => lane === "copy");
    set(grip, { transform: `translate(${x(first.end)} ${y("copy") + BAR / 2})`,
      "aria-valuenow": state.bandwidth, "aria-valuetext": `${state.bandwidth} GB/s` });
    set(grip.firstChild, { d: `M0 ${-BAR / 2 - 3}V${BAR / 2 + 3}` });
  };
  return { node: html("div", { class: "lanes" }, picture), update };
}

// --- the controls ------------------------------------------------------------------------------

const power = { to: (s) => Number((10 ** s).toPrecision(3)), from: (v) => Math.log10(v) };
const SLIDERS = {
  bandwidth: { ...power, words: "link", unit: " GB/s", min: 0, max: 1.81, step: 0.01 },
  tflops: { ...power, words: "arithmetic", unit: " TFLOP/s", min: 0, max: 1.81, step: 0.01 },
  batch: { to: (s) => Math.round(2 ** s), from: (v) => Math.log2(v), words: "batch", unit: " samples", min: 0, max: 10, step: 0.25 },
};

function rangeOf(key, change) {
  const scale = SLIDERS[key];
  const range = html("input", { type: "range", min: scale.min, max: scale.max, step: scale.step, "aria-label": scale.words });
  const shown = html("output", {});
  range.addEventListener("input", () => change({ [key]: Math.min(key === "batch" ? 1024 : 64, scale.to(Number(range.value))) }));
  const update = (value) => {
    if (scale.to(Number(range.value)) !== value) range.value = scale.from(value);
    shown.textContent = `${value}${scale.unit}`;
    range.setAttribute("aria-valuetext", shown.textContent);
  };
  return { key, node: html("label", { class: "slider" }, html("span", {}, scale.words), range, shown), update };
}

function switchOf(key, change) {
  const box = html("input", { type: "checkbox" });
  box.addEventListener("change", () => change({ [key]: box.checked }));
  return { key, node: html("label", { class: "switch" }, box, SWITCHES[key]), update: (value) => { box.checked = value; } };
}

function tableView() {
  const body = html("tbody");
  const head = ["batch", "copied, ms", "computed, ms", "known to the host"].map((name) => html("th", {}, name));
  const node = html("details", {}, html("summary", {}, "Read it as a table"),
    html("table", {}, html("thead", {}, html("tr", {}, ...head)), body));
  const update = (plan) => body.replaceChildren(...timelineRows(plan).map((cells) =>
    html("tr", {}, ...cells.map((cell) => html("td", {}, cell)))));
  return { node, update };
}

function render({ model, el }) {
  const read = (key) => model.get(key);
  const change = (state) => {
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.save_changes();
  };
  const picture = pictureOf(change, read);
  const controls = [...Object.keys(SLIDERS).map((key) => rangeOf(key, change)),
    ...Object.keys(SWITCHES).map((key) => switchOf(key, change))];
  const tries = Object.entries(TRIES).map(([name, state]) => {
    const button = html("button", { type: "button" }, name);
    button.addEventListener("click", () => change({ ...START, ...state }));
    return button;
  });
  const table = tableView();
  const said = html("p", { class: "said" });
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live, 900);
  const hint = html("p", { class: "hint" }, "Drag the round grip at the end of the first copy: a slower or a "
    + "faster link. Thin strokes in the host's lane are launches.");
  el.append(keepKeys(html("div", { class: "chainrule transfer" }, said, picture.node, hint,
    html("div", { class: "controls" }, ...controls.map(({ node }) => node)),
    html("div", { class: "controls tries" }, "try:", ...tries), table.node, live)));

  const draw = () => {
    const state = Object.fromEntries(WATCHED.map((key) => [key, read(key)]));
    const plan = schedule(state);
    for (const { key, update } of controls) update(state[key]);
    picture.update(plan, state);
    table.update(plan);
    said.textContent = summary(plan, state);
    announce(said.textContent);
  };
  const redraw = onNextFrame(draw);
  for (const key of WATCHED) model.on(`change:${key}`, redraw);
  const watcher = new ResizeObserver(redraw);
  watcher.observe(picture.node);
  draw();
  return () => {
    watcher.disconnect();
    for (const key of WATCHED) model.off(`change:${key}`, redraw);
  };
}

export default { render };
