# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers of queues in the running proxy: over a lost connection, and as the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.threads.state.serverrows import state_of
from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.threads.state.support import QUICK, Program, rows, snapshot

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
        asterisk.pbx.event("Shutdown", Shutdown="Cleanly", Restart="True")
        wait_until(lambda: state_of(link, follower)["state"] == "stopping")
        asterisk.restart()
        wait_until(lambda: state_of(link, follower)["state"] == "live")


def test_time_goes_on_while_nobody_asks() -> None:
    """Counting begins when the model is live; Asterisk's times follow its clock, Ping by Ping."""
    pace = QUICK._replace(apart=3600.0)  # nor is anything checked
    with SimulatedAsterisk() as asterisk, Program(asterisk, pace=pace) as program:
        (link,) = program.proxy.router.servers
        follower = program.followers.follower(link)
        assert follower is not None
        wait_until(lambda: follower.kept.numbers._began is not None)  # noqa: SLF001
        link.pings.offset = 7.4
        wait_until(lambda: follower._model.offset == 7.0)  # noqa: SLF001
