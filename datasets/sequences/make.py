"""Words of Reber's grammar (1967), and words with one wrong letter: sequences of unequal length."""

from pathlib import Path

import numpy as np
from common import write_json, write_npz

#: From each state, the letters that may come and the states that they lead to.
GRAMMAR = {
    0: (("B", 1),),
    1: (("T", 2), ("P", 3)),
    2: (("S", 2), ("X", 4)),
    3: (("T", 3), ("V", 5)),
    4: (("X", 3), ("S", 6)),
    5: (("P", 4), ("V", 6)),
    6: (("E", 7),),
}
LETTERS = "BTSXPVE"
TRAIN, TEST, LONGEST = 800, 200, 24


def make(folder: Path) -> None:
    """Write words.json and labels.npz."""
    rng = np.random.default_rng(1967)
    words, labels = [], []
    while len(words) < TRAIN + TEST:
        word = draw(rng)
        right = len(words) % 2 == 0
        if not right:
            word = spoil(rng, word)
        if len(word) <= LONGEST and accepts(word) == right and word not in words[-500:]:
            words.append(word)
            labels.append(right)
    order = np.concatenate([rng.permutation(TRAIN), TRAIN + rng.permutation(TEST)]).tolist()
    write_json(folder / "words.json", letters=LETTERS, words=[words[i] for i in order])
    write_npz(
        folder / "labels.npz",
        labels=np.array([labels[i] for i in order], np.int64),
        lengths=np.array([len(words[i]) for i in order], np.int64),
        train=np.arange(len(words)) < TRAIN,
    )


def draw(rng):
    """Return a word of the grammar."""
    state, word = 0, ""
    while state != 7:
        letter, state = GRAMMAR[state][int(rng.integers(len(GRAMMAR[state])))]
        word += letter
    return word


def spoil(rng, word):
    """Return the word with one letter between the first and the last changed."""
    place = int(rng.integers(1, len(word) - 1))
    others = [c for c in LETTERS[1:-1] if c != word[place]]
    return word[:place] + str(rng.choice(others)) + word[place + 1 :]


def accepts(word):
    """Return whether the grammar makes this word."""
    state = 0
    for letter in word:
        found = [after for c, after in GRAMMAR.get(state, ()) if c == letter]
        if not found:
            return False
        state = found[0]
    return state == 7
