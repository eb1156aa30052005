# SPDX-License-Identifier: GPL-2.0-or-later
"""Outbox: the thread that sends to the bus what others put, many entries in one go.

It sends all that waits, reads all replies, and only then sends what has come meanwhile: the
slower Redis is, the more goes in one go, and events in a row become one entry.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.basics.growingpause import GrowingPause
from amiproxy.bus.keys import Keys, key_bytes
from amiproxy.bus.respreader import RespReader
from amiproxy.threads.bus.client import BusError
from amiproxy.threads.bus.flight import Flight
from amiproxy.threads.bus.outqueue import Lane, Numbers, OutQueue, Source
from amiproxy.threads.bus.outstream import OutStream
from amiproxy.threads.bus.outtold import Told
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.starting import StartingThread

if TYPE_CHECKING:
    from amiproxy.basics.deadline import Deadline
    from amiproxy.threads.bus.client import BusClient, Line
    from amiproxy.threads.bus.outqueue import Item

log = logging.getLogger("amiproxy.bus")

#: How many entries go at once, and from how many bytes on no further one does.
_MOST, _MOST_BYTES = 512, 1024 * 1024

#: Seconds before Redis is tried again, at first and later.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

#: Seconds between two looks for streams that nobody uses.
_IDLE = 5.0

#: Seconds after which a stream that nothing was added to is forgotten.
_FORGOTTEN = 600.0

#: Streams of asks and answers may have this part of what a stream of events may have.
_TALK_PART = 4

#: Seconds that the thread has to end beyond its deadline, before it is left alone.
_PATIENCE = 0.5


class Counts(NamedTuple):
    """What the outbox has done since its start."""

    #: Entries that Redis has acknowledged, and their bytes; of several bodies in one it is one.
    sent: int = 0
    sent_bytes: int = 0
    #: How often some went, in one go.
    flights: int = 0
    #: Entries that were put and joined to another.
    joined: int = 0
    #: Entries that Redis refused for good.
    refused: int = 0


class Outbox:
    """Sends entries to streams of the bus; any thread may put some, and none waits for that.

    *prefix* is that of all keys; *limit_bytes* may wait, *stream_bytes* is what one stream of
    events may have in Redis; *join_seconds*: events go at most once in that time, all together.
    """

    def __init__(
        self,
        client: BusClient,
        prefix: str,
        limit_bytes: int,
        stream_bytes: int,
        join_seconds: float = 0.0,
    ) -> None:
        self._client = client
        self._keys = Keys(prefix)
        self._stream_bytes = stream_bytes
        self._join_seconds = join_seconds
        self._queue = OutQueue(limit_bytes)
        self._mail = Source("asks")
        self._numbers: dict[str, Numbers] = {}
        self._streams: dict[bytes, OutStream] = {}
        self._line: Line | None = None
        self._reader = RespReader(self._more)
        self._pause = GrowingPause()
        self._flight: Flight | None = None  # the last one
        self._went = 0.0  # when something was sent last
        self._tidied = 0.0  # when streams were last forgotten
        self._is_tried = False  # whether Redis has taken something since the last problem
        self._told = Told(client.shown)
        self._ending = threading.Event()
        self._deadline: Deadline | None = None
        self._thread: StartingThread | None = None
        #: What it has done; replaced whole by its thread.
        self.counts = Counts()
        #: Why nothing can be sent at the moment, "" while all is well.
        self.problem = ""

    @property
    def waiting(self) -> int:
        """How many bytes wait to be sent."""
        return self._queue.size

    @property
    def dropped(self) -> int:
        """How many entries were dropped, since they had waited for too long."""
        return self._queue.dropped

    def start(self) -> None:
        """Start the thread."""
        self._thread = StartingThread("bus-outbox", self._run)
        self._thread.start()

    def stop(self, deadline: Deadline) -> None:
        """Take nothing more, send what waits until *deadline*, end the thread."""
        self._deadline = deadline
        self._ending.set()
        self._queue.stop()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join(deadline.timeout())
        line = self._line
        if thread.is_alive() and line is not None:
            line.interrupt()
        thread.join(_PATIENCE)

    def lane(self, scope: str, epoch: int, on_fenced: Callable[[], object]) -> Lane:
        """Return the lane of the tenure *epoch* of the server *scope*.

        *on_fenced* is called, in the outbox' thread, when another proxy has taken the server.
        """
        numbers = self._numbers.get(scope)
        if numbers is None or numbers.epoch != epoch:
            numbers = self._numbers[scope] = Numbers(epoch)
        return Lane(self._queue, self._keys, scope, numbers, on_fenced)

    def send(self, key: str, body: bytes) -> None:
        """Send *body* to the stream *key*, under an ID that Redis gives it."""
        self._queue.put(self._mail, key_bytes(key), body)

    # -- the outbox' thread -------------------------------------------------------------------

    def _run(self) -> None:
        try:
            endless("bus-outbox", self._take_turn)
        finally:
            self._hang_up()

    def _take_turn(self) -> bool:
        """Send what waits; return False at the end."""
        items = self._queue.take(_MOST, _MOST_BYTES, _IDLE, self._went + self._join_seconds)
        now = time.monotonic()
        if now - self._tidied >= _IDLE:
            self._forget_streams(now)
        if not items:
            return not self._ending.is_set()
        self._went = now
        self._flight = flight = Flight(items, self._stream_of)
        joined = sum(len(unit.run.bodies) - 1 for unit in flight.units)
        try:
            self._deliver(flight)
            self._note(flight, joined)
        except BaseException:
            self._hang_up()  # who knows what of its replies was read
            raise
        finally:
            self._flight = None
            for end in flight.ends:
                _guarded(end)
        return True

    def _stream_of(self, item: Item) -> OutStream | None:
        """Return the stream of *item*; None if a later tenure has begun there."""
        source, key = item.source, item.key
        stream = self._streams.get(key)
        if stream is None:
            keeps = isinstance(source, Lane) and source.events == key
            budget = self._stream_bytes if keeps else self._stream_bytes // _TALK_PART
            stream = self._streams[key] = OutStream(key, budget, keeps=keeps)
        if isinstance(source, Lane) and not stream.begin(source.numbers.epoch):
            return None
        return stream

    def _deliver(self, flight: Flight) -> None:
        """Have Redis settle all of *flight*, however long that takes."""
        while flight.units:
            if self._is_late():
                flight.units.clear()
                return
            try:
                line = self._connected()
                problem = flight.exchange(line, self._reader, is_trial=not self._is_tried)
            except BusError as error:
                problem = str(error)
                self._hang_up()
            for source in flight.fenced:
                self._fence(flight, source)
            flight.fenced.clear()
            self._is_tried = not problem
            self.problem = problem
            self._told.problem(problem)
            self._told.dropped(self._queue.dropped)
            if problem:
                self._wait(self._pause.next(_FIRST_PAUSE, _LONGEST_PAUSE))
            else:
                self._pause.reset()

    def _is_late(self) -> bool:
        """Return whether the time to end is over."""
        deadline = self._deadline
        return deadline is not None and deadline.over

    def _wait(self, seconds: float) -> None:
        """Wait before Redis is tried again; less if it is time to end."""
        deadline = self._deadline
        if deadline is None:
            self._ending.wait(seconds)
        else:
            time.sleep(min(seconds, deadline.left()))

    def _fence(self, flight: Flight, source: Source) -> None:
        """Let go of all that *source* has sent: another proxy holds its server."""
        flight.without(source)
        was_over = source.is_over
        gone = self._queue.discard(source)
        flight.ends += [item.then for item in gone if item.then is not None]
        if isinstance(source, Lane) and not was_over:
            # Else its tenure has ended, and the next one may be this proxy's, too.
            _guarded(source.on_fenced)

    def _note(self, flight: Flight, joined: int) -> None:
        """Count what has become of *flight*."""
        acknowledged = flight.acknowledged
        for unit in acknowledged:
            source = unit.source
            if isinstance(source, Lane) and unit.stream.key == source.events:
                source.acknowledged = unit.entry_id
        for unit, error in flight.refused:
            self._told.refused(unit.stream.key, str(error))
        counts = self.counts
        self.counts = Counts(
            counts.sent + len(acknowledged),
            counts.sent_bytes + sum(len(unit.body) for unit in acknowledged),
            counts.flights + 1,
            counts.joined + joined,
            counts.refused + len(flight.refused),
        )

    def _forget_streams(self, now: float) -> None:
        """Forget streams that nothing was added to for long: what they hold is asked for anew."""
        self._tidied = now
        before = now - _FORGOTTEN
        for key in [key for key, stream in self._streams.items() if stream.used < before]:
            del self._streams[key]

    def _connected(self) -> Line:
        """Return the connection, made anew if it was lost; raises BusError."""
        line = self._line
        if line is None or not line.is_open:
            self._is_tried = False
            self._line = line = self._client.connection()
            self._reader = RespReader(self._more)
        return line

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _more(self) -> bytes:
        line = self._line
        if line is None:
            raise BusError("the connection is closed")
        flight = self._flight
        return line.receive(timeout=None if flight is None else flight.patience)


def _guarded(call: Callable[[], object]) -> None:
    """Do *call*; what goes wrong in it stops nobody else."""
    try:
        call()
    except Exception:
        log.exception("bus: bug in the proxy")
