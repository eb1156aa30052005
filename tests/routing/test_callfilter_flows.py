# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorded calls of a real Asterisk x users: who sees which call, and all of it."""

from __future__ import annotations

import collections
import functools
import gzip
import time
from pathlib import Path

import pytest

from amiproxy.message import END, Message
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from tests.routing.reference_filter import ReferenceFilter, ReferenceServer
from tests.routing.support import User
from tests.support import ROOT

DATA = ROOT / "tests/data"

FLOWS = [
    "c2_originate_async",
    "c4_originate_app",
    "d1_dial_bridge_observer",
    "d2_local_optimize",
    "d4_hold",
    "d5_redirect",
    "d6_blind_transfer",
    "d7_attended_transfer",
    "d8_dial_outcomes",
    "d9_iax_calls",
    "d9_iax_calls_server_b",
    "d10_park",
    "e1_queue_complete",
    "e2_queue_abandon",
    "e4_queue_many",
    "e5_agent_pool",
    "f1_confbridge",
]


@functools.cache
def recorded(name):
    """Return the wire form of each event of the recording *name*, as clients get it."""
    path = DATA / f"{name}.s2c.ami"
    data = path.read_bytes() if path.exists() else gzip.decompress(Path(f"{path}.gz").read_bytes())
    blocks = [block.lstrip(b"\r\n") for block in data.partition(b"\r\n")[2].split(END)]
    return [block + b"\r\nServer: pbx\r\n\r\n" for block in blocks if block.startswith(b"Event: ")]


def watch(name, user):
    """Return the messages *user* gets of the recording *name*, and his filter."""
    table, filtered, got = CallTable(), SessionFilter(user, "off"), []
    for raw in recorded(name):
        message = Message(raw)
        table.note(message)
        got += filtered.incoming(message, "pbx", answer=False)
    return got, filtered


def peers(name):
    """Return the prefixes of the channels in *name*: ``local/210@phones``, ``iax2/phone101``."""
    channels = {Message(raw).get("Channel") for raw in recorded(name)}
    return sorted({channel.rpartition("-")[0].lower() for channel in channels if "-" in channel})


def by_channel(messages):
    """Return the names of the events of each channel until its Hangup, by its unique id."""
    events = collections.defaultdict(list)
    for message in messages:
        uid = message.get("Uniqueid")
        # A list item of some action and the Cdr are no part of the picture.  Asterisk
        # tells of a channel after its Hangup now and then: ConfbridgeLeave, NewCallerid.
        ended = events[uid][-1:] == ["Hangup"]
        if uid not in ("", "<unknown>") and not message.has("ActionID") and not ended:
            events[uid] += [message.get("Event")] * (message.get("Event") != "Cdr")
    return {uid: names for uid, names in events.items() if names}


def connected(name):
    """Return a function from id to the call it belongs to: all that was ever linked in *name*.

    Found out by joining the ids of each event, and the channels of each bridge of two.
    """
    parent = {}

    def find(uid):
        parent.setdefault(uid, uid)
        while parent[uid] != uid:
            uid = parent[uid]
        return uid

    for raw in recorded(name):
        message = Message(raw)
        ids = [
            value
            for header, value in message.headers()
            if header.lower().endswith(("uniqueid", "linkedid"))
            and "bridge" not in header.lower()
            and value
        ]
        if message.get("Event") == "BridgeEnter" and message.get("BridgeType") == "basic":
            ids.append(message.get("BridgeUniqueid"))
        for uid in ids:
            if uid != "<unknown>" and ids[0] != "<unknown>":
                parent[find(uid)] = find(ids[0])
    return find


@pytest.mark.parametrize("name", FLOWS)
def test_no_event_of_another_call_leaks(name):
    """What a user gets belongs to a call in which one of his channels took part."""
    call_of = connected(name)
    for prefix in peers(name):
        own = {
            call_of(message.get("Uniqueid"))
            for message in map(Message, recorded(name))
            if message.has("Uniqueid")
            and any(v.lower().startswith(prefix) for _, v in message.headers())
        }
        for message in watch(name, User(channel=prefix))[0]:
            if message.has("Uniqueid"):
                assert call_of(message.get("Uniqueid")) in own, (prefix, message.lines)


