# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers at full speed, and clients that log in anew all the time: nothing is lost or misplaced.

``ASTMANPROXY_HISTORIES=100000`` has 1.2 million events delivered.
"""

from __future__ import annotations

import os

from tests.threads.sessions.crowdrace import Race

DELIVERIES = 12 * int(os.environ.get("ASTMANPROXY_HISTORIES", "250"))


def test_each_client_is_sent_all_that_is_its_own_while_it_logs_in_anew() -> None:
    """In order, each event once, none of others: between the answers to its log-ins."""
    race = Race(DELIVERIES)

    race.run()

    assert race.problems == []
    assert race.delivered >= DELIVERIES
