# SPDX-License-Identifier: GPL-2.0-or-later
"""A scene that stands still: calls of each kind, and what the database and the mailboxes hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.asterisk.asking import value
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.asterisk.instance import Asterisk
    from tests.asterisk.world import World

_MESSAGE = """;
; Message Information file
;
[message]
origmailbox=102
context=from-phones
macrocontext=
exten=2001
rdnis=unknown
priority=2
callerchan=PJSIP/101-00000001
callerid="M\xfcller" <101>
origdate=Thu Jan  1 12:00:00 AM UTC 2026
origtime=1767225600
category=
msg_id=1767225600-00000001
flag=
duration=3
"""
#: A sound file that says nothing.
_SILENCE = bytes.fromhex(
    "52494646 24000000 57415645 666d7420 10000000 01000100 401f0000 803e0000 02001000 64617461"
    "00000000"
)


def leave_message(asterisk: Asterisk, mailbox: str, folder: str = "INBOX") -> None:
    """Put a message into the *folder* of a *mailbox*, instead of those that are in there."""
    asterisk.put(
        f"spool/voicemail/default/{mailbox}/{folder}/msg0000.txt", _MESSAGE.encode("latin-1")
    )
    asterisk.put(f"spool/voicemail/default/{mailbox}/{folder}/msg0000.wav", _SILENCE)


def prepare(asterisk: Asterisk) -> None:
    """Let parked calls stay, and write what is there before *asterisk* starts."""
    path = asterisk.etc / "res_parking.conf"
    path.write_text(path.read_text().replace("parkingtime => 4", "parkingtime => 600"))


def stand(world: World) -> dict[str, str]:
    """Set the scene; return the names of what is in it."""
    leave_message(world.asterisk, "102")
    for key, text in (("odd", "M\xfcller: a, b"), ("tree/one", "1"), ("tree/two", "2")):
        world.admin.succeed("DBPut", Family="scene", Key=key, Val=text)
    world.connect(101, 102)
    for number, exten in ((103, "800"), (104, "801")):
        world[number].call(exten)
        world.heard("ConfbridgeJoin", Channel=f"PJSIP/{number}")
    _run(world, 105, "Queue", "support")
    world.heard("QueueCallerJoin", Channel="PJSIP/105")
    _run(world, 106, "Park")
    world.heard("ParkedCall", ParkeeChannel="PJSIP/106")
    _run(world, 107, "MusicOnHold")
    world.heard("MusicOnHoldStart", Channel="PJSIP/107")
    world[108].call("907")
    world.heard("AgentLogin", Agent="1001")
    wait_until(lambda: _settled(world), 30, "the trunk is there")
    (bridge,) = [
        value(one, "BridgeUniqueid")
        for one in world.ask("BridgeList")[1:-1]
        if value(one, "BridgeType") == "basic"
    ]
    return {"talk": world.channel(101), "bridge": bridge}


def _settled(world: World) -> bool:
    """Return whether Asterisk has registered with the trunk, and asked it whether it is there."""
    registrations = world.ask("PJSIPShowRegistrationsOutbound")
    states = world.ask("DeviceStateList")
    trunk = [one for one in states if value(one, "Device") == "PJSIP/trunk"]
    return "Registered: 1" in registrations[-1] and "State: NOT_INUSE" in trunk[0]


def _run(world: World, number: int, application: str, data: str = "") -> None:
    """Let a phone that answers a call be in an *application*."""
    world.admin.succeed(
        "Originate", Channel=f"PJSIP/{number}", Application=application, Data=data, Timeout="9000"
    )
