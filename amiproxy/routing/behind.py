# SPDX-License-Identifier: GPL-2.0-or-later
"""Behind: which servers are behind another proxy, by what it has said of them.

It is asked (``ProxyAction: ListServers``), and what passes bears names.  All of that is what
somebody else writes: names have strict characters, and there are few.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.routing.servernames import names_of
from amiproxy.wire.inner import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from amiproxy.message import Message

#: How many servers may be behind one proxy.
MOST = 1024

#: A line of ListServers as the C program writes it; the user may be any text.
_LISTED = re.compile(r"ProxyListServer I: (\S{1,64}) H: (\S{1,64}) U: .* P: ([0-9]{1,5}) E: .*")

#: The further lines of each server.
_FURTHER = re.compile(r"(ProxyServer(?:State|Behind|BehindLost)?): *(.*)")


class Inner(NamedTuple):
    """A server behind another proxy: what ``Server:`` says, and by which words it may be meant."""

    name: str
    words: frozenset[str]


_NOTHING: Mapping[str, Inner] = MappingProxyType({})


def listed(answer: Message) -> list[Inner]:
    """Return the servers in *answer*, a proxy's to ListServers, and those behind them.

    MOST of them, that is.  The C program lists hosts and addresses, this one names as well, and
    what is behind proxies.
    """
    there: list[frozenset[str]] = []
    names: list[str] = []
    for line in answer.lines:
        if found := _LISTED.fullmatch(line):
            address, host, port = (word.lower() for word in found.groups())
            there.append(names_of("", host, address, int(port)))
            names.append(host)
    further = list(_further(answer))
    named = [words for key, words in further if key == "ProxyServer"]
    if len(named) == len(there):
        names = named
    far = [
        each for key, words in further if key == "ProxyServerBehind" for each in words.split(",")
    ]
    kept: dict[str, Inner] = {}
    for name, words in (*zip(names, there), *((each.strip(), frozenset[str]()) for each in far)):
        if NAME.fullmatch(name) and len(kept) < MOST:
            kept.setdefault(name, Inner(name, words | {name}))
    return list(kept.values())


def lost_in(answer: Message) -> frozenset[str]:
    """Return the names of the servers of which *answer* says that they are not connected."""
    lost: set[str] = set()
    name = ""
    for key, words in _further(answer):
        if key == "ProxyServer":
            name = words
        elif key == "ProxyServerState" and words not in ("connected", "paused"):
            lost.add(name)
        elif key == "ProxyServerBehindLost":
            lost.update(each.strip() for each in words.split(","))
    return frozenset(filter(NAME.fullmatch, lost))


def _further(answer: Message) -> Iterator[tuple[str, str]]:
    """Yield the further lines of *answer*, the values in lower case."""
    for line in answer.lines:
        if found := _FURTHER.fullmatch(line):
            yield found.group(1), found.group(2).strip().lower()


class Behind:
    """The servers behind one proxy.

    Only one thread at a time changes it; any thread may read it meanwhile: what it reads are
    references to values.
    """

    def __init__(self) -> None:
        self._told: tuple[Inner, ...] = ()
        self._seen: dict[str, Inner] = {}
        #: By name, those that were told first.
        self.servers: Mapping[str, Inner] = _NOTHING
        #: The names of those that are not connected there, as far as that was said.
        self.lost: frozenset[str] = frozenset()
        self._by_word: Mapping[str, Inner] = _NOTHING

    def __bool__(self) -> bool:
        return bool(self.servers)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all, in the order in which they were told."""
        return tuple(self.servers)

    def tell(self, told: Iterable[Inner], lost: frozenset[str] = frozenset()) -> None:
        """Note what the proxy has *told*: these, and no others; and which of them it has *lost*."""
        self._told = tuple(told)[:MOST]
        self.lost = lost.intersection(each.name for each in self._told)
        self._seen.clear()
        self._renew()

    def see(self, name: str) -> bool:
        """Note that something of the server *name* has come; return whether it is known now.

        Those that were told have precedence: a name in what passes may be forged.
        """
        if name in self.servers:
            return True
        if len(self.servers) >= MOST:
            return False
        self._seen[name] = Inner(name, frozenset({name}))
        self._renew()
        return True

    def note_lost(self, name: str, *, lost: bool) -> None:
        """Note that the server *name* is lost there, or connected."""
        self.lost = self.lost | {name} if lost else self.lost - {name}

    def was_told(self, name: str) -> bool:
        """Return whether the proxy itself has said that the server *name* is there."""
        return name in self.servers and name not in self._seen

    def find(self, word: str) -> Inner | None:
        """Return the server that *word* may mean: its name, or else its host or address."""
        wanted = word.strip().lower()
        return self.servers.get(wanted) or self._by_word.get(wanted)

    def _renew(self) -> None:
        by_word: dict[str, Inner] = {}
        everyone = (*self._told, *self._seen.values())
        for each in everyone:
            for word in each.words:
                by_word.setdefault(word, each)
        self._by_word = MappingProxyType(by_word)
        self.servers = MappingProxyType({each.name: each for each in everyone})


#: Behind a server that is no proxy.
NOTHING_BEHIND = Behind()
