# SPDX-License-Identifier: GPL-2.0-or-later
"""Chain: what another proxy is asked of the servers behind it, and what it has answered.

The question is ``ProxyAction: ListServers``, which the C program answers, too.  It says who asks
(``ProxyPath``), so that a ring of proxies is found when it is closed, and not only at a log-in.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.message import Message
from amiproxy.routing.behind import Behind, listed, lost_in

if TYPE_CHECKING:
    from amiproxy.routing.actionids import ActionIds

log = logging.getLogger("amiproxy.asterisk")

#: Seconds until it is asked again; and where something has come of a server that is not known.
AGAIN, SOON = 60.0, 2.0

#: Seconds between two times that it is told who is before it.
ANNOUNCE = 0.1


class Chain:
    """What is asked of one proxy, called *scope* in the log.

    Whoever calls its methods holds the lock of the link, but ``due`` and ``behind``, which are
    the server's thread's.  Times are monotonic seconds.
    """

    def __init__(self, ids: ActionIds, scope: str, behind: Behind) -> None:
        self._ids = ids
        self._scope = scope
        self._asked = ""  # the ActionID of the last question
        self._again_at = 0.0
        self._soon_at = 0.0
        self._echoes = False  # it puts the ActionID into its answers; the C program does not
        self._refused = False  # it does not list its servers
        self._announced_at = 0.0
        #: What the proxy has said of its servers, and what has passed of them.
        self.behind = behind
        #: Who was said to ask.
        self.path = ""
        #: Whether it has answered since the server's thread looked.
        self.has_news = False
        #: Whether it has said that it is reached through itself.
        self.is_circle = False

    def due(self, now: float, *, soon: bool = False) -> bool:
        """Return whether to ask now; *soon*: something unknown has come."""
        wanted = soon and not self._refused and now >= self._soon_at
        return wanted or now >= self._again_at

    def announces(self, path: str, now: float) -> bool:
        """Return whether to say now that *path* is before this one; else it is said soon."""
        if path == self.path:
            return False
        if now < self._announced_at + ANNOUNCE:
            self._again_at = now
            return False
        self._announced_at = now
        return True

    def sign_of_life(self, now: float) -> bytes:
        """Return what the proxy itself answers, whoever may ask what."""
        if self._refused and not self.due(now):
            return b"ProxyAction: Uptime\r\n\r\n"
        return self.question(now, self.path)

    def question(self, now: float, path: str) -> bytes:
        """Return what is to be sent now; *path* says who asks."""
        self._asked, self.path = self._ids.make(0, None), path
        self._again_at, self._soon_at = now + AGAIN, now + SOON
        who = [f"ProxyPath: {path}"] if path else []
        question = ("ProxyAction: ListServers", f"ActionID: {self._asked}", *who)
        return Message.of(*question).raw

    def note(self, answer: Message) -> str | None:
        """Take *answer*, a ``ProxyResponse``; return who is behind the proxy, None: as before."""
        given = answer.values.get("actionid")
        if not self._asked or (given != self._asked and (given or self._echoes)):
            return None
        self._asked, self._echoes = "", bool(given)
        if answer.get("ProxyResponse").lower() == "success":
            self.behind.tell(listed(answer), lost_in(answer))
            self.has_news = True
            return answer.values.get("proxypath")
        self.is_circle = answer.get("Message") == replies.CIRCLE
        if not self._refused:
            self._refused = True
            text = "does not list its servers: they are known by what passes"
            log.info("asterisk@%s: %s", self._scope, text)
        return None

    def clear(self) -> None:
        """The connection is gone; what was behind it stays known."""
        self._asked, self._echoes, self._refused = "", False, False
        self._again_at = self._soon_at = 0.0
        self.is_circle = False
