# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that change hands: transfers, parking, pickup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.asterisk.flows.flow import flow

if TYPE_CHECKING:
    from tests.asterisk.world import World


@flow
def blind_transfer(w: World) -> None:
    """101 talks to 102, and refers 102 to 103."""
    call = w.connect(101, 102)
    call.refer("103")
    w.heard("BlindTransfer", Result="Success")
    w.heard("BridgeEnter", Channel="PJSIP/103")


@flow
def blind_transfer_by_callee(w: World) -> None:
    """101 talks to 102, who refers 101 to 104."""
    w.connect(101, 102)
    w[102].ringing().refer("104")
    w.heard("BlindTransfer", Result="Success")
    w.heard("BridgeEnter", Channel="PJSIP/104")


@flow
def attended_transfer(w: World) -> None:
    """101 holds 102, calls 103, and joins the two."""
    first = w.connect(101, 102)
    assert first.hold()
    second = w[101].call("103")
    w.heard("BridgeEnter", Channel="PJSIP/103")
    first.refer("103", replaces=second)
    w.heard("AttendedTransfer", Result="Success")
    w.heard("BridgeEnter", Channel="PJSIP/102")


@flow
def blind_transfer_by_digits(w: World) -> None:
    """101 talks to 102, and presses ## 104."""
    call = w.connect(101, 102)
    call.dtmf("##")
    w.heard("DTMFEnd", Digit="#", Channel="PJSIP/101")
    w.heard("MusicOnHoldStart")
    call.dtmf("104")
    w.heard("BridgeEnter", Channel="PJSIP/104")


@flow
def attended_transfer_by_digits(w: World) -> None:
    """101 talks to 102, presses *2 105, and hangs up when 105 has answered."""
    call = w.connect(101, 102)
    call.dtmf("*2")
    w.heard("MusicOnHoldStart")
    call.dtmf("105")
    w.heard("BridgeEnter", Channel="PJSIP/105")
    call.hang_up()
    w.heard("AttendedTransfer")


@flow
def parking(w: World) -> None:
    """101 parks 102, and 103 fetches him; then 102 is parked by AMI, and comes back."""
    call = w.connect(101, 102)
    call.refer("700")
    space = w.heard("ParkedCall", ParkeeChannel="PJSIP/102")
    assert space
    fetched = w[103].call("701")
    assert fetched.state == "up"
    w.heard("UnParkedCall")
    w.end_calls()
    w.connect(101, 102)
    w.ask(
        "Park",
        Channel=w.channel(102),
        TimeoutChannel=w.channel(101),
        Timeout="1000",
        Parkinglot="default",
    )
    w.heard("ParkedCallTimeOut")


@flow
def parking_by_digits(w: World) -> None:
    """101 parks 102 by #72, and nobody fetches him before he gives up."""
    call = w.connect(101, 102)
    call.dtmf("#72")
    w.heard("ParkedCall", ParkeeChannel="PJSIP/102")
    w[102].hang_up()
    w.heard("ParkedCallGiveUp")


@flow
def pickup(w: World) -> None:
    """102 rings; 103 takes the call by *8, 101 another one by *8102."""
    w[102].manner.takes = "ring"
    for caller, taker, exten in ((101, 103, "*8"), (104, 101, "*8102")):
        w[caller].dial("102")
        w[102].ringing()
        assert w[taker].call(exten).state == "up"
        w.heard("Pickup", Channel=f"PJSIP/{taker}")
        for number in (caller, taker, 102):
            w[number].hang_up()
        w.heard("Hangup", Channel=f"PJSIP/{caller}")
        w[102].incoming.clear()


@flow
def listening_in(w: World) -> None:
    """103 listens to 101, who talks to 102."""
    w.connect(101, 102)
    w[103].call("909")
    w.heard("ChanSpyStart", SpyeeChannel="PJSIP/101")
    w[103].hang_up()
    w.heard("ChanSpyStop")
