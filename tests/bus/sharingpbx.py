# SPDX-License-Identifier: GPL-2.0-or-later
"""An Asterisk to which several proxies may be connected at a time, each by a connection of its own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from amiproxy.message import Message
from tests.threads.sessions import crowdworld
from tests.threads.sessions.crowdpbx import Pbx

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from amiproxy.wire.framing import Framer
    from tests.bus.sharingbus import Clock


class Connection(Pbx):
    """One connection to an Asterisk: what it has been asked, and what is on its way from there."""

    def __init__(self, asterisk: Asterisk, framer: Framer, clock: Clock) -> None:
        self.asterisk, self.clock = asterisk, clock
        super().__init__(asterisk.name)
        self.calls = asterisk.calls
        self.framer = framer
        self.coming = b""
        self.is_open = True
        self.wire = AmiWire(self)
        #: Actions that it never answers, by what they are called.
        self.silent = ("silence",)

    def listen(self, epoch: int) -> bool:
        """Take what has come on the wire, while the proxy is in the tenure *epoch*.

        Return whether something has.
        """
        data = self.wire.take()
        if not (data and self.is_open):
            return False
        for raw in data.split(b"\r\n\r\n")[:-1]:
            message = Message(raw + b"\r\n\r\n")
            self.asterisk.heard.append((message.get("ActionID"), message, epoch, self.clock.ms))
        self.hear(data)
        self._queue = type(self._queue)(
            each for each in self._queue if each.action not in self.silent
        )
        return True


class AmiWire(crowdworld.Wire):
    """What a link takes for its connection."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection

    @property
    def sock(self) -> object:
        """There is no socket."""
        raise OSError

    def close(self) -> None:
        """It is over for both sides."""
        self.connection.is_open = False
        self.connection.asterisk.connections.remove(self.connection)


class Asterisk:
    """An Asterisk: each event of it has a number of its own (``Nr``)."""

    def __init__(self, name: str, luck: random.Random) -> None:
        self.name, self._luck = name, luck
        self._one = Pbx(name)
        self.calls = self._one.calls
        self.connections: list[Connection] = []
        self.numbers = itertools.count(1)
        #: Every action that has come: ActionID, the message, the tenure in which it came, and when.
        self.heard: list[tuple[str, Message, int, int]] = []
        #: Whether it lets proxies in.
        self.is_there = True

        #: There are no others behind it.
        self.inner: Sequence[str] = ()

    def draw_from(self, luck: random.Random) -> None:
        """Say what *luck* says."""
        self._luck = luck

    def say(self, count: int) -> None:
        """Say *count* events to all that are connected."""
        said = []
        for _ in range(count):
            raw = self._one.say(self._luck, 1)
            said.append(raw[:-2] + f"Nr: {self.name}.{next(self.numbers)}\r\n\r\n".encode())
        self.tell(b"".join(said))

    def tell(self, data: bytes) -> None:
        """Tell all that are connected *data*."""
        for connection in self.connections:
            connection.coming += data

    def answer(self, count: int) -> None:
        """Say the next parts of what it was asked, on each connection."""
        for connection in self.connections:
            for _ in range(count):
                connection.coming += connection.answer(self._luck)

    @property
    def owes(self) -> bool:
        """Whether it has something to answer."""
        return any(connection.owes for connection in self.connections)
