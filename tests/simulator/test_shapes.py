# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of the simulated Asterisk have the headers of recorded ones, in the same order."""

from __future__ import annotations

from functools import cache

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from simulator.technologies import OUTCOMES, PHONE_EVENTS
from tests.recordings import RECORDINGS, after_banner
from tests.simulator.support import logged_in

#: An event's name and the names of its headers, in order.
Shape = tuple[str, ...]


def shapes(data: bytes) -> set[Shape]:
    """Return the shapes of the events in *data*; UserEvents have what their sender wrote."""
    found = set()
    for block in data.decode("latin-1").split("\r\n\r\n"):
        lines = block.split("\r\n")
        # The ActionID of an OriginateResponse is there if the client gave one.
        names = [name for name in (line.partition(":")[0] for line in lines) if name != "ActionID"]
        if lines[0].startswith("Event: ") and lines[0] != "Event: UserEvent":
            found.add((lines[0][len("Event: ") :], *names[1:]))
    return found


@cache
def recorded(kind: str) -> set[Shape]:
    """Return the shapes of all events in the recordings whose names begin with *kind*."""
    names = [name for name in RECORDINGS if name.startswith(kind)]
    return set().union(*(shapes(after_banner(name)) for name in names))


def sent(behaviour: Behaviour, channel: str, outcome: str) -> set[Shape]:
    """Return the shapes of the events of a call, or of what a phone does besides."""
    with SimulatedAsterisk(behaviour=behaviour) as asterisk, logged_in(asterisk) as client:
        if outcome in PHONE_EVENTS:
            call = asterisk.exchange.phone(101, outcome)
        else:
            call = asterisk.call(
                channel, outcome, exten="102", timeout=0.0, announce=True, caller='"A" <1>'
            )
        assert call.finished.wait(10)
        client.send("Action: Logoff")
        return shapes(client.read_to_end())


@pytest.mark.parametrize("outcome", [*OUTCOMES, *PHONE_EVENTS])
def test_pjsip_phones_have_the_events_of_recorded_ones(outcome: str) -> None:
    """Calls, registrations, queues and voicemail: no event that a real Asterisk 22 had not."""
    behaviour = Behaviour(technology="PJSIP", time_scale=0, talk=0.0)
    ours = sent(behaviour, "PJSIP/101", outcome)

    assert ours
    assert ours - recorded("pjsip_") == set()


#: Of Asterisk 11 no Originate was recorded, and no queue that tells of its agents.
UNRECORDED = {"AgentCalled", "AgentComplete", "AgentConnect", "OriginateResponse"}


@pytest.mark.parametrize("outcome", [one for one in OUTCOMES if one != "voicemail"])
def test_old_calls_have_the_events_of_recorded_ones(outcome: str) -> None:
    """Dial, Bridge, Join and the others, as a real Asterisk 11 sent them."""
    behaviour = Behaviour(speak="11", technology="SIP", time_scale=0, talk=0.0)
    ours = sent(behaviour, "SIP/101", outcome)
    theirs = recorded("asterisk11_")

    assert not UNRECORDED & {shape[0] for shape in theirs}
    assert {shape for shape in ours if shape[0] not in UNRECORDED} - theirs == set()
    assert ours


def test_pjsip_calls_have_what_lists_of_calls_never_had() -> None:
    """Contacts, devices, hints, members of queues, waiting messages and RTCP."""
    behaviour = Behaviour(technology="PJSIP", time_scale=0, talk=0.0)
    names = {
        shape[0]
        for outcome in ("queue", "voicemail", "register")
        for shape in sent(behaviour, "PJSIP/101", outcome)
    }

    assert names >= {
        "AgentCalled", "AgentConnect", "ContactStatus", "DeviceStateChange", "ExtensionStatus",
        "MessageWaiting", "PeerStatus", "QueueCallerJoin", "QueueMemberStatus",
    }  # fmt: skip
