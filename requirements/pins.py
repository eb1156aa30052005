# SPDX-License-Identifier: GPL-2.0-or-later
"""The packages that `make install` installs, each with its version and hashes.

``make constraints`` writes them with uv, for every Python and platform at once; with
``ARGS=--upgrade`` it takes new releases, with ``ARGS=--check`` it only says whether they
are what setup.py asks for.
"""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
#: What uv needs to be told once: the oldest Python, and all platforms.
UV = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header",
      "--no-annotate", "--python-version", "3.9"]  # fmt: skip
# REUSE-IgnoreStart
HEAD = "# SPDX-License-Identifier: GPL-2.0-or-later\n# Written by `make constraints`.\n"
# REUSE-IgnoreEnd


def required() -> dict[str, list[str]]:
    """Return the requirements that each file of pins has to meet, by its name.

    ``install`` is what the program and its installation need; each extra of setup.py but
    that of the tests has a file of its own.
    """
    with mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    given = setup.call_args.kwargs
    (build,) = re.findall(r"(?m)^requires = \[(.*)\]", (ROOT / "pyproject.toml").read_text())
    tools = ["pip", *re.findall('"([^"]+)"', build)]
    extras = {name: list(each) for name, each in given["extras_require"].items() if name != "test"}
    return {"install": [*given["install_requires"], *tools], **extras}


def path_of(name: str) -> Path:
    """Return the file of the pins *name*."""
    return ROOT / "requirements" / f"{name}.txt"


def pins(text: str) -> list[str]:
    """Return the lines of *text* that name packages, without hashes: new files may be added."""
    lines = [line.rstrip(" \\") for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith(("#", " "))]


def compiled(name: str, wanted: list[str], arguments: list[str]) -> str:
    """Return the pins *name* as uv makes them now; those that still do are kept."""
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "pins.txt"
        if path_of(name).exists():
            shutil.copy(path_of(name), output)
        subprocess.run(
            [*UV, *arguments, "--output-file", str(output), "-"],
            input="\n".join(wanted), text=True, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return HEAD + output.read_text()


def main(arguments: list[str]) -> int:
    """Write all pins, or with ``--check`` return 1 if some are out of date."""
    status = 0
    for name, wanted in required().items():
        if "--check" not in arguments:
            path_of(name).write_text(compiled(name, wanted, arguments))
        elif pins(compiled(name, wanted, [])) != pins(path_of(name).read_text()):
            print(f"{path_of(name)} is out of date: make constraints", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
