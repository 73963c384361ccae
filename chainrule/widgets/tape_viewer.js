// TapeViewer: a tape of four nodes, one step at a time. Python computed every step; the browser
// chooses which one to show, so that the widget also lives in a page without a kernel.

import { announcer, html, keepKeys, onNextFrame, set, svg } from "./common.js";

const NODES = [
  { name: "a", made: "leaf", parents: [], x: 70, y: 60 },
  { name: "b", made: "leaf", parents: [], x: 70, y: 210 },
  { name: "t", made: "a * b", parents: [0, 1], x: 240, y: 210 },
  { name: "y", made: "t + a", parents: [2, 0], x: 400, y: 135 },
  { name: "d", made: "y − 10", parents: [3], x: 545, y: 135 },
  { name: "loss", made: "d ** 2", parents: [4], x: 690, y: 135 },
];
const STATES = {
  later: "not yet computed",
  leaf: "leaf: keeps what arrives in .grad",
  recorded: "recorded: holds its parents and what it saved",
  waiting: "something has arrived; its turn comes",
  kept: "rule called; kept by retain_graph",
  freed: "rule called; freed",
};
const BADGES = { later: "later", leaf: "", recorded: "recorded", waiting: "waiting",
  kept: "kept", freed: "freed" };
const BOX = { width: 112, height: 84 };
const STEPS = 8;

const text = (x, y, className, content = "") => svg("text", { x, y, class: className }, content);

function edgeLine(from, to) {
  const [x1, x2] = [from.x + BOX.width / 2, to.x - BOX.width / 2];
  const middle = (x1 + x2) / 2;
  return svg("path", { class: "edge plain",
    d: `M${x1} ${from.y}C${middle} ${from.y} ${middle} ${to.y} ${x2} ${to.y}` });
}

function nodeBox(place, controls) {
  const { name, made, x, y } = NODES[place];
  const [value, grad, badge] = [text(102, 20, "value"), text(10, 74, "small grad"),
    text(10, 57, "small muted")];
  const box = svg("g", { class: "node", tabindex: 0, role: "button",
    transform: `translate(${x - BOX.width / 2} ${y - BOX.height / 2})` },
  svg("rect", { class: "ring", x: -4, y: -4, width: BOX.width + 8, height: BOX.height + 8, rx: 11 }),
  svg("rect", { class: "face", width: BOX.width, height: BOX.height, rx: 8 }),
  text(10, 20, "name code", name), value, text(10, 39, "small code muted", made), badge, grad);
  const choose = () => controls.select(place);
  box.addEventListener("click", choose);
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    choose();
  });
  const update = (cells, selected) => {
    const cell = cells[place];
    box.setAttribute("class", `node ${cell.state}${selected === place ? " selected" : ""}`);
    box.setAttribute("aria-pressed", String(selected === place));
    box.setAttribute("aria-label", `${name} = ${made}, ${STATES[cell.state]}`
      + (cell.value && `, value ${cell.value}`) + (cell.grad && `, gradient ${cell.grad}`));
    value.textContent = cell.value;
    badge.textContent = BADGES[cell.state];
    grad.textContent = cell.grad ? `grad ${cell.grad}` : "";
  };
  return { node: box, update };
}

function detail() {
  const node = html("dl", { class: "detail" });
  const update = (cells, selected) => {
    const [cell, { name, made }] = [cells[selected], NODES[selected]];
    const rows = [["tensor", `${name} = ${made}`], ["state", STATES[cell.state]],
      ["value", cell.value || "none yet"], ["saved for its rule", cell.saved || "nothing"],
      ["gradient that has arrived", cell.grad || "none"]];
    node.replaceChildren(...rows.flatMap(([term, words]) =>
      [html("dt", {}, term), html("dd", {}, words)]));
  };
  return { node, update };
}

function tableView() {
  const body = html("tbody");
  const head = ["name", "made by", "value", "saved", "gradient", "state"];
  const node = html("details", {}, html("summary", {}, "Read it as a table"), html("table", {},
    html("thead", {}, html("tr", {}, ...head.map((name) => html("th", {}, name)))), body));
  const update = (cells) => body.replaceChildren(...cells.map((cell, k) => html("tr", {},
    ...[NODES[k].name, NODES[k].made, cell.value, cell.saved, cell.grad, STATES[cell.state]]
      .map((words) => html("td", {}, words)))));
  return { node, update };
}

function stepper(model, change) {
  const button = (words, className, act) => {
    const node = html("button", { type: "button", class: className }, words);
    node.addEventListener("click", act);
    return node;
  };
  const go = (step) => change({ step: Math.max(0, Math.min(STEPS, step)) });
  const range = html("input", { type: "range", min: 0, max: STEPS, step: 1, "aria-label": "step" });
  range.addEventListener("input", () => go(Number(range.value)));
  const [back, next] = [button("◂ Step back", "", () => go(model.get("step") - 1)),
    button("Next step ▸", "primary", () => go(model.get("step") + 1))];
  const keep = html("input", { type: "checkbox" });
  keep.addEventListener("change", () => change({ retain: keep.checked }));
  const count = html("output");
  const node = html("div", { class: "controls" }, back, next, range, count,
    html("label", {}, keep, html("code", {}, "retain_graph=True")));
  const update = () => {
    const step = model.get("step");
    range.value = step;
    keep.checked = model.get("retain");
    back.disabled = step === 0;
    next.disabled = step === STEPS;
    count.textContent = `step ${step} of ${STEPS}`;
  };
  return { node, update };
}

function render({ model, el }) {
  const change = (state) => {
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.save_changes();
  };
  const boxes = NODES.map((_, k) => nodeBox(k, { select: (place) => change({ selected: place }) }));
  const edges = NODES.flatMap((node, k) => node.parents.map((p) =>
    ({ line: edgeLine(NODES[p], node), to: k })));
  const [panel, table, steps] = [detail(), tableView(), stepper(model, change)];
  const words = html("p", { class: "words" });
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live);
  const picture = svg("svg", { viewBox: "0 0 760 270", role: "group",
    "aria-label": "A tape of four nodes and two leaves; each is a button that shows its details" },
  ...edges.map((e) => e.line), ...boxes.map((b) => b.node));
  el.append(keepKeys(html("div", { class: "chainrule tape-viewer" }, steps.node, words,
    html("div", { class: "stage" }, html("div", { class: "net" }, picture), panel.node),
    html("p", { class: "legend" }, "Click a tensor, or Tab to it and press Enter, for its details."),
    table.node, live)));

  const draw = () => {
    const [step, selected] = [model.get("step"), model.get("selected")];
    const frame = model.get("frames")[model.get("retain") ? "retain" : "free"][step];
    for (const part of [...boxes, panel, table]) part.update(frame.cells, selected);
    for (const { line, to } of edges)
      set(line, { class: `edge plain ${frame.cells[to].state}` });
    words.textContent = frame.words;
    steps.update();
    announce(`Step ${step} of ${STEPS}. ${frame.words}`);
  };
  const redraw = onNextFrame(draw);
  const watched = ["step", "selected", "retain", "frames"];
  for (const key of watched) model.on(`change:${key}`, redraw);
  draw();
  return () => { for (const key of watched) model.off(`change:${key}`, redraw); };
}

export default { render };
