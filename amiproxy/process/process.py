# SPDX-License-Identifier: GPL-2.0-or-later
"""What the process asks of the system for itself: streams, name, signals, limits."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Open files asked for when started as root: enough for 10 000 clients and more.
OPEN_FILES = 65536


def reopen_closed_stdio() -> None:
    """Ensure that descriptors 0, 1 and 2 are open: a program may be started with them closed.

    Otherwise the first files opened would get these numbers, and what is printed.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDWR)
            if fd != number:
                os.dup2(fd, number)
                os.close(fd)
            setattr(sys, name, open(number, mode))  # noqa: SIM115, PTH123 - for as long as we run


def set_process_name() -> None:
    """Appear as astmanproxy in ps, pgrep and killall (proc(5), Linux), as the C program did."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_bytes(b"astmanproxy")


def block_signals(numbers: Iterable[signal.Signals]) -> None:
    """Block the signals *numbers* in this thread and all it starts, for ``sigwait``.

    They get a handler that does nothing, or those that were ignored when the process
    was started (by nohup) would stay ignored.
    """
    for number in numbers:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)


def raise_file_limit() -> None:
    """Allow as many open files as the system permits: each client needs one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(hard, OPEN_FILES) if os.geteuid() == 0 else hard
    for limit in (wanted, hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            return


def allow_core_dumps() -> None:
    """Let the kernel dump the process although it has changed its user (prctl(2), Linux)."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    set_dumpable = 4
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(set_dumpable, 1, 0, 0, 0)
