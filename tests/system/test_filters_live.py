# SPDX-License-Identifier: GPL-2.0-or-later
"""Users and recorded calls, through the running program: exactly what each user sees."""

from __future__ import annotations

import contextlib
import functools
import itertools
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.message import Message
from tests.routing.recordings import by_channel, connected, recorded
from tests.routing.reference_filter import ReferenceFilter, ReferenceServer
from tests.routing.support import User
from tests.system.peers import Collector
from tests.system.people import CLOSED, logged_in

if TYPE_CHECKING:
    from tests.system.peers import Stage

HOST = "127.0.0.1"

#: Name -> line of the users file, and the filters it means.
PEOPLE: dict[str, tuple[str, User]] = {
    "nobody": ("nobody=secret,sip/nobody", User(channel="sip/nobody")),
    "phone210": ("phone210=secret,Local/210@phones", User(channel="local/210@phones")),
    "phone191": ("phone191=secret,local/191@flow", User(channel="local/191@flow")),
    "iax101": ("iax101=secret,IAX2/phone101", User(channel="iax2/phone101")),
    "iax104": ("iax104=secret,iax2/phone104", User(channel="iax2/phone104")),
    "iax107": ("iax107=secret,iax2/phone107", User(channel="iax2/phone107")),
    "agent201": ("agent201=secret,local/201@agents", User(channel="local/201@agents")),
    "agent203": (
        "agent203=secret,local/203@agents,,,,,yes",
        User(channel="local/203@agents", more_events=True),
    ),
    "stayer": ("stayer=secret,local/stay@", User(channel="local/stay@")),
    "novar": (
        "novar=secret,local/music@legs,,,,,,novar",
        User(channel="local/music@legs", filters=frozenset(["novar"])),
    ),
    "cdrs": ("cdrs=secret,,,,,,,cdronly", User(filters=frozenset(["cdronly"]))),
    "moves": (
        "moves=secret,,,,,,,brionly|xfronly",
        User(filters=frozenset(["brionly", "xfronly"])),
    ),
    "legs": ("legs=secret,,,legs", User(in_context="legs")),
    "all": ("all=secret", User()),
    # The form of manager.conf comes last.
    "board": ("[board]\nsecret = secret\nread = agent\nwrite =", User()),
    "support": (
        "[support]\nsecret = secret\nread = agent,call\nwrite =\neventfilter = Queue: support",
        User(),
    ),
    "caller": (
        "[caller]\nsecret = secret\nread = call,cdr\nwrite =\nchannel = local/music@legs",
        User(channel="local/music@legs"),
    ),
}

#: From flow to what each of PEOPLE got.
Watched = Callable[[str], dict[str, list[bytes]]]

pytestmark = pytest.mark.stage(CLOSED, users="\n".join(line for line, _ in PEOPLE.values()))


def may_read(name: str, raw: bytes) -> bool:
    """Return whether *name* may read events of the class of *raw*, as its section says."""
    privilege = Message(raw).get("Privilege").split(",")
    classes = set(privilege) - {"all"}
    if name == "board":
        return classes <= {"agent"}
    if name == "support":
        return classes <= {"agent", "call"} and b"Queue: support" in raw
    return name != "caller" or classes <= {"call", "cdr"}


#: Flow -> (recordings, interleaved message by message; name -> number of events seen).
#: Users that are not named see nothing at all.
FLOWS: dict[str, tuple[list[str], dict[str, int]]] = {
    "dial": (
        ["d1_dial_bridge"],
        {
            "phone210": 63,
            "agent203": 12,
            "stayer": 85,
            "cdrs": 3,
            "moves": 6,
            "legs": 19,
            "all": 94,
        },
    ),
    "optimised": (
        ["d2_local_optimize"],
        {
            "iax107": 89,
            "agent203": 28,
            "novar": 125,
            "cdrs": 7,
            "moves": 20,
            "legs": 36,
            "all": 225,
            "caller": 103,
        },
    ),
    "redirect": (
        ["d5_redirect"],
        {
            "phone210": 155,
            "agent203": 31,
            "stayer": 191,
            "cdrs": 9,
            "moves": 18,
            "legs": 30,
            "all": 213,
        },
    ),
    "blind transfer": (
        ["d6_blind_transfer"],
        {
            "phone210": 67,
            "iax101": 59,
            "agent203": 24,
            "stayer": 156,
            "cdrs": 7,
            "moves": 14,
            "legs": 33,
            "all": 174,
            "board": 3,
        },
    ),
    "attended transfer": (
        ["d7_attended_transfer"],
        {
            "phone210": 359,
            "phone191": 278,
            "agent203": 52,
            "stayer": 384,
            "cdrs": 15,
            "moves": 42,
            "legs": 29,
            "all": 423,
        },
    ),
    "phones": (
        ["d9_iax_calls"],
        {"iax104": 75, "iax107": 64, "agent203": 26, "cdrs": 5, "moves": 20, "all": 204},
    ),
    "queue": (
        ["e1_queue_complete"],
        {
            "agent201": 93,
            "agent203": 17,
            "novar": 90,
            "cdrs": 5,
            "moves": 6,
            "legs": 21,
            "all": 124,
            "board": 6,
            "support": 6,
            "caller": 67,
        },
    ),
    "many queues": (
        ["e4_queue_many"],
        {
            "iax101": 112,
            "agent201": 196,
            "agent203": 317,
            "stayer": 882,
            "cdrs": 30,
            "moves": 60,
            "legs": 240,
            "all": 976,
            "board": 68,
            "support": 36,
        },
    ),
    "conference": (
        ["f1_confbridge"],
        {
            "agent203": 31,
            "stayer": 130,
            "novar": 85,
            "cdrs": 19,
            "moves": 12,
            "legs": 98,
            "all": 235,
            "caller": 72,
        },
    ),
    "two unrelated calls": (
        ["d1_dial_bridge", "d9_iax_calls"],
        {
            "phone210": 63,
            "iax104": 75,
            "iax107": 64,
            "agent203": 38,
            "stayer": 85,
            "cdrs": 8,
            "moves": 26,
            "legs": 19,
            "all": 298,
        },
    ),
}