@pytest.mark.parametrize("name", FLOWS)
def test_the_picture_of_each_call_is_whole(name):
    """Of a channel seen at all: Newchannel first and once, then all there is, Hangup last."""
    whole = by_channel(map(Message, recorded(name)))
    for prefix in peers(name):
        for uid, events in by_channel(watch(name, User(channel=prefix))[0]).items():
            assert (events[0] == "Newchannel") == (whole[uid][0] == "Newchannel"), (
                prefix,
                uid,
                events,
            )
            assert events.count("Newchannel") <= 1
            # Replayed states may stand in for what was missed; nothing is missing after.
            tail = events[1:] if events[0] == "Newchannel" else events
            tail = tail[1:] if tail[:1] == ["Newstate"] else tail
            assert whole[uid][len(whole[uid]) - len(tail) :] == tail, (prefix, uid)
            if "Hangup" in whole[uid]:
                assert events[-1] == "Hangup", (prefix, uid, events)


@pytest.mark.parametrize("name", FLOWS)
def test_own_channels_miss_nothing(name):
    """Every event that names one of the user's channels in its Channel header arrives."""
    for prefix in peers(name):
        got = {message.raw for message in watch(name, User(channel=prefix))[0]}
        own = {
            raw for raw in recorded(name) if Message(raw).get("Channel").lower().startswith(prefix)
        }
        assert own <= got


@pytest.mark.parametrize("name", FLOWS)
def test_the_memory_ends_with_the_calls(name):
    """Of channels and bridges that are gone nothing is remembered."""
    ended = set()
    for message in map(Message, recorded(name)):
        if message.get("Event") == "Hangup":
            ended.add(message.get("Uniqueid"))
        elif message.get("Event") == "BridgeDestroy":
            ended.add(message.get("BridgeUniqueid"))
    for prefix in peers(name):
        filtered = watch(name, User(channel=prefix))[1]
        assert not ended & set(filtered._seen.get("pbx", ())), prefix


# Recording, user, then every call leg he sees, by number of the channel's unique id:
# how many events of it, replays counted too, and the events that belong to no leg.
WHO_SEES_WHAT = [
    (
        "d1_dial_bridge_observer",
        User(channel="local/210@phones"),
        {"56": 23, "58": 14, "59": 13, "57": 7, "": 1},
    ),
    (
        "d2_local_optimize",
        User(channel="iax2/phone107"),
        {"358": 26, "362": 15, "361": 24, "360": 10, "359": 7, "": 3},
    ),
    (
        "d5_redirect",
        User(channel="local/210@"),
        {
            "159": 24,
            "161": 21,
            "162": 13,
            "160": 7,
            "": 6,
            "167": 29,
            "169": 30,
            "170": 12,
            "168": 6,
        },
    ),
    (
        "d6_blind_transfer",
        User(channel="iax2/phone101"),
        {"186": 25, "188": 16, "": 5, "187": 6},
    ),
    (
        "d6_blind_transfer",
        User(channel="local/210"),
        {"178": 26, "180": 16, "181": 12, "179": 6, "": 2},
    ),
    (
        "d7_attended_transfer",
        User(channel="local/191@flow"),
        {
            "192": 17,
            "196": 21,
            "197": 41,
            "198": 16,
            "199": 12,
            "194": 11,
            "195": 7,
            "": 10,
            "193": 4,
            "208": 16,
            "212": 16,
            "213": 40,
            "214": 14,
            "215": 12,
            "210": 18,
            "209": 4,
            "211": 6,
        },
    ),
    (
        "d7_attended_transfer",
        User(channel="local/191@flow", filters=frozenset(["xfronly"])),
        {"": 1},
    ),
    (
        "d7_attended_transfer",
        User(channel="local/210@", filters=frozenset(["brionly"])),
        {
            "194": 4,
            "192": 2,
            "196": 4,
            "198": 2,
            "197": 2,
            "": 7,
            "210": 6,
            "208": 2,
            "212": 2,
            "214": 2,
            "213": 2,
        },
    ),
    (
        "e1_queue_complete",
        User(channel="local/201@"),
        {"315": 32, "317": 15, "318": 13, "319": 9, "320": 10, "": 3, "316": 9},
    ),
    (
        "e5_agent_pool",
        User(channel="local/music@legs-00000074"),
        {"494": 26, "495": 10, "496": 9, "": 1, "497": 6},
    ),
    (
        "f1_confbridge",
        User(channel="local/music@legs-0000006e"),
        {"456": 41, "457": 12, "452": 1},
    ),
    ("f1_confbridge", User(channel="sip/1"), {}),
]


