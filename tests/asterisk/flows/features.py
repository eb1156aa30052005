# SPDX-License-Identifier: GPL-2.0-or-later
"""What the dialplan does with calls: conferences, odd values, recording, sounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.asterisk.asking import value
from tests.asterisk.flows.flow import flow

if TYPE_CHECKING:
    from tests.asterisk.world import World


@flow
def conference(w: World) -> None:
    """Three in a conference, one its admin; they are muted, locked in, recorded, thrown out."""
    for number, exten in ((101, "800"), (102, "800"), (103, "801")):
        w[number].call(exten)
        w.heard("ConfbridgeJoin", Channel=f"PJSIP/{number}")
    w.ask("ConfbridgeListRooms")
    listed = [value(one, "Channel") for one in w.ask("ConfbridgeList", Conference="conf1")]
    (channel,) = [name for name in listed if name.startswith("PJSIP/102")]
    w.ask("ConfbridgeMute", Conference="conf1", Channel=channel)
    w.ask("ConfbridgeUnmute", Conference="conf1", Channel=channel)
    w.ask("ConfbridgeSetSingleVideoSrc", Conference="conf1", Channel=channel)
    w.ask("ConfbridgeLock", Conference="conf1")
    w.ask("ConfbridgeUnlock", Conference="conf1")
    w.ask("ConfbridgeStartRecord", Conference="conf1")
    w.heard("ConfbridgeRecord")
    w.ask("ConfbridgeStopRecord", Conference="conf1")
    w.heard("ConfbridgeStopRecord")
    w.ask("ConfbridgeKick", Conference="conf1", Channel=channel)
    w.heard("ConfbridgeLeave", Channel="PJSIP/102")
    w.end_calls()
    w.heard("ConfbridgeEnd")


@flow
def odd_values(w: World) -> None:
    """UTF-8, a forged ActionID, a value of 4 KB, line breaks in a variable."""
    w[101].call("902")
    w.heard("UserEvent", UserEvent="OrderTaken")
    w.heard("Newexten", Application="Playback")
    w[101].hang_up()
    w[102].call("903")
    w.heard("UserEvent", UserEvent="LongOne")
    w.heard("Hangup", Channel="PJSIP/102")


@flow
def recording(w: World) -> None:
    """A call is recorded; the recording is muted; digits are played, variables set."""
    w[101].call("906")
    w.heard("MixMonitorStart")
    channel = w.channel(101)
    w.ask("MixMonitorMute", Channel=channel, Direction="both", State="1")
    w.ask("Setvar", Channel=channel, Variable="X", Value="1")
    w.ask("PlayDTMF", Channel=channel, Digit="5")
    w.ask("StopMixMonitor", Channel=channel)
    w.heard("MixMonitorStop")


@flow
def echo(w: World) -> None:
    """101 presses keys, and listens to itself until #."""
    call = w[101].call("900")
    call.dtmf("12*#")
    for digit in "12*#":
        w.heard("DTMFEnd", Digit=digit)
    assert call.wait("ended") == "ended"
