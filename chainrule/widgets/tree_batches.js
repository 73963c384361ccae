// TreeBatches: type trees, one in a line; their graph grows while you type. Then step through the
// calls that compute them, node by node or in batches. Parsed here, so it lives without a kernel.

import { announcer, html, keepKeys, onNextFrame, set, svg } from "./common.js";
import { ORDERS, callsOf, parseTrees, saidOf, tableRowsOf } from "./tree_batches_math.js";

const WATCHED = ["source", "order", "step"];
const [LEFT, TOP, LEVEL, RADIUS] = [64, 22, 54, 14];
const label = (x, y, className, words) => svg("text", { x, y, class: className }, words);
const sign = (name) => name.replace("-", "−").replace("*", "×");

// --- the picture -------------------------------------------------------------------------------

/** Where each node stands: leaves side by side in the order of the text, nodes at their depth. */
function placesOf(nodes, width) {
  const leaves = nodes.filter((n) => !n.depth).length;
  const gaps = nodes.length ? nodes[nodes.length - 1].tree : 0;
  const gap = Math.min(44, (width - LEFT - 20) / (leaves + gaps * 0.6));
  let next = 0;
  const x = [];
  nodes.forEach((n, i) => {
    if (n.depth) x[i] = (x[n.left] + x[n.right]) / 2;
    else x[i] = LEFT + 20 + (next++ + n.tree * 0.6) * gap;
  });
  return { x, radius: Math.min(RADIUS, gap * 0.46) };
}

function pictureOf() {
  const picture = svg("svg", { role: "img" });
  const update = (nodes, calls, step, words) => {
    const width = picture.clientWidth || 720;
    const deepest = Math.max(...nodes.map((n) => n.depth));
    const height = TOP + deepest * LEVEL + 54;
    const y = (depth) => TOP + (deepest - depth) * LEVEL;
    const { x, radius } = placesOf(nodes, width);
    const made = new Set(calls.slice(0, step).flatMap((call) => call.places));
    const now = new Set(step ? calls[Math.min(step, calls.length) - 1].places : []);
    set(picture, { viewBox: `0 0 ${width} ${height}`, height, "aria-label": `Trees. ${words}` });
    const levels = Array.from({ length: deepest + 1 }, (_, depth) => svg("g", {},
      svg("path", { class: "floor", d: `M${LEFT - 6} ${y(depth)}H${width}` }),
      label(4, y(depth) + 4, "small muted", depth ? `depth ${depth}` : "leaves")));
    const edges = nodes.flatMap((n, i) => (n.depth ? [n.left, n.right] : []).map((side) => svg("path", {
      class: made.has(i) ? "edge made" : "edge", d: `M${x[side]} ${y(nodes[side].depth)}L${x[i]} ${y(n.depth)}` })));
    const dots = nodes.map((n, i) => {
      const state = now.has(i) ? "made now" : made.has(i) ? "made" : "open";
      const mark = svg("g", { class: `node ${state}` },
        svg("circle", { cx: x[i], cy: y(n.depth), r: radius }),
        label(x[i], y(n.depth) + 4.5, "middle", sign(n.label)));
      if (n.depth && made.has(i)) mark.append(label(x[i], y(n.depth) + radius + 13, "middle value", `${n.value}`.replace("-", "−")));
      return mark;
    });
    picture.replaceChildren(...levels, ...edges, ...dots);
  };
  return { node: html("div", { class: "forest" }, picture), update };
}

// --- the controls ------------------------------------------------------------------------------

function typedOf(change) {
  const area = html("textarea", { rows: 4, cols: 34, spellcheck: "false", tabindex: 0, "aria-label": "trees, one in a line" });
  const wrong = html("p", { class: "wrong", role: "status" });
  area.addEventListener("input", () => {
    try {
      parseTrees(area.value);
      wrong.textContent = "";
      change({ source: area.value, step: 0 });
    } catch (error) {
      wrong.textContent = `Not yet: ${error.message}. The picture waits.`;
    }
  });
  const update = (source) => {
    if (document.activeElement === area || area.value === source) return;
    area.value = source;
    wrong.textContent = "";
  };
  return { node: html("label", { class: "typed" }, html("span", {}, "trees, one in a line"), area, wrong), update };
}

function ordersOf(change) {
  const group = `order-${Math.random().toString(36).slice(2)}`;
  const radios = ORDERS.map((order) => {
    const radio = html("input", { type: "radio", name: group, value: order });
    radio.addEventListener("change", () => change({ order, step: 0 }));
    return { order, radio };
  });
  const node = html("fieldset", {}, html("legend", {}, "compute"),
    ...radios.map(({ order, radio }) => html("label", {}, radio, order)));
  const update = (chosen) => radios.forEach(({ order, radio }) => { radio.checked = order === chosen; });
  return { node, update };
}

function scrubber(change, read) {
  const range = html("input", { type: "range", min: 0, step: 1, "aria-label": "calls made" });
  const shown = html("output", {});
  let most = 0;
  const go = (step) => change({ step: Math.max(0, Math.min(most, step)) });
  range.addEventListener("input", () => go(Number(range.value)));
  const button = (words, move) => {
    const made = html("button", { type: "button" }, words);
    made.addEventListener("click", () => go(Math.min(read("step"), most) + move));
    return made;
  };
  const node = html("div", { class: "scrub" }, button("Back", -1), range, button("Next call", 1), shown);
  const update = (step, calls) => {
    most = calls;
    set(range, { max: calls, "aria-valuetext": `${step} of ${calls} calls` });
    range.value = step;
    shown.textContent = `${step} of ${calls} calls`;
  };
  return { node, update };
}

function tableView() {
  const body = html("tbody");
  const head = ["call", "of", "depth", "rows"].map((name) => html("th", {}, name));
  const node = html("details", {}, html("summary", {}, "Read the calls as a table"),
    html("table", {}, html("thead", {}, html("tr", {}, ...head)), body));
  const update = (nodes, order) => body.replaceChildren(...tableRowsOf(nodes, order).map((cells) =>
    html("tr", {}, ...cells.map((cell) => html("td", {}, cell)))));
  return { node, update };
}

function render({ model, el }) {
  const read = (key) => model.get(key);
  const change = (state) => {
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.save_changes();
  };
  const [picture, typed, orders] = [pictureOf(), typedOf(change), ordersOf(change)];
  const [scrub, table] = [scrubber(change, read), tableView()];
  const said = html("p", { class: "said" });
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live, 900);
  el.append(keepKeys(html("div", { class: "chainrule trees" },
    html("div", { class: "controls" }, typed.node, orders.node), picture.node, scrub.node, said, table.node, live)));

  const draw = () => {
    const nodes = parseTrees(read("source"));
    const calls = callsOf(nodes, read("order"));
    const step = Math.min(read("step"), calls.length);
    said.textContent = saidOf(nodes, read("order"), step);
    typed.update(read("source"));
    orders.update(read("order"));
    scrub.update(step, calls.length);
    picture.update(nodes, calls, step, said.textContent);
    table.update(nodes, read("order"));
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
