# SPDX-License-Identifier: GPL-2.0-or-later
"""Asterisks, and one proxy with Asterisks behind it, which speak at random and answer in turn."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.message import Message
from amiproxy.wire.framing import Chunk, Framer
from tests.threads.sessions.crowdcalls import Calls

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

#: What a proxy answers that is asked what is behind it.
LISTED = (
    "ProxyListServer I: 10.0.0.1 H: host1 U: u P: 5038 E: on ",
    "ProxyServer: in1", "ProxyServerState: connected",
)  # fmt: skip


class Asked(NamedTuple):
    """One action that has come."""

    action: str
    wire_id: str


class Pbx:
    """One Asterisk as the proxy's connections see it; both worlds hear the same.

    *inner*: it is a proxy, and these are behind it.
    """

    def __init__(self, name: str, inner: Sequence[str] = ()) -> None:
        self.name, self.inner = name, inner
        self.calls = {each: Calls() for each in inner or (name,)}
        self.at = next(iter(self.calls))
        self.open()

    def open(self) -> None:
        """Let a connection begin."""
        ending = b"\r\n\r\n" if self.inner else f"\r\nServer: {self.name}\r\n\r\n".encode()
        self._framer = Framer(1 << 20, ending)
        self._queue: deque[Asked] = deque()
        self._items: list[bytes] = []
        self._responses: list[str] = []

    def chunk(self, data: bytes) -> Chunk:
        """Return what one read of *data* brings."""
        if b"\n" in data.replace(b"\r\n", b"") and not self.inner:
            # The framer would cut there; here the whole of a value comes to the filters.
            signed = data.replace(b"\r\n\r\n", f"\r\nServer: {self.name}\r\n\r\n".encode())
            return Chunk(signed, only_events=b"Response:" not in data)
        return self._framer.feed(data)

    def say(self, luck: random.Random, count: int) -> bytes:
        """Return *count* messages."""
        return b"".join([self._one(luck) for _ in range(count)])

    def _one(self, luck: random.Random) -> bytes:
        if not self.inner:
            return self.calls[self.name].say(luck)
        if luck.random() < 0.3:
            self.at = luck.choice(self.inner)
        raw = self.calls[self.at].say(luck)
        if luck.random() < 0.05:
            what = luck.choice(("ProxyServerLost", "ProxyServerConnected"))
            raw = Message.of(f"Event: {what}", "Privilege: system,all").raw
        return self._of(raw)

    def _of(self, raw: bytes) -> bytes:
        """Return *raw* as a proxy sends it that says which server it is from."""
        return raw[:-2] + f"Server: {self.at}\r\n\r\n".encode() if self.inner else raw

    # -- answers --------------------------------------------------------------------------------

    def hear(self, data: bytes) -> None:
        """Take actions that have come."""
        for raw in data.split(b"\r\n\r\n")[:-1]:
            message = Message(raw + b"\r\n\r\n")
            action = message.get("ProxyAction") or message.get("Action")
            self._queue.append(Asked(action.lower(), message.get("ActionID")))

    @property
    def owes(self) -> bool:
        """Whether something is to be answered."""
        return bool(self._queue or self._items or self._responses)

    def answer(self, luck: random.Random) -> bytes:
        """Return the next part of what is to be answered."""
        if self._items:
            return self._items.pop(0)
        if self._queue:
            return self._begin(luck, self._queue.popleft())
        if self._responses:
            wire_id = self._responses.pop(0)
            one = self._some(luck)
            result = ("Response: Success", *one[:1], *one[2:])
            head = ("Event: OriginateResponse", "Privilege: call,all", f"ActionID: {wire_id}")
            return self._of(Message.of(*head, *result).raw)
        return b""

    def _some(self, luck: random.Random) -> list[str]:
        """Return the headers of some channel."""
        calls = self.calls[self.at]
        return (calls.one(luck) if calls.alive else calls.begin(luck)).lines()

    def _begin(self, luck: random.Random, asked: Asked) -> bytes:
        wire_id = f"ActionID: {asked.wire_id}"
        if asked.action == "listservers":
            return Message.of("ProxyResponse: Success", *LISTED, wire_id).raw
        success = ("Response: Success", wire_id)
        if asked.action in ("status", "coreshowchannels"):
            for _ in range(luck.randrange(4)):
                item = ["Event: Status", "Privilege: Call", wire_id, *self._some(luck)]
                if luck.random() < 0.3:  # as some of Asterisk's do
                    del item[1:3]
                self._items.append(self._of(Message.of(*item).raw))
            done = Message.of("Event: StatusComplete", wire_id, "EventList: Complete", "Items: 0")
            self._items.append(self._of(done.raw))
            return self._of(Message.of(*success, "EventList: start").raw)
        if asked.action == "originate":
            self._responses.append(asked.wire_id)
        elif asked.action == "userevent":
            event = Message.of("Event: UserEvent", "Privilege: user,all", wire_id, "UserEvent: y")
            self._items.append(self._of(event.raw))
        return self._of(Message.of(*success, "Message: done").raw)
