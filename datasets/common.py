"""What the scripts that make data sets share: files whose bytes do not change from run to run."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np


def write_npz(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays, compressed, with the same bytes every time: the dates inside are fixed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, buffer.getvalue())


def write_json(path: Path, **values: Any) -> None:
    """Write values, one list entry a line."""
    lines = []
    for name, value in values.items():
        if isinstance(value, list):
            rows = ",\n".join(f"  {json.dumps(v)}" for v in value)
            lines.append(f"{json.dumps(name)}: [\n{rows}\n]")
        else:
            lines.append(f"{json.dumps(name)}: {json.dumps(value)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
