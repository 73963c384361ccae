// RavineRace: five optimizers run down a surface. Move the start, the surface, any hyperparameter,
// and all paths follow at once; press Race to see them run. All of it is computed here, so that the
// race also runs in a page without a kernel.

import { announcer, drag, html, keepKeys, onNextFrame, set, svg } from "./common.js";
import {
  GOAL, NAMES, RATES, STARTS, STEPS, SURFACES, brief, finishOf, result, rows, run,
} from "./ravine_race_math.js";
import { REACH, classOf, letterOf, mapOf } from "./ravine_race_map.js";

const SETTINGS = {
  SGD: { lr: 1.8 },
  Momentum: { lr: 0.1, momentum: 0.9 },
  Nesterov: { lr: 0.1, momentum: 0.9 },
  RMSProp: { lr: 0.05, alpha: 0.9, eps: 1e-8 },
  Adam: { lr: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8 },
};
const PLACES = ["1st", "2nd", "3rd", "4th", "5th"];
const WATCHED = ["surface", "stretch", "angle", "noise", "seed", "start", "settings", "hidden", "step"];

// --- sliders -----------------------------------------------------------------------------------

const tidy = (value) => Number(value.toPrecision(3));
const power = { to: (s) => tidy(10 ** s), from: (v) => Math.log10(v) };
const decay = { // finer towards 1: 0, 0.9, 0.99, 0.999 are equally far apart
  to: (s) => Number(Math.min(0.999, 1 - 10 ** -s).toFixed(3)), from: (v) => -Math.log10(1 - v),
};
const plain = { to: (s) => s, from: (v) => v };
const SCALES = {
  lr: { ...power, min: -3, max: 1, step: 0.02 },
  eps: { ...power, min: -8, max: 1, step: 0.1 },
  momentum: { ...decay, min: 0, max: 3, step: 0.02 },
  alpha: { ...decay, min: 0, max: 3, step: 0.02 },
  beta1: { ...decay, min: 0, max: 3, step: 0.02 },
  beta2: { ...decay, min: 0, max: 3, step: 0.02 },
  stretch: { ...plain, min: 1, max: 100, step: 1 },
  angle: { ...plain, min: -90, max: 90, step: 1 },
  noise: { ...plain, min: 0, max: 2, step: 0.02 },
};

/** A labelled slider: `label`, what it is of, how it shows values, and what a move does. */
function sliderOf(key, label, owner, input, unit = "") {
  const scale = SCALES[key];
  const range = html("input", { type: "range", min: scale.min, max: scale.max, step: scale.step,
    "aria-label": owner ? `${owner} ${label}` : label });
  const shown = html("output", {});
  range.addEventListener("input", () => input(scale.to(Number(range.value))));
  const update = (value) => {
    // A value that this very slider gave stays where the hand is.
    if (scale.to(Number(range.value)) !== value) range.value = scale.from(value);
    shown.textContent = brief(value) + unit;
    range.setAttribute("aria-valuetext", shown.textContent);
  };
  return { node: html("label", { class: "slider" }, html("span", {}, label), range, shown), range, update };
}

// --- losses against steps ----------------------------------------------------------------------

const PLOT = { width: 330, height: 190, left: 40, right: 8, top: 8, bottom: 24 };
const EXPONENTS = [-8, 2];

