# SPDX-License-Identifier: GPL-2.0-or-later
"""What a process asks of the system for itself: streams, name, open files, core dumps."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import sys
from pathlib import Path

#: Open files asked for, where root decides: 10 000 clients and room to breathe.
OPEN_FILES = 65536


def fill_streams() -> None:
    """Make sure that descriptors 0, 1 and 2 are open, as for a start from a closed shell."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            fd = os.open(os.devnull, os.O_RDWR)
            if fd != number:
                os.dup2(fd, number)
                os.close(fd)
            setattr(sys, name, open(number, mode))  # noqa: SIM115, PTH123 - for as long as we run


def take_name() -> None:
    """Be astmanproxy to ps, pgrep and killall (proc(5), Linux), as the C program was."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_bytes(b"astmanproxy")


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: each client needs one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(hard, OPEN_FILES) if os.geteuid() == 0 else hard
    for limit in (wanted, hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            return


def allow_core_dumps() -> None:
    """Let the kernel dump us, although we have changed our user (prctl(2), Linux)."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    set_dumpable = 4
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(set_dumpable, 1, 0, 0, 0)
