# SPDX-License-Identifier: GPL-2.0-or-later
"""Asking for actions, directly and through a proxy, and what of the answers may differ."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Callable, NamedTuple

from tests.asterisk.decoding import DECODERS, ENDS, Lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support import ManagerClient

#: The lines of an action, without ActionID.
Block = tuple[str, ...]

_ENDS = itertools.count(1)


class UnansweredError(Exception):
    """To what an answer has not begun."""


#: Headers whose value is another one each time, also if one client asks twice, and why.
MOVING = {
    b"AnsweredTime": "seconds since then",
    b"Duration": "of a channel",
    b"LastPause": "when a member of a queue was paused",
    b"LoginTime": "when a member of a queue came",
    b"LongestHoldTime": "seconds that the first in a queue waits",
    b"ParkingDuration": "seconds so far",
    b"ParkingTimeout": "seconds that are left",
    b"RoundtripUsec": "of the last question to a phone",
    b"Seconds": "that a channel has been up",
    b"Timestamp": "Ping tells the time",
    b"Wait": "seconds of a caller in a queue",
}


def _with_line_ends(answer: list[Lines]) -> list[Lines]:
    """A bare LF in an answer (of CoreShowChannelMap, Getvar) ends a line, as CRLF does."""
    return [
        tuple(
            part
            for line in one
            for part in (line.split(b"\n") if b"\n" in line else [line])
            if part
        )
        for one in answer
    ]


def _with_one_response(answer: list[Lines]) -> list[Lines]:
    """Of two responses to one action (ModuleLoad makes mistakes so) there is the first."""
    return [one for at, one in enumerate(answer) if not at or not one[0].startswith(b"Response: ")]


#: What the proxy changes in answers, as it has to, or as a client is the better for it.
EXPLAINED: tuple[Callable[[list[Lines]], list[Lines]], ...] = (_with_line_ends, _with_one_response)


class Expected(NamedTuple):
    """What of a direct answer comes through a proxy, and why it is not all the same."""

    answer: list[Lines]
    told: list[str]


def explained(answer: list[Lines]) -> Expected:
    """Return what of a direct *answer* comes through a proxy."""
    told = []
    for change in EXPLAINED:
        changed = change(answer)
        if changed != answer:
            told.append((change.__doc__ or "").strip())
        answer = changed
    return Expected(answer, told)


class Asker:
    """A client that gets no events, and has *output* (a direct one: "asterisk") from its server.

    It gives each action the header *actionid*, which may be none (""): with autofilter ``on``
    a client sees the answers that bear the last ActionID it has sent.
    """

    def __init__(
        self, client: ManagerClient, output: str, actionid: str = "", name: str = ""
    ) -> None:
        self.client = client
        self.format, self.name = output, name or output
        self._actionid = actionid
        #: Whether it may not ask for what nobody knows: then the end is told by a Ping.
        self.limited = False

    def one_by_one(self, blocks: Sequence[Block]) -> list[list[Lines]]:
        """Return the answers to *blocks*: the next is asked when an answer is whole.

        What Asterisk answers to an action that is asked when the answer has begun, comes behind it.
        """
        return [self._asked(block) for block in blocks]

    def _asked(self, block: Block) -> list[Lines]:
        self._send(block)
        try:
            begun = self.client.read_to(ENDS[self.format]) + ENDS[self.format]
        except TimeoutError as error:
            raise UnansweredError(self.name, block) from error
        end, mark = self._end()
        self._send(end)
        return self._to(mark, begun)

    def at_once(self, blocks: Sequence[Block]) -> list[Lines]:
        """Return all answers to *blocks*, which are asked in one write."""
        end, mark = self._end()
        self._send(*blocks, end)
        return self._to(mark, b"")

    def _end(self) -> tuple[Block, bytes]:
        """Return an action, and what stands in its answer and nowhere else."""
        name = f"end-{next(_ENDS)}"
        if self.limited:
            return ("Action: Ping", f"ActionID: {name}"), name.encode()
        return (f"Action: {name}",), f" {name}. Use Action".encode()

    def _send(self, *blocks: Block) -> None:
        given = (f"ActionID: {self._actionid}",) if self._actionid else ()
        self.client.send_raw(
            "".join("\r\n".join((one[0], *given, *one[1:], "", "")) for one in blocks)
        )

    def _to(self, mark: bytes, begun: bytes) -> list[Lines]:
        """Return what comes before the answer that has *mark* in it."""
        found = begun + self.client.read_to(mark) + mark
        found += self.client.read_to(ENDS[self.format]) + ENDS[self.format]
        return DECODERS[self.format](found)[:-1]


def still(messages: Sequence[Lines]) -> list[Lines]:
    """Return *messages* without the values that move."""
    return [tuple(_still(line) for line in one) for one in messages]


def _still(line: bytes) -> bytes:
    name, colon, _ = line.partition(b": ")
    return name + colon if name in MOVING else line


def without_server(messages: Sequence[Lines], server: str) -> list[Lines]:
    """Return *messages* without the header ``Server:``, which each has once, in its place.

    That is the end, but in what a command has printed it is before the first line of that.
    """
    mark = f"Server: {server}".encode()
    found = []
    for one in messages:
        printed = [at for at, line in enumerate(one) if line.startswith(b"Output: ")]
        place = printed[0] - 1 if printed else len(one) - 1
        assert one[place] == mark, one
        assert one.count(mark) == 1, one
        found.append((*one[:place], *one[place + 1 :]))
    return found
