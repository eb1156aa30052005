# SPDX-License-Identifier: GPL-2.0-or-later
"""Who takes which free server, and who gives one up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus.placing import UNEVEN, Place, planned, to_give_up

SCOPES = [f"pbx{number}" for number in range(12)]


@st.composite
def clusters(draw: st.DrawFn) -> dict[int, tuple[set[str], set[str]]]:
    """Return what each proxy holds, and is able to hold."""
    slots = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True))
    able = {slot: set(draw(st.sets(st.sampled_from(SCOPES)))) for slot in slots}
    held: dict[int, set[str]] = {slot: set() for slot in slots}
    for scope in SCOPES:
        owners = [slot for slot in slots if scope in able[slot]]
        owner = draw(st.sampled_from([*owners, 0]))
        if owner:
            held[owner].add(scope)
    return {slot: (held[slot], able[slot]) for slot in slots}


def places(cluster: dict[int, tuple[set[str], set[str]]]) -> list[Place]:
    """Return *cluster* as the proxies know it."""
    return [Place(slot, len(held), able) for slot, (held, able) in cluster.items()]


@given(clusters())
def test_each_free_server_goes_to_one_that_can_hold_it(
    cluster: dict[int, tuple[set[str], set[str]]],
) -> None:
    """All proxies come to the same, in whichever order they know each other."""
    free = [scope for scope in SCOPES if not any(scope in held for held, _ in cluster.values())]

    plan = planned(free, places(cluster))

    for scope in free:
        able = [slot for slot, (_, can) in cluster.items() if scope in can]
        assert plan.get(scope, 0) in (able or [0])
    assert planned(free[::-1], places(cluster)[::-1]) == plan


def test_free_servers_go_to_those_that_have_the_fewest() -> None:
    """So that all have as many."""
    plan = planned(SCOPES, [Place(1, 4, SCOPES), Place(2, 0, SCOPES), Place(3, 2, SCOPES)])

    assert Counter(plan.values()) == {1: 2, 2: 6, 3: 4}


def test_who_had_a_server_last_gets_it_only_if_nobody_else_can() -> None:
    """It has died, or given it up, though it still looks as if it could have it."""
    places = [Place(1, 0, ["a", "b"]), Place(2, 9, ["a"])]

    assert planned(["a", "b"], places, {"a": 1, "b": 1}) == {"a": 2, "b": 1}


def test_equal_proxies_get_different_servers_of_different_clusters() -> None:
    """Which of them, chance says: not the first one always."""
    both = [Place(1, 0, SCOPES), Place(2, 0, SCOPES)]

    assert {planned([scope], both)[scope] for scope in SCOPES} == {1, 2}


@given(clusters())
def test_giving_up_ends_with_servers_spread(
    cluster: dict[int, tuple[set[str], set[str]]],
) -> None:
    """One proxy at a time gives one up; after a while none does."""
    for _ in range(100):
        giving = {slot: scope for slot, (held, _) in cluster.items()
                  if (scope := to_give_up(slot, held, places(cluster)))}  # fmt: skip
        assert len(giving) <= 1
        if not giving:
            break
        ((slot, scope),) = giving.items()
        cluster[slot][0].remove(scope)
        heir = planned([scope], places(cluster))[scope]
        assert len(cluster[heir][0]) + UNEVEN - 1 <= len(cluster[slot][0])
        cluster[heir][0].add(scope)
    else:
        raise AssertionError("servers move for ever")


def test_three_equal_proxies_end_with_equal_shares() -> None:
    """From all servers at one of them."""
    cluster = {1: (set(SCOPES), set(SCOPES)), 2: (set(), set(SCOPES)), 3: (set(), set(SCOPES))}
    moved = 0
    while scope := to_give_up(1, cluster[1][0], places(cluster)):
        cluster[1][0].remove(scope)
        cluster[planned([scope], places(cluster))[scope]][0].add(scope)
        moved += 1

    assert moved == 8
    assert [len(held) for held, _ in cluster.values()] == [4, 4, 4]
