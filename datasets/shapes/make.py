"""Scenes of colored shapes on a grid of 3 by 3, each with a question and its answer.

A question is a tree: ["is", A, B] asks whether some cell that A finds is also one that B finds.
A and B are ["find", word] with a color or a shape, or ["above", B], ["below", B], ["left", B],
["right", B]: the cells directly above what B finds, and so on.
"""

from pathlib import Path

import numpy as np
from common import write_json, write_npz

SHAPES = ("circle", "square", "triangle")
COLORS = {"red": (213, 94, 0), "green": (0, 158, 115), "blue": (0, 114, 178)}
SHIFTS = {"above": (-1, 0), "below": (1, 0), "left": (0, -1), "right": (0, 1)}
CELL, SIDE, TRAIN, TEST = 10, 3, 512, 128


def make(folder: Path) -> None:
    """Write shapes.npz and questions.json."""
    rng = np.random.default_rng(2016)
    images, questions, answers = [], [], []
    wanted = TRAIN + TEST
    while len(images) < wanted:
        scene = draw_scene(rng)
        question = draw_question(rng)
        answer = bool(ask(question, scene).any())
        if answers.count(answer) < wanted // 2:
            images.append(paint(scene))
            questions.append(question)
            answers.append(answer)
    order = balanced(rng, answers)
    write_npz(
        folder / "shapes.npz",
        images=np.stack([images[i] for i in order]),
        answers=np.array([answers[i] for i in order], np.int64),
        train=np.arange(wanted) < TRAIN,
    )
    write_json(folder / "questions.json", questions=[questions[i] for i in order])


def balanced(rng, answers):
    """Return an order in which training and test part have as many yes as no."""
    yes = rng.permutation(np.flatnonzero(answers))
    no = rng.permutation(np.flatnonzero(~np.array(answers)))
    parts = []
    for a, b in ((0, TRAIN // 2), (TRAIN // 2, (TRAIN + TEST) // 2)):
        parts.append(rng.permutation(np.concatenate([yes[a:b], no[a:b]])))
    return np.concatenate(parts).tolist()


def draw_scene(rng):
    """Return for each cell None or a (shape, color)."""
    scene = {}
    for row in range(SIDE):
        for column in range(SIDE):
            if rng.random() < 0.6:
                scene[row, column] = (str(rng.choice(SHAPES)), str(rng.choice(list(COLORS))))
    return scene


def draw_question(rng):
    """Return a question of two or three modules."""
    words = [*SHAPES, *COLORS]
    a, b = rng.choice(words, 2, replace=False)
    first, second = ["find", str(a)], ["find", str(b)]
    if rng.random() < 0.75:
        second = [str(rng.choice(list(SHIFTS))), second]
    return ["is", first, second]


def ask(question, scene):
    """Return a grid of booleans: which cells a tree finds."""
    kind, *inputs = question
    if kind == "find":
        grid = np.zeros((SIDE, SIDE), bool)
        for cell, thing in scene.items():
            grid[cell] = inputs[0] in thing
        return grid
    if kind == "is":
        return ask(inputs[0], scene) & ask(inputs[1], scene)
    inner, grid = ask(inputs[0], scene), np.zeros((SIDE, SIDE), bool)
    down, across = SHIFTS[kind]
    for row, column in zip(*np.nonzero(inner), strict=True):
        if 0 <= row + down < SIDE and 0 <= column + across < SIDE:
            grid[row + down, column + across] = True
    return grid


def paint(scene):
    """Return the picture of a scene, uint8 of shape (30, 30, 3)."""
    image = np.full((SIDE * CELL, SIDE * CELL, 3), 255, np.uint8)
    y, x = np.mgrid[0:CELL, 0:CELL] - (CELL - 1) / 2
    masks = {
        "circle": x**2 + y**2 <= 15,
        "square": (abs(x) <= 3.5) & (abs(y) <= 3.5),
        "triangle": (abs(x) <= (y + 4.5) / 2) & (y <= 3.5),
    }
    for (row, column), (shape, color) in scene.items():
        part = image[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
        part[masks[shape]] = COLORS[color]
    return image
