# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients and servers may say, by chance: much that is plain, and much that is nearly so."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

NAMES = (
    "Ping", "ping", "QueuePause", "DBPut", "CoreStatus", "QueueStatus", "Status", "DBGet", "SIPpeers", "Getvar",
    "Hangup", "Originate", "Command", "UpdateConfig", "Reload", "IAXnetstats", "UserEvent",
    "Events", "Filter", "WaitEvent", "Challenge", "Unheard", "Ping ", "Login", "PING2", "",
)  # fmt: skip
IDS = (
    "1",
    "1",
    "x-2",
    "a b",
    "\xe9\xff",
    "x" * 60,
    "y" * 30,
    "",
    " 7",
    "amp1-abcdef",
    "a:b",
    "${X}",
    "1\t",
)
HEADERS = (
    "Channel: SIP/1-7", "Variable: ${SHELL(x)}", "Server: pbx1", "Server: nowhere", "server:pbx0",
    "Serverx: y", "ProxyKey: k", "proxyaction: SetAutoFilter", "ProxyAction: ListSessions",
    "AutoFilter: on", "Action: Logoff", "Action:", "ActionID: 9", "actionid:9", "Async: true",
    "Command: reload", "Application: Wait", "Foo:bar", "Foo:", "Foo: ", "No header", "X-y_z: 1: 2",
    " Foo: 1", "Foo : 1", "InputFormat: csv", "Foo: " + "y" * 990, "Foo: \xe4\xfc", "Foo: a\0b",
    "Foo: a\rb", "Foo: a\nb", "Reload: yes", "ProxyProbe: 1", "Family: f", "Account: 7", "Variable: a=${SHELL(y)}",
    "Foo: SHELL(x)",
)  # fmt: skip
#: What may be in an answer.
LINES = (
    "Ping: Pong", "Message: fine", "Message: Peers will follow", "EventList: start", "Foo:",
    "eventlist:START", "Message: it WILL FOLLOW.", "Response: Error", "Event: X", "\xe4: \xfc",
    "ActionID: 1", "Uniqueid: 1.1", "Output: text", "Timestamp: 1.5",
)  # fmt: skip
EVENTS = (
    "Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/1-7\r\nUniqueid: 1.7",
    "Event: PeerEntry\r\nObjectName: x", "Event: PeerlistComplete\r\nEventList: Complete",
    "Some text", "Response: Success\r\nActionID: amp1-abcdefABCDEF012345-1",
    "Response: Success\r\nMessage: nobody's",
)  # fmt: skip


class Inputs:
    """A history: all that is decided by the chance of *seed*."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def some(self, count: int) -> int:
        """Decide for one of *count* things."""
        return self.random.randrange(count)

    def pick(self, things: Sequence[T]) -> T:
        """Decide for one of *things*."""
        return things[self.random.randrange(len(things))]

    def input(self) -> bytes:
        """Return what a client sends in one go: mostly what is plain."""
        if self.some(3) == 0:
            return f"Action: Ping\r\nActionID: {self.pick(IDS)}\r\n\r\n".encode("latin-1")
        lines = [f"{self.pick(('Action: ',) * 6 + ('action: ', 'Action:'))}{self.pick(NAMES)}"]
        if self.some(2):
            lines[0] = "Action: Ping"
        if self.some(24) == 0:
            lines[0] = "Host: x"
        lines += [self.pick(HEADERS) for _ in range(self.pick((0, 0, 1, 1, 1, 1, 2, 6)))]
        if self.some(4):
            name = self.pick(("ActionID: ",) * 9 + ("actionid: ", "ActionId:  ", "ActionID:"))
            place = self.some(len(lines) + 1) if self.some(3) == 0 else 1
            lines.insert(place, f"{name}{self.pick(IDS)}")
        data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if self.some(12) == 0:  # something else in it, or less
            at = self.some(len(data))
            other = self.pick((b"", b"\r", b"\n", b"\r\n", b":", b" ", b"\0"))
            data = data[:at] + other + data[at + 1 :]
        if self.some(24) == 0:
            data = data[: self.some(len(data)) + 1]
        return data + data if self.some(24) == 0 else data

    def output(self, asked: list[bytes]) -> bytes:
        """Return what a server says in one go: mostly plain answers to what was *asked* first."""
        if self.some(2):
            first = [asked.pop(0) for _ in range(min(1 + self.some(3), len(asked)))]
            plain_answer = b"Response: Success\r\nActionID: %b\r\nPing: Pong\r\n\r\n"
            return b"".join([plain_answer % each for each in first])
        said = b""
        for _ in range(self.pick((1, 1, 1, 2, 3))):
            if self.some(12) == 0 or not asked:
                said += self.pick(EVENTS).encode("latin-1") + b"\r\n\r\n"
            else:
                wire_id = asked.pop(0 if self.some(8) else self.some(len(asked)))
                said += self._answer(wire_id)
        return said[: -self.some(5) - 1] if self.some(30) == 0 else said

    def _answer(self, wire_id: bytes) -> bytes:
        """Return an answer, or what looks like it, to the action of *wire_id*."""
        word = self.pick(("Success",) * 9 + ("Error", "Error", "Follows", "Goodbye", "success"))
        wire_id = self.pick((wire_id,) * 20 + (wire_id + b"1", wire_id[:-1], wire_id.lower()))
        lines = [self.pick(LINES) for _ in range(self.pick((0, 0, 0, 1, 1, 2, 4)))]
        header: bytes = self.pick(
            (b"ActionID: ",) * 20 + (b"actionid: ", b"ActionID:", b"ActionID:  ")
        )
        more = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
        begin = b"Response: " + word.encode() + b"\r\n"
        line = header + wire_id + b"\r\n"
        return (begin + more + line if self.some(12) == 0 else begin + line + more) + b"\r\n"
