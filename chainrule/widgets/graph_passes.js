// GraphPasses: the graph of a small program before and after each pass of a compiler. All stages come
// from Python as data; here they are drawn, so the widget also lives in a page without a kernel.

import { announcer, html, keepKeys, onNextFrame, set, svg } from "./common.js";

const BOX = { width: 104, height: 62 };
const AT = {
  two: [62, 42], half: [62, 118], one: [195, 80], x: [62, 250], a: [325, 95], b: [455, 150],
  c: [455, 250], d: [585, 150], e: [650, 46], f: [715, 150],
};
const COUNTS = ["steps", "kernels", "bytes"];
const SHADE = { here: "", gone: "removed", inside: "inside the kernel" };

const label = (x, y, className, words = "") => svg("text", { x, y, class: className }, words);

function button(words, className, act) {
  const node = html("button", { type: "button", class: className }, words);
  node.addEventListener("click", act);
  return node;
}

function nodeView(name) {
  const [x, y] = AT[name];
  const [kind, note] = [label(10, 38, "small muted"), label(10, 54, "small note")];
  const cross = svg("path", { class: "cross", d: `M6 ${BOX.height - 6}L${BOX.width - 6} 6` });
  const node = svg("g", { transform: `translate(${x - BOX.width / 2} ${y - BOX.height / 2})` },
    svg("rect", { class: "face", width: BOX.width, height: BOX.height, rx: 9 }), cross,
    label(10, 20, "name code", name), kind, note);
  const update = (cell) => {
    const fresh = cell.note !== "";
    set(node, { class: `node ${cell.look}${fresh ? " fresh" : ""}` });
    kind.textContent = cell.kind;
    note.textContent = cell.note || SHADE[cell.look];
  };
  return { name, node, update };
}

function edgePath([from, to]) {
  const [[x1, y1], [x2, y2]] = [AT[from], AT[to]];
  const vertical = Math.abs(x2 - x1) < BOX.width;
  const sign = Math.sign(y2 - y1);
  const [ax, ay] = vertical ? [x1, y1 + sign * BOX.height / 2] : [x1 + BOX.width / 2, y1];
  const [bx, by] = vertical ? [x2, y2 - sign * BOX.height / 2] : [x2 - BOX.width / 2, y2];
  const middle = (ax + bx) / 2;
  const d = vertical ? `M${ax} ${ay}L${bx} ${by}` : `M${ax} ${ay}C${middle} ${ay} ${middle} ${by} ${bx} ${by}`;
  return svg("path", { class: "edge", d });
}

/** The outline of a kernel around the steps that are inside of it. */
function kernelOutline(cells) {
  const inside = cells.filter((cell) => cell.look === "inside").map((cell) => AT[cell.name]);
  if (!inside.length) return "";
  const points = inside.flatMap(([x, y]) => [-1, 1].flatMap((i) => [-1, 1].map((j) =>
    [x + i * (BOX.width / 2 + 9), y + j * (BOX.height / 2 + 9)])));
  const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  return `M${left} ${top}H${right}V${bottom}H${left}Z`;
}

/** One bar for each stage: how much of the first stage's count is left. */
function barsView(what, stages) {
  const rows = stages.map((stage) => {
    const [fill, words] = [html("span", { class: "fill" }), html("span", { class: "amount" }, String(stage[what]))];
    fill.style.width = `${(100 * stage[what]) / stages[0][what]}%`;
    return html("span", { class: "bar" }, html("span", { class: "track" }, fill), words);
  });
  return { what, rows };
}

function render({ model, el }) {
  const stages = model.get("stages");
  const last = stages.length - 1;
  const go = (stage) => {
    const next = Math.max(0, Math.min(last, stage));
    if (next === model.get("stage")) return;
    model.set("stage", next);
    model.save_changes();
    announce(spoken(stages, next));
  };
  const nodes = Object.keys(AT).map(nodeView);
  const [lines, outline] = [svg("g"), svg("path", { class: "kernel" })];
  const picture = svg("svg", { viewBox: "0 0 775 295", role: "img" }, outline, lines,
    ...nodes.map((node) => node.node));
  const bars = COUNTS.map((what) => barsView(what, stages));
  const tabs = stages.map((stage, place) => html("tr", {},
    html("th", { scope: "row" }, button(stage.pass, "pass", () => go(place))),
    ...bars.map((bar) => html("td", {}, bar.rows[place]))));
  const back = button("◀ Back", "", () => go(model.get("stage") - 1));
  const forward = button("Next pass ▶", "primary", () => go(model.get("stage") + 1));
  const words = html("p", { class: "words" });
  const body = html("tbody");
  const text = html("details", {}, html("summary", {}, "Read the graph as a table"),
    html("table", { class: "cells" }, html("thead", {}, html("tr", {},
      ...["step", "is", "state"].map((name) => html("th", { scope: "col" }, name)))), body));
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live);
  const root = html("div", { class: "chainrule graph-passes", tabindex: 0, role: "group",
    "aria-label": "A program, pass by pass. Arrow keys step forward and back." },
  html("div", { class: "top" }, html("div", { class: "buttons" }, back, forward), words),
  picture,
  html("p", { class: "legend" }, "dashed and crossed out: removed; thick, with a word: changed by this pass; "
    + "in the frame: inside of one kernel"),
  html("table", { class: "counts" }, html("thead", {}, html("tr", {},
    ...["after", ...COUNTS].map((name) => html("th", { scope: "col" }, name)))), html("tbody", {}, ...tabs)),
  text, live);
  root.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: 1, ArrowLeft: -1, Home: -last, End: last };
    if (!(event.key in moves)) return;
    event.preventDefault();
    event.stopPropagation();
    go(model.get("stage") + moves[event.key]);
  });
  el.append(keepKeys(root));

  const draw = () => {
    const place = model.get("stage");
    const stage = stages[place];
    const cells = Object.fromEntries(stage.nodes.map((cell) => [cell.name, cell]));
    for (const node of nodes) node.update(cells[node.name]);
    lines.replaceChildren(...stage.edges.map(edgePath));
    outline.setAttribute("d", kernelOutline(stage.nodes));
    tabs.forEach((row, k) => {
      row.className = k === place ? "now" : k > place ? "later" : "";
      const press = row.querySelector("button");
      if (k === place) press.setAttribute("aria-current", "step");
      else press.removeAttribute("aria-current");
    });
    back.disabled = place === 0;
    forward.disabled = place === last;
    words.textContent = spoken(stages, place);
    picture.setAttribute("aria-label", spoken(stages, place));
    body.replaceChildren(...stage.nodes.map((cell) => html("tr", {},
      ...[cell.name, cell.kind, cell.words].map((entry) => html("td", {}, entry)))));
  };
  const redraw = onNextFrame(draw);
  model.on("change:stage", redraw);
  draw();
  return () => model.off("change:stage", redraw);
}

/** A stage in words: what the pass did, and the counts with those before it. */
function spoken(stages, place) {
  const [now, before] = [stages[place], stages[Math.max(place - 1, 0)]];
  const counts = COUNTS.map((what) =>
    `${what} ${now[what]}${now[what] === before[what] ? "" : ` (was ${before[what]})`}`);
  return `${now.pass}: ${now.words} ${counts.join(", ")}.`;
}

export default { render };
