// EdgeWalk: nine nodes and ten edges, walked forward and then backward, one edge per step. All of
// it is computed here, so that the widget also lives in a page without a kernel.

import { announcer, html, keepKeys, onNextFrame, set, svg } from "./common.js";
import { NARROW_MAP, WIDE_MAP } from "./edge_walk_map.js";
import {
  BACK, FORTH, INPUTS, LARGEST, MADE, NODES, START, STEPS, WALK_HEAD, bracketed, filledIn, frameOf,
  madeBy, plain, stepWords, usersOf, valuesOf, verdictOf, walkRows,
} from "./edge_walk_math.js";

const WATCHED = [...INPUTS, "step", "overwrite"];
const WIDE = 780; // pixels; below, the graph is drawn from top to bottom

const label = (x, y, className, content = "") => svg("text", { x, y, class: className }, content);
const span = (className, words) => svg("tspan", { class: className }, words);

/** A number for the picture: rounded to where it fits; the sentences have all three decimals. */
function drawn(value) {
  const size = Math.abs(value);
  if (size < 10) return plain(value);
  return plain(size < 1000 ? Math.round(value * 10) / 10 : Math.round(value));
}

/** The edge that a step walks, as "from>to" in the direction of forward; "" if it walks none. */
function edgeAt(step) {
  if (step === 0 || step === START) return "";
  if (step < START) return FORTH[step - 1].join(">");
  const [node, operand] = BACK[step - START - 1];
  return `${operand}>${node}`;
}

// --- the graph -----------------------------------------------------------------------------------

/** Arrowheads, one for each look of an edge. */
function arrowheads(id) {
  const head = (name) => svg("marker", { id: `${id}-${name}`, class: `head ${name}`,
    viewBox: "0 0 10 10", refX: 9, refY: 5,
    markerWidth: 11, markerHeight: 11, markerUnits: "userSpaceOnUse",
    orient: "auto-start-reverse" }, svg("path", { d: "M0 0.8L10 5L0 9.2z" }));
  return svg("defs", {}, ...["idle", "value", "grad", "wrong"].map(head));
}

/** An edge with what is written on it: a value forward; upstream × local = product backward. */
function edgeView(name, id, { d, label: [x, y] }) {
  const [from, to] = name.split(">");
  const path = svg("path", { d });
  const pill = svg("rect", { class: "pill", rx: 9 });
  const words = svg("g", {});
  const tag = svg("g", { transform: `translate(${x} ${y})` }, pill, words);
  const place = (width, height) =>
    set(pill, { x: -width / 2, y: -height / 2, width, height });

  const update = (now, state, active) => {
    const back = now.edges[`${to}>${from}`];
    const here = active === name;
    const forth = FORTH.findIndex((edge) => edge.join(">") === name) < state.step;
    const wrong = back && back[0] * back[1] !== now.right[`${to}>${from}`];
    const look = back ? (wrong ? "wrong" : "grad") : forth ? "value" : "idle";
    const end = back ? "marker-start" : "marker-end";
    path.removeAttribute(back ? "marker-end" : "marker-start");
    set(path, { class: `edge ${look}${here ? " here" : ""}`, [end]: `url(#${id}-${look})` });
    set(tag, { class: `tag ${look}${here ? " here" : ""}`,
      visibility: forth ? "visible" : "hidden" });
    if (!forth) return;
    if (!back) {
      const value = drawn(now.values[from]);
      words.replaceChildren(label(0, 5, "one", value));
      return place(Math.max(26, 9 * value.length + 14), 24);
    }
    const [upstream, local, product] = back.map(drawn);
    const top = label(0, -3.5, "sum");
    top.append(span("upstream", upstream), span("times", " × "), span("local", local));
    words.replaceChildren(top, label(0, 14, "product", `= ${product}`));
    const long = Math.max(upstream.length + local.length + 2.4, product.length + 2.6);
    const tight = long > 11.5;
    words.setAttribute("class", tight ? "tight" : "");
    return place(Math.max(52, (tight ? 6.5 : 7.4) * long + 14), 40);
  };
  return { name, line: path, tag, update };
}

/** Of a node that is used twice: a line for what comes back on each of its edges. */
function ledger(name, width) {
  const users = usersOf(name);
  const lines = (users.length > 1 ? users : []).map((user, k) => {
    const y = 61 + 17 * k;
    return { user, y, name: label(10, y, "small muted"), part: label(width - 10, y, "part"),
      strike: svg("path", { class: "strike" }) };
  });
  const update = (sent, overwrite) => lines.forEach(({ user, y, name: title, part, strike }, k) => {
    const came = sent[k];
    const lost = overwrite && k === 0 && sent.length === 2;
    const short = sent.every(([, product]) => drawn(product).length < 5);
    title.textContent = `${k === 1 && !overwrite ? "+ " : ""}${short ? "from " : ""}${user}`;
    part.textContent = came ? drawn(came[1]) : "…";
    part.setAttribute("class", `part ${lost ? "lost" : came ? "grad" : "none"}`);
    const long = part.textContent.length * 8.2 + 4;
    strike.setAttribute("d", lost ? `M${width - 10 - long} ${y - 4.5}H${width - 7}` : "");
  });
  return { nodes: lines.flatMap((line) => [line.name, line.part, line.strike]), update };
}

