# SPDX-License-Identifier: GPL-2.0-or-later
"""Destinations: which servers an action may go to, those behind other proxies too."""

from __future__ import annotations

from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from amiproxy.access.user import User
    from amiproxy.message import Message
    from amiproxy.threads.sessions.link import AsteriskLink

_NOTHING: Mapping[str, int] = MappingProxyType({})
_NOBODY: frozenset[str] = frozenset()


class Destination(NamedTuple):
    """A server that an action may go to.

    *target* is what the action is to say in ``Server:``: a name behind a proxy; "", nothing, since
    the proxy itself is meant; None, what it says.  *names*: by what the server may be meant.
    """

    link: AsteriskLink
    target: str | None
    names: frozenset[str]

    def addressed(self, message: Message) -> Message:
        """Return *message*, an action, as it is to go there."""
        target = self.target
        if target is None or message.all("Server") == ([target] if target else []):
            return message
        return message.setting("Server", target) if target else message.without("Server")

    @property
    def listed(self) -> Mapping[str, int]:
        """What it says of its actions; nothing is known of servers behind a proxy."""
        return _NOTHING if self.target else self.link.listed

    def missing(self, message: Message) -> str:
        """Return what to say where *message* cannot go there."""
        name = self.link.name
        if self.target:
            asked = message.get("Server") or self.target
            return f"Server {name}, which {asked} is behind, is not connected"
        return f"Server {name} is not connected"


def destinations(
    servers: Sequence[AsteriskLink], user: User | None, message: Message
) -> list[Destination] | str:
    """Return the connected ones of *servers* that *message* may go to, or why there is none.

    The first one is it (spec sections 5, 12.2).
    """
    name = message.values.get("server", "")
    found = _named(servers, name.strip().lower()) if name else list(_all(servers, user))
    if user is not None and user.servers:
        found = [each for each in found if user.reaches(each.names)]
        if name and not found and name.strip().lower() not in user.servers:
            return f"Server {name} is not open to this user"
        name = name or " or ".join(sorted(user.servers))
    connected = [each for each in found if each.link.takes_actions]
    if connected:
        return connected
    if found and found[0].target:
        return found[0].missing(message)
    return f"Server {name} is not connected" if name else "No Asterisk server connected"


def first_taking(servers: Sequence[AsteriskLink]) -> AsteriskLink | None:
    """Return where an action goes that names no server, of a client that reaches all *servers*.

    As ``destinations`` would say; None: nowhere.
    """
    for link in servers:
        if link.takes_actions:
            return link
    return None


def _named(servers: Sequence[AsteriskLink], name: str) -> list[Destination]:
    """Return those of *servers* that *name* may mean, or else what is behind them."""
    direct = [
        Destination(each, "" if each.spec.proxy else None, each.names)
        for each in servers
        if name in each.names
    ]
    if direct:
        return direct
    # Who has said that it is there has precedence, and who is connected to it.
    found = [
        (not each.behind.was_told(inner.name), inner.name in each.behind.lost, inner, each)
        for each in servers
        if (inner := each.behind.find(name)) is not None
    ]
    found.sort(key=itemgetter(0, 1))
    return [
        Destination(each, inner.name, inner.words - _taken(servers) | each.names)
        for _, _, inner, each in found
    ]


def _all(servers: Sequence[AsteriskLink], user: User | None) -> Iterator[Destination]:
    """Yield *servers*, and what *user* reaches behind those that they do not reach as such.

    What is not connected there comes last.
    """
    lost: list[Destination] = []
    for each in servers:
        if user is None or user.reaches(each.names):
            yield Destination(each, None, each.names)
            continue
        taken = _taken(servers) if each.behind else _NOBODY
        for inner in each.behind.servers.values():
            found = Destination(each, inner.name, inner.words - taken)
            if not user.reaches(found.names):
                continue
            if inner.name in each.behind.lost:
                lost.append(found)
            else:
                yield found
    yield from lost


def _taken(servers: Iterable[AsteriskLink]) -> frozenset[str]:
    """Return by what *servers* themselves may be meant: nothing behind them may be."""
    return _NOBODY.union(*(each.names for each in servers))
