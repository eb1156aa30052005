# SPDX-License-Identifier: GPL-2.0-or-later
"""Spec section 8, written down as simply as can be: what property tests compare with.

Slow and without bounds.  It shares no code with amiproxy.routing.callfilter, calltable and facts;
it works on lists of (name, value), and goes through the whole past for each message.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

    from tests.routing.support import User

CHANNELS = [
    "channel",
    "channel1",
    "channel2",
    "source",
    "destination",
    "destinationchannel",
    "channelcalling",
    "destchannel",
    "bridgedchannel",
    "transfererchannel",
    "origtransfererchannel",
    "secondtransfererchannel",
    "transfereechannel",
    "transfertargetchannel",
    "spyerchannel",
    "spyeechannel",
    "localonechannel",
    "localtwochannel",
    "parkeechannel",
    "parkerchannel",
    "newname",
    "sourcechannel",
    "clone",
    "original",
]
INTERFACES = ["location", "stateinterface", "parkerdialstring", "interface"]
IDS = [
    "uniqueid",
    "uniqueid1",
    "uniqueid2",
    "srcuniqueid",
    "destuniqueid",
    "localoneuniqueid",
    "localtwouniqueid",
    "transfereruniqueid",
    "transfereeuniqueid",
    "sourceuniqueid",
    "parkeeuniqueid",
]
LINKS = ["linkedid", "destlinkedid", "localonelinkedid", "localtwolinkedid", "transfereelinkedid"]
PARTY_CONTEXTS = [
    "destcontext",
    "localonecontext",
    "localtwocontext",
    "transfereecontext",
    "destinationcontext",
    "parkeecontext",
]
PARTY_CONTEXTS += [
    "transferercontext",
    "origtransferercontext",
    "secondtransferercontext",
    "transfertargetcontext",
]
ONLY = {
    "cdronly": ["cdr"],
    "brionly": [
        "bridge",
        "bridgecreate",
        "bridgeenter",
        "bridgeleave",
        "bridgedestroy",
        "bridgemerge",
    ],
    "xfronly": ["transfer", "blindtransfer", "attendedtransfer"],
}


#: The reference asks the same of the same messages again and again.
_cached = functools.lru_cache(maxsize=50_000)


@_cached
def headers(raw: bytes) -> list[tuple[str, str]]:
    """Return (lower-case name, value) of the lines of *raw*."""
    lines = raw.decode("latin-1").split("\r\n")
    return [
        (line.split(":")[0].lower(), line.split(":", 1)[1].lstrip(" "))
        for line in lines
        if ":" in line
    ]


def values(message: bytes, names: Container[str]) -> list[str]:
    """Return the values of all headers *names* of *message*, empty ones left out."""
    return [
        value
        for name, value in headers(message)
        if name in names and value not in ("", "<unknown>")
    ]


def device_channel(device: str) -> str:
    """Return how channels of *device* are called, but for their number."""
    return "/".join(device.split("/")[:2]) + "-"


def devices(message: bytes) -> list[str]:
    """Return how channels of the devices are called that *message* is about."""
    found = []
    for name, value in headers(message):
        if value and name in ("aor", "endpoint", "endpointname") and "/" not in value:
            found.append("PJSIP/" + value)
        elif value and name in ("aor", "endpoint", "endpointname", "device", "peer"):
            found.append(value)
        elif value and name == "hint":
            found += value.split(",")[0].split("&")
        elif value and name == "accountid":
            found.append(f"{first(message, 'service')}/{value}")
    return [device_channel(device).lower() for device in found]


def is_security(message: bytes) -> bool:
    """Return whether *message* is of the class security."""
    return "security" in (first(message, "privilege") or "").split(",")


def first(message: bytes, name: str) -> str | None:
    """Return the first value of header *name*, or None."""
    return next((value for key, value in headers(message) if key == name), None)


@_cached
def own_ids(message: bytes) -> list[str]:
    """Return [unique id of the channel that *message* is about], or []."""
    return values(message, IDS)[:1]


@_cached
def event(message: bytes) -> str:
    """Return the event's name in lower case."""
    return (first(message, "event") or "").lower()


def named_ids(message: bytes) -> list[str]:
    """Return the ids of channels that *message* names, each once."""
    return list(dict.fromkeys(values(message, IDS + LINKS)))


def enters_call(message: bytes) -> bool:
    """Return whether a channel enters a bridge that joins the parties of a call."""
    return event(message) == "bridgeenter" and first(message, "bridgetype") == "basic"


def bridge_of(message: bytes, known: set[str]) -> str:
    """Return the id of the bridge that *message* is about, a known one of those that merge."""
    if event(message) == "bridgemerge":
        merged = values(message, ["tobridgeuniqueid", "frombridgeuniqueid"])
        return next((one for one in merged if one in known), "")
    return first(message, "bridgeuniqueid") or ""


