// The map of RavineRace: shaded heights, contour lines, trails, runners, and the start that is dragged.

import { drag, html, set, svg } from "./common.js";
import { GOAL, NAMES, slopeOf } from "./ravine_race_math.js";

export const REACH = [4, 3];
const UNIT = 70;
const [WIDTH, HEIGHT] = REACH.map((reach) => 2 * reach * UNIT);
const [COLUMNS, ROWS] = [160, 120];
const LEVELS = 13;

const px = (x) => (x + REACH[0]) * UNIT;
const py = (y) => (REACH[1] - y) * UNIT;
const at = ([x, y]) => `${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
const bound = (value, reach) => Math.min(reach, Math.max(-reach, Math.round(value * 100) / 100));
export const letterOf = (name) => name[0];
export const classOf = (name) => name.toLowerCase();

/** The surface on a grid: rows of values from the top. */
function heights(world) {
  const slope = slopeOf(world);
  return Array.from({ length: ROWS + 1 }, (_, i) => Float64Array.from({ length: COLUMNS + 1 },
    (_, j) => slope((2 * j / COLUMNS - 1) * REACH[0], (1 - 2 * i / ROWS) * REACH[1])[0]));
}

/** The line where the grid crosses `level`, as path data: two points for each cell that it crosses. */
function contour(grid, level) {
  const parts = [];
  const [w, h] = [WIDTH / COLUMNS, HEIGHT / ROWS];
  for (let i = 0; i < ROWS; i += 1) {
    for (let j = 0; j < COLUMNS; j += 1) {
      const corners = [grid[i][j], grid[i][j + 1], grid[i + 1][j + 1], grid[i + 1][j]];
      const low = corners.map((value) => value < level);
      if (low.every((flag) => flag === low[0])) continue;
      const places = [[0, 0], [1, 0], [1, 1], [0, 1]];
      const cuts = [0, 1, 2, 3].filter((k) => low[k] !== low[(k + 1) % 4]).map((k) => {
        const [a, b] = [corners[k], corners[(k + 1) % 4]];
        const part = (level - a) / (b - a);
        const [p, q] = [places[k], places[(k + 1) % 4]];
        return [0, 1].map((axis) => p[axis] + part * (q[axis] - p[axis]));
      });
      for (let k = 0; k + 1 < cuts.length; k += 2) {
        const [p, q] = [cuts[k], cuts[k + 1]].map(([x, y]) =>
          `${((j + x) * w).toFixed(1)} ${((i + y) * h).toFixed(1)}`);
        parts.push(`M${p}L${q}`);
      }
    }
  }
  return parts.join("");
}

/** The places on the grid that are lower than all their neighbours, and low. */
function lowest(grid) {
  const found = [];
  for (let i = 1; i < ROWS; i += 1) {
    for (let j = 1; j < COLUMNS; j += 1) {
      const here = grid[i][j];
      const around = [-1, 0, 1].flatMap((di) => [-1, 0, 1].map((dj) => grid[i + di][j + dj]));
      if (here < 0.04 && around.every((value) => value >= here)) {
        found.push([j * WIDTH / COLUMNS, i * HEIGHT / ROWS]);
      }
    }
  }
  return found;
}

/** Shade the canvas: the higher, the darker. */
function shade(canvas, grid, levels) {
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, COLUMNS, ROWS);
  pen.fillStyle = getComputedStyle(canvas).color;
  for (let i = 0; i < ROWS; i += 1) {
    for (let j = 0; j < COLUMNS; j += 1) {
      pen.globalAlpha = 0.02 + 0.016 * levels.filter((level) => grid[i][j] > level).length;
      pen.fillRect(j, i, 1, 1);
    }
  }
}

/** The trail of a runner up to `time`, a step number with a fraction, and where it stands then. */
function trailUntil(path, time) {
  const whole = Math.min(Math.floor(time), path.length - 1);
  const part = Math.min(1, Math.max(0, time - whole));
  const next = path[Math.min(whole + 1, path.length - 1)];
  const head = path[whole].map((value, axis) => value + part * (next[axis] - value));
  const points = path.slice(0, whole + 1).map(at);
  return [`M${points.join("L")}L${at(head)}`, head, points];
}

/** A runner on the map: trail, a dot for every step, and a disc with its letter. */
function runner(name) {
  const trail = svg("path", { class: "trail" });
  const dots = svg("path", { class: "dots" });
  const disc = svg("g", { class: "disc" }, svg("circle", { r: 9 }),
    svg("text", { y: 4.2 }, letterOf(name)));
  const node = svg("g", { class: classOf(name) }, trail, dots);
  const update = (path, time) => {
    const shown = path !== undefined;
    node.style.display = shown ? "" : "none";
    disc.style.display = shown ? "" : "none";
    if (!shown) return;
    const [line, head, points] = trailUntil(path, time);
    trail.setAttribute("d", line);
    dots.setAttribute("d", points.map((point) => `M${point}h0`).join(""));
    const [x, y] = head.map((value, axis) => Math.min(REACH[axis], Math.max(-REACH[axis], value)));
    disc.setAttribute("transform", `translate(${at([x, y])})`);
    disc.classList.toggle("outside", x !== head[0] || y !== head[1]);
  };
  return { node, disc: svg("g", { class: classOf(name) }, disc), update };
}

/** The handle of the starting point: drag it, or move it with the arrow keys. */
function handle(change, read) {
  const node = svg("g", { class: "start", tabindex: 0, role: "slider", "aria-label": "starting point",
    "aria-valuemin": -REACH[0], "aria-valuemax": REACH[0] },
    svg("circle", { r: 13 }), svg("path", { d: "M-5 0H5M0 -5V5" }));
  node.addEventListener("keydown", (event) => {
    const size = event.shiftKey ? 0.5 : 0.05;
    const moves = { ArrowLeft: [-size, 0], ArrowRight: [size, 0], ArrowUp: [0, size], ArrowDown: [0, -size] };
    const by = moves[event.key];
    if (!by) return;
    change({ start: read("start").map((value, axis) => bound(value + by[axis], REACH[axis])) });
    event.preventDefault();
    event.stopPropagation();
  });
  const update = ([x, y]) => set(node, { transform: `translate(${at([x, y])})`, "aria-valuenow": x,
    "aria-valuetext": `x ${x}, y ${y}; arrow keys move it, with Shift further` });
  return { node, update };
}

/** The whole map. `update` redraws what depends on the state, `show` what depends on the time. */
export function mapOf(change, read, name) {
  const canvas = html("canvas", { width: COLUMNS, height: ROWS, "aria-hidden": "true" });
  const lines = svg("path", { class: "contours" });
  const finish = svg("path", { class: "finish" });
  const marks = svg("g", { class: "marks" });
  const runners = NAMES.map(runner);
  const start = handle(change, read);
  const frame = svg("clipPath", { id: `${name}-frame` },
    svg("rect", { width: WIDTH, height: HEIGHT }));
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group" }, frame,
    svg("g", { "clip-path": `url(#${name}-frame)` }, lines, finish,
      ...runners.map(({ node }) => node), marks),
    ...runners.map(({ disc }) => disc).reverse(), start.node);
  const place = (event) => {
    const box = picture.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width * 2 - 1) * REACH[0];
    const y = (1 - (event.clientY - box.top) / box.height * 2) * REACH[1];
    change({ start: [bound(x, REACH[0]), bound(y, REACH[1])] });
  };
  drag(picture, (press) => {
    start.node.focus({ preventScroll: true });
    place(press);
    return place;
  });
  let drawn = "";
  const update = (state) => {
    start.update(state.start);
    const key = [state.surface, state.stretch, state.angle].join();
    picture.setAttribute("aria-label", `Contour map of the ${state.surface}, turned by ${state.angle} degrees`);
    if (key === drawn) return;
    drawn = key;
    const grid = heights(state);
    const top = Math.max(...grid.map((row) => Math.max(...row)));
    const levels = Array.from({ length: LEVELS - 1 }, (_, k) => top * ((k + 1) / LEVELS) ** 3);
    shade(canvas, grid, levels);
    lines.setAttribute("d", levels.map((level) => contour(grid, level)).join(""));
    finish.setAttribute("d", contour(grid, GOAL));
    marks.replaceChildren(...lowest(grid).map(([x, y], k) => svg("g", {
      transform: `translate(${x} ${y})` }, svg("path", { d: "M-5 -5L5 5M-5 5L5 -5" }),
    ...(k ? [] : [svg("text", { x: 0, y: 30 }, "finish")]))));
  };
  const show = (paths, time) => NAMES.forEach((runnerName, k) => runners[k].update(paths[runnerName], time));
  return { node: html("div", { class: "map" }, canvas, picture), update, show };
}
