# SPDX-License-Identifier: GPL-2.0-or-later
"""The lease of a server in every order of events (leasemodel.py says which there are).

``ASTMANPROXY_HISTORIES=10000000 pytest --timeout 0 tests/bus/test_lease_model.py`` visits all
states; as it is, those that are reached first.

What a Redis that forgets allows, and nothing more:

* Its entries since then know nothing of those before: one of a tenure that is over, late on its
  way, is taken if none of a newer tenure has come yet.  Who reads on behind what it has read
  never sees it, since its ID is smaller.
* If Redis' clock is set, or what says that it has forgotten is forged (the key ``memory``), two
  proxies can believe in a lease until one of them hears of the other: a third of its time at most,
  if it reaches Redis.  Of a Redis that may not be asked INFO the same is true when it goes back to
  older data; one that forgets everything is noticed all the same.
"""

from __future__ import annotations

import os

import pytest

from tests.bus.leasemodel import Rules, State, fault
from tests.bus.leasestates import explore, is_taken_soon

#: How many states are visited.
MOST = max(5_000, int(os.environ.get("ASTMANPROXY_HISTORIES", "0")))

WORLDS = {
    "pauses and delays": Rules(),
    "connections are lost": Rules(stale=True),
    "Redis forgets": Rules(loss=True),
    "entries are late": Rules(entries=True),
    "all of it": Rules(stale=True, loss=True, entries=True),
}


@pytest.mark.parametrize("world", WORLDS)
def test_no_two_proxies_have_a_lease_and_no_old_entry_is_taken(world: str) -> None:
    """In each state there is; and from each, a free server is taken if nothing fails any more."""
    rules = WORLDS[world]

    found = explore(rules, MOST)

    assert found.broken is None, (fault(found.broken), *found.history())
    known: set[State] = set()
    assert [state for state in found.came if not is_taken_soon(state, rules, known)][:1] == []


TWO = "two proxies believe that they have the lease"


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (Rules(margin=0), TWO),
        (Rules(from_sent=False), TWO),
        (Rules(compares=False), TWO),
        (Rules(loss=True, waits=False), TWO),
        (Rules(entries=True, fences=False), "an entry of an old epoch is behind one of a newer"),
    ],
    ids=["no margin", "time from the reply", "no compare", "no waiting", "no fencing"],
)
def test_each_precaution_is_needed(rules: Rules, told: str) -> None:
    """Without it there is a history that breaks what it is for: so the check can fail."""
    found = explore(rules, 100_000)

    assert found.broken is not None
    assert fault(found.broken) == told
    assert len(found.history()) > 5


def test_a_server_that_nobody_can_take_is_found() -> None:
    """That check can fail, too: with a margin as long as the lease nobody ever believes in it."""
    rules = Rules(margin=3)
    [first] = explore(rules, 1).came

    assert not is_taken_soon(first, rules, set())
