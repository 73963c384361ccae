"""Make every data set again and write the checksums: `python datasets/make_all.py [FOLDER]`.

With a folder, everything is written there instead, to compare. Nothing is downloaded: the sources
come with scikit-learn, or are drawn from a seed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DATA = (".npz", ".json", ".png")


def sets() -> list[str]:
    """Return the names of all sets: the folders with a make.py."""
    return sorted(p.parent.name for p in HERE.glob("*/make.py"))


def make(name: str, folder: Path) -> None:
    """Run one set's script."""
    sys.path.insert(0, str(HERE))
    spec = importlib.util.spec_from_file_location(f"make_{name}", HERE / name / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder.mkdir(parents=True, exist_ok=True)
    module.make(folder)


def checksums(root: Path) -> dict[str, str]:
    """Return the SHA-256 of every data file, by its path below `root`."""
    files = sorted(p for name in sets() for p in (root / name).rglob("*") if p.suffix in DATA)
    return {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    }


def main() -> int:
    """Make all."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name in sets():
        make(name, root / name)
        size = sum(p.stat().st_size for p in (root / name).rglob("*") if p.suffix in DATA)
        print(f"{name:12} {size:9,} bytes")
    text = json.dumps(checksums(root), indent=1) + "\n"
    (root / "checksums.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
