# SPDX-License-Identifier: GPL-2.0-or-later
"""Spec section 8, written down as simply as can be: what property tests compare with.

Slow and without bounds.  It shares no code with amiproxy.routing.callfilter, calls and facts; it
works on lists of (name, value), and goes through all that was, each time anew.
"""

from __future__ import annotations

import functools

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
    "location",
    "stateinterface",
    "parkerchannel",
    "parkerdialstring",
    "interface",
    "newname",
    "sourcechannel",
]
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

#: It asks the same of the same messages again and again.
_cached = functools.lru_cache(maxsize=50_000)


@_cached
def headers(raw):
    """Return (lower-case name, value) of the lines of *raw*."""
    lines = raw.decode("latin-1").split("\r\n")
    return [
        (line.split(":")[0].lower(), line.split(":", 1)[1].lstrip(" "))
        for line in lines
        if ":" in line
    ]


def values(message, names):
    """Return the values of all headers *names* of *message*, empty ones left out."""
    return [
        value
        for name, value in headers(message)
        if name in names and value not in ("", "<unknown>")
    ]


def first(message, name):
    """Return the first value of header *name*, or None."""
    return next((value for key, value in headers(message) if key == name), None)


@_cached
def own_ids(message):
    """Return [unique id of the channel that *message* is about], or []."""
    return values(message, IDS)[:1]


@_cached
def event(message):
    """Return the event's name in lower case."""
    return (first(message, "event") or "").lower()


class ReferenceServer:
    """One Asterisk: all it has said."""

    def __init__(self):
        self.past = []

    def gone(self, uid):
        """Tell whether the channel *uid* is hung up."""
        gone = False
        for message in self.past:
            if uid in own_ids(message):
                if event(message) == "hangup":
                    gone = True
                if event(message) == "newchannel":
                    gone = False
        return gone

    def cached(self, uid):
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

    def in_bridge(self, bridge):
        """Return the channels in the *bridge*."""
        inside = []
        for message in self.past:
            if first(message, "bridgeuniqueid") != bridge:
                continue
            uid = (own_ids(message) or [None])[0]
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

    def __init__(self, user):
        self.user = user
        self.known = {}

    def incoming(self, server, message, scope, answer):
        """Return what the client gets of *message*, which *server* says now."""
        user = self.user
        known = self.known.setdefault(scope, set())
        name = event(message)
        if answer:
            return [message]
        allowed = [names for key, names in ONLY.items() if key in user.filters]
        wanted = not allowed or any(name in names for names in allowed)
        if "novar" in user.filters and name in ("set", "setvar", "varset"):
            return []
        if not user.channel and not user.in_context:
            return [message] if wanted else []

        own = own_ids(message)
        order = [
            value
            for key, value in headers(message)
            if key in IDS + LINKS and value not in ("", "<unknown>")
        ]
        reborn = own if name == "newchannel" else []
        ids = [uid for uid in dict.fromkeys(order) if uid in reborn or not server.gone(uid)]
        bridge = first(message, "bridgeuniqueid")
        if name == "bridgemerge":
            merged = [first(message, "tobridgeuniqueid"), first(message, "frombridgeuniqueid")]
            bridge = next((one for one in merged if one in known), None)
        if name == "bridgeenter" and first(message, "bridgetype") == "basic" and ids:
            ids += [
                uid for uid in server.in_bridge(bridge) if uid not in ids and not server.gone(uid)
            ]

        context = first(message, "context")
        if context is None:
            parties = [value for key, value in headers(message) if key in PARTY_CONTEXTS]
            if user.in_context in parties:
                context = user.in_context
            elif parties:
                context = max(parties)
        matches = bool(user.channel) and any(
            channel.lower().startswith(user.channel.lower())
            for channel in values(message, CHANNELS)
        )
        linked = any(uid in known for uid in ids) or (not order and bridge in known)
        if user.in_context and context and context != user.in_context:
            passes = name == "hangup" and bool(own) and own[0] in known
        elif matches or linked:
            passes = True
        elif user.in_context and context == "":
            passes = False
        elif order:
            passes = not user.channel
        elif user.channel and values(message, CHANNELS):
            passes = False
        else:
            passes = user.more_events
        if not passes:
            return []

        before = []
        own_call = matches or linked or context is not None
        if own_call and name not in ("userevent", "cdr"):
            for uid in ids:
                if uid in known:
                    continue
                cached = server.cached(uid)
                if uid in own and name == "newchannel":
                    cached = []
                if uid in own and name == "newstate":
                    cached = [old for old in cached if event(old) == "newchannel"]
                before += cached
            known.update(ids)
            if bridge and name == "bridgeenter" and first(message, "bridgetype") == "basic":
                known.add(bridge)
        if name == "hangup" and own:
            known.discard(own[0])
        if name == "bridgedestroy":
            known.discard(bridge)
        if allowed:
            return [message] if wanted else []
        return [*before, message]
