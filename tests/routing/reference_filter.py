# SPDX-License-Identifier: GPL-2.0-or-later
"""Spec section 8, written down as simply as can be: what property tests compare with.

Slow and without bounds.  It shares no code with amiproxy.routing.callfilter, calltable and facts;
it works on lists of (name, value), reference_headers.py, and goes through the whole past for each message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.routing.reference_headers import (
    CHANNELS,
    INTERFACES,
    LINKS,
    PARTY_CONTEXTS,
    bridge_of,
    device_channel,
    devices,
    enters_call,
    event,
    first,
    headers,
    is_security,
    named_ids,
    own_ids,
    values,
)

if TYPE_CHECKING:
    from tests.routing.support import User

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


class ReferenceServer:
    """One Asterisk: what it has sent, and the Linkedid of each live channel.

    For each message: ``begin``, ``incoming`` of each filter, ``end``.
    """

    def __init__(self) -> None:
        self.past: list[bytes] = []
        self.links: dict[str, str] = {}
        #: The ids that end with the message that comes now.
        self.ended: set[str] = set()

    def begin(self, message: bytes) -> None:
        """Note the Linkedid in *message*, which comes now, and the ids that end with it."""
        before = set(self.links.values())
        uid, linkedid = (own_ids(message) or [""])[0], (values(message, LINKS) or [""])[0]
        name = event(message)
        known = name in ("cdr", "userevent") or (name == "cel" and uid in self.links)
        if uid and linkedid and not known and (name == "newchannel" or not self.gone(uid)):
            self.links[uid] = linkedid
        after = dict(self.links)
        ended = set()
        if name == "hangup":
            before |= set(after.values())
            after.pop(uid, None)
            ended.add(uid)
        ended |= {one for one in before - set(after.values()) if not self.lives(one)}
        self.ended = ended - set(after.values())

    def end(self, message: bytes) -> None:
        """Add *message*, which clients have seen, to the past, if it changes anything."""
        if event(message).startswith(("new", "hangup", "bridge")):
            self.past.append(message)
        if event(message) == "hangup" and own_ids(message):
            self.links.pop(own_ids(message)[0], None)

    def lives(self, uid: str) -> bool:
        """Return whether there is a channel *uid*."""
        return uid in self.links or (not self.gone(uid) and bool(self.cached(uid)))

    def over(self, uid: str) -> bool:
        """Return whether the channel *uid* hung up, and no live one has it as Linkedid."""
        return self.gone(uid) and uid not in self.links.values()

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
        self.ended: dict[str, set[str]] = {}

    def incoming(
        self, server: ReferenceServer, message: bytes, scope: str, answer: bool
    ) -> list[bytes]:
        """Return what the client gets of *message*, which *server* sends now."""
        got = self._judge(server, message, scope, answer)
        if not answer and not self._is_unwanted(message):
            known = self.known.setdefault(scope, set())
            self.ended.setdefault(scope, set()).update(known & server.ended)
            known -= server.ended
        return got

    def _is_unwanted(self, message: bytes) -> bool:
        """Return whether the user wants no event of this name at all."""
        return "novar" in self.user.filters and event(message) in ("set", "setvar", "varset")

    def _judge(
        self, server: ReferenceServer, message: bytes, scope: str, answer: bool
    ) -> list[bytes]:
        user = self.user
        known = self.known.setdefault(scope, set())
        name = event(message)
        allowed = [names for key, names in ONLY.items() if key in user.filters]
        wanted = not allowed or any(name in names for names in allowed)
        if answer:
            return [message]
        if self._is_unwanted(message):
            return []
        if not user.channel and not user.in_context:
            return [message] if wanted else []
        ids = self._ids(server, message)
        context = self._context(message)
        own_call = self._matches(message) or self._is_linked(message, ids, known)
        own_call = own_call or self._is_late(message, scope)
        if not self._passes(message, context, own_call, known):
            return []
        before = (
            self._replay(server, message, ids, known) if own_call or context is not None else []
        )
        if name == "bridgedestroy":
            known.discard(bridge_of(message, known))
        if allowed:
            return [message] if wanted else []
        return [*before, message]

    def _ids(self, server: ReferenceServer, message: bytes) -> list[str]:
        """Return the ids of live channels that *message* names or links."""
        reborn = own_ids(message) if event(message) == "newchannel" else []
        ids = [uid for uid in named_ids(message) if uid in reborn or not server.over(uid)]
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

    def _is_late(self, message: bytes, scope: str) -> bool:
        """Return whether *message* is the late Cdr or CEL of a call that was the user's."""
        if event(message) not in ("cdr", "cel"):
            return False
        ended = self.ended.get(scope, set())
        return any(uid in ended for uid in named_ids(message))

    def _is_elsewhere(self, context: str | None) -> bool:
        """Return whether *context* is another than the user's."""
        return bool(self.user.in_context and context and context != self.user.in_context)

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
        if self._is_elsewhere(context):
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
        before = [old for old in before if not self._is_elsewhere(self._context(old))]
        known.update(ids)
        if enters_call(message):
            known.update(values(message, ["bridgeuniqueid"]))
        return before
