# SPDX-License-Identifier: GPL-2.0-or-later
"""Flight: entries that are sent in one go, until Redis has settled each of them.

What Redis has not acknowledged when a connection breaks is sent again.  It may have been added
all the same: an entry with an ID of its own is refused then, and looked for; any other is looked
for before that, among the last ones.  So none is added twice.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable

from amiproxy.bus import resp
from amiproxy.bus.fields import Malformed
from amiproxy.bus.ids import last_id
from amiproxy.bus.joining import Run
from amiproxy.bus.respreader import RespError, RespReader
from amiproxy.threads.bus.client import REPLY_SECONDS, BusError
from amiproxy.threads.bus.outqueue import Lane
from amiproxy.threads.bus.outstream import is_superseded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.bus.respreader import Found, Reply
    from amiproxy.threads.bus.client import Line
    from amiproxy.threads.bus.outqueue import Item, Source
    from amiproxy.threads.bus.outstream import Along, OutStream

#: Errors of Redis that pass, whatever was asked.
PASSING = frozenset({"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOAUTH",
                     "NOREPLICAS", "OOM", "READONLY", "TRYAGAIN"})  # fmt: skip
#: Of these those that may pass at once on another connection: there is another master.
_ELSEWHERE = frozenset({"MASTERDOWN", "NOAUTH", "READONLY"})

#: Bytes a second that a network has at least: what is sent needs that much time to get there.
_SLOWEST = 1024 * 1024

#: An entry of more bytes may be larger than Redis takes; after so many connections it is.
_LARGE, _MOST_BREAKS = 512 * 1024, 3

#: How many entries others may have added since, when those are looked for that may be there.
_LOOK_BACK = 256


class Unit:
    """One entry on its way, of one or several bodies."""

    __slots__ = ("body", "breaks", "entry_id", "is_sent", "run", "source", "stream")

    def __init__(self, source: Source, stream: OutStream, body: bytes) -> None:
        self.source = source
        self.stream = stream
        self.run = Run(body)
        self.body = body
        self.entry_id = b""
        #: Whether it went on a connection that was lost: it may be there.
        self.is_sent = False
        #: How many connections were lost at the moment when Redis was to take it.
        self.breaks = 0


class Flight:
    """Entries on their way.  *stream_of* returns the stream of an item, None for none any more."""

    def __init__(
        self, items: Iterable[Item], stream_of: Callable[[Item], OutStream | None]
    ) -> None:
        self.units: list[Unit] = []
        #: What is called when all is settled.
        self.ends: list[Callable[[], object]] = []
        #: Entries that Redis has refused for good: which, and why.
        self.refused: list[tuple[Unit, RespError]] = []
        #: Who has lost the server to another proxy.
        self.fenced: list[Source] = []
        self.acknowledged: list[Unit] = []
        #: Seconds that Redis may take for its next reply, and the network until it has all.
        self.patience = REPLY_SECONDS
        runs: dict[Source, Unit] = {}
        for item in items:
            if item.then is not None:
                self.ends.append(item.then)
                continue
            stream = stream_of(item)
            if stream is not None:
                self._add(item, stream, runs)
        for unit in self.units:
            unit.body = unit.run.joined()
            unit.entry_id = _next_id(unit)

    def _add(self, item: Item, stream: OutStream, runs: dict[Source, Unit]) -> None:
        """Add *item*: to the entry before it in its stream, if nothing has come between them."""
        unit = runs.get(item.source)
        if unit is not None and unit.stream is stream and unit.run.takes(item.body):
            return
        unit = Unit(item.source, stream, item.body)
        self.units.append(unit)
        runs[item.source] = unit

    def without(self, source: Source) -> None:
        """Let go of what *source* has in it."""
        self.units = [unit for unit in self.units if unit.source is not source]

    def exchange(self, line: Line, reader: RespReader, *, is_trial: bool = False) -> str:
        """Send what is not settled; return what keeps Redis from taking it, "" if nothing.

        With *is_trial* only the first entry goes: a Redis that is about to be ready refuses some
        and then takes those behind them, which leaves no place for the others.

        Raises:
            BusError: the connection is over, and closed.

        """
        self._leave_out_large()
        try:
            problem = self._look_for_sent(line, reader) or self._send(line, reader, is_trial)
        except Malformed as error:
            line.close()
            raise BusError(f"the bus answers nonsense: {error}") from None
        if problem is None:
            return ""
        if problem.code in _ELSEWHERE:
            line.close()
        return str(problem)

    def _leave_out_large(self) -> None:
        """Give up an entry at which Redis closes each connection: its proto-max-bulk-len is low."""
        unit = self.units[0]
        if unit.breaks >= _MOST_BREAKS and len(unit.body) > _LARGE:
            del self.units[0]
            text = f"TOOLARGE it closes the connection at an entry of {len(unit.body)} bytes"
            self.refused.append((unit, RespError(text)))

    def _send(self, line: Line, reader: RespReader, is_trial: bool) -> RespError | None:
        """Send the units, or the first one; keep those that are to be sent again."""
        units, later = (self.units[:1], self.units[1:]) if is_trial else (self.units, [])
        problem: RespError | None = None
        again: list[Unit] = []
        superseded: list[Unit] = []
        requests, alongs = _requests(units, time.monotonic())
        done = 0
        data = b"".join(requests)
        self.patience = REPLY_SECONDS + len(data) // _SLOWEST
        try:
            line.send(data, timeout=self.patience)
            for unit, (before, behind) in zip(units, alongs):
                for _, note in before:
                    note(reader.reply())
                error = self._settle(unit, reader.reply())
                done += 1
                if error is not None:
                    (again if error.code in PASSING else superseded).append(unit)
                    problem = error if error.code in PASSING else problem
                for _, note in behind:
                    note(reader.reply())
        finally:
            _mark_sent(units[done:])
            self.units = again + superseded + units[done:] + later
        if superseded:
            problem = self._look_into(superseded, line, reader) or problem
        return problem

    def _settle(self, unit: Unit, reply: Reply) -> RespError | None:
        """Note what Redis says of *unit*; return the error if that does not settle it."""
        if isinstance(reply, bytes):
            self._acknowledge(unit, reply)
        elif not isinstance(reply, RespError):
            raise Malformed("no ID of an entry")
        elif reply.code in PASSING or (unit.stream.epoch >= 0 and is_superseded(reply)):
            return reply
        else:
            self.refused.append((unit, reply))
        return None

    def _acknowledge(self, unit: Unit, entry_id: bytes) -> None:
        unit.entry_id = entry_id
        unit.stream.trail.add(entry_id, len(unit.body))
        self.acknowledged.append(unit)

    def _look_into(
        self, superseded: Sequence[Unit], line: Line, reader: RespReader
    ) -> RespError | None:
        """Find out why Redis has refused the IDs of *superseded*, and settle these.

        They are there already; or another proxy has gone on with the stream; or, where Redis
        took later ones of the same flight only, it is too late for them.
        """
        for stream in {unit.stream: None for unit in superseded}:
            mine = [unit for unit in superseded if unit.stream is stream]
            ids = [unit.entry_id for unit in mine]
            line.send(
                resp.command(b"XRANGE", stream.key, ids[0], ids[-1])
                + resp.command(b"XINFO", b"STREAM", stream.key)
            )
            found, info = reader.found(), reader.reply()
            for reply in (found, info):
                if isinstance(reply, RespError) and reply.code in PASSING:
                    return reply
            there = {} if isinstance(found, RespError) else dict(found)
            is_mine = last_id(info)[0] == stream.epoch
            for unit in mine:
                self.units.remove(unit)
                if unit.entry_id in there:
                    self._acknowledge(unit, unit.entry_id)
                elif isinstance(info, RespError):
                    self.refused.append((unit, info))
                elif is_mine:
                    self.refused.append((unit, RespError("LATE later ones were taken before it")))
                elif unit.source not in self.fenced:
                    self.fenced.append(unit.source)
        return None

    def _look_for_sent(self, line: Line, reader: RespReader) -> RespError | None:
        """Settle those that Redis gave an ID before the connection broke."""
        sent = [unit for unit in self.units if unit.is_sent and unit.stream.epoch < 0]
        for stream in {unit.stream: None for unit in sent}:
            mine = [unit for unit in sent if unit.stream is stream]
            count = b"%d" % (len(mine) + _LOOK_BACK)
            line.send(resp.command(b"XREVRANGE", stream.key, b"+", b"-", b"COUNT", count))
            found = reader.found()
            if isinstance(found, RespError) and found.code in PASSING:
                return found
            self._sort_out(mine, found)
        return None

    def _sort_out(self, sent: Iterable[Unit], found: Found | RespError) -> None:
        """Settle those of *sent* whose bodies are in *found*; the others are sent again."""
        there = {} if isinstance(found, RespError) else {body: each for each, body in found}
        for unit in sent:
            unit.is_sent = False
            if unit.body in there:
                self.units.remove(unit)
                self._acknowledge(unit, there[unit.body])
            elif isinstance(found, RespError):
                # Nobody knows whether it is there, and twice would be worse than never.
                self.units.remove(unit)
                self.refused.append((unit, found))


def _mark_sent(units: Sequence[Unit]) -> None:
    """Note that nobody knows what has become of *units*: Redis has not said it."""
    for unit in units:
        unit.is_sent = True
    if units:
        units[0].breaks += 1


def _next_id(unit: Unit) -> bytes:
    source = unit.source
    if not isinstance(source, Lane):
        return b"*"
    numbers = source.numbers
    return numbers.event() if unit.stream.key == source.events else numbers.answer()


def _requests(
    units: Iterable[Unit], now: float
) -> tuple[list[bytes], list[tuple[list[Along], list[Along]]]]:
    """Return the commands that add *units*, and for each what goes along before and behind it."""
    requests: list[bytes] = []
    alongs: list[tuple[list[Along], list[Along]]] = []
    seen: set[OutStream] = set()
    for unit in units:
        stream = unit.stream
        before: list[Along] = []
        behind: list[Along] = []
        if stream in seen:
            request = resp.xadd(stream.key, unit.entry_id, unit.body)
        else:
            seen.add(stream)
            before, behind = stream.before(), stream.after(now)
            request = stream.first(unit.entry_id, unit.body)
        requests += [each for each, _ in before]
        requests.append(request)
        requests += [each for each, _ in behind]
        alongs.append((before, behind))
    return requests, alongs
