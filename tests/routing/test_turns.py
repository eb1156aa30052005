# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that wait go up in turns: accounts, then sessions, each session's in their order."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.routing.pending import PendingAction
from amiproxy.routing.turns import Turns

#: Session -> its account.
ACCOUNTS = {1: "ann", 2: "bob", 3: "bob", 4: "bob", 5: "eve"}
STEPS = st.lists(st.sampled_from([None, *ACCOUNTS]))  # a session asks; None: one goes up


def action(owner: int, number: int = 0) -> PendingAction:
    return PendingAction(owner, b"%d" % number)


def taken(turns: Turns) -> list[int]:
    """Return the sessions whose actions go up, in order."""
    return [turns.take().owner for _ in range(turns.count)]


def test_accounts_take_turns_however_many_sessions_they_have() -> None:
    """One that pipelines on three connections lets the others go after each action."""
    turns = Turns()
    for owner in (2, 2, 2, 3, 3, 4, 1, 1, 5):
        turns.put(action(owner), ACCOUNTS[owner])

    assert taken(turns) == [2, 1, 5, 3, 1, 4, 2, 3, 2]


def test_what_waits_keeps_its_place_when_its_session_logs_in_anew() -> None:
    """Else a session's actions could overtake each other."""
    turns = Turns()
    turns.put(action(1, 1), "ann")
    turns.put(action(1, 2), "bob")

    assert [turns.take().raw, turns.take().raw] == [b"1", b"2"]
    turns.put(action(1, 3), "bob")
    turns.put(action(2, 4), "bob")
    turns.put(action(5, 5), "eve")
    assert [turns.take().raw, turns.take().raw] == [b"3", b"5"]


def test_nothing_is_left_when_the_connection_is_lost() -> None:
    """All that waited comes back, to be answered."""
    turns = Turns()
    for owner, account in ACCOUNTS.items():
        turns.put(action(owner), account)

    assert sorted(each.owner for each in turns.clear()) == list(ACCOUNTS)
    assert (turns.count, turns.clear()) == (0, [])
    assert not any(map(turns.waiting, ACCOUNTS))


def test_what_is_older_than_a_moment_comes_back() -> None:
    """The rest keeps its order; what waits behind a call waits for that, and stays."""
    turns = Turns()
    turns.hold(action(1))
    for number, owner in enumerate((1, 2, 2, 3, 5, 2)):
        turns.put(dataclasses.replace(action(owner, number), since=number), ACCOUNTS[owner])

    assert [each.raw for each in turns.take_older(4.0)] == [b"1", b"2", b"3"]

    assert [turns.waiting(owner) for owner in ACCOUNTS] == [1, 1, 0, 0, 1]
    assert [turns.size(owner) for owner in ACCOUNTS] == [1, 1, 0, 0, 1]
    assert turns.count == 2
    turns.put(action(3, 6), "bob")
    assert [turns.take().raw for _ in range(3)] == [b"5", b"4", b"6"]
    assert turns.take_older(9.0) == []


def test_a_session_that_is_held_has_no_turn() -> None:
    """Neither what waits already nor what it asks then; others go on; afterwards it is in order."""
    turns = Turns()
    originate = action(2, 0)
    for number, owner in enumerate((2, 2, 1, 3, 2), 1):
        turns.put(action(owner, number), ACCOUNTS[owner])

    assert turns.take().raw == b"1"
    turns.hold(originate)
    turns.put(action(2, 6), "bob")
    assert (turns.waiting(2), turns.size(2), turns.holder(2)) == (3, 3, originate)
    assert (taken(turns), turns.empty) == ([1, 3], False)

    turns.release(2, 0.0)
    assert [turns.take().raw for _ in range(turns.count)] == [b"2", b"5", b"6"]
    assert (turns.empty, turns.holder(2), turns.waiting(2)) == (True, None, 0)


def test_a_held_session_may_go_or_lose_its_server() -> None:
    """What waits is forgotten, or comes back in order; nothing is left to release."""
    turns = Turns()
    for owner in (1, 2):
        turns.hold(action(owner))
        turns.put(action(owner, 1), ACCOUNTS[owner])
        turns.put(action(owner, 2), ACCOUNTS[owner])

    assert [len(turns.withdraw(1)) for _ in range(2)] == [2, 0]
    assert [each.raw for each in turns.clear()] == [b"1", b"2"]
    for owner in (1, 2):
        turns.release(owner, 0.0)
        assert not turns.waiting(owner)
    assert turns.empty


@given(STEPS)
def test_nobody_is_overtaken_twice_by_another_account(steps: list[int | None]) -> None:
    """Nothing is lost or doubled; a session's actions keep their order; turns are fair."""
    turns = Turns()
    queued: dict[int, list[int]] = {owner: [] for owner in ACCOUNTS}
    since: dict[str, list[str]] = {}  # of each account that waits: who has gone since then
    for number, owner in enumerate(steps):
        if owner is not None:
            turns.put(action(owner, number), ACCOUNTS[owner])
            queued[owner].append(number)
            since.setdefault(ACCOUNTS[owner], [])
        elif turns.count:
            first = turns.first()
            assert turns.take() is first
            assert int(first.raw) == queued[first.owner].pop(0)
            account = ACCOUNTS[first.owner]
            for passed in since.values():
                passed.append(account)
            since[account] = []
            waiting = {ACCOUNTS[each] for each, numbers in queued.items() if numbers}
            since = {each: passed for each, passed in since.items() if each in waiting}
            for each, passed in since.items():
                assert all(passed.count(other) <= 1 for other in passed if other != each)
        assert turns.count == sum(map(len, queued.values()))
        assert all(turns.waiting(each) == len(numbers) for each, numbers in queued.items())
