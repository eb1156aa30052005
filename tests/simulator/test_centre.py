# SPDX-License-Identifier: GPL-2.0-or-later
"""A call centre in the simulated Asterisk: what happens there fits together."""

from __future__ import annotations

from collections import Counter

from simulator.behaviour import Behaviour
from simulator.centre import QUEUES, Centre
from simulator.server import SimulatedAsterisk
from tests.simulator.support import logged_in

BEHAVIOUR = Behaviour(speak="22", technology="PJSIP", time_scale=0.02)


def test_who_rings_is_free_and_who_talks_has_waited() -> None:
    """Up to the end of some calls, one of which nobody took."""
    seen: Counter[str] = Counter()
    busy: dict[str, str] = {}
    waiting: set[str] = set()
    with SimulatedAsterisk(behaviour=BEHAVIOUR) as asterisk, logged_in(asterisk) as client:
        Centre(asterisk.exchange, 20).open()
        while min(seen["AgentComplete"], seen["QueueCallerAbandon"], seen["QueueMemberPause"]) < 2:
            message = dict(line.partition(": ")[::2] for line in client.read_message())
            name, uid, member = (message.get(k, "") for k in ("Event", "Uniqueid", "Interface"))
            seen[name] += 1
            if name == "QueueCallerJoin":
                waiting.add(uid)
            elif name == "AgentCalled":
                assert member not in busy
                assert uid in waiting
                busy[member] = uid
            elif name in ("AgentRingNoAnswer", "AgentComplete"):
                assert busy.pop(member) == uid
            elif name == "QueueCallerLeave":
                waiting.remove(uid)
            elif name == "AgentConnect":
                assert uid not in waiting
            elif name == "QueueCallerAbandon":
                busy = {each: caller for each, caller in busy.items() if caller != uid}

        client.send("Action: QueueStatus", "ActionID: q")
        queues: set[str] = set()
        while "Event: QueueStatusComplete" not in (lines := client.read_message()):
            queues |= {line[7:] for line in lines if line.startswith("Queue: ")}

    assert queues == {*QUEUES}


def test_a_member_is_paused_by_an_action() -> None:
    """As Asterisk, it tells so for each queue that has the member."""
    with SimulatedAsterisk(behaviour=BEHAVIOUR) as asterisk, logged_in(asterisk) as client:
        Centre(asterisk.exchange, 0.001).open()
        client.send(
            "Action: QueuePause", "ActionID: p", "Interface: PJSIP/107", "Paused: true",
            "Reason: Tea",
        )  # fmt: skip
        client.read_until("Message: Interface paused successfully")

        assert asterisk.exchange.present.paused("PJSIP/107") == "Tea"
