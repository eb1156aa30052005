# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeper: the thread that gets, renews and gives back the leases of servers.

It decides, and never waits for Redis: ``Rounds`` does.  So it gives up in time what runs out.
"""

from __future__ import annotations

import logging
import math
import time
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.bus import clock
from amiproxy.bus import lease as leases
from amiproxy.bus.entries import TAKEN, Entry, encode_entry
from amiproxy.bus.keys import Keys, key_bytes
from amiproxy.bus.lease import Kind, Phase, Request
from amiproxy.bus.resp import command
from amiproxy.bus.scripts import asked, read_reply
from amiproxy.bus.states import taken
from amiproxy.status.clustervalues import ALONE, CUT_OFF, JOINED
from amiproxy.threads.bus.outtold import Refusals
from amiproxy.threads.bus.presences import Me, Presences, look_at_memory
from amiproxy.threads.bus.questions import Questions
from amiproxy.threads.bus.rounds import Outcome, Rounds
from amiproxy.threads.bus.seat import HeldServer, Seat
from amiproxy.threads.bus.seats import Seats
from amiproxy.threads.bus.tenure import Tenure
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.basics.deadline import Deadline
    from amiproxy.bus.members import Member
    from amiproxy.settings.config import Config
    from amiproxy.threads.bus.client import BusClient

__all__ = ["HeldServer", "Keeper", "Me", "Tenure"]

log = logging.getLogger("amiproxy.bus")

#: Seconds between two looks at who has which lease, at the most.
_POLL = 0.1
#: Seconds between two tries to reach a bus that is away.
_AGAIN = 0.2


class Keeper:
    """Keeps leases for this proxy, *me*.

    *presence* returns the fields ``clients``, ``lags`` and ``servers`` of this proxy's Member; it
    is called twice a second in the keeper's thread, and must not wait.
    """

    def __init__(
        self, client: BusClient, config: Config, me: Me, presence: Callable[[], Mapping[str, Any]]
    ) -> None:
        self.busy_since = 0.0  # for the watchdog
        #: How it is to the bus, and why it is not joined.  Any thread reads them.
        self.state = CUT_OFF
        self.problem = "the bus has not been reached yet"
        self._me, self._length = me, config.bus_failover
        self._optional = config.bus_optional
        self._keys = Keys(config.bus_name)
        self._where = f"{config.bus_name} at {client.shown}"
        self._inbox: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._thread = WatchedThread("bus-keeper", self._run, self)
        reply_seconds = max(0.2, self._length / 3)
        self._rounds = Rounds(client, self._inbox_outcome, self.wake, reply_seconds)
        self._members: tuple[Member, ...] = ()  # replaced whole by the thread
        # For the thread alone.
        self._poll = min(_POLL, self._length / 10)
        self._presences = Presences(me, self._keys, self._length, presence)
        self._seats = Seats(me.slot, self._presences)
        self._under_way: Questions | None = None
        self._said = JOINED  # the state that the log knows: how it begins is none of it
        self._refusals = Refusals("what keeps the leases")
        self._next = 0.0  # when the next round is due
        self._last_good = clock.now()  # when the last round was sent that Redis has answered
        self._stop_by = math.inf
        self._leaving = self._ended = self._is_renewed = False

    # -- any thread --------------------------------------------------------------------------

    def start(self) -> None:
        """Start both threads."""
        self._rounds.start()
        self._thread.start()

    def stop(self, deadline: Deadline) -> None:
        """Give all leases up, and leave the cluster; wait for that until *deadline*."""
        stop_by = clock.now() + min(deadline.left(), 60.0)
        self._inbox.put(lambda: self._stop(stop_by))
        if self._thread.ident is not None:
            self._thread.join(deadline.timeout())
        self._rounds.end()
        self._rounds.interrupt()
        self._rounds.join(deadline.timeout())

    def add(self, server: HeldServer) -> None:
        """Get the lease of *server* when nobody else has it; grant and withdraw it."""
        self._inbox.put(lambda: self._add(server))

    def remove(self, server: HeldServer) -> None:
        """Forget *server*; its lease is given up."""
        self._inbox.put(lambda: self._remove(server))

    def release(self, scope: str, epoch: int) -> None:
        """Give the lease of *scope* back: its thread is not connected by the tenure *epoch*."""
        self._inbox.put(lambda: self._release(scope, epoch))

    def wake(self) -> None:
        """Look at the leases now."""
        self._inbox.put(self._hurry)

    def members(self) -> tuple[Member, ...]:
        """Return all live proxies of the cluster, this one too, by name."""
        return self._members

    @property
    def knows_members(self) -> bool:
        """Whether all proxies of the cluster are known, as of a moment ago."""
        return self.state == JOINED and self._presences.is_known

    def redis_ms(self) -> int:
        """Return the time of Redis, in ms since 1970, as far as it is known."""
        return round((clock.now() + self._presences.offset) * 1000)

    def holder(self, scope: str) -> int:
        """Return the slot of the proxy that has the lease of *scope*, 0: none, or not known."""
        seat = self._seats.by_scope.get(scope)
        return seat.holder[0] if seat is not None else 0

    def _inbox_outcome(self, outcome: Outcome) -> None:
        """Take what Redis has answered.  In the thread of the rounds."""
        self._inbox.put(lambda: self._came(outcome))

    # -- its own thread ----------------------------------------------------------------------

    def _run(self) -> None:
        endless("bus-keeper", self._step)

    def _step(self) -> bool:
        """Wait for what comes, or for what runs out; return whether to go on."""
        self.busy_since = 0.0
        try:
            task = self._inbox.get(timeout=self._pause(clock.now()))
        except Empty:
            task = _nothing
        self.busy_since = time.monotonic()
        task()
        while not self._inbox.empty():
            self._inbox.get()()
        now = clock.now()
        self._look(now)
        if self._under_way is None and now >= self._next and not self._ended:
            self._begin(now)
        # Everybody knows the members, with what this proxy holds now.
        self._members = self._presences.members(self._seats.held, self.state)
        return not self._ended

    def _pause(self, now: float) -> float:
        """Return the seconds until something has to be done, if nothing comes."""
        due = [seat.runs_out for seat in self._seats.by_scope.values()]
        due.append(self._stop_by if self._under_way else self._next)
        return max(0.0, min(now + 1.0, *due) - now)

    def _hurry(self) -> None:
        self._next = 0.0

    def _add(self, server: HeldServer) -> None:
        seat = self._seats.by_scope.get(server.scope)
        if seat is None:
            self._seats.add(Seat(server, self._length))
        else:
            seat.take_over(server)
        self._hurry()

    def _remove(self, server: HeldServer) -> None:
        seat = self._seats.by_scope.get(server.scope)
        if seat is not None and seat.server is server:
            seat.removed = True
            seat.give_up(clock.now(), "this proxy has no such server any more")
            seat.come_back("this proxy has no such server any more")

    def _release(self, scope: str, epoch: int) -> None:
        seat = self._seats.by_scope.get(scope)
        if seat is not None and seat.lease.epoch == epoch:  # else it is of a later tenure
            seat.let_go(clock.now())
            self._presences.due = 0.0  # it may not be able to hold it
            self._hurry()

    def _stop(self, stop_by: float) -> None:
        self._stop_by = stop_by
        for seat in self._seats.by_scope.values():
            seat.give_up(clock.now(), "this proxy stops")
            seat.come_back("this proxy stops")
        self._presences.due = 0.0
        self._hurry()

    @property
    def _stopping(self) -> bool:
        return self._stop_by < math.inf

    def _look(self, now: float) -> None:
        """See what has run out, and whether the bus is lost."""
        for scope, seat in [*self._seats.by_scope.items()]:
            if seat.look(now):
                self._hurry()
            if seat.removed and seat.lease.phase is Phase.IDLE:
                self._seats.drop(scope)
        if now >= self._last_good + self._length - leases.margin(self._length):
            self._be_cut_off(now)
        if self._stopping and (now >= self._stop_by or self.state != JOINED):
            self._ended = True

    def _be_cut_off(self, now: float) -> None:
        """The bus is away for longer than leases are."""
        state = ALONE if self._optional else CUT_OFF
        self.state = state
        if state != self._said:
            self._said = state
            log.warning("bus: cut off from %s: %s", self._where, self.problem)
            if self._optional:
                log.warning("bus: this proxy connects to all servers by itself, meanwhile")
        if self._optional and not self._stopping:
            for seat in self._seats.by_scope.values():
                seat.go_alone(now)

    # -- a round -----------------------------------------------------------------------------

    def _begin(self, now: float) -> None:
        """Ask Redis what has to be asked now."""
        questions = Questions()
        for seat, request in self._seats.requests(now, stopping=self._stopping):
            opening = self._opening(request.epoch) if request.kind is Kind.OPEN else b""
            scope = seat.server.scope
            ask = asked(self._keys, scope, self._me.slot, self._length, request, opening)
            questions.ask([ask], partial(self._answered, seat, request))
        if self._seats.by_scope:
            keys = (key_bytes(self._keys.lease(scope)) for scope in self._seats.by_scope)
            saw = partial(self._saw, tuple(self._seats.by_scope.values()))
            questions.watch(command(b"MGET", *keys), self._poll, saw)
        self._ask_presences(questions, now)
        one = questions.round()
        # That the bus is there has to be known as often as leases are renewed.
        due = min(self._presences.due, self._seats.due(now), now + self._length / 3)
        self._next = max(now + self._poll, due)
        if one.replies:
            self._under_way = questions
            self._rounds.begin(one)

    def _ask_presences(self, questions: Questions, now: float) -> None:
        presences, seats = self._presences, self._seats.by_scope
        if self._stopping and all(seat.lease.phase is Phase.IDLE for seat in seats.values()):
            self._leaving = True
            presences.leave(questions, self._scopes())
        elif now >= presences.due:
            presences.ask(
                questions, now, stopping=self._stopping,
                holds=self._seats.held, epoch=self._seats.largest,
                able=[scope for scope, seat in seats.items() if seat.is_able(now)],
            )  # fmt: skip
            presences.sweep(questions, now, self._scopes())
        if self.state != JOINED:
            questions.ask([command(b"INFO", b"memory")], look_at_memory)

    def _scopes(self) -> set[str]:
        """Return the servers of all proxies."""
        return {*self._seats.by_scope, *(scope for each in self._members for scope in each.servers)}

    def _opening(self, epoch: int) -> bytes:
        return encode_entry(Entry(TAKEN, epoch, 0, 0, self.redis_ms(), taken(self._me.slot)))

    # -- what Redis answers ----------------------------------------------------------------------

    def _came(self, outcome: Outcome) -> None:
        """Take the outcome of the round under way."""
        questions, self._under_way = self._under_way, None
        if questions is None or outcome.replies is None:
            self.problem = outcome.problem
            self._next = clock.now() + _AGAIN
            self._ended |= self._stopping
            return
        self._is_renewed = False
        questions.answer(outcome)
        self._ended |= self._leaving
        refused = [str(each) for each in outcome.replies if isinstance(each, Exception)]
        self._refusals.note(refused[0] if refused else "")
        self.problem = self._refusals.problem or self._presences.problem
        if self._presences.is_written or self._is_renewed:
            self._be_back(outcome.sent)
        elif refused and outcome.sent > self._last_good + self._length / 2:
            # It may be a replica by now: the next connection is made to the master.
            self._rounds.connect_anew()

    def _be_back(self, sent: float) -> None:
        """Redis has answered a round that was *sent* then."""
        self._last_good = sent
        if self.state != JOINED:
            self.state = self._said = JOINED
            log.info("bus: joined %s", self._where)
            self._presences.due = 0.0  # it may have lost its data
            for seat in self._seats.by_scope.values():
                seat.come_back("the bus is back")

    def _answered(self, seat: Seat, request: Request, replies: list[Any], sent: float) -> None:
        """Take the reply to what a lease needed."""
        found = read_reply(request.kind, replies[0])
        if found is None:
            if request.kind is Kind.OPEN:
                seat.fail(clock.now(), "the bus takes no entry of this proxy")
            return
        reply, wait = found
        self._is_renewed |= request.kind in (Kind.TAKE, Kind.RENEW) and reply.done
        now = clock.now()
        if wait:
            self._seats.wait(now + wait)
        if seat.answered(request, reply, sent, now):
            self._hurry()

    def _saw(self, seats: tuple[Seat, ...], replies: list[Any], _sent: float) -> None:
        """Take who has which lease."""
        if isinstance(replies[0], list) and self._seats.saw(seats, replies[0], clock.now()):
            self._hurry()


def _nothing() -> None:
    """Nothing has come."""
