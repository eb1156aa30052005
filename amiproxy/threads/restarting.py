# SPDX-License-Identifier: GPL-2.0-or-later
"""Before a restart: would the program start?  It is asked itself (``-t``), in a process of its own.

So what is checked is the program that is installed now, with the files as they are now, read by
the user that the proxy runs as.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.process.again import Start

#: Seconds that the check may take: a resolver may be slow.
PATIENCE = 60.0

#: Lines of what it says, and characters of one, that are passed on.
_MOST, _LONGEST = 50, 500


def problems(start: Start) -> list[str]:
    """Return what keeps the program from starting as *start* says; nothing if it would."""
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            [*start.command, "-t"],
            cwd=start.directory or None,
            env=start.for_others,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [f"the check of the files takes more than {PATIENCE:g} s: one of them hangs"]
    except OSError as error:
        return [f"the program cannot be run: {error.strerror}: {error.filename}"]
    if done.returncode == 0:
        return []
    lines = [line[:_LONGEST] for line in done.stdout.decode("latin-1").splitlines()]
    return lines[-_MOST:] or [f"the check of the files ended with status {done.returncode}"]
