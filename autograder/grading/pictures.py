"""Pictures that a student put into a written answer, as Jupyter attaches them to a cell.

Only what a page can show and nothing can run is kept: PNG, JPEG and GIF, within limits.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from autograder.grading.intake import HandedCell

Pictures = dict[str, dict[str, str]]
"""Name -> media type -> contents in base64, as a cell's `attachments`."""

STARTS = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/gif": b"GIF8"}
"""Media types that are kept -> how such a file starts."""
EACH = 2_000_000
"""Bytes of one picture."""
TOGETHER = 5_000_000
"""Bytes of all pictures of one notebook."""
MOST = 50
"""Pictures of one notebook."""
LONGEST_NAME = 200


def kept_pictures(cells: Iterable[HandedCell], known: Iterable[Pictures]) -> tuple[Pictures, int]:
    """Return the pictures of an answer's cells, and how many were left out.

    `known` are those of the notebook's other answers, which count towards the limits.
    """
    earlier = [text for one in known for shown in one.values() for text in shown.values()]
    size, count = sum(map(len, earlier)) * 3 // 4, len(earlier)
    kept: Pictures = {}
    left_out = 0
    for cell in cells:
        for name, forms in cell.attachments.items():
            shown = _picture(forms) if _is_name(name) and name not in kept else None
            length = sum(map(len, shown.values())) * 3 // 4 if shown else 0
            if shown is None or size + length > TOGETHER or count >= MOST:
                left_out += 1
                continue
            kept[name] = shown
            size, count = size + length, count + 1
    return kept, left_out


def _is_name(name: str) -> bool:
    return name.isprintable() and 0 < len(name) <= LONGEST_NAME


def _picture(forms: Any) -> dict[str, str] | None:
    """Return the first form of an attachment that is a picture, or None."""
    for media, start in STARTS.items():
        text = forms.get(media) if isinstance(forms, dict) else None
        if isinstance(text, list) and all(isinstance(line, str) for line in text):
            text = "".join(text)
        # Four characters hold three bytes; notebooks may break them into lines.
        if not isinstance(text, str) or len(text) > EACH * 3 // 2:
            continue
        try:
            data = base64.b64decode("".join(text.split()), validate=True)
        except (binascii.Error, ValueError):
            continue
        if data.startswith(start) and len(data) <= EACH:
            return {media: base64.b64encode(data).decode()}
    return None
