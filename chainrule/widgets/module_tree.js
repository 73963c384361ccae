// ModuleTree: a line for each module, with counts, a freeze button and a lamp. Counting is done
// here as well as in Python, so that the widget also lives in a page without a kernel.

import { announcer, html, keepKeys, onNextFrame, set, svg } from "./common.js";

/** What `ModuleTree.counts`, `_weights_word` and `_mode_word` say of every module, and `words`. */
export function describe({ nodes, params, ties, frozen, training, tied }) {
  const moved = new Map(tied ? ties : []);
  const own = nodes.map((node) => [...new Set(node.own.map((p) => moved.get(p) ?? p))]);
  const total = (some) => some.reduce((sum, p) => sum + params[p].size, 0);
  const rows = nodes.map((node, k) => {
    const below = [...new Set(own.slice(k, node.end).flat())];
    const flags = new Set(below.map((p) => frozen[p]));
    const modes = training.slice(k, node.end);
    const mode = modes[0] ? "train" : "eval";
    return {
      below,
      counts: { own: total(own[k]), all: total(below),
        trained: total(below.filter((p) => !frozen[p])), arrays: below.length },
      weights: ["none", flags.has(true) ? "frozen" : "trained", "partly frozen"][flags.size],
      mode: modes.every((flag) => flag === modes[0]) ? mode : `${mode}, some below not`,
    };
  });
  const { all, arrays, trained } = rows[0].counts;
  const lit = training.filter(Boolean).length;
  const words = `${all} numbers in ${arrays} arrays; ${trained} are trained, `
    + `${all - trained} frozen. ${lit} of ${nodes.length} lamps are lit.`;
  return { rows, words };
}

const moduleName = (node) => node.path || "net";

/** A lamp: a filled disc with rays when lit, an empty ring when not. */
function lamp() {
  const rays = Array.from({ length: 8 }, (_, k) => {
    const [c, s] = [Math.cos((k * Math.PI) / 4), Math.sin((k * Math.PI) / 4)];
    return svg("line", { class: "ray", x1: 10 + 6.5 * c, y1: 10 + 6.5 * s, x2: 10 + 9 * c, y2: 10 + 9 * s });
  });
  return svg("svg", { viewBox: "0 0 20 20", class: "bulb", "aria-hidden": "true" },
    ...rays, svg("circle", { cx: 10, cy: 10, r: 4.6 }));
}

function line(node, k, nodes, act) {
  const isLast = (i) => {
    const next = nodes[nodes[i].end];
    return !next || next.depth < nodes[i].depth;
  };
  const ancestors = [];
  for (let i = k - 1, depth = node.depth; i >= 0; i -= 1) {
    if (nodes[i].depth < depth) {
      depth = nodes[i].depth;
      if (depth > 0) ancestors.unshift(i);
    }
  }
  const rails = ancestors.map((i) => (isLast(i) ? "\u00a0\u00a0\u00a0" : "│\u00a0\u00a0")).join("");
  const branch = node.depth ? rails + (isLast(k) ? "└─ " : "├─ ") : "";
  const [all, shapes] = [html("td", { class: "count" }), html("span", { class: "shapes" })];
  const [trainedPart, frozenPart] = [html("span", { class: "part on" }), html("span", { class: "part off" })];
  const bar = html("span", { class: "bar", "aria-hidden": "true" }, trainedPart, frozenPart);
  const trained = html("span", { class: "trained" });
  const freeze = html("button", { type: "button", class: "freeze" });
  freeze.addEventListener("click", () => act.freeze(k));
  const modeWord = html("span", {});
  const mode = html("button", { type: "button", class: "mode" }, lamp(), modeWord);
  mode.addEventListener("click", () => act.mode(k));
  const row = html("tr", { "data-path": node.path }, html("th", { scope: "row" },
    html("span", { class: "rails code", "aria-hidden": "true" }, branch),
    html("span", { class: "name code" }, node.name), " ",
    html("span", { class: "kind" }, node.kind), shapes),
  all, html("td", { class: "share" }, bar, trained), html("td", {}, freeze), html("td", {}, mode));
  const update = (state, { counts, weights, mode: word }) => {
    const top = Math.max(1, state.widest);
    all.textContent = String(counts.all);
    trainedPart.style.width = `${(110 * counts.trained) / top}px`;
    frozenPart.style.width = `${(110 * (counts.all - counts.trained)) / top}px`;
    trained.textContent = counts.all ? `${counts.trained} trained` : "no weights";
    const moved = new Map(state.tied ? state.ties : []);
    const owners = node.own.filter((p) => moved.has(p)).map((p) =>
      state.params[moved.get(p)].name.replace(/\.[^.]*$/, ""));
    shapes.textContent = owners.length ? `= ${owners[0]}`
      : node.own.map((p) => state.params[p].shape).join(", ");
    freeze.disabled = weights === "none";
    freeze.textContent = weights === "none" ? "–" : weights === "frozen" ? "❄ frozen"
      : weights === "trained" ? "freeze" : "❄ partly";
    set(freeze, { "aria-pressed": String(weights === "frozen"),
      "aria-label": `freeze ${moduleName(node)}, now ${weights}` });
    modeWord.textContent = word.replace(", some below not", ", mixed");
    set(mode, { class: `mode ${state.training[k] ? "lit" : "dark"}`,
      "aria-label": `mode of ${moduleName(node)}: ${word}`, "aria-pressed": String(state.training[k]) });
  };
  return { row, update };
}

