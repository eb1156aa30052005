# SPDX-License-Identifier: GPL-2.0-or-later
"""How many clients there may be: whatever comes and goes, the counts are right."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.threads.sessions.admission import Admission, Slot

STEPS = st.lists(
    st.tuples(st.sampled_from(["enter", "open", "log in", "fail", "leave"]), st.integers(0, 30)),
    max_size=80,
)


def enter(admission: Admission, address: str, *, guarded: bool = False) -> Slot:
    """Let a client in that must be let in."""
    slot = admission.enter(address, guarded=guarded)
    assert isinstance(slot, Slot), slot
    return slot


@given(STEPS, st.integers(0, 4), st.integers(0, 8), st.integers(0, 5))
def test_no_limit_is_ever_exceeded_and_nothing_is_kept(
    steps: list[tuple[str, int]], unauthenticated: int, clients: int, per_address: int
) -> None:
    """For any order of coming, logging in and leaving; a client that made room leaves once."""
    admission = Admission()
    admission.limit(clients=clients, per_address=per_address, unauthenticated=unauthenticated)
    there: list[Slot] = []
    for what, number in steps:
        if what in ("enter", "open"):
            slot = admission.enter(f"192.0.2.{number % 4}", guarded=what == "enter")
            if isinstance(slot, Slot):
                there.append(slot)
        elif there and what == "log in":
            admission.mark_authenticated(there[number % len(there)])
        elif there and what == "fail":
            slot = there[number % len(there)]
            gone: list[str] = []
            slot.end = gone.append
            admission.mark_unauthenticated(slot)
            assert slot.unauthenticated is not bool(gone)
        elif there:
            admission.leave(there.pop(number % len(there)))
        assert admission.clients == len(there)
        assert not clients or len(there) <= clients
        assert not unauthenticated or sum(slot.unauthenticated for slot in there) <= unauthenticated
        networks = [slot.network for slot in there]
        assert not per_address or all(networks.count(one) <= per_address for one in networks)
    for slot in there:
        admission.leave(slot)
    assert admission.is_empty


def test_the_oldest_client_of_the_greediest_address_makes_room() -> None:
    """For an address with at least two fewer, and for nobody else."""
    admission = Admission()
    gone: list[tuple[int, str]] = []
    admission.limit(clients=0, per_address=0, unauthenticated=3)
    for number in range(3):
        slot = enter(admission, "192.0.2.1", guarded=True)
        slot.end = lambda reason, number=number: gone.append((number, reason))  # type: ignore[misc]

    full = "3 clients have not logged in (authlimit)"
    made_room = "made room for another address without having logged in (authlimit)"
    assert admission.enter("192.0.2.1", guarded=True) == full
    enter(admission, "192.0.2.2", guarded=True)
    assert gone == [(0, made_room)]
    assert admission.enter("192.0.2.2", guarded=True) == full
    enter(admission, "192.0.2.3", guarded=True)
    assert gone == [(0, made_room), (1, made_room)]
    assert admission.enter("192.0.2.4", guarded=True) == full


def test_a_client_that_has_logged_in_does_not_make_room() -> None:
    """It counts as a client, and no longer as one that has not logged in."""
    admission = Admission()
    gone: list[str] = []
    admission.limit(clients=2, per_address=0, unauthenticated=1)
    slot = enter(admission, "192.0.2.1", guarded=True)
    slot.end = gone.append

    admission.mark_authenticated(slot)
    enter(admission, "192.0.2.1", guarded=True)

    assert not gone
    reason = admission.enter("192.0.2.2", guarded=False)
    assert reason == "2 clients are connected (maxclients)"


def test_addresses_of_ipv6_count_by_network() -> None:
    """A host with one address has the 2**64 addresses beside it."""
    admission = Admission()
    admission.limit(clients=0, per_address=1, unauthenticated=0)

    enter(admission, "2001:db8::1")
    reason = admission.enter("2001:db8::ffff:2", guarded=False)
    assert reason == "1 clients of this address are connected (maxperaddress)"
    enter(admission, "2001:db8:0:1::1")


def test_who_fails_to_log_in_is_a_stranger_again() -> None:
    """With the time to log in that a new one has; failing once more gives no more time."""
    admission = Admission()
    admission.limit(clients=0, per_address=0, unauthenticated=1)
    slot = enter(admission, "192.0.2.1", guarded=True)
    admission.mark_authenticated(slot)
    slot.entered = 0.0

    admission.mark_unauthenticated(slot)

    assert slot.unauthenticated
    entered = slot.entered
    assert entered > 0.0
    full = "1 clients have not logged in (authlimit)"
    assert admission.enter("192.0.2.1", guarded=True) == full
    slot.entered = 0.0
    admission.mark_unauthenticated(slot)
    assert slot.entered == 0.0


def test_a_stranger_too_many_has_to_go() -> None:
    """The one that has failed, unless another address has at least two more of them."""
    admission = Admission()
    gone: list[str] = []
    admission.limit(clients=0, per_address=0, unauthenticated=2)
    slots = {}
    for name, address in (("a", "1"), ("b", "1"), ("c", "1"), ("d", "2")):
        slots[name] = slot = enter(admission, f"192.0.2.{address}", guarded=True)
        slot.end = lambda _, name=name: gone.append(name)  # type: ignore[misc]
        admission.mark_authenticated(slot)

    for name in "abcd":
        admission.mark_unauthenticated(slots[name])

    assert gone == ["c", "a"]
    assert [slots[name].unauthenticated for name in "abcd"] == [False, True, False, True]


def test_clients_of_the_whole_cluster_count_for_maxclients() -> None:
    """And for nothing else; who is in stays."""
    admission = Admission()
    admission.limit(clients=3, per_address=0, unauthenticated=0)
    slot = enter(admission, "192.0.2.1")
    admission.elsewhere = 2

    full = "3 clients are connected to the cluster (maxclients)"
    assert admission.enter("192.0.2.2", guarded=False) == full
    assert admission.expect() == full
    assert admission.clients == 1
    admission.elsewhere = 1
    enter(admission, "192.0.2.2")
    admission.leave(slot)
    admission.elsewhere = 0
    expected = admission.expect()
    assert isinstance(expected, Slot)
    admission.elsewhere = 100
    assert admission.arrive(expected, "192.0.2.3", guarded=False) == ""