@pytest.mark.parametrize(("name", "user", "legs"), WHO_SEES_WHAT)
def test_who_sees_what(name, user, legs):
    """The events of each leg of a recorded flow that one user sees, and no other leg."""
    got = collections.Counter(
        (
            message.get("Uniqueid")
            or message.get("DestUniqueid")
            or message.get("LocalOneUniqueid")
        ).partition(".")[2]
        for message in watch(name, user)[0]
    )

    assert dict(got) == legs


def test_no_call_of_another_context_leaks():
    """Who is given one context gets no event of a call that never was in it, replays included."""
    for name in FLOWS:
        call_of = connected(name)
        for context in ("phones", "legs", "agents", "flow"):
            within = {
                call_of(message.get("Uniqueid"))
                for message in map(Message, recorded(name))
                for header, value in message.headers()
                if header.endswith("Context") and value == context
            }
            for message in watch(name, User(in_context=context))[0]:
                if message.has("Uniqueid") and message.has("Context"):
                    assert call_of(message.get("Uniqueid")) in within, (
                        name,
                        context,
                        message.lines,
                    )


SEVERAL = [
    User(channel="local/210@phones", more_events=True),
    User(channel="local/", filters=frozenset(["novar"])),
    User(channel="local/2", filters=frozenset(["brionly", "xfronly"])),
    User(channel="iax2/", in_context="phones"),
    User(in_context="phones"),
    User(in_context="legs", more_events=True, filters=frozenset(["novar"])),
    User(filters=frozenset(["cdronly"])),
    User(),
]


@pytest.mark.parametrize(
    "name", ["d5_redirect", "d6_blind_transfer", "f1_confbridge", "e1_queue_complete"]
)
@pytest.mark.parametrize("user", SEVERAL)
def test_recorded_flows_are_filtered_as_the_reference_does(name, user):
    """On real traffic, too, the quick filter and the slow reference say the same."""
    server, reference, expected = ReferenceServer(), ReferenceFilter(user), []
    for raw in recorded(name):
        expected += reference.incoming(server, raw, "pbx", answer=False)
        if raw.startswith((b"Event: New", b"Event: Hangup", b"Event: Bridge")):
            server.past.append(raw)  # the rest does not count for it

    assert [message.raw for message in watch(name, user)[0]] == expected


def test_a_burst_of_calls_is_told_apart():
    """200 calls at once: each of ten users sees his own call, as all others do theirs."""
    for number in range(1000, 1010):
        got, filtered = watch("g1_burst200_observer", User(channel=f"local/{number}@"))
        numbers = {
            message.get("Channel").partition("@")[0] for message in got if message.has("Channel")
        }
        assert numbers == {f"Local/{number}"}
        assert len(by_channel(got)) == 4
        assert not filtered._seen["pbx"]


def measure():
    """Print what filtering costs per event and client: ``python -m tests.test_filters_flows``."""
    messages = [Message(raw) for raw in recorded("g1_burst200_observer")]
    table = CallTable()
    start = time.perf_counter()
    for message in messages:
        table.note(message)
    cost = time.perf_counter() - start
    print(f"examine once: {cost / len(messages) * 1e6:.2f} us/event")
    for title, users in {
        "a call of one's own each": [User(channel=f"local/{n}@") for n in range(1000, 1100)],
        "nothing to see": [User(channel=f"sip/{n}") for n in range(1000, 1100)],
        "everything to see": [User(channel="local/")] * 100,
        "one context, no variables": [User(in_context="load", filters=frozenset(["novar"]))] * 100,
    }.items():
        clients = [SessionFilter(user, "off") for user in users]
        start = time.perf_counter()
        for message in messages:
            for client in clients:
                client.incoming(message, "pbx", answer=False)
        cost = time.perf_counter() - start
        print(f"{title}: {cost / len(messages) / len(clients) * 1e6:.2f} us/event and client")


if __name__ == "__main__":
    measure()
