// Surfaces, rules and paths of RavineRace, and its text form. `ravine_race_math.py` computes the same
// paths in Python, `ravine_race.py` writes the same rows; a test compares the two.

export const STEPS = 300;
export const GOAL = 0.001;
const FAR = 1e6;

const ravine = (u, v, stretch) => [(u * u / stretch + v * v) / 2, u / stretch, v];

/** Each surface: value and both derivatives at (u, v). */
export const SURFACES = {
  ravine,
  banana(u, v) {
    const [a, b] = [0.6 * u, 0.6 * v + 0.6];
    const bend = b - a * a;
    return [0.1 * (1 - a) ** 2 + bend * bend,
      0.6 * (-0.2 * (1 - a) - 4 * bend * a), 0.6 * 2 * bend];
  },
  saddle(u, v) {
    const hill = v * v - 4;
    return [u * u / 4 + hill * hill / 32, u / 2, v * hill / 8];
  },
  "four basins"(u, v) {
    const [a, b] = [1.3 * u, 1.6 * v];
    const [one, two] = [a * a + b - 11, a + b * b - 7];
    return [(one * one + two * two) / 100,
      1.3 * (4 * a * one + 2 * two) / 100, 1.6 * (2 * one + 4 * b * two) / 100];
  },
  plateau(u, v) {
    const well = 2 * Math.exp(-(u * u / 2.5 + v * v) / 2);
    return [2 - well, well * u / 2.5, well * v];
  },
  bumps(u, v, stretch) {
    const [value, du, dv] = ravine(u, v, stretch);
    const ripple = 0.06 * (2 - Math.cos(4 * u) - Math.cos(4 * v));
    return [value + ripple, du + 0.24 * Math.sin(4 * u), dv + 0.24 * Math.sin(4 * v)];
  },
};

/** Where the race starts on each surface, and the learning rates it begins with. */
export const STARTS = {
  ravine: [-2.7, 1.2], banana: [-2.4, 2.2], saddle: [-3.4, 0.05],
  "four basins": [-0.4, -0.3], plateau: [-3.7, 2.5], bumps: [-2.7, 1.2],
};
export const RATES = {
  ravine: [1.8, 0.1, 0.1, 0.05, 0.1], banana: [0.4, 0.1, 0.1, 0.05, 0.1],
  saddle: [0.2, 0.05, 0.05, 0.05, 0.1], "four basins": [0.4, 0.05, 0.05, 0.05, 0.1],
  plateau: [0.2, 0.05, 0.05, 0.05, 0.1], bumps: [0.4, 0.2, 0.2, 0.05, 0.1],
};

/** Value and gradient at (x, y): the surface, turned by `angle` degrees. */
export function slopeOf({ surface, stretch, angle }) {
  const [c, s] = [Math.cos(angle * Math.PI / 180), Math.sin(angle * Math.PI / 180)];
  const f = SURFACES[surface];
  return (x, y) => {
    const [value, du, dv] = f(c * x + s * y, c * y - s * x, stretch);
    return [value, c * du - s * dv, s * du + c * dv];
  };
}

/** Numbers from 0 to 1, always the same for a seed (mulberry32). */
function uniform(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ratio = (top, bottom) => (bottom ? top / bottom : 0);

/** From a gradient, what is remembered, and the settings to the step. */
export const RULES = {
  SGD: (g, memory, o) => o.lr * g,
  Momentum(g, memory, o) {
    memory.v = o.momentum * (memory.v ?? 0) + g;
    return o.lr * memory.v;
  },
  Nesterov(g, memory, o) {
    memory.v = o.momentum * (memory.v ?? 0) + g;
    return o.lr * (g + o.momentum * memory.v);
  },
  RMSProp(g, memory, o) {
    memory.s = o.alpha * (memory.s ?? 0) + (1 - o.alpha) * g * g;
    return o.lr * ratio(g, Math.sqrt(memory.s) + o.eps);
  },
  Adam(g, memory, o) {
    memory.m = o.beta1 * (memory.m ?? 0) + (1 - o.beta1) * g;
    memory.v = o.beta2 * (memory.v ?? 0) + (1 - o.beta2) * (g * g);
    memory.shareM = o.beta1 * (memory.shareM ?? 1);
    memory.shareV = o.beta2 * (memory.shareV ?? 1);
    const root = Math.sqrt(memory.v / (1 - memory.shareV));
    return o.lr * ratio(memory.m / (1 - memory.shareM), root + o.eps);
  },
};
export const NAMES = Object.keys(RULES);

/** The path of one runner and the loss along it; both end early if it runs away. */
export function run(name, options, world) {
  const slope = slopeOf(world);
  const draw = uniform(world.seed);
  const here = [...world.start];
  const path = [[...here]];
  const losses = [slope(...here)[0]];
  const memories = [{}, {}];
  for (let k = 0; k < STEPS; k += 1) {
    const [, ...grads] = slope(...here);
    for (const axis of [0, 1]) {
      const g = grads[axis] + world.noise * (draw() * 2 - 1);
      here[axis] -= RULES[name](g, memories[axis], options);
    }
    if (!(Math.max(Math.abs(here[0]), Math.abs(here[1])) < FAR)) break;
    path.push([...here]);
    losses.push(slope(...here)[0]);
  }
  return { path, losses };
}

/** A number as a person reads it: three digits, or a power of ten when small or large. */
export function brief(value) {
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size === 0) return "0";
  if (size >= 0.001 && size < 9995) return sign + String(Number(size.toPrecision(3)));
  const [digits, power] = size.toExponential(1).split("e");
  return `${sign}${digits}e${power.replace("+", "").replace("-", "−")}`;
}

/** The step from which on the loss stays below the goal, or null. */
export function finishOf(losses) {
  let last = losses.length;
  while (last && losses[last - 1] < GOAL) last -= 1;
  return losses.length > STEPS && last < losses.length ? last : null;
}

/** In words how a race ended, from the losses along a path. */
export function result(losses) {
  if (losses.length <= STEPS) return `ran away at step ${losses.length}`;
  const last = finishOf(losses);
  if (last !== null) return `finished at step ${last}`;
  const first = losses.findIndex((loss) => loss < GOAL);
  const now = brief(losses[STEPS]);
  return first < 0 ? `not there: loss ${now}` : `crossed at step ${first}, left again: loss ${now}`;
}

/** The race as rows of text: name, settings, result. */
export function rows(state) {
  return NAMES.map((name) => {
    const options = state.settings[name];
    const words = Object.entries(options).map(([key, value]) => `${key} ${brief(value)}`);
    const ended = state.hidden.includes(name) ? "does not run" : result(run(name, options, state).losses);
    return [name, words.join(", "), ended];
  });
}
