# SPDX-License-Identifier: GPL-2.0-or-later
"""What the process asks of the system for itself: streams, name, signals, limits."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

log = logging.getLogger("amiproxy.process")

_RELOAD = frozenset({signal.SIGHUP})
# SIGQUIT as for other daemons; SIGXCPU is the limit of processor time of a supervisor.
_STOP = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGXCPU})
# Each ends a process that does not handle it.  Left out are those of faults, and of the
# interpreter.
_IGNORED = frozenset(
    number
    for name in ("USR1", "USR2", "ALRM", "VTALRM", "PROF", "POLL", "PWR", "STKFLT", "EMT", "LOST")
    if (number := getattr(signal, f"SIG{name}", None)) is not None
) | frozenset(
    number
    for number in signal.valid_signals()
    if hasattr(signal, "SIGRTMIN") and signal.SIGRTMIN <= number <= signal.SIGRTMAX
)
#: What the main thread waits for.
SIGNALS = frozenset({*_RELOAD, *_STOP, *_IGNORED})

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


def say(lines: Iterable[str]) -> None:
    """Print *lines*, as long as somebody reads."""
    with while_read():
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()


@contextlib.contextmanager
def while_read() -> Iterator[None]:
    """Print in the block, as long as somebody reads: ``astmanproxy -t | head`` ends silently."""
    try:
        yield
    except BrokenPipeError:
        # Or the flush at the exit would fail as well.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def set_process_name() -> None:
    """Appear as astmanproxy in ps, pgrep and killall (proc(5), Linux), as the C program did."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_bytes(b"astmanproxy")


def wait_for_signal() -> signal.Signals:
    """Return the next signal of RELOAD or STOP; log others, which would end the process.

    All of SIGNALS have to be blocked.
    """
    while True:
        number = signal.sigwait(SIGNALS)
        name = number.name[3:] if isinstance(number, signal.Signals) else f"signal {number}"
        if number in _STOP:
            log.info("Received %s -- stopping", name)
        elif number not in _RELOAD:
            log.warning("Received %s -- ignored: SIGHUP reloads, SIGTERM stops", name)
            continue
        return signal.Signals(number)


def is_to_stop() -> bool:
    """Return whether a signal of STOP has come that nobody has waited for yet."""
    return not _STOP.isdisjoint(signal.sigpending())


def block_signals() -> None:
    """Block SIGNALS in this thread and all it starts, for :func:`wait_for_signal`.

    They get a handler that does nothing, or those that were ignored when the process
    was started (by nohup) would stay ignored.
    """
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


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
