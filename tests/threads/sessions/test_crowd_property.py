# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy finds out whom a batch is for, and nobody can tell: all get what they got before.

``ASTMANPROXY_HISTORIES=100000 pytest --timeout 0 tests/threads/sessions/test_crowd_property.py``
plays as many histories.
"""

from __future__ import annotations

import gc
import os
import weakref

from amiproxy.threads.sessions.router import Router
from tests.threads.sessions.crowdhistory import History, play, shortest, steps_of
from tests.threads.sessions.crowdplain import PlainRouter
from tests.threads.sessions.crowdworld import worlds

HISTORIES = int(os.environ.get("ASTMANPROXY_HISTORIES", "100"))
#: Rare ones that have differed once.
FOUND = (668, 838, 3660, 3757, 7954)
MAKES = (Router, PlainRouter)


def test_each_client_is_sent_what_it_is_sent_when_all_are_looked_at() -> None:
    """Whoever comes, changes and leaves, and whatever servers say: bytes, ids, known calls."""
    for seed in (*FOUND, *range(HISTORIES)):
        steps = steps_of(seed)
        if play(MAKES, seed, steps):
            fewest = shortest(MAKES, seed, steps)
            raise AssertionError(f"history {seed}, {fewest}: {play(MAKES, seed, fewest)}")


def test_who_has_left_is_forgotten() -> None:
    """Session and filters: by the time each server has nothing to say for a moment."""
    gone: list[weakref.ref[object]] = []
    kept: list[History] = []
    for seed in range(1000, 1006):
        with worlds():
            history = History(MAKES, seed)
            kept.append(history)
            history.play(steps_of(seed))
            history.settle()  # else what is to be answered has its client
            clients = history.worlds[0].clients
            for place, client in enumerate(clients):
                gone.append(weakref.ref(client.session))
                gone += [weakref.ref(each) for each in (client.session.callfilter,) if each]
                if client.is_here:
                    history.leave(place)
            for world in history.worlds:
                world.clients.clear()
                for server in world.servers.values():
                    server.publisher.tidy()
            del clients, client
    gc.collect()

    assert len(gone) > 30
    assert not [each() for each in gone if each() is not None]
