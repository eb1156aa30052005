# SPDX-License-Identifier: GPL-2.0-or-later
"""Becoming the daemon: another process, another user, no terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Callable

from amiproxy.errors import ConfigError
from amiproxy.process.daemonlib import daemon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.process.identity import Identity
    from amiproxy.process.pidfile import PidFile

log = logging.getLogger("amiproxy.process")

#: What is run as the daemon: it is given a function to call when it is ready, and the
#: descriptors to keep open until then; it returns the exit status.
Serve = Callable[[Callable[[], None], "Sequence[int]"], int]


def detach(serve: Serve, close_log: Callable[[], None]) -> int:
    """Run *serve* in a child process; return 0 once it is ready, else 1.

    If it ends before that, the parent prints why.  The child ends with what *serve*
    returns, after *close_log*.
    """
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        return _wait_until_ready(reading)
    os.close(reading)

    def tell(text: str) -> None:
        # The parent may have been killed.
        with contextlib.suppress(OSError):
            os.write(writing, text.encode())
            os.close(writing)

    status = 1
    try:
        status = serve(lambda: tell("ready"), [writing])
    except ConfigError as error:
        tell(str(error))
    except Exception as error:
        log.exception("bug in the proxy")
        tell(f"{type(error).__name__}: {error}")
    finally:
        close_log()
        os._exit(status)


def _wait_until_ready(descriptor: int) -> int:
    """Return 0 if the child says through the pipe that it is ready, else print why and return 1."""
    with os.fdopen(descriptor, "rb") as pipe:
        answer = pipe.read().decode(errors="replace")
    if answer == "ready":
        return 0
    sys.stderr.write(f"{answer or 'The daemon ended while it started; see its log'}\n")
    return 1


def become(
    who: Identity,
    *,
    foreground: bool,
    detach: bool,
    core: bool,
    pidfile: PidFile | None,
    keep: Sequence[object],
) -> daemon.DaemonContext:
    """Become *who*, and unless *foreground* a daemon; return the context, to be left at the end.

    *detach*: it is not one yet.  *core* allows core dumps.
    All files but *keep*, descriptors or objects with a ``fileno``, are closed.
    *pidfile* is written now and removed when the context is left.

    Raises:
        ConfigError: the process cannot become *who*, or another proxy runs already.

    """
    context = daemon.DaemonContext(
        detach_process=detach,
        uid=who.uid,
        gid=who.gid,
        initgroups=who.switch,
        umask=0o022,
        pidfile=pidfile,
        prevent_core=not core,
        files_preserve=list(keep),
        signal_map=dict.fromkeys((signal.SIGPIPE, signal.SIGTTIN, signal.SIGTTOU)),
        stdin=sys.stdin if foreground else None,
        stdout=sys.stdout if foreground else None,
        stderr=sys.stderr if foreground else None,
    )
    try:
        if who.switch:
            os.setgid(who.gid)  # DaemonContext sets the further groups, but not this one
        context.open()
    except (OSError, daemon.daemon.DaemonError) as error:
        raise ConfigError(f"Cannot become user {who.name}: {error}") from error
    return context
