// BuildAndRun: a program of eight lines on the left, the graph that it builds on the right. A run
// lights up what the fetches need, in order. All of it is computed here, so that the widget also
// lives in a page without a kernel.

import { announcer, html, keepKeys, number, onNextFrame, set, svg } from "./common.js";

const [START, RATE, TARGET, LARGEST, PAUSE] = [2, 0.05, 11, 100, 420];
const PROGRAM = [
  { name: "x", line: "x = tf.placeholder(tf.float64, ())", kind: "placeholder", needs: [], at: [70, 62] },
  { name: "w", line: "w = tf.Variable(2.0)", kind: "variable", needs: [], at: [70, 275] },
  { name: "p", line: "p = w * x", kind: "w * x", needs: ["w", "x"], at: [225, 196] },
  { name: "other", line: "other = tf.exp(p)", kind: "exp(p)", needs: ["p"], at: [385, 42] },
  { name: "loss", line: "loss = (p - 11.0) ** 2", kind: "(p − 11)²", needs: ["p"], at: [545, 212] },
  { name: "slope", line: "slope, = tf.gradients(loss, [w])", kind: "2 (p − 11) x", needs: ["p", "x"], at: [385, 132] },
  { name: "update", line: "update = w.assign(w - 0.05 * slope)", kind: "assign to w", needs: ["w", "slope"], at: [385, 320] },
  { name: "step", line: "step = tf.group(update)", kind: "group", needs: ["update"], at: [545, 320] },
];
const NAMES = PROGRAM.map((node) => node.name);
const NODE = Object.fromEntries(PROGRAM.map((node) => [node.name, node]));
const RULES = {
  p: (v) => v.w * v.x,
  other: (v) => Math.exp(Math.min(v.p, 700)),
  loss: (v) => (v.p - TARGET) ** 2,
  slope: (v) => 2 * (v.p - TARGET) * v.x,
  update: (v) => v.w - RATE * v.slope,
  step: () => null,
};
const BOX = { width: 116, height: 74 };
const WATCHED = ["built", "fetches", "x", "p", "w", "runs", "shown"];

/** A number with up to four decimals, without zeros at the end; null is Python's None. */
function written(value) {
  if (value === null || value === undefined) return "None";
  const text = number(value, 4);
  return text.includes("e") || !text.includes(".") ? text : text.replace(/\.?0+$/, "");
}

/** What the targets need, each once, each after all that it needs. */
function inOrder(targets, fed) {
  const order = [];
  const visit = (name) => {
    if (order.includes(name)) return;
    if (!(name in fed)) NODE[name].needs.forEach(visit);
    order.push(name);
  };
  targets.forEach(visit);
  return order;
}

const builtNames = (state) => NAMES.slice(0, state.built);
const feedsOf = (state) => Object.fromEntries(["x", "p"]
  .filter((name) => state[name] !== null && builtNames(state).includes(name))
  .map((name) => [name, state[name]]));

/** The record of one run. */
function runOf(state) {
  const fetches = builtNames(state).filter((name) => state.fetches.includes(name));
  const feeds = feedsOf(state);
  const order = inOrder(fetches, feeds);
  const record = { fetches, feeds, order, values: {}, before: state.w, after: state.w, error: "" };
  if (!fetches.length) record.error = "nothing is fetched, so nothing runs";
  else if (order.includes("x") && !("x" in feeds))
    record.error = "you must feed a value for placeholder 'x'; nothing was computed";
  if (record.error) return record;
  const values = { ...feeds };
  for (const name of order)
    if (!(name in values)) values[name] = name === "w" ? state.w : RULES[name](values);
  record.values = Object.fromEntries(order.map((name) => [name, values[name]]));
  record.after = values.update ?? state.w;
  return record;
}

/** A run in words. */
function runWords(run, place) {
  const pairs = (names, values) => names.map((n) => `${n} = ${written(values[n])}`).join(", ");
  const asked = run.fetches.length ? `[${run.fetches.join(", ")}]` : "nothing";
  const fed = pairs(Object.keys(run.feeds), run.feeds) || "nothing";
  const start = `Run ${place + 1}: fetch ${asked}; feed ${fed}.`;
  if (run.error) return `${start} Error: ${run.error}.`;
  const moved = run.order.includes("update")
    ? `w goes from ${written(run.before)} to ${written(run.after)}`
    : `w stays ${written(run.after)}`;
  return `${start} In order: ${run.order.join(", ")}. `
    + `Came back: ${pairs(run.fetches, run.values)}. ${moved}.`;
}

/** Each node's state in words, and its value in the last run as far as it is shown. */
function cellsOf(state) {
  const last = state.runs.at(-1);
  const lit = last ? last.order.slice(0, state.shown) : [];
  return NAMES.map((name, place) => {
    const fetched = place < state.built && state.fetches.includes(name);
    const now = last && lit.includes(name);
    let [look, words] = ["idle", last ? "not needed in the last run" : "built, no value"];
    if (place >= state.built) [look, words] = ["later", "not built"];
    else if (now) [look, words] = name in last.feeds ? ["fed", "fed"] : ["lit", "computed"];
    else if (name === "w") words = "keeps its value in the session";
    if (fetched) words += "; will be fetched";
    return { name, look, words, fetched, value: now ? written(last.values[name]) : "",
      newest: now && lit.at(-1) === name && state.shown < last.order.length };
  });
}

