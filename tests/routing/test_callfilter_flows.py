# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorded calls of a real Asterisk x users: who sees which call, and all of it."""

from __future__ import annotations

import collections

import pytest

from amiproxy.message import Message
from tests.routing.recordings import (
    BURST,
    FLOWS,
    by_channel,
    connected,
    recorded,
    watch,
    watch_peers,
)
from tests.routing.reference_filter import ReferenceFilter, ReferenceServer
from tests.routing.support import User


@pytest.mark.parametrize("name", FLOWS)
def test_no_event_of_another_call_leaks(name: str) -> None:
    """What a user gets belongs to a call in which one of its channels took part."""
    call_of = connected(name)
    for prefix, (got, _) in watch_peers(name).items():
        own = {
            call_of(message.get("Uniqueid"))
            for message in map(Message, recorded(name))
            if message.has("Uniqueid")
            and any(v.lower().startswith(prefix) for _, v in message.headers())
        }
        for message in got:
            if message.has("Uniqueid"):
                assert call_of(message.get("Uniqueid")) in own, (prefix, message.lines)


@pytest.mark.parametrize("name", FLOWS)
def test_the_picture_of_each_call_is_whole(name: str) -> None:
    """Of a channel that is seen: Newchannel first and once, then every event, Hangup last."""
    whole = by_channel(map(Message, recorded(name)))
    for prefix, (got, _) in watch_peers(name).items():
        for uid, events in by_channel(got).items():
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
def test_own_channels_miss_nothing(name: str) -> None:
    """Every event that names one of the user's channels in its Channel header arrives."""
    for prefix, (messages, _) in watch_peers(name).items():
        got = {message.raw for message in messages}
        own = {
            raw for raw in recorded(name) if Message(raw).get("Channel").lower().startswith(prefix)
        }
        assert own <= got


@pytest.mark.parametrize("name", FLOWS)
def test_the_memory_ends_with_the_calls(name: str) -> None:
    """Of channels and bridges that are gone nothing is remembered."""
    ended = set()
    for message in map(Message, recorded(name)):
        if message.get("Event") == "Hangup":
            ended.add(message.get("Uniqueid"))
        elif message.get("Event") == "BridgeDestroy":
            ended.add(message.get("BridgeUniqueid"))
    for prefix, (_, filtered) in watch_peers(name).items():
        assert not [uid for uid in ended if filtered.knows(uid)], prefix


# Recording, user, then every call leg it sees, by number of the channel's unique id:
# how many events of it, replays counted too, and the events that belong to no leg.
WHO_SEES_WHAT = [
    (
        "d1_dial_bridge_observer",
        User(channel="local/210@phones"),
        {"56": 23, "58": 14, "59": 13, "57": 7, "": 6},
    ),
    (
        "d2_local_optimize",
        User(channel="iax2/phone107"),
        {"358": 27, "362": 15, "361": 24, "360": 10, "359": 8, "": 6},
    ),
    (
        "d5_redirect",
        User(channel="local/210@"),
        {
            "159": 24,
            "161": 21,
            "162": 13,
            "160": 7,
            "": 16,
            "167": 30,
            "169": 30,
            "170": 12,
            "168": 7,
        },
    ),
    (
        "d6_blind_transfer",
        User(channel="iax2/phone101"),
        {"186": 25, "188": 16, "": 11, "187": 7},
    ),
    (
        "d6_blind_transfer",
        User(channel="local/210"),
        {"178": 26, "180": 16, "181": 12, "179": 6, "": 7},
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
            "": 20,
            "193": 5,
            "208": 17,
            "212": 16,
            "213": 40,
            "214": 14,
            "215": 12,
            "210": 19,
            "209": 6,
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
        {"315": 32, "317": 15, "318": 13, "319": 9, "320": 10, "": 8, "316": 9},
    ),
    (
        "e5_agent_pool",
        User(channel="local/music@legs-00000074"),
        {"494": 26, "495": 10, "496": 10, "": 1, "497": 7},
    ),
    (
        "f1_confbridge",
        User(channel="local/music@legs-0000006e"),
        {"456": 41, "457": 12, "452": 1},
    ),
    ("f1_confbridge", User(channel="sip/1"), {}),
]


