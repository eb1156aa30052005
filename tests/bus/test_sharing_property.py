# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies share Asterisks, and nobody can tell at which of them a client is: random histories.

``ASTMANPROXY_HISTORIES=10000 pytest --timeout 0 tests/bus/test_sharing_property.py`` plays as
many histories.
"""

from __future__ import annotations

import gc
import os
import weakref

import pytest

from tests.bus.sharinghistory import play, shortest, steps_of
from tests.bus.sharingtwins import Twins, play_twins, twin_steps

HISTORIES = int(os.environ.get("ASTMANPROXY_HISTORIES", "15"))
#: Rare ones that have failed once.
FOUND = {
    True: (19, 44, 76, 136, 151, 250),
    False: (4, 12, 20, 134, 221, 226, 240, 1419),
}


@pytest.mark.parametrize("lossless", [True, False], ids=["calm", "bad"])
def test_each_client_is_told_everything_once_or_that_it_is_missing(*, lossless: bool) -> None:
    """In order, with the same ids at all proxies; and every action ends, once.

    Servers and proxies come and go; where nothing is lost nobody is told that something is.
    """
    for seed in (*FOUND[lossless], *range(HISTORIES)):
        steps = steps_of(seed, lossless=lossless)
        if play(seed, steps, lossless=lossless):
            fewest = shortest(seed, steps, lossless=lossless)
            found = play(seed, fewest, lossless=lossless)
            raise AssertionError(f"history {seed}, {fewest}: {found}")


def test_clients_of_every_kind_are_sent_the_same_at_all_proxies() -> None:
    """Byte for byte, with the same ids, by whatever filters; and the same is known of them."""
    for seed in (33, 40, 42, 62, *range(HISTORIES)):
        found = play_twins(seed, twin_steps(seed))
        assert not found, f"history {seed}: {found}"


def test_who_has_left_is_forgotten_at_each_proxy() -> None:
    """Session and filters: though the server says nothing from then on."""
    gone: list[weakref.ref[object]] = []
    for seed in range(2000, 2004):
        twins = Twins(seed)
        try:
            twins.play(twin_steps(seed))
            for node in twins.nodes:
                for client in node.clients:
                    gone.append(weakref.ref(client.session))
                    gone += [weakref.ref(each) for each in (client.session.callfilter,) if each]
                    if client.is_here:
                        node.enter()
                        client.leave()
                del client
                node.clients.clear()
            twins.house.people.clear()
            twins.house.calm(3)
            gc.collect()
            assert not [each() for each in gone if each() is not None]
        finally:
            twins.house.close()

    assert len(gone) > 30
