// The arithmetic of TinyNet, and its text form. `tiny_net.py` computes the same numbers with NumPy
// and writes the same rows; a test compares the two.

import { number, signed } from "./common.js";

export const UNITS = [0, 1, 2];

/** The nine weights in the order of the `weights` trait: w1 row by row, then w2. */
export const WEIGHTS = [
  ...[0, 1].flatMap((i) => UNITS.map((unit) =>
    ({ name: `w1[${i},${unit}]`, from: `x[${i}]`, to: `unit ${unit}`, i, unit }))),
  ...UNITS.map((unit) =>
    ({ name: `w2[${unit}]`, from: `unit ${unit}`, to: "y_pred", i: null, unit })),
];

/** Forward and backward pass; the names are the lecture's. A unit at exactly 0 counts as off. */
export function compute(weights, x, y) {
  const w1 = [weights.slice(0, 3), weights.slice(3, 6)];
  const w2 = weights.slice(6);
  const h = UNITS.map((j) => x[0] * w1[0][j] + x[1] * w1[1][j]);
  const h_relu = h.map((value) => Math.max(value, 0));
  const y_pred = h_relu[0] * w2[0] + h_relu[1] * w2[1] + h_relu[2] * w2[2];
  const grad_y_pred = 2 * (y_pred - y);
  const grad_w2 = h_relu.map((value) => value * grad_y_pred);
  const grad_h_relu = w2.map((weight) => weight * grad_y_pred);
  const grad_h = grad_h_relu.map((grad, j) => (h[j] > 0 ? grad : 0));
  const grad_w1 = x.map((value) => grad_h.map((grad) => value * grad));
  return {
    x, w1, h, h_relu, w2, y_pred, y, loss: (y_pred - y) ** 2,
    grad_y_pred, grad_w2, grad_h_relu, grad_h, grad_w1,
  };
}

/** The nine gradients in the order of the weights. */
export const gradients = (v) => [...v.grad_w1[0], ...v.grad_w1[1], ...v.grad_w2];

/** The picture as rows of text: name, value, gradient, what it is. */
export function rows(v) {
  const row = (name, value, grad, note) =>
    [name, number(value, 4), grad === null ? "" : signed(grad, 4), note];
  const values = [...v.w1[0], ...v.w1[1], ...v.w2];
  const grads = gradients(v);
  const weights = WEIGHTS.map(({ name, from, to }, k) =>
    row(name, values[k], grads[k], `from ${from} to ${to}`));
  const state = (j) => `unit ${j} is ${v.h[j] > 0 ? "on" : "off: no gradient passes"}`;
  return [
    ...v.x.map((value, i) => row(`x[${i}]`, value, null, "input")),
    ...weights.slice(0, 6),
    ...UNITS.map((j) => row(`h[${j}]`, v.h[j], v.grad_h[j], state(j))),
    ...UNITS.map((j) => row(`h_relu[${j}]`, v.h_relu[j], v.grad_h_relu[j], `max(h[${j}], 0)`)),
    ...weights.slice(6),
    row("y_pred", v.y_pred, v.grad_y_pred, "prediction"),
    row("y", v.y, null, "target"),
    row("loss", v.loss, null, "(y_pred − y)²"),
  ];
}