// --- the parts -----------------------------------------------------------------------------------

const label = (x, y, className, words = "") => svg("text", { x, y, class: className }, words);

function button(words, className, act) {
  const node = html("button", { type: "button", class: className }, words);
  node.addEventListener("click", act);
  return node;
}

function nodeView(place, toggle) {
  const { name, kind, at: [x, y] } = PROGRAM[place];
  const [value, tick] = [label(BOX.width - 10, 22, "value"), label(10, 64, "small tick")];
  const node = svg("g", { class: "node", tabindex: 0, role: "button",
    transform: `translate(${x - BOX.width / 2} ${y - BOX.height / 2})` },
  svg("rect", { class: "ring", x: -4, y: -4, width: BOX.width + 8, height: BOX.height + 8, rx: 12 }),
  svg("rect", { class: "face", width: BOX.width, height: BOX.height, rx: 9 }),
  label(10, 22, "name code", name), value, label(10, 43, "small muted", kind), tick);
  node.addEventListener("click", () => toggle(name));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    toggle(name);
  });
  const update = (cells, state) => {
    const cell = cells[place];
    set(node, { class: `node ${cell.look}${cell.fetched ? " fetched" : ""}${cell.newest ? " newest" : ""}`,
      "aria-pressed": String(cell.fetched), "aria-disabled": String(cell.look === "later"),
      "aria-label": `${name}: ${kind}, ${cell.words}${cell.value && `, value ${cell.value}`}` });
    value.textContent = cell.value;
    const kept = name === "w" && cell.look !== "later" ? `session: ${written(state.w)}` : "";
    tick.textContent = cell.fetched ? `✓ fetch${kept && ` · ${written(state.w)}`}` : kept;
  };
  return { node, update };
}

function edgeView(from, to) {
  const [[x1, y1], [x2, y2]] = [NODE[from].at, NODE[to].at];
  const vertical = Math.abs(x2 - x1) < BOX.width;
  const sign = Math.sign(y2 - y1);
  const [ax, ay] = vertical ? [x1, y1 + sign * BOX.height / 2] : [x1 + BOX.width / 2, y1];
  const [bx, by] = vertical ? [x2, y2 - sign * BOX.height / 2] : [x2 - BOX.width / 2, y2];
  const middle = (ax + bx) / 2;
  const d = vertical ? `M${ax} ${ay}L${bx} ${by}` : `M${ax} ${ay}C${middle} ${ay} ${middle} ${by} ${bx} ${by}`;
  const node = svg("path", { class: "edge", d });
  const update = (cells) => {
    const [one, other] = [from, to].map((name) => cells[NAMES.indexOf(name)]);
    const look = other.look === "later" ? "later"
      : other.look === "lit" && one.value !== "" ? "lit" : "idle";
    node.setAttribute("class", `edge ${look}${to === "step" ? " after" : ""}`);
  };
  return { node, update };
}

/** The build pane: the program, with the lines that have run. */
function buildPane(model, change) {
  const lines = PROGRAM.map(({ line }) => html("li", {}, html("code", {}, line)));
  const next = button("Run the next line", "primary", () =>
    change({ built: Math.min(PROGRAM.length, model.get("built") + 1) }));
  const all = button("Run all lines", "", () => change({ built: PROGRAM.length }));
  const again = button("Empty", "", () =>
    change({ built: 0, runs: [], w: START, shown: 0 }));
  const count = html("p", { class: "muted" });
  const node = html("section", { class: "pane", "aria-label": "Build" },
    html("h4", {}, "1. Build"), html("ol", {}, ...lines),
    html("div", { class: "buttons" }, next, all, again), count);
  const update = (cells, state) => {
    lines.forEach((line, place) => {
      line.className = place < state.built ? "done" : "";
      if (place === state.built) line.setAttribute("aria-current", "step");
      else line.removeAttribute("aria-current");
    });
    next.disabled = all.disabled = state.built === PROGRAM.length;
    again.disabled = state.built === 0;
    const nodes = state.built === 1 ? "1 node" : `${state.built} nodes`;
    count.textContent = `${nodes} made. Numbers computed by these lines: 0.`;
  };
  return { node, update };
}

/** A feed: a number, or empty for none. */
function feedField(model, change, name, hint) {
  const field = html("input", { type: "number", step: "any", min: -LARGEST, max: LARGEST,
    placeholder: "not fed", "aria-label": `feed ${name}` });
  const read = () => {
    const value = field.value === "" ? null : field.valueAsNumber;
    if (value === null || Math.abs(value) <= LARGEST) change({ [name]: value });
  };
  field.addEventListener("input", read);
  const node = html("label", {}, html("code", {}, name), ": ", field, html("small", {}, hint));
  const update = (cells, state) => {
    if (field.getRootNode().activeElement !== field) field.value = state[name] ?? "";
  };
  return { node, update };
}

