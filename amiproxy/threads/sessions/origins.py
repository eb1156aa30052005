# SPDX-License-Identifier: GPL-2.0-or-later
"""Origins: by which connection the messages of a server behind another proxy come.

By one at a time.  Where a server can be reached in two ways, or proxies make a ring, the same
message comes twice; and a name may be written by anybody who is behind: so a proxy that has
said that the server is there has precedence over one by which its name has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.threads.sessions.link import AsteriskLink

#: How many names are kept.
_MOST = 16384


class Origins:
    """Which link each name is heard by; *servers* returns all links there are.

    The threads of several servers call it: each step is one operation of a dict.
    """

    def __init__(self, servers: Callable[[], Sequence[AsteriskLink]]) -> None:
        self._servers = servers
        self._heard: dict[str, AsteriskLink] = {}
        #: When clients were told that a server is lost, by its name, in monotonic seconds.
        self.lost_at: dict[str, float] = {}
        self._known: tuple[Sequence[AsteriskLink], frozenset[str]] = ((), frozenset())

    def is_by(self, link: AsteriskLink, name: str) -> bool:
        """Return whether messages of the server *name* come by *link*.

        Never those of a server that the proxy itself is connected to, by its name; else they
        come by the link by which they came first, for as long as that is connected.
        """
        servers = self._servers()
        if name in self.own(servers):
            return False
        for names in (self._heard, self.lost_at):
            if len(names) > _MOST:
                names.clear()  # they are made up
        heard = self._heard.setdefault(name, link)
        if heard is link:
            return True
        if heard.connected and heard in servers:
            told = link.behind.was_told(name) and not heard.behind.was_told(name)
            if not told:
                return False
        self._heard[name] = link
        return True

    def own(self, servers: Sequence[AsteriskLink] | None = None) -> frozenset[str]:
        """Return the names of the *servers*, None: all, that the proxy itself is connected to."""
        servers = self._servers() if servers is None else servers
        known, direct = self._known
        if known is not servers:
            direct = frozenset(each.name for each in servers if not each.spec.proxy)
            self._known = servers, direct
        return direct

    def words_of_others(self, link: AsteriskLink) -> frozenset[str]:
        """Return all by which another server than *link* may be meant."""
        others = (each.names for each in self._servers() if each is not link)
        return frozenset[str]().union(*others)