/** The badge on a node's corner that says by how much its gradient is off. */
function badge(width) {
  const [face, words] = [svg("rect", { rx: 9, height: 20, y: -12 }), label(0, 2.5, "")];
  const node = svg("g", { class: "off" }, face, words);
  const update = (wrong) => {
    node.setAttribute("visibility", wrong ? "visible" : "hidden");
    if (!wrong) return;
    words.textContent = `off by ${drawn(wrong[0] - wrong[1])}`;
    const long = words.textContent.length * 6.6 + 14;
    node.setAttribute("transform", `translate(${width - long / 2 + 5} -1)`);
    set(face, { x: -long / 2, width: long });
  };
  return { node, update };
}

/** A node: its name, its value, and what has come back to it. */
function nodeView(name, { x, y, width, height }) {
  const [value, grad] = [label(width - 10, 41, "value"), label(width - 10, height - 10, "total")];
  const title = label(10, height - 10, "small muted");
  const heading = label(10, 21, "title");
  const [lines, off] = [ledger(name, width), badge(width)];
  const twice = usersOf(name).length > 1;
  const rule = svg("path", { class: "rule", d: twice ? `M10 ${height - 27}H${width - 10}` : "" });
  heading.append(span("name", name), span("made", name in MADE ? ` = ${madeBy(name)}` : " input"));
  const node = svg("g", { transform: `translate(${x} ${y})` },
    svg("rect", { class: "face", width, height, rx: 10 }), heading,
    label(10, 41, "small muted", "value"), value,
    svg("g", { class: "returns" }, ...lines.nodes, rule, title, grad), off.node);

  const update = (now, state, active) => {
    const sent = now.arrived[name] ?? [];
    const wrong = now.wrong[name];
    const [there, reached] = [name in now.values, name in now.gradients];
    const waits = twice && reached && sent.length < 2;
    const here = active.split(">").includes(name) || (state.step === START && name === "L");
    const looks = { later: !there, back: reached, here, wrong: Boolean(wrong), waits };
    const shown = Object.keys(looks).filter((look) => looks[look]);
    node.setAttribute("class", ["node", ...shown].join(" "));
    value.textContent = there ? drawn(now.values[name]) : "?";
    grad.textContent = reached ? drawn(now.gradients[name]) : there ? "…" : "";
    grad.setAttribute("class", `total ${reached ? "grad" : "none"}`);
    const short = grad.textContent.length < 5;
    title.textContent = wrong ? "✗" : waits && short ? "so far" : waits ? "has" : short ? "gradient" : "grad";
    title.setAttribute("class", wrong ? "cross" : "small muted");
    const beside = wrong ? `${grad.textContent}, not ${drawn(wrong[1])}` : "";
    if (wrong && beside.length * 7.9 < width - 34) grad.textContent = beside;
    lines.update(sent, state.overwrite);
    off.update(wrong);
  };
  return { node, update };
}

/** The whole graph on one of the two maps. */
function graphView({ view, nodes, edges }, className, visit) {
  const id = `edge-walk-${Math.random().toString(36).slice(2)}`;
  const lines = Object.entries(edges).map(([name, way]) => edgeView(name, id, way));
  const boxes = NODES.map((name) => nodeView(name, nodes[name]));
  const node = svg("svg", { class: className, viewBox: view.join(" "), role: "img" },
    arrowheads(id), ...lines.map((edge) => edge.line), ...boxes.map((one) => one.node),
    ...lines.map((edge) => edge.tag));
  for (const { name, line, tag } of lines)
    for (const part of [line, tag]) part.addEventListener("click", () => visit(name));
  const update = (now, state, active) => {
    for (const part of [...lines, ...boxes]) part.update(now, state, active);
    node.classList.toggle("forth", state.step < START);
    node.setAttribute("aria-label",
      `Graph of nine nodes and ten edges, step ${state.step} of ${STEPS}`);
  };
  return { node, update };
}

// --- what happens now, as an equation ------------------------------------------------------------

