# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers and clients without sockets, for the tests of what clients miss and are told again.

Each event says which it is.  A client keeps what it was sent, and whether that is right:
everything its servers said, in order and once, but for what a ProxyGap told it is missing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.access.user import Users
from amiproxy.errors import PeerGone
from amiproxy.message import END, Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.eventids import read_id
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.settings.usersfile import read_users
from amiproxy.threads.actions import dispatch
from amiproxy.threads.actions.call import Call
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.wire.framing import Chunk
from tests.threads.actions.support import FORMATS, Control

if TYPE_CHECKING:
    from collections.abc import Sequence

#: An event that nobody has missed, by what it says: server, connection, number.
Which = tuple[str, int, int]


class Wire:
    """What a session takes for its connection: keeps what is sent."""

    peer = "client 192.0.2.1:1"
    write_timeout = 0.1
    max_backlog = 2**20
    counted = True  # nobody asks for its bytes

    def __init__(self, lock: Any = None) -> None:
        self.lock = lock or threading.Lock()
        self.parts: list[bytes] = []
        self.backlog = 0
        self.end_reason: PeerGone | None = None
        #: Whether the client takes nothing until it is waited for.
        self.is_slow = False
        #: Called while the client's thread waits for the client to take something.
        self.while_waiting: Callable[[], object] = bool

    def send(self, data: bytes) -> None:
        """Keep *data*."""
        assert self.lock.locked()
        if data:
            self.parts.append(data)
            self.backlog += len(data) if self.is_slow else 0

    def check(self) -> None:
        """Raise if the connection is over."""
        if self.end_reason is not None:
            raise self.end_reason

    def fileno(self) -> int:
        """Return no descriptor."""
        return -1

    def flush(self) -> None:
        """Let the client take all, and others do something before."""
        self.while_waiting()
        self.backlog = 0

    def abort(self, error: Exception) -> None:
        """End it."""
        self.end_reason = PeerGone(str(error))

    lose = abort


class Server:
    """An Asterisk that says numbered events through the proxy."""

    def __init__(self, router: Router, name: str, ring: int) -> None:
        self._router, self._ring = router, ring
        self.name = name
        self.said: list[Which] = []
        self.connection = self.number = 0
        #: The links that it has had; the last one is ``link``.
        self.links: list[AsteriskLink] = []
        self._make()

    def _make(self) -> None:
        self.link = AsteriskLink(
            ServerSpec(self.name, 5038, "u", "s", name=self.name), self._router.ids
        )
        self.link.remember(self._ring, 3600.0)
        self.publisher = Publisher(self.link, self._router)
        self.links.append(self.link)

    def drop(self) -> None:
        """Have it dropped."""
        self._router.servers = tuple(one for one in self._router.servers if one is not self.link)
        self.link.lose()

    def add(self) -> None:
        """Have it added anew, and connected, once it was dropped."""
        self._make()
        self._router.servers = (*self._router.servers, self.link)
        self.connection, self.number = self.connection + 1, 0
        self.publisher.begin()
        self.link.go_live()

    def connect(self) -> None:
        """Connect; an earlier connection is lost."""
        if self.connection:
            self.publisher.abandon(self.link.lose())
        self.connection, self.number = self.connection + 1, 0
        self.publisher.begin()
        self.link.go_live()

    def say(self, count: int, *lines: str, event: str = "Tick", kind: str = "call") -> None:
        """Say *count* events of the class *kind* at a time; *lines* are more headers."""
        messages = []
        for _ in range(count):
            self.number += 1
            self.said.append((self.name, self.connection, self.number))
            which = f"N: {self.connection} {self.number}"
            messages.append(
                Message.of(
                    f"Event: {event}",
                    f"Privilege: {kind},all",
                    which,
                    *lines,
                    f"Server: {self.name}",
                ).raw
            )
        wire = b"".join(messages)
        self.publisher.publish(Chunk(wire, only_events=True, number=count))


class World:
    """A proxy with *names* of servers that are connected."""

    def __init__(self, *names: str, ring: int = 10**7, users: str = "", **settings: Any) -> None:
        router = Router(SessionRegistry())
        read = read_users(users, "users")[0] if users else Users()
        self.context = ProxyContext(Config(**settings), read, FORMATS, None, router, Control())
        self.servers = [Server(router, name, ring) for name in names]
        router.servers = tuple(server.link for server in self.servers)
        for server in self.servers:
            server.connect()

    def close_rings(self) -> None:
        """Keep nothing any more."""
        for server in self.servers:
            server.link.remember(0, 3600.0)


