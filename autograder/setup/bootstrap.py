"""Start the installation under whatever Python is there: `python3 autograder/setup/bootstrap.py`.

Under a Python that is too old or too new it looks for one that fits and goes on with that, or says
in one sentence what is needed. It therefore keeps to syntax that every Python since 2.7 reads.
"""

from __future__ import print_function

import os
import subprocess
import sys

LOWEST = (3, 11)
HIGHEST = (3, 13)
HERE = os.path.dirname(os.path.abspath(__file__))


def fits(version):
    """Tell whether the course runs under this Python version, a tuple like `sys.version_info`."""
    return LOWEST <= tuple(version[:2]) <= HIGHEST


def complaint(version):
    """Return the sentence that a person reads under a Python that does not fit."""
    return (
        "Python {0[0]}.{0[1]} to {1[0]}.{1[1]} is needed; this is {2[0]}.{2[1]}, and no other was "
        "found. Install one of them and run the same command again, or name it: "
        "make lab PYTHON=/path/to/python3.{1[1]}"
    ).format(LOWEST, HIGHEST, version)


def candidates():
    """Return the Pythons worth trying, the environment's own first."""
    names = ["python{0}.{1}".format(HIGHEST[0], minor) for minor in (12, 13, 11)]
    folders = os.environ.get("PATH", "").split(os.pathsep)
    own = os.path.join(os.path.dirname(os.path.dirname(HERE)), ".venv", "bin", "python")
    return [own] + [os.path.join(folder, name) for name in names for folder in folders if folder]


def another():
    """Return the path of a Python on this machine that fits, or None."""
    question = "import sys, venv; print('%d %d' % sys.version_info[:2])"
    for path in candidates():
        if not os.access(path, os.X_OK):
            continue
        asked = subprocess.Popen(
            [path, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        words = asked.communicate()[0].split()
        if asked.returncode == 0 and len(words) == 2 and fits(tuple(int(word) for word in words)):
            return path
    return None


def main(arguments):
    """Install with this Python or with one that fits; return the exit status."""
    if fits(sys.version_info):
        # By this short name, since importing `autograder` itself would already need NumPy.
        sys.path.append(os.path.dirname(HERE))
        from setup import install

        return install.main(arguments)
    path = another()
    if path is None:
        print(complaint(sys.version_info), file=sys.stderr)
        return 2
    return subprocess.call([path, os.path.abspath(__file__)] + arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
