# SPDX-License-Identifier: GPL-2.0-or-later
"""What one client was told of each server: events by their numbers, gaps, notices, in order."""

from __future__ import annotations

import re
import time
from typing import NamedTuple, Optional, Union

from benchmarks.cluster.asterisk import END, width

_BANNER = b"Asterisk Call Manager"
_PAIR = rb"[0-9a-z]+-[0-9a-z]+"
#: An event of an Asterisk: its number, what it is filled with, server, id, place.
_TICK = re.compile(
    rb"Event: Tick\r\nPrivilege: call,all\r\nN: (\d+)\r\nX: (x*)\r\nServer: (\w+)\r\n"
    rb"ProxyEventID: ([0-9a-z]{8}(?:\." + _PAIR + rb")*\.([0-9a-z]+)-([0-9a-z]+)(?:\.\+)?)"
)
#: What a log-in to the proxy itself brings, and its goodbye.
_OF_THE_PROXY = ("FullyBooted",)

Place = tuple[int, int]  # epoch and number
NO_ID: Place = (0, 0)


class Run:
    """Events with the numbers from *first* to *last*, with ids one after the other."""

    __slots__ = ("at", "first", "last", "place", "proxy")

    def __init__(self, number: int, place: Place, at: float = 0.0, proxy: str = "") -> None:
        self.first = self.last = number
        self.place = place  # of the first
        self.at, self.proxy = at, proxy

    def takes(self, number: int, place: Place) -> bool:
        """Make an event a part of it, if it comes next; return whether it does."""
        if number != self.last + 1 or place != self.place_of(number):
            return False
        self.last = number
        return True

    def place_of(self, number: int) -> Place:
        """Return the place of one of its events, or of one that would come next."""
        return self.place[0], self.place[1] + number - self.first

    def __repr__(self) -> str:
        return f"{self.first}-{self.last} at {self.place}"


class Told(NamedTuple):
    """What the proxy itself says, or did: Lost, Connected, Booted, Gap, Refused, Came."""

    what: str
    place: Place = NO_ID
    missed: Optional[int] = None
    reason: str = ""
    at: float = 0.0
    proxy: str = ""

    def __repr__(self) -> str:
        missed = "" if self.what != "Gap" else f" {self.missed} {self.reason}"
        return f"{self.what}{missed or self.reason} at {self.place}"


Item = Union[Run, Told]
_WORDS = {"ProxyServerLost": "Lost", "ProxyServerConnected": "Connected", "FullyBooted": "Booted"}


class View:
    """Reads what a client is sent.  *servers* are the names that there may be."""

    def __init__(self, servers: tuple[str, ...]) -> None:
        self.items: dict[str, list[Item]] = {name: [] for name in servers}
        #: The last event of each server.
        self.last = dict.fromkeys(servers, 0)
        #: The last id that came; "": none.
        self.id = ""
        self.faults: list[str] = []
        self.proxy = ""
        self.seen = 0
        self._unread = b""
        self._now = 0.0
        #: The epochs as they are written, which are few.
        self._epochs: dict[bytes, int] = {}

    def came(self, proxy: str) -> None:
        """Note that the client is connected anew, to *proxy*."""
        self.proxy, self._unread = proxy, b""
        self.tell_all("Came")

    def tell_all(self, what: str, reason: str = "") -> None:
        """Note something of all servers."""
        for items in self.items.values():
            items.append(Told(what, reason=reason, at=time.monotonic(), proxy=self.proxy))

    def feed(self, data: bytes) -> list[dict[str, str]]:
        """Read what has come; return the answers in it, and what is said to this client alone."""
        self._now = time.monotonic()
        *messages, self._unread = (self._unread + data).split(END)
        answers = []
        for message in messages:
            found = _TICK.fullmatch(message)
            if found is not None:
                self._take(found)
            else:
                answers += self._read(message)
        return answers

    def _take(self, found: re.Match[bytes]) -> None:
        n, filler, name, event_id, epoch, place_number = found.groups()
        number, server = int(n), name.decode()
        if len(filler) != width(number) or server not in self.items:
            self.faults.append(f"an event that nobody has sent: {found.group()!r}")
            return
        if epoch not in self._epochs:
            self._epochs[epoch] = int(epoch, 36)
        place = self._epochs[epoch], int(place_number, 36)
        self.id = event_id.decode()
        self.seen += 1
        items = self.items[server]
        self.last[server] = max(self.last[server], number)
        if items and isinstance(items[-1], Run) and items[-1].takes(number, place):
            return
        items.append(Run(number, place, self._now, self.proxy))

    def _read(self, message: bytes) -> list[dict[str, str]]:
        """Read anything else; return it if it is for this client alone."""
        if message.startswith(_BANNER):
            message = message.partition(b"\r\n")[2]
        lines = message.decode("latin-1").split("\r\n")
        headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
        name, server = headers.get("Event", ""), headers.get("Server", "")
        if not name:
            return [headers]
        if name == "FullyBooted" and not server:
            return []  # of the proxy itself, behind a log-in
        if server not in self.items or not (name in _WORDS or name == "ProxyGap"):
            self.faults.append(f"a message that nobody has sent: {message!r}")
            return []
        self.id = headers.get("ProxyEventID", self.id)
        place = read_place(headers.get("ProxyEventID", ""))
        number = headers.get("Missed", "unknown")
        self.items[server].append(
            Told(
                _WORDS.get(name, "Gap"), place, None if number == "unknown" else int(number),
                headers.get("Reason", ""), self._now, self.proxy,
            )
        )  # fmt: skip
        return []


def read_place(event_id: str) -> Place:
    """Return the place of the event itself in *event_id*."""
    pairs = event_id.removesuffix(".+").split(".")
    epoch, _, number = pairs[-1].partition("-")
    return (int(epoch, 36), int(number, 36)) if number else NO_ID
