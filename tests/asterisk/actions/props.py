# SPDX-License-Identifier: GPL-2.0-or-later
"""What the stories need: channels that are there for one of them."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Callable

from tests.asterisk.actions.scene import leave_message
from tests.asterisk.asking import value
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.asterisk.decoding import Lines
    from tests.asterisk.world import World

_MESSAGE_ID = "1767225600-00000001"
#: Names that are others in each story.
_NAMES = re.compile(
    rb"(?<=Local/stay@legs-)[0-9a-f]{8}|(?<=PJSIP/1\d\d-)[0-9a-f]{8}|\b\d{10}\.\d+\b"
    rb"|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b0x[0-9a-f]{6,}\b"
)


def unnamed(messages: Sequence[Lines]) -> list[Lines]:
    """Return *messages* with ``#`` for names of channels and bridges, ids, and addresses."""
    return [tuple(_NAMES.sub(b"#", line) for line in one) for one in messages]


def _channels(world: World, begins: str = "Local/stay@legs-", ends: str = ";1") -> list[str]:
    items = [value(one, "Channel") for one in world.ask("CoreShowChannels")[1:-1]]
    return sorted(name for name in items if name.startswith(begins) and name.endswith(ends))


def _leg(world: World, application: str = "Wait", data: str = "300") -> dict[str, str]:
    """Make a channel that runs an *application*."""
    world.admin.succeed(
        "Originate", Channel="Local/stay@legs/n", Application=application, Data=data, Timeout="9000"
    )
    wait_until(lambda: _channels(world, ends=";2"), what="the other half")
    return {"leg": _channels(world)[0]}


def _legs(world: World) -> dict[str, str]:
    _leg(world)
    _leg(world)
    leg, other = _channels(world)
    return {"leg": leg, "other": other}


def _pair(world: World) -> dict[str, str]:
    names = _legs(world)
    world.admin.succeed("Bridge", Channel1=names["leg"], Channel2=names["other"])

    def bridge() -> str:
        for one in world.ask("BridgeList")[1:-1]:
            found = value(one, "BridgeUniqueid")
            inside = world.ask("BridgeInfo", BridgeUniqueid=found)[1:-1]
            if {value(each, "Channel") for each in inside} == {*names.values()}:
                return found
        return ""

    return {**names, "bridge": str(wait_until(bridge, what="both are in a bridge"))}


def _conference(world: World) -> dict[str, str]:
    names = _leg(world, "ConfBridge", "story")
    wait_until(
        lambda: len(world.ask("ConfbridgeList", Conference="story")) > 2, what="in the conference"
    )
    return names


def _waiting(world: World) -> dict[str, str]:
    names = _leg(world, "Queue", "dynamic")
    wait_until(
        lambda: any(
            one[0] == "Event: QueueEntry" for one in world.ask("QueueStatus", Queue="dynamic")
        ),
        what="in the queue",
    )
    return names


def _agent(world: World) -> dict[str, str]:
    names = _leg(world, "AgentLogin", "1002,s")

    def there() -> bool:
        agents = world.ask("Agents")
        return any("Agent: 1002" in one and "Status: AGENT_IDLE" in one for one in agents)

    wait_until(there, what="the agent is there")
    return names


def _agi(world: World) -> dict[str, str]:
    world.forget()
    names = _leg(world, "AGI", "agi:async")
    world.heard("AsyncAGIStart", Channel=names["leg"])
    return names


def _playback(world: World) -> dict[str, str]:
    return _leg(world, "ControlPlayback", "demo-congrats")


def _incoming(world: World) -> dict[str, str]:
    world[110].manner.takes = "ring"
    world[109].dial("110")
    world[110].ringing()
    return {"leg": _channels(world, "PJSIP/109-", "")[0]}


def _message(world: World) -> dict[str, str]:
    leave_message(world.asterisk, "110")
    return {"message": _MESSAGE_ID}


def _no_file(world: World) -> dict[str, str]:
    (world.asterisk.etc / "story.conf").unlink(missing_ok=True)
    return {}


_NEEDS: dict[str, Callable[[World], dict[str, str]]] = {
    "": lambda _: {},
    "leg": _leg,
    "legs": _legs,
    "pair": _pair,
    "conference": _conference,
    "waiting": _waiting,
    "agent": _agent,
    "agi": _agi,
    "playback": _playback,
    "incoming": _incoming,
    "message": _message,
    "no file": _no_file,
}


@contextlib.contextmanager
def props(world: World, need: str) -> Iterator[dict[str, str]]:
    """Make what a story needs; at the end no channel of it is left."""
    try:
        yield _NEEDS[need](world)
    finally:
        world[109].hang_up()
        world[110].hang_up()
        world.ask("Hangup", Channel="/^Local/.*$/")
        wait_until(lambda: not _channels(world, "Local/", ""), 20, "the story is over")
        wait_until(lambda: not _channels(world, "PJSIP/109-", ""), 20, "the call is over")
