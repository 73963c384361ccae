"""`python -m autograder.sandbox.probe`: whether a child can be closed in here; prints one line."""

from __future__ import annotations

import os

from autograder.sandbox.jail import Limits, Prison, Unconfined, confine


def main() -> str:
    """Fork a confined child; return "confined", or what was refused."""
    try:
        pid = Prison(Limits()).fork()
        if pid == 0:
            try:
                confine(Limits())
            except Unconfined as refused:
                os.write(1, str(refused).encode())
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        return "confined" if status == 0 else ""
    except Unconfined as refused:
        return str(refused)


if __name__ == "__main__":
    print(main())
