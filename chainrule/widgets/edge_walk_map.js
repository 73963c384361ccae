// Where EdgeWalk draws its nodes and edges: one map for a wide place, left to right, and one for a
// narrow place, top to bottom. No two edges cross in either.

const box = (x, y, width, height = 72) => ({ x, y, width, height });

/** A curve between two points that starts and ends along `axis`. */
function bow(axis, [x1, y1], [x2, y2], label) {
  const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const bend = axis === "x" ? `${mx} ${y1} ${mx} ${y2}` : `${x1} ${my} ${x2} ${my}`;
  return { d: `M${x1} ${y1}C${bend} ${x2} ${y2}`, label: label ?? [mx, my] };
}

const TALL = 110; // of a node that is used twice: it lists what arrives

export const WIDE_MAP = {
  view: [0, 18, 980, 364],
  nodes: {
    x: box(6, 34, 116), y: box(6, 148, 116, TALL), w: box(6, 306, 116),
    s: box(228, 58, 124, TALL), z: box(232, 202, 116), m: box(228, 306, 124),
    p: box(458, 130, 116), q: box(662, 200, 116), L: box(860, 130, 116),
  },
  edges: {
    "x>s": bow("x", [122, 70], [228, 92]), "y>s": bow("x", [122, 180], [228, 132]),
    "y>m": bow("x", [122, 230], [228, 328]), "w>m": bow("x", [122, 350], [228, 350]),
    "s>p": bow("x", [352, 128], [458, 152], [405, 136]),
    "z>p": bow("x", [348, 238], [458, 182], [402, 213]),
    "p>q": bow("x", [574, 166], [662, 220]), "m>q": bow("x", [352, 342], [662, 254]),
    "q>L": bow("x", [778, 222], [860, 182]),
    "s>L": { d: "M352 84C408 52 448 44 538 44H798C868 44 914 70 914 130", label: [634, 44] },
  },
};

export const NARROW_MAP = {
  view: [0, 0, 374, 778],
  nodes: {
    x: box(4, 48, 114), y: box(130, 10, 114, TALL), w: box(256, 48, 114),
    s: box(4, 200, 120, TALL), z: box(132, 238, 112), m: box(252, 238, 118),
    p: box(100, 392, 116), q: box(174, 544, 116), L: box(74, 700, 116),
  },
  edges: {
    "x>s": bow("y", [46, 120], [46, 200], [45, 161]),
    "y>s": bow("y", [163, 120], [96, 200], [133, 161]),
    "y>m": bow("y", [211, 120], [282, 238], [243, 161]),
    "w>m": bow("y", [330, 120], [330, 238], [330, 161]),
    "s>p": bow("y", [92, 310], [138, 392], [99, 352]),
    "z>p": bow("y", [187, 310], [178, 392], [204, 352]),
    "p>q": bow("y", [170, 464], [214, 544], [192, 504]),
    "m>q": bow("y", [309, 310], [250, 544], [296, 428]),
    "q>L": bow("y", [224, 616], [156, 700], [192, 658]),
    "s>L": bow("y", [44, 310], [108, 700], [50, 458]),
  },
};
