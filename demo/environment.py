# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``make demo`` runs first: .venv-demo with the few packages that the program needs.

``make demo-cluster`` has one with the client library of Redis as well.

Two at once: the second one waits for the first.  It is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / ".venv-demo"
PINS = ROOT / "requirements/install.txt"
#: What is run, by the first argument.
CLUSTER = "cluster"
HERE_OF_CLUSTER = ROOT / ".venv-demo-cluster"
PINS_OF_BUS = ROOT / "requirements/bus.txt"
#: Of the pins, what only installing needs.
TOOLS = ("pip", "setuptools")


def main(pipflags: list[str]) -> None:
    """Make the environment if it is missing or old, then become the demo.

    *pipflags* go to pip; in front of them may be CLUSTER.
    """
    if pipflags[:1] == [CLUSTER]:
        needed = packages() + "\n" + packages(PINS_OF_BUS)
        become(HERE_OF_CLUSTER, needed, pipflags[1:], ROOT / "demo/cluster.py")
    else:
        become(HERE, packages(), pipflags, ROOT / "demo/demo.py")


def become(here: Path, needed: str, pipflags: list[str], program: Path) -> None:
    """Make the environment *here* with the packages *needed*, then become *program*."""
    python = here / "bin/python"
    mark = here / ".ready"
    made_of = f"{sys.version}\n{needed}"
    with alone():
        if not mark.exists() or mark.read_text("utf-8") != made_of:
            try:
                make(python, needed, pipflags)
                mark.write_text(made_of, "utf-8")
            except BaseException as error:
                shutil.rmtree(here, ignore_errors=True)
                if isinstance(error, (OSError, subprocess.CalledProcessError, KeyboardInterrupt)):
                    sys.exit(f"demo: what the program needs could not be installed: {error}")
                raise
    os.execv(python, [str(python), str(program)])


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other make demo installs; none does meanwhile."""
    lock = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another make demo is installing what both need: waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def packages(file: Path = PINS) -> str:
    """Return the pins of what the program needs, those in *file*, as pip reads them."""
    pins = re.split(r"\n(?=\S)", file.read_text("utf-8"))
    return "\n".join(each for each in pins if not re.match(rf"#|({'|'.join(TOOLS)})==", each))


def make(python: Path, needed: str, pipflags: list[str]) -> None:
    """Make the environment of *python* with the packages *needed*."""
    here = python.parent.parent
    shutil.rmtree(here, ignore_errors=True)
    print(f"Once: a few packages (1 MB) into {here.name}, and nothing anywhere else", flush=True)
    subprocess.run([sys.executable, "-m", "venv", here], check=True)
    pins = here / "requirements.txt"
    if "--no-index" in pipflags:
        # Packages of one's own: those that setup.py asks for, whatever their hashes.
        needed = "\n".join(re.findall(r"^[\w-]+", needed, re.MULTILINE))
    else:
        pipflags = [*pipflags, "--require-hashes", "--only-binary=:all:"]
    pins.write_text(needed, "utf-8")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, "install", *pipflags, "-r", str(pins)], check=True)
    # Ten times as large as what the program needs; older Pythons bring setuptools as well.
    subprocess.run([*pip, "uninstall", "--yes", "-qq", *reversed(TOOLS)], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
