"""The environment that grading processes start in: nothing secret, one thread, no greetings."""

from __future__ import annotations

import os

from autograder.sandbox.jail import HOME, TEMP

QUIET = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONHASHSEED": "0",
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20),
}
"""One thread each, so that a forked child finds no dead ones; TensorFlow without its greeting; and
memory that is freed stays with the process, which would soon fetch it again, a page at a time."""
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
CONFINED = {
    "PATH": "/usr/bin:/bin",
    "HOME": str(HOME),
    "TMPDIR": str(TEMP),
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def environment(*, confined: bool = False) -> dict[str, str]:
    """Return the environment of a grading process; a confined one gets nothing of this one."""
    if confined:
        return CONFINED | QUIET
    return {name: os.environ[name] for name in KEPT if name in os.environ} | QUIET