function render({ model, el }) {
  const keys = ["nodes", "params", "ties", "frozen", "training", "tied"];
  const state = () => Object.fromEntries(keys.map((key) => [key, model.get(key)]));
  const change = (key, value) => {
    model.set(key, value);
    model.save_changes();
  };
  const act = {
    freeze(k) {
      const now = state();
      const { below, weights } = describe(now).rows[k];
      const inside = new Set(below);
      change("frozen", now.frozen.map((old, p) => (inside.has(p) ? weights !== "frozen" : old)));
    },
    mode(k) {
      const { nodes, training } = state();
      change("training", training.map((old, i) => (i >= k && i < nodes[k].end ? !training[k] : old)));
    },
  };
  const nodes = model.get("nodes");
  const lines = nodes.map((node, k) => line(node, k, nodes, act));
  const head = ["module", "numbers", "trained or frozen", "weights", "mode"];
  const tie = html("input", { type: "checkbox" });
  tie.addEventListener("change", () => change("tied", tie.checked));
  const tieLine = html("label", { class: "tie" }, tie, html("code", {}, "1.linear2"),
    " has the same weights as ", html("code", {}, "1.linear1"));
  const words = html("p", { class: "words" });
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live);
  const legend = html("p", { class: "legend" },
    html("span", { class: "part on sample" }), " trained  ",
    html("span", { class: "part off sample" }), " frozen.  A button acts on its module and all below.");
  const body = html("tbody", {}, ...lines.map((item) => item.row));
  const tableNode = html("table", {}, html("thead", {}, html("tr", {},
    ...head.map((name) => html("th", { scope: "col" }, name)))), body);
  el.append(keepKeys(html("div", { class: "chainrule module-tree" }, words,
    html("div", { class: "scroll" }, tableNode), ...(model.get("ties").length ? [tieLine] : []),
    legend, live)));
  const draw = () => {
    const now = state();
    const found = describe(now);
    now.widest = describe({ ...now, tied: false }).rows[0].counts.all;
    lines.forEach((item, k) => item.update(now, found.rows[k]));
    tie.checked = now.tied;
    words.textContent = found.words;
    announce(found.words);
  };
  const redraw = onNextFrame(draw);
  const watched = ["frozen", "training", "tied"];
  for (const key of watched) model.on(`change:${key}`, redraw);
  draw();
  return () => { for (const key of watched) model.off(`change:${key}`, redraw); };
}

export default { render };
