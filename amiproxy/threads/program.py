# SPDX-License-Identifier: GPL-2.0-or-later
"""Program: what the operator may ask of the process as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
