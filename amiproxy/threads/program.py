# SPDX-License-Identifier: GPL-2.0-or-later
"""Program: what the operator may ask of the process as a whole."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from amiproxy.threads.log import set_level
from amiproxy.threads.status.observer import Observer

if TYPE_CHECKING:
    from amiproxy.settings.reloadreport import ReloadReport
    from amiproxy.status.values import Status, ThreadStatus, UserStatus
    from amiproxy.threads.log import Log
    from amiproxy.threads.reloading import Reloader
    from amiproxy.threads.sessions.context import ProxyContext

#: Seconds for which who asks for a reload waits for it.
RELOAD_TIME = 60.0


class Program:
    """The process.  Any thread but main may call."""

    def __init__(self, reloader: Reloader, context: ProxyContext, log: Log) -> None:
        self._reloader = reloader
        self._observer = Observer(context, lambda: log.lost)

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

    def stop(self) -> None:
        """Have the process end in order: main does that."""
        os.kill(os.getpid(), signal.SIGTERM)

    def status(self) -> Status:
        """Return what goes on; may wait a second."""
        return self._observer.status()

    def user_status(self) -> tuple[UserStatus, ...]:
        """Return what goes on as each user; waits as ``status``."""
        return self._observer.users()

    def thread_status(self) -> tuple[ThreadStatus, ...]:
        """Return what the threads do; waits as ``status``."""
        return self._observer.threads()
