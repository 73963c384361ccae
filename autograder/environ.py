"""The environment variables that the course's own processes start with."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

JUPYTER_SETTINGS = Path(__file__).resolve().parent / "jupyter"


def put_tools_on_path() -> None:
    """Put the folder of this Python's commands first on PATH, for every process started from here.

    nbgrader starts `alembic`, and Jupyter its subcommands, by name alone, so without this they are
    found only in an activated environment.
    """
    tools = sysconfig.get_path("scripts")
    before = os.environ.get("PATH", "")
    if before.split(os.pathsep)[0] != tools:
        os.environ["PATH"] = os.pathsep.join((tools, before)) if before else tools


def leave_slow_extras_out() -> None:
    """Let optional packages that nothing here uses count as not installed in this process.

    Of jsonschema, which nbformat imports, comes `rfc3987_syntax`: almost a second for a grammar of
    web addresses that no schema of notebooks asks for.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def jupyter_environment() -> dict[str, str]:
    """Return the variables that JupyterLab starts with: our settings, a quiet TensorFlow."""
    put_tools_on_path()
    settings = [str(JUPYTER_SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    return {
        **os.environ,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, settings)),
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3"),
    }