function equation() {
  const node = html("div", { class: "equation", "aria-hidden": "true" });
  const chip = (className, words, caption) => html("span", { class: `chip ${className}` },
    html("b", {}, words), html("small", {}, caption));
  const sign = (words) => html("span", { class: "sign" }, words);

  const forward = (state, [operand, target]) => {
    const [v, [, one, other]] = [valuesOf(state), MADE[target]];
    if (operand === one) return [chip("value", plain(v[operand]), operand), sign("→"),
      chip("plain", `${target} = ${madeBy(target)}`, `waits for ${other}`)];
    return [chip("plain", filledIn(v, target), madeBy(target)), sign("="),
      chip("value", plain(v[target]), `value of ${target}`)];
  };
  const backward = (state, now, [source, operand]) => {
    const [upstream, local, product] = now.edges[`${source}>${operand}`].map(plain);
    const sent = now.arrived[operand];
    const [operation, one, other] = MADE[source];
    const rest = operation === "multiply" ? ` = ${operand === one ? other : one}` : "";
    const parts = [chip("grad", upstream, `upstream dL/d${source}`), sign("×"),
      chip("plain", local, `local d${source}/d${operand}${rest}`), sign("="),
      chip("grad", product, `back to ${operand}`)];
    if (sent.length < 2) return parts;
    const first = plain(sent[0][1]);
    const total = plain(now.gradients[operand]);
    const joined = state.overwrite
      ? html("span", { class: "chip lost" }, html("b", {}, html("s", {}, first), ` ${total}`),
        html("small", {}, `${operand}: overwritten`))
      : chip("grad", `${first} + ${bracketed(sent[1][1])} = ${total}`, `${operand}: both added`);
    if (operand in now.wrong) joined.classList.add("bad");
    return [...parts, html("span", { class: "last" }, sign("▸"), joined)];
  };
  const update = (now, state) => {
    const { step } = state;
    let parts;
    if (step === 0) parts = INPUTS.map((name) => chip("value", plain(state[name]), name));
    else if (step < START) parts = forward(state, FORTH[step - 1]);
    else if (step === START) parts = [chip("grad", "1", "dL/dL")];
    else parts = backward(state, now, BACK[step - START - 1]);
    node.replaceChildren(...parts);
  };
  return { node, update };
}

// --- controls and text ---------------------------------------------------------------------------

function stepper(model, change) {
  const go = (step) => change({ step: Math.max(0, Math.min(STEPS, step)) });
  const button = (words, className, move) => {
    const node = html("button", { type: "button", class: className }, words);
    node.addEventListener("click", () => go(model.get("step") + move));
    return node;
  };
  const [back, next] = [button("◂ Step back", "", -1), button("Next step ▸", "primary", 1)];
  const range = html("input", { type: "range", min: 0, max: STEPS, step: 1, "aria-label": "step" });
  range.addEventListener("input", () => go(Number(range.value)));
  const count = html("output");
  const phases = html("span", { class: "phases", "aria-hidden": "true" },
    html("span", { class: "forth" }, "forward ▸"), html("span", { class: "back" }, "◂ backward"));
  const node = html("div", { class: "controls" }, back, next,
    html("span", { class: "scrub" }, range, phases), count);
  const update = (now, { step }) => {
    range.value = step;
    range.setAttribute("aria-valuetext", `step ${step} of ${STEPS}`);
    node.dataset.phase = step < START ? "forth" : "back";
    for (const [one, end] of [[back, 0], [next, STEPS]]) {
      const had = document.activeElement === one || one.getRootNode().activeElement === one;
      one.disabled = step === end;
      if (one.disabled && had) range.focus({ preventScroll: true }); // or the keys go nowhere
    }
    count.textContent = `step ${step} of ${STEPS}`;
  };
  return { node, update, go };
}

function settings(model, change, start) {
  const fields = INPUTS.map((name) => {
    const field = html("input", { type: "number", min: -LARGEST, max: LARGEST, step: 0.5,
      "aria-label": `value of ${name}` });
    field.addEventListener("input", () => {
      const value = field.valueAsNumber;
      if (Math.abs(value) <= LARGEST) change({ [name]: value });
    });
    field.addEventListener("change", () => { // what is no number from -10 to 10 is put right
      const value = field.valueAsNumber;
      if (value > LARGEST || value < -LARGEST) change({ [name]: Math.sign(value) * LARGEST });
      field.value = model.get(name);
    });
    const node = html("label", {}, html("b", { class: "code" }, name), " = ", field);
    return { name, field, node };
  });
  const reset = html("button", { type: "button" }, "Reset");
  reset.addEventListener("click", () => change(start));
  const toggle = html("input", { type: "checkbox", role: "switch" });
  toggle.addEventListener("change", () => change({ overwrite: toggle.checked }));
  const code = html("code");
  const node = html("div", { class: "settings" },
    html("div", { class: "inputs", role: "group", "aria-label": "inputs, from −10 to 10" },
      ...fields.map((one) => one.node), reset),
    html("div", { class: "mode" },
      html("label", { class: "switch" }, toggle, html("span", { class: "knob" }),
        "overwrite instead of add"),
      code));
  const update = (now, state) => {
    for (const { name, field } of fields)
      if (field.valueAsNumber !== state[name] && field.getRootNode().activeElement !== field)
        field.value = state[name];
    toggle.checked = state.overwrite;
    code.textContent = `grad[node] ${state.overwrite ? "=" : "+="} upstream * local`;
    code.className = state.overwrite ? "bad" : "";
    reset.disabled = INPUTS.every((name) => state[name] === start[name]);
  };
  return { node, update };
}

