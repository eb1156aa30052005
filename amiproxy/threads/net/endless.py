# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads that do not die silently: they go on whatever happens, or the process ends.

A supervisor starts a process again that ended; nobody starts a thread again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from typing import Callable

log = logging.getLogger("amiproxy.threads")

#: Exit status of a process that cannot go on (sysexits.h), for its supervisor.
EX_SOFTWARE = 70

#: How often in a row a step may fail, and the pause after each time, in seconds.
_MOST_FAILURES = 100
_PAUSE = 0.05

#: Seconds that main has to stop the proxy in order when a thread has given up.
_STOP_TIME = 10.0

#: Why the process ends: what ``give_up`` was told.  Only main reads it.
reasons: list[str] = []


def give_up(reason: str) -> None:
    """End the process with EX_SOFTWARE, since *reason*; the caller's thread waits for that.

    Main, which waits for signals, stops the proxy in order; if it does not, the process
    ends all the same.
    """
    reasons.append(reason)
    line = f"{reason}: the process ends with status {EX_SOFTWARE}"
    with contextlib.suppress(Exception):
        log.critical("%s", line)
    with contextlib.suppress(OSError):
        os.write(2, f"astmanproxy: {line}\n".encode(errors="replace"))
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOP_TIME)
    os._exit(EX_SOFTWARE)


def endless(
    name: str,
    step: Callable[[], bool],
    *,
    pause: float = _PAUSE,
    end: Callable[[str], None] = give_up,
) -> None:
    """Take *step* again and again until it returns False, whatever it raises.

    After an error there is a *pause*, in seconds.  If it fails a hundred times in a row,
    *end* is called with the reason: the process cannot go on without the thread *name*.
    """
    failures = 0
    while failures < _MOST_FAILURES:
        try:
            if failures:
                time.sleep(pause)
            while step():
                failures = 0
            return
        except BaseException:  # noqa: BLE001 - also where there is no memory
            failures += 1
            _tell(name)
    end(f"thread {name} failed {failures} times in a row")


def _tell(name: str) -> None:
    """Log the error under way, if there is memory for that."""
    try:  # noqa: SIM105 - it needs no memory
        log.error("thread %s goes on after an error", name, exc_info=sys.exc_info())
    except BaseException:  # noqa: BLE001, S110
        pass