/** The run pane: fetches, feeds, the button, and what the runs have done. */
function runPane(model, change, toggle, go) {
  const boxes = NAMES.map((name) => {
    const field = html("input", { type: "checkbox" });
    field.addEventListener("change", () => toggle(name));
    return { name, field, node: html("label", {}, field, html("code", {}, name)) };
  });
  const feeds = [feedField(model, change, "x", ""), feedField(model, change, "p", "any node can be fed")];
  const start = button("session.run", "primary", go);
  const fresh = button("New session", "", () => change({ runs: [], w: START, shown: 0 }));
  const call = html("code", { class: "call" });
  const log = html("ol", { class: "log", tabindex: 0, "aria-label": "Runs so far, the latest first" });
  const node = html("section", { class: "pane", "aria-label": "Run" },
    html("h4", {}, "2. Run, many times"),
    html("div", { class: "choices", role: "group", "aria-label": "fetches" }, "fetch",
      ...boxes.map((box) => box.node)),
    html("div", { class: "choices", role: "group", "aria-label": "feeds" }, "feed",
      ...feeds.map((feed) => feed.node)),
    html("p", {}, call), html("div", { class: "buttons" }, start, fresh), log);
  const update = (cells, state) => {
    boxes.forEach(({ field }, place) => {
      field.disabled = place >= state.built;
      field.checked = cells[place].fetched;
    });
    for (const feed of feeds) feed.update(cells, state);
    const asked = cells.filter((cell) => cell.fetched).map((cell) => cell.name);
    const fed = Object.entries(feedsOf(state)).map(([name, v]) => `${name}: ${written(v)}`);
    call.textContent = `session.run([${asked.join(", ")}], {${fed.join(", ")}})`;
    start.disabled = state.built === 0;
    log.replaceChildren(...state.runs.map((run, place) =>
      html("li", { value: place + 1, class: run.error ? "bad" : "" }, runWords(run, place))).reverse());
  };
  return { node, update };
}

function textView() {
  const body = html("tbody");
  const head = ["node", "needs", "value in the last run", "state"];
  const node = html("details", {}, html("summary", {}, "Read the graph as a table"), html("table", {},
    html("thead", {}, html("tr", {}, ...head.map((name) => html("th", { scope: "col" }, name)))), body));
  const update = (cells) => body.replaceChildren(...cells.map((cell) => html("tr", {},
    ...[cell.name, NODE[cell.name].needs.join(", "), cell.value, cell.words]
      .map((words) => html("td", {}, words)))));
  return { node, update };
}

function render({ model, el }) {
  let timer = null;
  const change = (state) => {
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.save_changes();
  };
  const read = () => Object.fromEntries(WATCHED.map((key) => [key, model.get(key)]));
  const toggle = (name) => {
    if (NAMES.indexOf(name) >= model.get("built")) return;
    const now = model.get("fetches");
    change({ fetches: now.includes(name) ? now.filter((n) => n !== name) : [...now, name] });
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
  };
  const go = () => {
    stop();
    const record = runOf(read());
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const end = record.error ? 0 : record.order.length;
    change({ runs: [...model.get("runs"), record], w: record.after, shown: still ? end : Math.min(1, end) });
    announce(runWords(record, model.get("runs").length - 1));
    if (still || end < 2) return;
    timer = setInterval(() => {
      const last = model.get("runs").at(-1);
      if (!last || model.get("shown") >= last.order.length) return stop();
      return change({ shown: model.get("shown") + 1 });
    }, PAUSE);
  };
  const nodes = PROGRAM.map((_, place) => nodeView(place, toggle));
  const edges = PROGRAM.flatMap(({ name, needs }) => needs.map((need) => edgeView(need, name)));
  const [build, run, text] = [buildPane(model, change), runPane(model, change, toggle, go), textView()];
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live);
  const picture = svg("svg", { viewBox: "0 0 615 375", role: "group",
    "aria-label": "The graph: each node is a button that puts it among the fetches" },
  ...edges.map((edge) => edge.node), ...nodes.map((node) => node.node));
  const key = (className, words) => html("span", { class: className }, words);
  el.append(keepKeys(html("div", { class: "chainrule build-and-run" },
    html("div", { class: "panes" }, html("div", { class: "left" }, build.node, run.node),
      html("div", { class: "net" }, picture,
        html("p", { class: "legend" }, key("fed", "■ fed"), "  ", key("lit", "■ computed in the last run"),
          "  ", key("fetched", "✓ fetch"), ": asked for. Click a node, or Tab to it and press Enter."))),
    text.node, live)));

  const draw = () => {
    const state = read();
    const cells = cellsOf(state);
    for (const part of [...nodes, ...edges, build, run, text]) part.update(cells, state);
  };
  const redraw = onNextFrame(draw);
  for (const name of WATCHED) model.on(`change:${name}`, redraw);
  draw();
  return () => {
    stop();
    for (const name of WATCHED) model.off(`change:${name}`, redraw);
  };
}

export default { render };