@pytest.mark.parametrize(("name", "user", "legs"), WHO_SEES_WHAT)
def test_who_sees_what(name: str, user: User, legs: dict[str, int]) -> None:
    """The events of each leg of a recorded flow that one user sees, and no other leg."""
    got = collections.Counter(
        (
            message.get("Uniqueid")
            or message.get("DestUniqueid")
            or message.get("LocalOneUniqueid")
        ).partition(".")[2]
        for message in watch(name, user)[0][0]
    )

    assert dict(got) == legs


@pytest.mark.parametrize("name", FLOWS)
def test_no_call_of_another_context_leaks(name: str) -> None:
    """A user of one context gets no event of a call that never was in it, replays included."""
    call_of = connected(name)
    within: dict[str, set[str]] = collections.defaultdict(set)
    for message in map(Message, recorded(name)):
        for header, value in message.headers():
            if header.endswith("Context") and value:
                within[value].add(call_of(message.get("Uniqueid")))
    watching = watch(name, *[User(in_context=context) for context in within])
    for context, (got, _) in zip(within, watching):
        for message in got:
            if message.has("Uniqueid") and message.has("Context"):
                assert call_of(message.get("Uniqueid")) in within[context], (context, message.lines)


SEVERAL = [
    User(channel="local/210@phones", more_events=True),
    User(channel="local/", filters=frozenset(["novar"])),
    User(channel="local/2", filters=frozenset(["brionly", "xfronly"])),
    User(channel="iax2/", in_context="phones"),
    User(channel="pjsip/101"),
    User(channel="sip/102", filters=frozenset(["novar"])),
    User(channel="pjsip/102", in_context="from-phones"),
    User(in_context="phones"),
    User(in_context="legs", more_events=True, filters=frozenset(["novar"])),
    User(filters=frozenset(["cdronly"])),
    User(),
]


@pytest.mark.parametrize(
    "name",
    [
        "d5_redirect",
        "d6_blind_transfer",
        "f1_confbridge",
        "e1_queue_complete",
        "pjsip_queue",
        "asterisk11_failures",
    ],
)
@pytest.mark.parametrize("user", SEVERAL)
def test_recorded_flows_are_filtered_as_the_reference_does(name: str, user: User) -> None:
    """On real traffic, too, the fast filter and the slow reference agree."""
    server, reference = ReferenceServer(), ReferenceFilter(user)
    expected: list[bytes] = []
    for raw in recorded(name):
        server.begin(raw)
        expected += reference.incoming(server, raw, "pbx", answer=False)
        server.end(raw)

    assert [message.raw for message in watch(name, user)[0][0]] == expected


@pytest.mark.parametrize("name", ["pjsip_blind", "asterisk11_attended"])
def test_more_events_include_those_that_name_an_address(name: str) -> None:
    """``From: 127.0.0.1:21379`` of RTCPSent and RTCPReceived is not a channel."""
    nameless = [
        raw
        for raw in recorded(name)
        if raw.startswith(b"Event: RTCP") and b"\r\nChannel: " not in raw
    ]

    got = [message.raw for message in watch(name, User(channel="sip/1", more_events=True))[0][0]]

    assert nameless
    assert [raw for raw in got if raw.startswith(b"Event: RTCP")] == nameless


def test_a_burst_of_calls_is_told_apart() -> None:
    """200 calls at once: each of ten users sees its own call from its begin to its end."""
    numbers = range(1000, 1010)
    uids = {Message(raw).get("Uniqueid") for raw in recorded(BURST)}

    watching = watch(BURST, *[User(channel=f"local/{number}@") for number in numbers])

    for number, (got, filtered) in zip(numbers, watching):
        seen = {m.get("Channel").partition("@")[0] for m in got if m.has("Channel")}
        assert seen == {f"Local/{number}"}
        assert len(by_channel(got)) == 4
        assert not [uid for uid in uids if filtered.knows(uid)]