class ReferenceServer:
    """One Asterisk: everything it has sent."""

    def __init__(self) -> None:
        self.past: list[bytes] = []

    def gone(self, uid: str) -> bool:
        """Return whether the channel *uid* is hung up."""
        gone = False
        for message in self.past:
            if uid in own_ids(message):
                if event(message) == "hangup":
                    gone = True
                if event(message) == "newchannel":
                    gone = False
        return gone

    def cached(self, uid: str) -> list[bytes]:
        """Return [Newchannel, latest Newstate] of *uid*, as far as there are."""
        newchannel = newstate = None
        for message in self.past:
            if uid not in own_ids(message):
                continue
            if event(message) == "newchannel":
                newchannel, newstate = message, None
            elif event(message) == "newstate":
                newstate = message
            elif event(message) == "hangup":
                newchannel = newstate = None
        return [message for message in (newchannel, newstate) if message]

    def in_bridge(self, bridge: str | None) -> list[str]:
        """Return the channels in the *bridge*."""
        inside: list[str] = []
        for message in self.past:
            if first(message, "bridgeuniqueid") != bridge:
                continue
            uid = (own_ids(message) or [""])[0]
            if (
                event(message) == "bridgeenter"
                and first(message, "bridgetype") == "basic"
                and uid
                and uid not in inside
            ):
                inside.append(uid)
            if event(message) == "bridgeleave" and uid in inside:
                inside.remove(uid)
            if event(message) == "bridgedestroy":
                inside = []
        return inside


class ReferenceFilter:
    """One client with the filters of *user*."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.known: dict[str, set[str]] = {}

    def incoming(
        self, server: ReferenceServer, message: bytes, scope: str, answer: bool
    ) -> list[bytes]:
        """Return what the client gets of *message*, which *server* sends now."""
        user = self.user
        known = self.known.setdefault(scope, set())
        name = event(message)
        allowed = [names for key, names in ONLY.items() if key in user.filters]
        wanted = not allowed or any(name in names for names in allowed)
        if answer:
            return [message]
        if "novar" in user.filters and name in ("set", "setvar", "varset"):
            return []
        if not user.channel and not user.in_context:
            return [message] if wanted else []
        ids = self._ids(server, message)
        context = self._context(message)
        own_call = self._matches(message) or self._is_linked(message, ids, known)
        if not self._passes(message, context, own_call, known):
            return []
        before = (
            self._replay(server, message, ids, known) if own_call or context is not None else []
        )
        if name == "hangup":
            known.difference_update(own_ids(message))
        if name == "bridgedestroy":
            known.discard(bridge_of(message, known))
        if allowed:
            return [message] if wanted else []
        return [*before, message]

    def _ids(self, server: ReferenceServer, message: bytes) -> list[str]:
        """Return the ids of live channels that *message* names or links."""
        reborn = own_ids(message) if event(message) == "newchannel" else []
        ids = [uid for uid in named_ids(message) if uid in reborn or not server.gone(uid)]
        if ids and enters_call(message):
            inside = server.in_bridge(first(message, "bridgeuniqueid"))
            ids += [uid for uid in inside if uid not in ids and not server.gone(uid)]
        return ids

    def _context(self, message: bytes) -> str | None:
        """Return the context that counts, None if there is none."""
        context = first(message, "context")
        parties = [value for key, value in headers(message) if key in PARTY_CONTEXTS]
        if context is not None or not parties:
            return context
        return self.user.in_context if self.user.in_context in parties else max(parties)

    def _matches(self, message: bytes) -> bool:
        """Return whether *message* names a channel of the user."""
        prefix = self.user.channel.lower()
        channels = values(message, CHANNELS)
        channels += map(device_channel, values(message, INTERFACES))
        return bool(prefix) and any(channel.lower().startswith(prefix) for channel in channels)

    def _is_linked(self, message: bytes, ids: list[str], known: set[str]) -> bool:
        """Return whether *message* belongs to a known call, or is about its bridge."""
        if named_ids(message):
            return any(uid in known for uid in ids)
        return bridge_of(message, known) in known

    def _passes(self, message: bytes, context: str | None, own_call: bool, known: set[str]) -> bool:
        """Return whether *message* passes, kinds of events apart."""
        user = self.user
        if user.in_context and context and context != user.in_context:
            return event(message) == "hangup" and any(uid in known for uid in own_ids(message))
        if own_call:
            return True
        if user.in_context and context == "":
            return False
        if named_ids(message):
            return not user.channel
        others = user.channel and values(message, CHANNELS + INTERFACES)
        nameless = user.more_events and not others and not is_security(message)
        return nameless or self._is_about_own_device(message)

    def _is_about_own_device(self, message: bytes) -> bool:
        """Return whether *message* is about a device that is the user's."""
        mine = self.user.channel.lower()
        return bool(mine) and any(
            device == mine if mine.endswith("-") else device.startswith(mine)
            for device in devices(message)
        )

    def _replay(
        self, server: ReferenceServer, message: bytes, ids: list[str], known: set[str]
    ) -> list[bytes]:
        """Return what is sent before *message* of an own call, and learn the ids in it."""
        name = event(message)
        if name in ("userevent", "cdr"):
            return []
        before: list[bytes] = []
        for uid in ids:
            cached = [] if uid in known else server.cached(uid)
            if uid in own_ids(message) and name == "newchannel":
                cached = []
            if uid in own_ids(message) and name == "newstate":
                cached = [old for old in cached if event(old) == "newchannel"]
            before += cached
        known.update(ids)
        if enters_call(message):
            known.update(values(message, ["bridgeuniqueid"]))
        return before
