# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts: what one message says by itself."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from amiproxy.routing.facts import facts_of


def event(name: str, *lines: str) -> Message:
    """Return the event *name* as a message."""
    return Message.of(f"Event: {name}", *lines)


@pytest.mark.parametrize(
    ("lines", "name", "response"),
    [
        (("Event: Foo", "Response: Success"), "foo", False),
        (("Response: Success", "Event: Foo"), "", True),
        (("ActionID: 1", "Event: FOO", "Event: Bar"), "foo", False),
        (("EVENT:Foo",), "foo", False),
        (("Lonely: header",), "", False),
        (("no header at all",), "", False),
    ],
)
def test_event_or_answer(lines: tuple[str, ...], name: str, response: bool) -> None:
    """Whichever header comes first says what the message is."""
    facts = facts_of(Message.of(*lines))

    assert (facts.name, facts.response) == (name, response)


def test_facts_of_an_event() -> None:
    """Everything the filters read."""
    facts = facts_of(
        event(
            "Hangup", "Privilege: call,all", "Channel: SIP/A-1", "Context: In", "Context: other", "Uniqueid: 1.1",
            "Linkedid: 1.0", "DestChannel: ", "DestUniqueid: <unknown>", "SwapUniqueid: 1.1", "BridgeUniqueid: b",
        )
    )  # fmt: skip

    assert facts.privilege == "call,all"
    assert facts.channels == "\nsip/a-1"
    assert facts.contexts == ("In",)
    assert facts.uids == ("1.1", "1.0")
    assert facts.own_uid == "1.1"
    assert facts.bridges == ("b",)
    assert facts_of(event("X", "DestContext: a", "LocalOneContext: b")).contexts == ("a", "b")
    assert facts_of(event("X")).contexts == ()


def test_facts_are_made_once() -> None:
    """And kept with the message."""
    message = event("X")

    assert facts_of(message) is facts_of(message) is message.facts


def test_channels_are_separated_from_each_other() -> None:
    """A prefix is found behind a line feed only; empty headers do not count."""
    facts = facts_of(event("X", "Channel: SIP/a", "DestChannel: ", "Interface: PJSIP/b"))

    assert facts.channels == "\nsip/a\npjsip/b-"
    assert facts_of(event("X", "DestChannel: ")).channels == ""


@pytest.mark.parametrize(
    ("lines", "devices"),
    [
        (["Device: PJSIP/101"], "\npjsip/101-\n"),
        (["Device:Local/5@in/n"], "\nlocal/5@in-\n"),
        (["Device: Custom:lamp"], "\n/custom:lamp-\n"),
        (["AOR: 101", "EndpointName: 102"], "\npjsip/101-\npjsip/102-\n"),
        (["Peer: IAX2/x"], "\niax2/x-\n"),
        (["Peer: 101"], "\nsip/101-\n"),
        (["Hint: PJSIP/1&SIP/2,CustomPresence:SIP/3"], "\npjsip/1-\nsip/2-\n"),
        (["AccountID: 101", "Service: PJSIP"], "\npjsip/101-\n"),
        (["Service: AMI", "AccountID: 101"], "\nami/101-\n"),
        (["AccountID: 101"], "\n/101-\n"),
        (["AccountID: sip:101@10.0.0.1", "Service: SIP"], "\nsip/101-\n"),
        (["Device: ", "Service: PJSIP"], "\n"),
        (["Device: PJSIP/101", "Uniqueid: 1.1"], ""),
        (["Interface: PJSIP/101"], ""),
    ],
)
def test_devices_of_an_event_without_channel(lines: list[str], devices: str) -> None:
    """As the names of their channels begin; Service says of what technology an account is."""
    assert facts_of(event("X", *lines)).devices == devices
