// Helpers that every widget of the course shares. `assets.py` pastes this file into each widget's
// module when it is loaded, so that what reaches the browser is one self-contained module.

const SVG = "http://www.w3.org/2000/svg";

/** Set several attributes of a node and append children (nodes or text); returns the node. */
export function set(node, attributes, ...children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** An SVG element: `svg("circle", { r: 3 })`. */
export const svg = (tag, attributes = {}, ...children) =>
  set(document.createElementNS(SVG, tag), attributes, ...children);

/** An HTML element, built the same way. */
export const html = (tag, attributes = {}, ...children) =>
  set(document.createElement(tag), attributes, ...children);

/** `value` with `digits` decimals and a true minus, never "−0.00"; a power of ten when huge. */
export function number(value, digits = 2, plus = "") {
  const huge = Math.abs(value) >= 1e5;
  const text = huge ? Math.abs(value).toExponential(2) : Math.abs(value).toFixed(digits);
  if (!huge && Number(text) === 0) return text;
  return (value < 0 ? "−" : plus) + text;
}

/** `value` with its sign always written, for gradients. */
export const signed = (value, digits = 2) => number(value, digits, "+");

/** A writer to a live region, at most once per `delay` milliseconds; the last text wins. */
export function announcer(region, delay = 500) {
  let timer = null;
  let latest = "";
  return (text) => {
    latest = text;
    timer ??= setTimeout(() => {
      timer = null;
      region.textContent = latest;
    }, delay);
  };
}

/** A function that runs `draw` once in the next animation frame, however often it is called. */
export function onNextFrame(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

/** Follow one pointer from press to release: `start(press)` returns the listener of its moves. */
export function drag(node, start) {
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault(); // or JupyterLab takes the focus back and the arrow keys leave the cell
    node.setPointerCapture(event.pointerId);
    const move = start(event);
    const end = () => {
      node.removeEventListener("pointermove", move);
      node.removeEventListener("pointerup", end);
      node.removeEventListener("pointercancel", end);
    };
    node.addEventListener("pointermove", move);
    node.addEventListener("pointerup", end);
    node.addEventListener("pointercancel", end);
  });
}

/** Make `node` a slider: drag sideways, arrow keys, Shift or Page keys, Home to reset. */
export function slider(node, { get, set, reset, step, bigStep, perPixel }) {
  drag(node, (press) => {
    const start = get();
    node.focus({ preventScroll: true });
    return (event) => set(start + (event.clientX - press.clientX) * perPixel);
  });
  node.addEventListener("keydown", (event) => {
    const size = event.shiftKey ? bigStep : step;
    const moves = {
      ArrowRight: size, ArrowUp: size, ArrowLeft: -size, ArrowDown: -size,
      PageUp: bigStep, PageDown: -bigStep,
    };
    if (event.key === "Home") reset();
    else if (event.key in moves) set(get() + moves[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/** Keep keys pressed in `root` from JupyterLab, where "x" would cut the cell; returns `root`. */
export function keepKeys(root) {
  for (const node of root.querySelectorAll("button, input, summary, [tabindex]"))
    node.setAttribute("data-lm-suppress-shortcuts", "true");
  return root;
}

/** Round-number tick positions from 0 to `top`, at most `count` steps. */
export function ticks(top, count = 5) {
  const raw = top / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.999);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, k) => k * step);
}
