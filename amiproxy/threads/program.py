# SPDX-License-Identifier: GPL-2.0-or-later
"""Program: what the operator may ask of the process as a whole."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
from typing import TYPE_CHECKING

from amiproxy.threads.log import set_level
from amiproxy.threads.status.observer import Observer

if TYPE_CHECKING:
    from amiproxy.process.again import Start
    from amiproxy.settings.reloadreport import ReloadReport
    from amiproxy.threads.log import Log
    from amiproxy.threads.reloading import Reloader
    from amiproxy.threads.sessions.context import ProxyContext

log = logging.getLogger("amiproxy.reloading")

#: Seconds for which who asks for a reload waits for it.
RELOAD_TIME = 60.0


class Program:
    """The process.  Any thread but main may call."""

    def __init__(self, reloader: Reloader, context: ProxyContext, log: Log, start: Start) -> None:
        """*start* is how the process was started."""
        self._reloader = reloader
        self._context = context
        context.reloaded = reloader.outcome
        #: Looks at what goes on.
        self.observer = Observer(context, lambda: log.lost, lambda: reloader.last)
        self._start = start
        #: Whether it starts anew when it has stopped.
        self.is_restarting = False
        # Whoever takes the one item has it start anew; pop is one step.
        self._restart = [None]

    def reload(self, because: str) -> ReloadReport | None:
        """Do what SIGHUP does; return what came of it, None if that is not over in RELOAD_TIME.

        *because* says in the log who wants it.
        """
        return self._reloader.ask_and_tell(because).wait(RELOAD_TIME)

    def set_log_level(self, word: str, module: str = "") -> str:
        """Log from the level *word* on, of *module* or everything; return what holds.

        Raises:
            ValueError: there is no such level or module; says which there are.

        """
        return set_level(word, module)

    def restart_problems(self) -> list[str]:
        """Return what would keep it from starting anew, in lines; waits until that is known."""
        found: list[str]
        try:  # what few need is imported when they do, and can be read by our user, or not
            found = importlib.import_module("amiproxy.threads.restarting").problems(self._start)
        except ImportError as error:
            found = [f"the program cannot be read: {error}"]
        for line in found:
            log.error("cannot restart -- %s", line)
        return found

    def restart(self) -> None:
        """Have the process end in order, and start anew: once, however many ask for it."""
        with contextlib.suppress(IndexError):
            self._restart.pop()
            self.is_restarting = True
            _end()  # a second one would be a stop

    def stop(self, drain: float = 0.0) -> None:
        """Have the process end in order: main does that.

        Clients may take *drain* seconds for what is left for them, or ``drainseconds``.
        """
        self._context.longer_drain = drain
        self.is_restarting = False
        _end()


def _end() -> None:
    """Have main end the process in order."""
    os.kill(os.getpid(), signal.SIGTERM)