@functools.cache
def spoken(flow: str) -> tuple[list[bytes], list[bytes]]:
    """Return the events of a flow as Asterisk sends them, and as clients get them.

    Events that answer the recorded client are left out: nobody else gets them.
    """
    several = [
        [raw for raw in recorded(name) if b"\r\nPrivilege:" in raw and b"\r\nActionID:" not in raw]
        for name in FLOWS[flow][0]
    ]
    raws = [raw for turn in itertools.zip_longest(*several) for raw in turn if raw is not None]
    tail = b"Server: pbx\r\n\r\n"
    plain = [raw[: -len(tail)] for raw in raws]
    sent = [raw + b"\r\n" for raw in plain]
    return sent, [raw + b"Server: " + HOST.encode() + b"\r\n\r\n" for raw in plain]


@functools.cache
def expected(flow: str) -> dict[str, list[bytes]]:
    """Return what each of PEOPLE gets of a flow by the simple reference."""
    result: dict[str, list[bytes]] = {name: [] for name in PEOPLE}
    server = ReferenceServer()
    filters = {name: ReferenceFilter(user) for name, (_, user) in PEOPLE.items()}
    for raw in spoken(flow)[1]:
        server.begin(raw)
        for name, one in filters.items():
            if may_read(name, raw):
                found = one.incoming(server, raw, "pbx", answer=False)
                result[name] += [message for message in found if may_read(name, message)]
        server.end(raw)
    return result


@pytest.fixture(scope="module")
def watched(stage: Stage) -> Watched:
    """Return a function from flow to what each of PEOPLE got of it; a flow is played once."""
    program, asterisk = stage

    @functools.cache
    def watch(flow: str) -> dict[str, list[bytes]]:
        with contextlib.ExitStack() as stack:
            readers = {}
            for name in PEOPLE:
                client = stack.enter_context(logged_in(program, name))
                readers[name] = (client, stack.enter_context(Collector(client)))
            asterisk.send(b"".join(spoken(flow)[0]))
            assert asterisk.flush()
            got: dict[str, list[bytes]] = {}
            for name, (client, reader) in readers.items():
                # The answer comes after all that Asterisk said before.
                client.send("Action: Ping", "ActionID: the-end")
                data = reader.wait_for(b"ActionID: the-end\r\n")
                blocks = [block + b"\r\n\r\n" for block in data.split(b"\r\n\r\n") if block]
                got[name] = [block for block in blocks if block.startswith(b"Event: ")]
            return got

    return watch


@pytest.mark.parametrize("flow", FLOWS)
def test_each_user_sees_exactly_their_calls(watched: Watched, flow: str) -> None:
    """The messages are those of the simple reference, and as many as the table says."""
    got = watched(flow)

    assert {name: len(messages) for name, messages in got.items() if messages} == FLOWS[flow][1]
    assert got == expected(flow)
    assert got["all"] == spoken(flow)[1]


@pytest.mark.parametrize("flow", FLOWS)
def test_no_event_of_another_call_reaches_a_user(watched: Watched, flow: str) -> None:
    """All that a channel user gets is linked to a channel of theirs, by joining all ids."""
    for name, (_, user) in PEOPLE.items():
        if not user.channel:
            continue
        for recording in FLOWS[flow][0]:
            call_of = connected(recording)
            known = {Message(raw).get("Uniqueid") for raw in recorded(recording)}
            own = {
                call_of(message.get("Uniqueid"))
                for message in map(Message, recorded(recording))
                if any(text.lower().startswith(user.channel) for _, text in message.headers())
            }
            for message in map(Message, watched(flow)[name]):
                uid = message.get("Uniqueid")
                if uid and uid in known:
                    assert call_of(uid) in own, (name, message.lines)


@pytest.mark.parametrize("flow", FLOWS)
def test_a_user_sees_each_channel_from_newchannel_to_hangup(watched: Watched, flow: str) -> None:
    """Newchannel comes first and once, the Hangup last, and no event between is missing."""
    everything = by_channel(map(Message, spoken(flow)[1]))
    for name, (_, user) in PEOPLE.items():
        if not user.channel or user.filters or name == "caller":
            continue
        for uid, events in by_channel(map(Message, watched(flow)[name])).items():
            whole = everything[uid]
            assert (events[0] == "Newchannel") == (whole[0] == "Newchannel"), (name, uid, events)
            assert events.count("Newchannel") <= 1, (name, uid)
            rest = events[1:] if events[0] == "Newchannel" else events
            rest = rest[1:] if rest[:1] == ["Newstate"] else rest
            assert whole[len(whole) - len(rest) :] == rest, (name, uid)
            if "Hangup" in whole:
                assert events[-1] == "Hangup", (name, uid, events)
