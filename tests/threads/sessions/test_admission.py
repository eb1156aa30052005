# SPDX-License-Identifier: GPL-2.0-or-later
"""How many clients there may be: whatever comes and goes, counts are right."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.threads.sessions.admission import Admission

STEPS = st.lists(
    st.tuples(st.sampled_from(["enter", "open", "known", "leave"]), st.integers(0, 30)), max_size=80
)


@given(STEPS, st.integers(0, 4), st.integers(0, 8), st.integers(0, 5))
def test_no_limit_is_ever_exceeded_and_nothing_is_kept(steps, authlimit, maxclients, of_address):
    """For any order of coming, logging in and leaving; who made room still leaves once."""
    admission = Admission()
    admission.limit(clients=maxclients, of_address=of_address, strangers=authlimit)
    there, ended = [], []
    for what, number in steps:
        if what in ("enter", "open"):
            place = admission.enter(f"192.0.2.{number % 4}", guarded=what == "enter")
            if not isinstance(place, str):
                place.end = ended.append
                there.append(place)
        elif there and what == "known":
            admission.known(there[number % len(there)])
        elif there:
            admission.leave(there.pop(number % len(there)))
        assert admission.clients == len(there)
        assert not maxclients or len(there) <= maxclients
        assert not authlimit or sum(place.stranger for place in there) <= authlimit
        networks = [place.network for place in there]
        assert not of_address or all(networks.count(one) <= of_address for one in networks)
    for place in there:
        admission.leave(place)
    assert admission.clients == 0
    assert not admission._addresses
    assert not admission._strangers


def test_the_oldest_of_the_greediest_makes_room():
    """For an address with at least two less, and for nobody else."""
    admission, gone = Admission(), []
    admission.limit(clients=0, of_address=0, strangers=3)
    for number in range(3):
        admission.enter("192.0.2.1", guarded=True).end = lambda _, number=number: gone.append(
            number
        )

    assert admission.enter("192.0.2.1", guarded=True) == "3 clients have not logged in (authlimit)"
    assert not isinstance(admission.enter("192.0.2.2", guarded=True), str)
    assert gone == [0]
    assert isinstance(admission.enter("192.0.2.2", guarded=True), str)
    assert not isinstance(admission.enter("192.0.2.3", guarded=True), str)
    assert gone == [0, 1]
    assert isinstance(admission.enter("192.0.2.4", guarded=True), str)


def test_addresses_of_ipv6_count_by_network():
    """Who has one address has the 2**64 beside it."""
    admission = Admission()
    admission.limit(clients=0, of_address=1, strangers=0)

    assert not isinstance(admission.enter("2001:db8::1", guarded=False), str)
    assert isinstance(admission.enter("2001:db8::ffff:2", guarded=False), str)
    assert not isinstance(admission.enter("2001:db8:0:1::1", guarded=False), str)
