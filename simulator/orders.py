# SPDX-License-Identifier: GPL-2.0-or-later
"""What an Originate asks for, and the values it puts into a call's script."""

from __future__ import annotations

import itertools
import re
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulator.technologies import technology_of

if TYPE_CHECKING:
    import random

#: A talk time: until somebody hangs up.
FOREVER = float("inf")
_UNKNOWN = "<unknown>"
_CALLER = re.compile(r'\A\s*"?([^"<]*?)"?\s*(?:<([^>]*)>)?\s*\Z')


@dataclass(frozen=True)
class Order:
    """What an Originate asks for.  *timeout* and *talk* are seconds."""

    channel: str
    context: str = "default"
    exten: str = "s"
    caller: str = ""
    account: str = ""
    action_id: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    channel_id: str = ""
    other_channel_id: str = ""
    peer: str = ""  # the number that the called phone dials; empty: *exten*
    timeout: float = 30.0
    talk: float | None = None  # None: as long as in the recording
    announce: bool = True  # send an OriginateResponse

    @property
    def caller_parts(self) -> tuple[str, str]:
        """Name and number of *caller*: ``"Name" <number>``, or one of them."""
        match = _CALLER.match(self.caller)
        if match is None:
            return "", ""
        if match[2] is None:
            return "", match[1]
        return match[1], match[2]


class Identities:
    """Makes unique ids, channel names and bridge ids, each new."""

    def __init__(self, numbers: random.Random) -> None:
        self._random = numbers
        self._uniques = itertools.count(1)
        self._names = itertools.count(1)

    def fill_in(
        self, order: Order, peer: str = "", third: str = "Local/202@agents"
    ) -> dict[str, str]:
        """Return the values for the placeholders of a script, with new ids.

        *peer* is the device that is dialled; empty: the one with the wanted number.  *third*
        is the second one that a queue calls.
        The placeholders are described in ``simulator/data/README.md``.
        """
        device = order.channel.removesuffix("/n")
        tech, _, rest = device.partition("/")
        local = tech.lower() == "local"
        peer_exten = order.peer or order.exten
        peer = peer or (f"Local/{peer_exten}@phones" if local else f"{tech}/{peer_exten}")
        mark = "/n" if peer.startswith("Local/") else ""
        exten, _, context = rest.partition("@")
        return {
            "requested": order.channel,
            "device": device,
            "dial": order.channel.partition("/")[2],
            "peer": peer + mark,
            "peerdevice": peer,
            "peerdial": peer.partition("/")[2] + mark,
            "thirddevice": third,
            "thirddial": third.partition("/")[2],
            "peerexten": peer_exten,
            "legexten": exten if local else "s",
            "legcontext": context if local else "from-phone",
            **_headers_of(order),
            "bridge1": str(uuid.UUID(int=self._random.getrandbits(128), version=4)),
            **self._unique_ids(order),
            **self._channel_names(device, peer, third),
        }

    def _unique_ids(self, order: Order) -> dict[str, str]:
        second = int(time.time())
        ids = {f"u{place}": f"{second}.{next(self._uniques)}" for place in range(1, 7)}
        wanted = {"u1": order.channel_id, "u2": order.other_channel_id}
        return {**ids, **{place: text for place, text in wanted.items() if text}}

    def _channel_names(self, device: str, peer: str, third: str) -> dict[str, str]:
        names: dict[str, str] = {}
        for letter, base in (("a", device), ("b", peer), ("c", third)):
            number = next(self._names)
            for half in "12":
                end = f";{half}" if base.lower().startswith("local/") else ""
                names[letter + half] = f"{base}-{number:08x}{end}"
        return names


def _headers_of(order: Order) -> dict[str, str]:
    name, number = order.caller_parts
    if not number and technology_of(order.channel).phones:
        number = order.channel.partition("/")[2]  # a phone tells who it is
        name = f"Phone {number}"
    return {
        "context": order.context,
        "exten": order.exten,
        "cidnum": number or _UNKNOWN,
        "cidname": name or _UNKNOWN,
        "cdrnum": number,
        "cdrname": name,
        "account": order.account,
        "actionid": order.action_id,
        "start": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
