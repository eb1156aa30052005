# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers of queues in the running proxy: over a lost connection, and as the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.threads.state.support import Program, rows, snapshot

if TYPE_CHECKING:
    from tests.support import ManagerClient
    from tests.threads.state.support import Item


def support(client: ManagerClient) -> Item:
    """Return the row of the queue that is called."""
    return rows(snapshot(client, "Of: queues"), "ProxyQueue")["support"]


def test_numbers_outlive_a_lost_connection() -> None:
    """And a smaller statelimit; what was missed meanwhile is told, and when Asterisk stops."""
    pbx = SimulatedAsterisk(behaviour=Behaviour(technology="PJSIP", time_scale=0.02))
    with pbx as asterisk, Program(asterisk) as program, program.client() as client:
        (link,) = program.proxy.router.servers
        before = support(client)
        assert (before["HourOffered"], before["HourComplete"]) == ("0", "yes")
        asterisk.call("PJSIP/105", "queue")
        wait_until(lambda: support(client)["HourAnswered"] == "1")

        epoch = link.epoch
        asterisk.drop_sessions()
        wait_until(lambda: link.epoch > epoch and link.connected)
        program.reload(state_limit=49_000)
        after = support(client)
        assert (after["HourOffered"], after["HourAnswered"]) == ("1", "1")
        assert (after["HourComplete"], after["HourSince"]) == ("no", before["HourSince"])

        program.reload(timezone="Asia/Kathmandu")
        (follower,) = program.followers.there().values()
        numbers = follower.kept.numbers
        assert numbers._rules().timezone == "Asia/Kathmandu"  # noqa: SLF001
        asterisk.shutdown(restart=True)
        wait_until(lambda: link.record.is_stopping or not link.connected)
