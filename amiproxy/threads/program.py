# SPDX-License-Identifier: GPL-2.0-or-later
"""Program: what the operator may ask of the process as a whole."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from amiproxy.threads.log import set_level

if TYPE_CHECKING:
    from amiproxy.settings.reloadreport import ReloadReport
    from amiproxy.threads.reloading import Reloader

#: Seconds for which who asks for a reload waits for it.
RELOAD_TIME = 60.0


class Program:
    """The process.  Any thread but main may call."""

    def __init__(self, reloader: Reloader) -> None:
        self._reloader = reloader

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
