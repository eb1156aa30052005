# SPDX-License-Identifier: GPL-2.0-or-later
"""What the ledger keeps is bounded, and no look-up in it grows."""

from __future__ import annotations

from amiproxy.routing.pending import AT_ONCE, HeldBack, LongIds, PendingAction


def held(key: str, deadline: float) -> PendingAction:
    action = PendingAction(1, b"", key=key, held_back=True)
    action.ringing = deadline
    return action


def test_originates_are_late_in_the_order_of_their_deadlines() -> None:
    """Whatever the order they came in; those that were answered are not."""
    found = HeldBack(most=100)
    for key, deadline in (("a", 30.5), ("b", 10.0), ("c", 20.0), ("d", 10.2)):
        found.add(held(key, deadline))
    assert found.take("c") is not None
    assert found.take("c") is None

    late = [[action.key for action in found.late(now)] for now in (9.9, 10.0, 11.0, 30.9, 31.0)]

    assert late == [[], ["b"], ["d"], [], ["a"]]
    assert (found.by_key, found.late(99.0)) == ({}, [])


def test_one_too_many_makes_the_oldest_late() -> None:
    """Its client is answered, and not forgotten."""
    found = HeldBack(most=2)
    for key in "abcd":
        found.add(held(key, 50.0))

    assert list(found.by_key) == ["c", "d"]
    assert [action.key for action in found.late(0.0)] == ["a", "b"]
    assert found.late(0.0) == []
    assert [action.key for action in found.clear()] == ["c", "d"]
    assert found.late(99.0) == []


def test_many_that_are_late_come_in_parts() -> None:
    """Each takes the same short time, however many are due at the same moment."""
    found = HeldBack(most=1000)
    for number in range(1000):
        found.add(held(f"{number}", 50.0 + number % 2))

    parts = []
    while part := found.late(60.0):
        parts.append(len(part))

    assert parts == [AT_ONCE] * 3 + [1000 - 3 * AT_ONCE]


def test_long_action_ids_are_kept_for_a_bounded_number_of_actions() -> None:
    """No session takes the place of another's, as long as there is room for all."""
    ids = LongIds(most=10, most_each=3)
    for number in range(20):
        ids.add(PendingAction(1, b"", key=f"one{number}"), f"given{number}")
    for owner in (2, 3):
        ids.add(PendingAction(owner, b"", key=f"{owner}"), f"of {owner}")

    assert [number for number in range(20) if ids.get(f"one{number}")] == [17, 18, 19]
    assert (ids.get("2"), ids.get("3"), len(ids)) == ("of 2", "of 3", 5)
    for owner in range(4, 30):
        ids.add(PendingAction(owner, b"", key=f"{owner}"), f"of {owner}")
    assert len(ids) == 10
    assert [owner for owner in range(2, 30) if ids.get(f"{owner}")] == list(range(20, 30))