class Client:
    """A client of *world* that comes, leaves, and comes back."""

    def __init__(self, world: World, *, output: str = "standard", login: str = "") -> None:
        self.world, self.output, self.login = world, output, login
        self.id = ""
        self.told: list[Message] = []
        self.wire = Wire()
        #: What the next session is locked with, None: a lock as it is.
        self.lock: Any = None
        self.session: StreamSession | None = None

    def join(self, events: str = "on") -> Client:
        """Connect and log in."""
        context = self.world.context
        self.wire = Wire(self.lock)
        self.session = session = StreamSession(
            self.wire,  # type: ignore[arg-type]
            "192.0.2.1",
            mode=AutoFilter.UNIQUE,
            guarded=context.config.guarded,
            input_name="standard",
            output=FORMATS[self.output],
            filter_local="off",
            sources=context.router,
        )
        session.hold_back()
        context.registry.add(session)
        session.see()
        if events:
            user, _, secret = self.login.partition(" ")
            name = (f"Username: {user}", f"Secret: {secret}") if user else ()
            self.act("Action: Login", *name, f"Events: {events}")
        return self

    def act(self, *lines: str) -> None:
        """Do what the block of *lines* asks, as the client's thread would."""
        assert self.session is not None
        dispatch.handle(Call(self.world.context, self.session, Message.of(*lines)))

    def leave(self, keep: float = 1.0) -> None:
        """Leave, having read this share of the messages that were sent."""
        self.read(keep)
        assert self.session is not None
        self.world.context.registry.discard(self.session)
        self.session = None

    def read(self, share: float = 1.0) -> list[Message]:
        """Take what was sent; return it."""
        with self.wire.lock:
            parts = b"".join(self.wire.parts).split(END)[:-1]
            self.wire.parts = []
        new = [Message(part + END) for part in parts[: round(len(parts) * share)]]
        self.told += new
        for message in new:
            if message.has("ProxyEventID"):
                self.id = message.all("ProxyEventID")[-1]
        return new

    def resume(self, *lines: str) -> None:
        """Go on where it was."""
        self.act("ProxyAction: Resume", f"Since: {self.id}", *lines)
        sent = b"".join(self.wire.parts)
        assert b"ProxyResponse: Error" not in sent or not self.id, sent[-200:]

    def ticks(self) -> list[str]:
        """Return the numbers of the events that it was sent, and its gaps."""
        return [
            message.get("N") or f"gap {message.get('Missed')} {message.get('Reason')}"
            for message in self.told
            if message.get("Event") in ("Tick", "ProxyGap")
        ]


def check(told: Sequence[Message], server: Server, begin: int = 0) -> int:
    """Check what a client was *told* of all that *server* said behind *begin*.

    Returns how many of the events have been sent or told of by then.
    """
    said, at = server.said, begin
    is_open = False  # what was missing ends somewhere
    # The epochs are the proxy's; which connection each was is known by the first event.
    for message in told:
        if message.get("Server") != server.name:
            continue
        if message.get("Event") == "Tick":
            connection, number = map(int, message.get("N").split())
            if is_open:
                at = said.index((server.name, connection, number), at)
            expected, is_open = said[at] if at < len(said) else None, False
            assert expected == (server.name, connection, number), (expected, message.lines)
            at += 1
        elif message.get("Event") == "ProxyGap":
            if message.get("Missed") != "unknown":
                at += int(message.get("Missed"))
            else:
                text = message.all("ProxyEventID")[-1]
                is_open = not names(server, text)
                at = place_of(server, text, at)
    return at


def names(server: Server, text: str) -> bool:
    """Return whether the id *text* names a connection to *server*."""
    found = read_id(text)
    assert found is not None
    return any(link.has_had(epoch) for link in server.links for epoch in found.numbers)


def place_of(server: Server, text: str, at: int = 0) -> int:
    """Return behind which event the id *text* is, not before *at*."""
    found = read_id(text)
    assert found is not None
    ends = sorted(
        (epoch, link.end_of(epoch) or 0)
        for link in server.links
        for epoch in {*(each for each, _ in link.past), link.place[0]}
    )
    epochs = [epoch for epoch, _ in ends]
    named = [epoch for epoch in found.numbers if epoch in epochs]
    if not named:
        return at
    last = max(named)  # it also names one that was dropped, until its last event is sent
    behind = sum(end for epoch, end in ends if epoch < last) + found.numbers[last]
    assert behind >= at, (behind, at, text)
    return behind
