# SPDX-License-Identifier: GPL-2.0-or-later
"""All states of the model of leases (leasemodel.py), and whether a free server is taken in each."""

from __future__ import annotations

from typing import NamedTuple

from amiproxy.bus import lease as leases
from amiproxy.bus.lease import Phase
from tests.bus.leasemodel import (
    LENGTH,
    Flight,
    Proxy,
    Rules,
    State,
    answered,
    beginning,
    canonical,
    carried_out,
    fault,
    following,
    ticked,
    wanted,
    with_proxy,
)  # fmt: skip


class Explored(NamedTuple):
    """All states there are, each with the one before it and what happened; and what is broken."""

    came: dict[State, tuple[State | None, str]]
    broken: State | None

    def history(self) -> list[str]:
        """Return what happened until it was broken."""
        found: list[str] = []
        state = self.broken
        while state is not None:
            state, name = self.came[state]
            found.insert(0, name)
        return found[1:]


def explore(rules: Rules, most: int = 10**9) -> Explored:
    """Visit all states, or *most* of them; stop at the first that breaks a property."""
    first = canonical(beginning(rules))
    came: dict[State, tuple[State | None, str]] = {first: (None, "")}
    level = [first]
    while level and len(came) < most:
        new: list[State] = []
        for state in level:
            for name, after in following(state, rules):
                found = canonical(after)
                if found in came:
                    continue
                came[found] = state, name
                if fault(found):
                    return Explored(came, found)
                new.append(found)
        level = new
    return Explored(came, None)


# -- that a free server is taken in the end -------------------------------------------------------

#: Ticks within which a free server is taken when nothing fails any more: what a dead proxy held has
#: run out, a Redis without memory has waited, and there was an answer to each.
SOON = 4 * LENGTH


def is_taken_soon(state: State, rules: Rules, known: set[State]) -> bool:
    """Return whether the server is taken within SOON ticks if nothing fails from *state* on.

    *known*: states of which that is known; those on the way are added.
    """
    passed: list[State] = []
    for _ in range(SOON):
        if state in known or any(_has(proxy) for proxy in state.proxies):
            known.update(passed)
            return True
        passed.append(state)
        for who in (0, 1):
            state = _done(state, who, rules)
        state = canonical(ticked(state))
    return False


def _has(proxy: Proxy) -> bool:
    return proxy.lease.is_valid(0) and proxy.lease.opened


def _done(state: State, who: int, rules: Rules) -> State:
    """Return *state* after all that proxy *who* has to do, and what is under way from it."""
    late = state.proxies[who].stale
    if late is not None:
        redis, _ = next(carried_out(state, who, late, rules))
        state = with_proxy(state, who, state.proxies[who]._replace(stale=None))._replace(
            redis=redis
        )
    state = _arrived(state, who, rules)
    lease, _ = leases.expired(state.proxies[who].lease, 0)
    if lease.phase is Phase.LEAVING:
        lease, _ = leases.let_go(lease)
    state = with_proxy(state, who, state.proxies[who]._replace(lease=lease))
    for _ in range(2):
        for request in [*wanted(state.proxies[who].lease)]:
            proxy = state.proxies[who]._replace(flight=Flight(request, 0))
            state = _arrived(with_proxy(state, who, proxy), who, rules)
    return state


def _arrived(state: State, who: int, rules: Rules) -> State:
    """Return *state* after the request under way was carried out and answered."""
    proxy = state.proxies[who]
    if proxy.flight is None:
        return state
    if proxy.flight.reply is None:
        redis, reply = next(carried_out(state, who, proxy.flight.request, rules))
        state = state._replace(redis=redis)
        proxy = proxy._replace(flight=proxy.flight._replace(reply=reply))
    return with_proxy(state, who, answered(proxy, rules))
