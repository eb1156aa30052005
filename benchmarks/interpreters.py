# SPDX-License-Identifier: GPL-2.0-or-later
"""A Python that the user of a proxy may run, which root has started."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

_IMPORTS = "import daemon, lockfile, h11, bcrypt, websockets"


@functools.cache
def public_python() -> tuple[str, ...]:
    """Return the command of a Python that user nobody may run, and that has all packages.

    This one may be in a directory of root's.  Then it is another one of the same version; () where
    there is none.
    """
    if os.geteuid() or _works(sys.executable):
        return (sys.executable,)
    packages = next(each for each in sys.path if each.endswith("site-packages"))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    for directory in ("/usr/bin", "/usr/local/bin"):
        command = ("/usr/bin/env", f"PYTHONPATH={packages}", str(Path(directory, version)))
        if _works(*command):
            return command
    return ()


def _works(*command: str) -> bool:
    """Return whether nobody may run *command*, and it finds what the program imports."""
    try:
        done = subprocess.run([*command, "-c", _IMPORTS], user="nobody", cwd="/",
                              capture_output=True, check=False)  # fmt: skip
    except OSError:
        return False
    return done.returncode == 0