/** All that the picture shows, in words: the nodes as they are now, and every step. */
function textView() {
  const [body, steps] = [html("tbody"), html("ol", { start: 0 })];
  const caption = html("caption");
  const head = html("tr", {}, ...WALK_HEAD.map((name) => html("th", { scope: "col" }, name)));
  const node = html("details", {},
    html("summary", {}, "Read it as text: the nodes now, and every step"),
    html("div", { class: "scroll" }, html("table", {}, caption, html("thead", {}, head), body)),
    steps);
  const update = (now, state) => {
    caption.textContent = `After step ${state.step} of ${STEPS}`;
    body.replaceChildren(...walkRows(state).map(([name, ...cells]) => html("tr", {},
      html("th", { scope: "row" }, name), ...cells.map((words) => html("td", {}, words)))));
    steps.replaceChildren(...Array.from({ length: STEPS + 1 }, (_, step) => {
      const line = html("li", {}, stepWords({ ...state, step }));
      if (step === state.step) line.setAttribute("aria-current", "step");
      return line;
    }));
  };
  return { node, update };
}

function render({ model, el }) {
  const change = (state) => {
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.save_changes();
  };
  const read = () => Object.fromEntries(WATCHED.map((key) => [key, model.get(key)]));
  const start = Object.fromEntries(INPUTS.map((name) => [name, model.get(name)]));
  const visit = (name) => { // the step that walks this edge, in the half that is shown
    const back = model.get("step") >= START;
    const place = (edges) => edges.findIndex((edge) => edge.join(">") === name);
    change({ step: back ? START + 1 + place(BACK.map(([node, operand]) => [operand, node]))
      : 1 + place(FORTH) });
  };
  const graphs = [graphView(WIDE_MAP, "wide", visit), graphView(NARROW_MAP, "narrow", visit)];
  const [now, steps, options, text] = [equation(), stepper(model, change),
    settings(model, change, start), textView()];
  const [words, verdict] = [html("p", { class: "words" }), html("p", { class: "verdict" })];
  const stage = html("div", { class: "stage", tabindex: 0, role: "group",
    "aria-label": "The graph: left and right arrow keys step, Home and End go to the ends" },
  ...graphs.map((graph) => graph.node));
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live);
  const key = (className, words) => html("span", { class: className }, words);
  const legend = html("p", { class: "legend" }, key("value", "value"), " goes forward; ",
    key("grad", "gradient"), " of L comes back: upstream × local derivative = product. ",
    "Arrow keys step. Click an edge to go to it.");
  const root = html("div", { class: "chainrule edge-walk" }, steps.node,
    html("div", { class: "now" }, now.node, words), stage, verdict, options.node, legend, text.node,
    live);
  root.addEventListener("keydown", (event) => {
    const moves = { ArrowRight: 1, ArrowLeft: -1, Home: -STEPS, End: STEPS };
    const own = event.target.matches("input[type=range], input[type=number]");
    if (own || !(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    steps.go(model.get("step") + moves[event.key]);
  });
  el.append(keepKeys(root));

  const draw = () => {
    const state = read();
    const [frame, active] = [frameOf(state), edgeAt(state.step)];
    const adding = frameOf({ ...state, overwrite: false }).edges;
    frame.right = Object.fromEntries(Object.entries(adding).map(([edge, [, , ok]]) => [edge, ok]));
    for (const part of [...graphs, now, steps, options, text]) part.update(frame, state, active);
    words.textContent = stepWords(state);
    verdict.textContent = verdictOf(state);
    verdict.classList.toggle("bad", Object.keys(frame.wrong).length > 0);
    const said = state.overwrite ? ` ${verdict.textContent}` : "";
    announce(`Step ${state.step} of ${STEPS}. ${words.textContent}${said}`);
  };
  const redraw = onNextFrame(draw);
  for (const name of WATCHED) model.on(`change:${name}`, redraw);
  const sized = new ResizeObserver(() =>
    root.classList.toggle("slim", root.clientWidth > 0 && root.clientWidth < WIDE));
  sized.observe(root);
  draw();
  return () => {
    sized.disconnect();
    for (const name of WATCHED) model.off(`change:${name}`, redraw);
  };
}

export default { render };
