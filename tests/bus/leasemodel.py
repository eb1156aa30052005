# SPDX-License-Identifier: GPL-2.0-or-later
"""Every order of events that two proxies and a Redis can have, about the lease of one server.

The proxies run amiproxy/bus/lease.py itself; Redis is what amiproxy/bus/scripts.py has it do, in
Python (tests/bus/test_scripts.py compares both).  A state is what all three know, and what is under
way between them.  Between two states there is one event:

* a *tick* of the true time, the unit of all times here;
* a proxy does something: sends a request, takes a reply, notices that its time is over, gives up.
  Nothing makes it do so in time: that is a proxy that is paused, for as long as one likes;
* Redis carries out a request, at any time after it was sent: that is delay;
* a proxy loses its connection: what was under way may be carried out at any time later (*stale*);
* an entry of a tenure that was valid when it was sent reaches the stream, at any time later;
* Redis forgets everything, or goes back to older data (*loss*).

Redis' clock is fast: what it keeps for ``LENGTH`` ticks may be gone one tick earlier.  That is what
the margin is for.

Times are relative to now, and epochs are numbered anew in each state, in their order: so there are
finitely many states.  That a new epoch is larger than all before is what the time in it is for;
it holds as long as nobody sets Redis' clock back.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.bus import lease as leases
from amiproxy.bus.lease import Effect, Kind, Lease, Phase, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Ticks for which Redis keeps a lease; its clock may be a tick fast.
LENGTH = 3
#: Ticks of the margin, which make up for that.
MARGIN = 1


class Rules(NamedTuple):
    """What is tried; and, to see that the check can fail, what is left out."""

    stale: bool = False  # connections are lost
    loss: bool = False  # Redis forgets
    entries: bool = False  # entries are written, and late
    margin: int = MARGIN
    compares: bool = True  # a lease's value, before it is renewed or released
    fences: bool = True  # an entry's epoch with that of the one before
    waits: bool = True  # a Redis without memory gives out no lease for a time
    from_sent: bool = True  # a proxy's time begins when it sent the request, not with the reply


class Flight(NamedTuple):
    """A request under way: *age* in ticks since it was sent; *reply* once it was carried out."""

    request: Request
    age: int
    reply: Reply | None = None


class Proxy(NamedTuple):
    """A proxy, and what is under way from it: also what it has given up hope of, and an entry."""

    lease: Lease
    flight: Flight | None = None
    stale: Request | None = None
    entry: int = 0  # its epoch


class Redis(NamedTuple):
    """Redis: *holder* is who has the lease, -1: nobody; *ttl* is in ticks.

    *top*: the epoch of the stream's last entry; *wait*: ticks for which it gives out no lease, -1:
    it has not begun to count; *written*: the largest epoch of an entry since it forgot.
    """

    holder: int = -1
    epoch: int = 0
    ttl: int = 0
    top: int = 0
    wait: int = 0
    written: int = 0


class State(NamedTuple):
    """All there is.  *fault*: a property that an event has broken, "": none."""

    proxies: tuple[Proxy, Proxy]
    redis: Redis
    fault: str = ""


def beginning(rules: Rules) -> State:
    """Return the state in which nobody has the lease."""
    proxy = Proxy(Lease(LENGTH, rules.margin))
    return State((proxy, proxy), Redis())


def fault(state: State) -> str:
    """Return which property *state* breaks, "" if none."""
    if all(proxy.lease.is_valid(0) for proxy in state.proxies):
        return "two proxies believe that they have the lease"
    return state.fault


# -- what Redis does ------------------------------------------------------------------------------


def carried_out(
    state: State, who: int, request: Request, rules: Rules
) -> Iterator[tuple[Redis, Reply]]:
    """Yield how Redis may be after *request* of proxy *who*, and what it answers."""
    redis = state.redis
    kind, epoch = request
    is_holder = redis.holder == who and redis.epoch == epoch
    if kind is Kind.TAKE:
        yield from _take(state, who, rules)
    elif kind is Kind.OPEN:
        yield _written(redis, epoch, rules)
    elif kind is Kind.RELEASE:
        mine = is_holder or (not rules.compares and redis.holder >= 0)
        yield (redis._replace(holder=-1, epoch=0, ttl=0) if mine else redis), Reply(done=True)
    elif is_holder or (redis.holder < 0 and redis.top <= epoch) or not rules.compares:
        yield from _kept(redis, who, epoch)
    else:
        yield redis, Reply(done=False)


def _take(state: State, who: int, rules: Rules) -> Iterator[tuple[Redis, Reply]]:
    redis = state.redis
    if redis.wait < 0 and rules.waits:
        for length in (LENGTH, LENGTH - 1):
            yield redis._replace(wait=length), Reply(done=False)
    elif (redis.wait > 0 and rules.waits) or redis.holder not in (-1, who):
        yield redis, Reply(done=False)
    else:
        yield from _kept(redis, who, 1 + max(_epochs(state)))


def _kept(redis: Redis, who: int, epoch: int) -> Iterator[tuple[Redis, Reply]]:
    for length in (LENGTH, LENGTH - 1):
        yield redis._replace(holder=who, epoch=epoch, ttl=length), Reply(done=True, epoch=epoch)


def _written(redis: Redis, epoch: int, rules: Rules) -> tuple[Redis, Reply]:
    """Return what follows from an entry of *epoch*; as the fault, too, if it is one."""
    if epoch < redis.top and rules.fences:
        return redis, Reply(done=False)
    written = max(epoch, redis.written)
    return redis._replace(top=max(epoch, redis.top), written=written), Reply(done=True)


# -- what happens ---------------------------------------------------------------------------------


def following(state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    """Yield what may happen in *state*, with the state after it."""
    yield "a tick", ticked(state)
    for who in (0, 1):
        for name, after in _of_proxy(state, who, rules):
            yield f"{'AB'[who]}: {name}", after
    if rules.loss:
        for top in range(state.redis.top + 1):
            yield "Redis forgets", state._replace(redis=Redis(top=top, wait=-1))


def ticked(state: State) -> State:
    first, second = state.proxies
    redis = state.redis
    if redis.ttl == 1:
        redis = redis._replace(holder=-1, epoch=0)
    redis = redis._replace(ttl=max(0, redis.ttl - 1), wait=max(-1, redis.wait - (redis.wait > 0)))
    return State((_later(first), _later(second)), redis)


@functools.cache
def _later(proxy: Proxy) -> Proxy:
    """Return *proxy* a tick later."""
    lease, flight = proxy.lease, proxy.flight
    if flight is not None:
        flight = flight._replace(age=flight.age + 1)
    return proxy._replace(lease=lease._replace(until=lease.until - 1), flight=flight)


def _of_proxy(state: State, who: int, rules: Rules) -> Iterator[tuple[str, State]]:
    """Yield what may happen to one proxy, and to what is under way from it."""
    proxy = state.proxies[who]
    yield from _by_itself(state, who, rules)
    if proxy.flight is None:
        for request in wanted(proxy.lease):
            yield (
                f"sends {request}",
                with_proxy(state, who, proxy._replace(flight=Flight(request, 0))),
            )
    elif proxy.flight.reply is None:
        for redis, reply in carried_out(state, who, proxy.flight.request, rules):
            flight = proxy.flight._replace(reply=reply)
            after = with_proxy(state._replace(redis=redis), who, proxy._replace(flight=flight))
            yield f"Redis carries out {flight.request}: {reply}, {redis}", after
    else:
        yield f"gets {proxy.flight.reply}", with_proxy(state, who, answered(proxy, rules))
    if rules.stale:
        yield from _lost(state, who, rules)
    if rules.entries:
        yield from _entries(state, who, rules)


def wanted(lease: Lease) -> Iterator[Request]:
    """Yield what a proxy may ask: whether it is time to renew may be either."""
    if lease.phase is Phase.IDLE:
        yield Request(Kind.TAKE, 0)
    for sent in (0, -LENGTH):
        request = leases.wanted(lease._replace(sent=sent), 0)
        if request is not None:
            yield request


def answered(proxy: Proxy, rules: Rules) -> Proxy:
    """Return *proxy* after it has got its reply."""
    flight = proxy.flight
    assert flight is not None
    assert flight.reply is not None
    sent = -flight.age if rules.from_sent else 0
    after, _ = leases.answered(proxy.lease, flight.request, flight.reply, sent, 0)
    return proxy._replace(lease=after, flight=None)


def _by_itself(state: State, who: int, rules: Rules) -> Iterator[tuple[str, State]]:
    """Yield what a proxy does without a message."""
    del rules
    proxy = state.proxies[who]
    steps = {"notices the time": leases.expired(proxy.lease, 0),
             "gives up": leases.given_up(proxy.lease),
             "lets go": leases.let_go(proxy.lease)}  # fmt: skip
    for name, (lease, effect) in steps.items():
        if lease != proxy.lease:
            assert (effect is Effect.WITHDRAW) == (name != "lets go" and _was_held(proxy)), name
            yield name, with_proxy(state, who, proxy._replace(lease=lease))


def _was_held(proxy: Proxy) -> bool:
    return proxy.lease.phase is Phase.HELD


def _lost(state: State, who: int, rules: Rules) -> Iterator[tuple[str, State]]:
    """Yield what follows from connections that are lost."""
    proxy = state.proxies[who]
    if proxy.flight is not None:
        yield "loses its connection", with_proxy(state, who, proxy._replace(flight=None))
        if proxy.flight.reply is None:
            late = proxy._replace(flight=None, stale=proxy.flight.request)
            yield "loses its connection, the request not", with_proxy(state, who, late)
    if proxy.stale is not None:
        for redis, _ in carried_out(state, who, proxy.stale, rules):
            after = with_proxy(state._replace(redis=redis), who, proxy._replace(stale=None))
            yield f"Redis carries out {proxy.stale} late, {redis}", after


def _entries(state: State, who: int, rules: Rules) -> Iterator[tuple[str, State]]:
    """Yield what becomes of entries."""
    proxy, redis = state.proxies[who], state.redis
    if proxy.entry:
        found, reply = _written(redis, proxy.entry, rules)
        after = with_proxy(state._replace(redis=found), who, proxy._replace(entry=0))
        if reply.done and proxy.entry < redis.written:
            after = after._replace(fault="an entry of an old epoch is behind one of a newer")
        yield f"its entry comes: {reply.done}", after
    elif proxy.lease.is_valid(0) and proxy.lease.opened:
        yield "sends an entry", with_proxy(state, who, proxy._replace(entry=proxy.lease.epoch))


def with_proxy(state: State, who: int, proxy: Proxy) -> State:
    first, second = state.proxies
    return state._replace(proxies=(proxy, second) if who == 0 else (first, proxy))


# -- states that are the same ---------------------------------------------------------------------


def _epochs(state: State) -> set[int]:
    """Return all epochs that anybody knows, and 0."""
    first, second = state.proxies
    redis = state.redis
    return {0, redis.epoch, redis.top, redis.written, *_epochs_of(first), *_epochs_of(second)}


@functools.cache
def _epochs_of(proxy: Proxy) -> frozenset[int]:
    found = {proxy.lease.epoch, proxy.entry}
    if proxy.flight is not None:
        found.add(proxy.flight.request.epoch)
        found.add(proxy.flight.reply.epoch if proxy.flight.reply is not None else 0)
    if proxy.stale is not None:
        found.add(proxy.stale.epoch)
    return frozenset(found)


def canonical(state: State) -> State:
    """Return the one state that stands for all that differ by names and by what is over."""
    first, second = _plain(state.proxies[0]), _plain(state.proxies[1])
    redis = state.redis
    epochs = _epochs(State((first, second), redis))
    if len(epochs) <= max(epochs):
        number = {epoch: at for at, epoch in enumerate(sorted(epochs))}
        first, second = _numbered(first, number), _numbered(second, number)
        redis = redis._replace(
            epoch=number[redis.epoch], top=number[redis.top], written=number[redis.written]
        )
    if hash(second) < hash(first):
        first, second = second, first
        redis = redis._replace(holder=1 - redis.holder if redis.holder >= 0 else -1)
    return State((first, second), redis, state.fault)


@functools.cache
def _plain(proxy: Proxy) -> Proxy:
    """Return *proxy* without what makes no difference any more."""
    lease, flight = proxy.lease._replace(known=0, sent=0), proxy.flight
    if lease.phase is Phase.IDLE:
        lease = lease._replace(epoch=0, until=0)
    elif lease.phase is Phase.LEFT:
        # Whether it still hopes that Redis is told, may be either.
        lease = lease._replace(until=0, sent=-2 * LENGTH, opened=False)
    elif lease.phase is Phase.LEAVING:
        lease = lease._replace(until=0, opened=False)
    else:
        lease = lease._replace(until=max(lease.until, 0))
    if flight is not None:
        counts = flight.request.kind in (Kind.TAKE, Kind.RENEW)
        counts = counts and (flight.reply is None or flight.reply.done)
        flight = flight._replace(age=min(flight.age, LENGTH) if counts else 0)
    return proxy._replace(lease=lease, flight=flight)


def _numbered(proxy: Proxy, number: dict[int, int]) -> Proxy:
    """Return *proxy* with its epochs numbered anew."""
    flight, stale = proxy.flight, proxy.stale
    if flight is not None:
        request = flight.request._replace(epoch=number[flight.request.epoch])
        reply = flight.reply and flight.reply._replace(epoch=number[flight.reply.epoch])
        flight = flight._replace(request=request, reply=reply)
    if stale is not None:
        stale = stale._replace(epoch=number[stale.epoch])
    lease = proxy.lease._replace(epoch=number[proxy.lease.epoch])
    return proxy._replace(lease=lease, flight=flight, stale=stale, entry=number[proxy.entry])