function chartOf(change, name) {
  const x = (step) => PLOT.left + step / STEPS * (PLOT.width - PLOT.left - PLOT.right);
  const y = (loss) => {
    const [low, high] = EXPONENTS;
    const exponent = Math.min(high, Math.max(low, Math.log10(Math.max(loss, 1e-300))));
    return PLOT.top + (high - exponent) / (high - low) * (PLOT.height - PLOT.top - PLOT.bottom);
  };
  const text = (tx, ty, className, words) => svg("text", { x: tx, y: ty, class: className }, words);
  const levels = [-8, -6, -4, -2, 0, 2].map((n) => svg("g", {},
    svg("path", { class: "grid", d: `M${PLOT.left} ${y(10 ** n)}H${PLOT.width - PLOT.right}` }),
    text(PLOT.left - 5, y(10 ** n) + 4, "end", n ? `1e${n < 0 ? "−" : ""}${Math.abs(n)}` : "1")));
  const marks = [0, 100, 200, 300].map((n) => text(x(n), PLOT.height - 8, n === 300 ? "end" : "middle", `${n}`));
  const goal = svg("g", {}, svg("path", { class: "finish", d: `M${PLOT.left} ${y(GOAL)}H${PLOT.width - PLOT.right}` }),
    text(PLOT.width - PLOT.right, y(GOAL) - 4, "end", "finish"));
  const curves = NAMES.map((runner) => svg("path", { class: "trail" }));
  const groups = NAMES.map((runner, k) => svg("g", { class: classOf(runner) }, curves[k]));
  const window_ = svg("rect", { x: 0, y: 0, height: PLOT.height });
  const cursor = svg("path", { class: "cursor" });
  const picture = svg("svg", { viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img" },
    svg("clipPath", { id: `${name}-past` }, window_), ...levels, ...marks,
    svg("g", { "clip-path": `url(#${name}-past)` }, ...groups), goal, cursor);
  const place = (event) => {
    const box = picture.getBoundingClientRect();
    const part = ((event.clientX - box.left) / box.width * PLOT.width - PLOT.left)
      / (PLOT.width - PLOT.left - PLOT.right);
    change({ step: Math.round(Math.min(1, Math.max(0, part)) * STEPS) });
  };
  drag(picture, (press) => {
    place(press);
    return place;
  });
  const update = (races) => {
    NAMES.forEach((runner, k) => {
      const losses = races[runner]?.losses ?? [];
      const points = losses.map((loss, step) => `${x(step).toFixed(1)} ${y(loss).toFixed(1)}`);
      curves[k].setAttribute("d", points.length ? `M${points.join("L")}` : "");
    });
    const words = Object.entries(races).map(([runner, { losses }]) => `${runner} ${result(losses)}`);
    picture.setAttribute("aria-label", `Loss against step: ${words.join("; ")}`);
  };
  const show = (time) => {
    window_.setAttribute("width", x(time) + 1);
    cursor.setAttribute("d", `M${x(time).toFixed(1)} ${PLOT.top}V${PLOT.height - PLOT.bottom}`);
  };
  return { node: html("div", { class: "chart" }, html("p", {}, "Loss at each step"), picture), update, show };
}

// --- one card for each runner ------------------------------------------------------------------

function cardOf(name, change, read) {
  const box = html("input", { type: "checkbox" });
  box.addEventListener("change", () => {
    const others = read("hidden").filter((other) => other !== name);
    change({ hidden: box.checked ? others : [...others, name] });
  });
  const sliders = Object.keys(SETTINGS[name]).map((key) => ({ key, ...sliderOf(key, key, name,
    (value) => change({ settings: { ...read("settings"), [name]: { ...read("settings")[name], [key]: value } } })) }));
  const disc = svg("svg", { viewBox: "-10 -10 20 20", "aria-hidden": "true" },
    svg("g", { class: "disc" }, svg("circle", { r: 9 }), svg("text", { y: 4.2 }, letterOf(name))));
  const sample = svg("svg", { class: "sample", viewBox: "0 0 34 8", "aria-hidden": "true" },
    svg("path", { class: "trail", d: "M1 4H33" }));
  const status = html("p", { class: "status" });
  const place = html("p", { class: "place" });
  const node = html("div", { class: `card ${classOf(name)}` },
    html("label", { class: "name" }, box, disc, name, sample), ...sliders.map((one) => one.node), status, place);
  const update = () => {
    box.checked = !read("hidden").includes(name);
    node.classList.toggle("off", !box.checked);
    for (const one of sliders) one.update(read("settings")[name][one.key]);
  };
  const show = (race, time) => {
    const step = Math.floor(time);
    const words = !race ? "does not run"
      : step >= STEPS || step >= race.losses.length ? result(race.losses)
        : `loss ${brief(race.losses[step])}${race.losses[step] < GOAL ? ", in the finish" : ""}`;
    if (status.textContent !== words) status.textContent = words;
    place.textContent = race && race.finish !== null && time >= race.finish ? PLACES[race.place] : "";
  };
  return { node, update, show };
}

// --- everything around them --------------------------------------------------------------------

/** The whole state as it is at the beginning on a surface. */
function fresh(surface) {
  const settings = Object.fromEntries(NAMES.map((name, k) =>
    [name, { ...SETTINGS[name], lr: RATES[surface][k] }]));
  return { surface, stretch: 25, angle: 0, noise: 0, seed: 1, start: [...STARTS[surface]], hidden: [], settings };
}

const TRIES = {
  "momentum 0.99": { settings: { Momentum: { momentum: 0.99 }, Nesterov: { momentum: 0.99 } } },
  "turned by 45°": { angle: 45, start: [-2.758, -1.061] },
  "Adam with lr and eps 10": { settings: { Adam: { lr: 10, eps: 10 } } },
  "noise": { noise: 1 },
  "far out on the plateau": { surface: "plateau", start: [-4, 3] },
  "bumps": { surface: "bumps" },
};

/** A row of buttons: situations worth a look. */
function triesOf(change) {
  const buttons = Object.entries(TRIES).map(([name, { settings = {}, ...rest }]) => {
    const button = html("button", { type: "button" }, name);
    button.addEventListener("click", () => {
      const state = fresh(rest.surface ?? "ravine");
      for (const [runner, some] of Object.entries(settings)) Object.assign(state.settings[runner], some);
      change({ ...state, ...rest, step: STEPS });
    });
    return button;
  });
  return html("div", { class: "controls tries" }, "try:", ...buttons);
}

/** The controls of the surface. */
function surfaceControls(change, read) {
  const choice = html("select", { "data-lm-suppress-shortcuts": "true", "aria-label": "surface" },
    ...Object.keys(SURFACES).map((name) => html("option", { value: name }, name)));
  choice.addEventListener("change", () => {
    const settings = Object.fromEntries(NAMES.map((name, k) =>
      [name, { ...read("settings")[name], lr: RATES[choice.value][k] }]));
    change({ surface: choice.value, start: [...STARTS[choice.value]], settings });
  });
  const turned = (angle) => { // the start turns with the surface: the same race on a map held askew
    const by = (angle - read("angle")) * Math.PI / 180;
    const [x, y] = read("start");
    const start = [x * Math.cos(by) - y * Math.sin(by), x * Math.sin(by) + y * Math.cos(by)];
    return { angle, start: start.map((v, axis) => Math.min(REACH[axis], Math.max(-REACH[axis], v))) };
  };
  const moves = { stretch: (stretch) => ({ stretch }), angle: turned, noise: (noise) => ({ noise }) };
  const [stretch, angle, noise] = Object.keys(moves).map((key) => ({ key,
    ...sliderOf(key, key, "", (value) => change(moves[key](value)), key === "angle" ? "°" : "") }));
  const dice = html("button", { type: "button" }, "Other noise");
  dice.addEventListener("click", () => change({ seed: read("seed") + 1 }));
  const reset = html("button", { type: "button" }, "Reset");
  reset.addEventListener("click", () => change(fresh(read("surface"))));
  const node = html("div", { class: "surface" },
    html("label", { class: "slider" }, html("span", {}, "surface"), choice),
    stretch.node, angle.node, noise.node, html("div", { class: "controls" }, reset, dice));
  const update = () => {
    choice.value = read("surface");
    for (const one of [stretch, angle, noise]) one.update(read(one.key));
    const fits = ["ravine", "bumps"].includes(read("surface"));
    stretch.range.disabled = !fits;
    stretch.node.classList.toggle("off", !fits);
    dice.disabled = read("noise") === 0;
  };
  return { node, update };
}

/** Race, pause, scrub: `clock.time` is the step that is shown, with its fraction while running. */
function clockOf(change, read, show) {
  const clock = { time: read("step"), playing: false };
  const play = html("button", { type: "button", class: "primary play" });
  const scrub = html("input", { type: "range", min: 0, max: STEPS, step: 1, "aria-label": "step" });
  const speed = html("input", { type: "range", min: 4, max: 200, step: 4, value: 32, "aria-label": "steps per second" });
  const shown = html("output", { class: "step" });
  const rate = html("output", {});
  const words = () => {
    play.textContent = clock.playing ? "Pause" : clock.time >= STEPS || clock.time === 0 ? "Race" : "Go on";
    rate.textContent = `${speed.value} steps/s`;
  };
  const stop = () => {
    clock.playing = false;
    clock.time = Math.round(clock.time);
    change({ step: clock.time });
    words();
  };
  let before = 0;
  const frame = (now) => {
    if (!clock.playing) return;
    const passed = Math.max(0, Math.min(now - before, 100)); // a frame's time may lie before the click
    clock.time = Math.min(STEPS, clock.time + passed / 1000 * Number(speed.value));
    before = now;
    clock.draw();
    if (clock.time >= STEPS) stop();
    else requestAnimationFrame(frame);
  };
  clock.draw = () => {
    scrub.value = clock.time;
    shown.textContent = `step ${Math.floor(clock.time)}`;
    show(clock.time);
  };
  play.addEventListener("click", () => {
    if (clock.playing) return stop();
    if (clock.time >= STEPS) clock.time = 0;
    clock.playing = true;
    before = performance.now();
    words();
    requestAnimationFrame(frame);
  });
  scrub.addEventListener("input", () => change({ step: Number(scrub.value) }));
  speed.addEventListener("input", words);
  clock.update = () => {
    if (!clock.playing) clock.time = read("step");
    words();
    clock.draw();
  };
  clock.pause = () => { clock.playing = false; };
  clock.node = html("div", { class: "controls" }, play,
    html("label", { class: "slider long" }, shown, scrub), html("label", { class: "slider" }, "speed", speed, rate));
  return clock;
}

function tableView(read) {
  const body = html("tbody");
  const head = ["runner", "settings", "result"].map((name) => html("th", {}, name));
  const node = html("details", {}, html("summary", {}, "Read it as a table"),
    html("table", {}, html("thead", {}, html("tr", {}, ...head)), body));
  const update = (state) => body.replaceChildren(...rows(state).map((cells) =>
    html("tr", {}, ...cells.map((cell) => html("td", {}, cell)))));
  return { node, update };
}

/** Every runner's path and losses, the step at which it finished, and how many finished before it. */
function racesOf(running, state) {
  const races = Object.fromEntries(running.map((runner) => {
    const race = run(runner, state.settings[runner], state);
    return [runner, { ...race, finish: finishOf(race.losses) }];
  }));
  const finishes = Object.values(races).map(({ finish }) => finish).filter((finish) => finish !== null);
  for (const race of Object.values(races)) race.place = finishes.filter((other) => other < race.finish).length;
  return races;
}

function render({ model, el }) {
  const name = `race-${Math.random().toString(36).slice(2)}`;
  const read = (key) => model.get(key);
  let clock = null;
  const change = (state) => {
    if ("step" in state && clock?.playing) clock.pause();
    for (const [key, value] of Object.entries(state)) model.set(key, value);
    model.save_changes();
  };
  const [map, chart, table] = [mapOf(change, read, name), chartOf(change, name), tableView()];
  const cards = NAMES.map((runner) => cardOf(runner, change, read));
  const surface = surfaceControls(change, read);
  const live = html("div", { class: "hidden", role: "status" });
  const announce = announcer(live, 900);
  let races = {};
  clock = clockOf(change, read, (time) => {
    map.show(Object.fromEntries(Object.entries(races).map(([key, { path }]) => [key, path])), time);
    chart.show(time);
    NAMES.forEach((runner, k) => cards[k].show(races[runner], time));
  });
  const hint = html("p", { class: "hint" }, "Drag in the map to move the start, or use the arrow keys on "
    + "it. A dot is a step. To finish is to come below a loss of 0.001 and to stay there.");
  el.append(keepKeys(html("div", { class: "chainrule race" },
    html("div", { class: "stage" }, map.node,
      html("div", { class: "side" }, chart.node, surface.node, hint)),
    clock.node, triesOf(change), html("div", { class: "cards" }, ...cards.map(({ node }) => node)), table.node, live)));

  const draw = () => {
    const state = Object.fromEntries(WATCHED.map((key) => [key, model.get(key)]));
    const running = NAMES.filter((runner) => !state.hidden.includes(runner));
    races = racesOf(running, state);
    for (const part of [map, surface, table, ...cards]) part.update(state);
    chart.update(races);
    clock.update();
    if (!clock.playing) announce(running.map((runner) => `${runner} ${result(races[runner].losses)}`).join(". "));
  };
  const redraw = onNextFrame(draw);
  for (const key of WATCHED) model.on(`change:${key}`, redraw);
  draw();
  return () => {
    clock.pause();
    for (const key of WATCHED) model.off(`change:${key}`, redraw);
  };
}

export default { render };
