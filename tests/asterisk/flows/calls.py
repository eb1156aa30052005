# SPDX-License-Identifier: GPL-2.0-or-later
"""Registrations, and calls from one phone to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.asterisk.flows.flow import flow
from tests.asterisk.phones.phone import Phone

if TYPE_CHECKING:
    from tests.asterisk.world import World


@flow
def registrations(w: World) -> None:
    """A phone unregisters and registers again; another gives a wrong secret."""
    assert w[109].register(expires=0)
    w.heard("ContactStatus", AOR="109", ContactStatus="Removed")
    assert w[109].register()
    w.heard("ContactStatus", AOR="109", ContactStatus="Reachable")
    stranger = Phone(w.loop, "108", w.asterisk.ports.sip, secret="wrong")
    assert not stranger.register()
    w.heard("ChallengeResponseFailed")
    stranger.close()


@flow
def talk(w: World) -> None:
    """101 calls 102; both send sound and reports; the caller hangs up."""
    call = w.connect(101, 102)
    w.heard("RTCPSent")
    w.heard("RTCPReceived", Channel="PJSIP/101")
    w.heard("RTCPReceived", Channel="PJSIP/102")
    call.hang_up()
    w.heard("Hangup", Channel="PJSIP/102")


@flow
def callee_leaves(w: World) -> None:
    """101 calls 102, who hangs up after a while."""
    w[102].manner.talk = 0.5
    call = w.connect(101, 102)
    assert call.wait("ended") == "ended"


@flow
def failures(w: World) -> None:
    """Busy, declined, given up by the caller, an unknown extension, busy and congested ones."""
    w[102].manner.takes = "busy"
    assert w[101].call("102").code == 486
    w[102].manner.takes = "decline"
    assert w[101].call("102").state == "failed"
    w[102].manner.takes = "ring"
    given_up = w[101].dial("102")
    w[102].ringing()
    given_up.hang_up()
    assert given_up.wait("failed") == "failed"
    for exten in ("1999", "904", "905"):
        assert w[101].call(exten).state == "failed"


@flow
def voicemail(w: World) -> None:
    """Nobody answers for two seconds; a message is left for 102 (MessageWaiting)."""
    w[106].manner.takes = "ring"
    call = w[101].call("2001")
    assert call.state == "up"
    w.heard("Newexten", Application="VoiceMail")
    w.heard("RTCPReceived", Channel="PJSIP/101")
    w.heard("RTCPSent", Channel="PJSIP/101")
    call.hang_up()
    w.heard("MessageWaiting", Mailbox="102@default")
    w.ask("MailboxStatus", Mailbox="102@default")
    w.ask("MailboxCount", Mailbox="102@default")


@flow
def hold(w: World) -> None:
    """Both sides put each other on hold and off again, with music."""
    call = w.connect(101, 102)
    for side, name in ((call, "101"), (w[102].ringing(), "102")):
        assert side.hold()
        w.heard("Hold", Channel=f"PJSIP/{name}")
        w.heard("MusicOnHoldStart")
        assert side.hold(False)
        w.heard("Unhold", Channel=f"PJSIP/{name}")


@flow
def ring_group(w: World) -> None:
    """103 and 105 ring; the faster one gets the call."""
    w[103].manner.delay, w[105].manner.delay = 3.0, 0.4
    w[104].call("2000")
    w.heard("DialEnd", DialStatus="ANSWER", DestChannel="PJSIP/105")
    w.heard("Hangup", Channel="PJSIP/103")


@flow
def trunk(w: World) -> None:
    """A call out by way of the trunk, and one in."""
    out = w[101].call("955510")
    assert out.state == "up"
    w.heard("BridgeEnter", Channel="PJSIP/trunk")
    out.hang_up()
    inwards = w.trunk.call("102")
    assert inwards.state == "up"
    inwards.hang_up()


@flow
def burst(w: World) -> None:
    """All phones call at once, in pairs, three times."""
    pairs = ((101, 102), (103, 104), (105, 106), (107, 108), (109, 110))
    for _ in range(3):
        made = [w[caller].dial(str(callee)) for caller, callee in pairs]
        for each in made:
            assert each.wait("up") == "up"
        w.end_calls()


@flow
def subscriptions(w: World) -> None:
    """110 watches the lamps of others, presence and its mailbox; it sends a text message."""
    lamps = [w[110].subscribe(exten) for exten in ("101", "102", "105")]
    presence = w[110].subscribe("103", "presence", "application/pidf+xml")
    mailbox = w[110].subscribe("110", "message-summary", "application/simple-message-summary")
    assert [one.state for one in lamps] == ["done"] * 3
    assert w[101].call("102").state == "up"
    w.heard("ExtensionStatus", Exten="102", StatusText="InUse")
    w.end_calls()
    w.ask("Setvar", Variable="PRESENCE_STATE(CustomPresence:p103)", Value="away,lunch,Back at two")
    w.heard("PresenceStatus")
    w.ask("PresenceState", Provider="CustomPresence:p103")
    w.ask("ExtensionState", Exten="101", Context="from-phones")
    w.ask("PJSIPShowSubscriptionsInbound")
    assert w[110].message("101", "hello there") in (200, 202)
    for one in lamps:
        w[110].unsubscribe(one)
    w[110].unsubscribe(presence, "presence")
    w[110].unsubscribe(mailbox, "message-summary")
    w.ask("Setvar", Variable="PRESENCE_STATE(CustomPresence:p103)", Value="available,,")
