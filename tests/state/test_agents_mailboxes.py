# SPDX-License-Identifier: GPL-2.0-or-later
"""Agents of AgentLogin, and mailboxes: by recordings of Asterisk 22, and in the words of 11."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from amiproxy.state.agents import AGENTS, AgentTable
from amiproxy.state.mailboxes import EXTERNAL, USERS, MailboxTable
from amiproxy.state.table import Standing
from tests.state.replays import fed, give, row, shown, told


@pytest.fixture
def agents() -> AgentTable:
    """Return an empty table, which builds."""
    return AgentTable(Standing())


@pytest.fixture
def mailboxes() -> MailboxTable:
    """Return an empty table."""
    return MailboxTable(Standing())


def changes(table: AgentTable, name: str) -> list[tuple[object, ...]]:
    """Return the states of agent 1001, one after the other, as the recording *name* tells them."""
    seen: list[tuple[object, ...]] = []
    for now in give(table, name):
        for found in shown(table, "agents", "agent", "state", now=now):
            if found[0] == "1001" and seen[-1:] != [found[1:]]:
                seen.append(found[1:])
    return seen


@pytest.mark.parametrize("name", ["e5_agent_pool", "pjsip_agents"])
def test_an_agent_logs_in_talks_and_logs_off(agents: AgentTable, name: str) -> None:
    """As a recording of Asterisk 22 tells it; the state of its device says that it talks."""
    talks = [("on_call",)] if name == "e5_agent_pool" else []
    assert changes(agents, name) == [("idle",), *talks, ("logged_off",)]
    assert shown(agents, "agents", "channel", "uniqueid", "login")[0] == (None, None, None)


def test_a_list_tells_names_and_times(agents: AgentTable) -> None:
    """Also behind the line that Asterisk ends with a line feed alone; what it lacks goes."""
    lists = [each.items for each in told("e5_agent_pool") if each.query == AGENTS or (
        each.query is not None and each.query.action == "Agents")]  # fmt: skip
    agents.take_list(AGENTS, lists[1], 2000.0)

    talking = row(agents, "agents", "1001").fields
    assert (talking["name"], talking["state"]) == ("Agent One", "on_call")
    assert (talking["since"], talking["login"]) == (1795412381, 1795412375)
    assert talking["talking_to"] == "Local/music@legs-00000075;1"
    assert row(agents, "agents", "1002").fields["state"] == "logged_off"
    assert agents.take_list(AGENTS, lists[1], 2001.0) == 0
    assert agents.take_list(AGENTS, [], 2002.0) == 2
    assert len(agents) == 0


def test_agents_of_asterisk_11(agents: AgentTable) -> None:
    """No device states: the queue's events tell; other headers, and n/a for nothing."""
    agents.take_list(
        AGENTS,
        [Message.of("Event: Agents", "Agent: 1001", "Name: Anna", "Status: AGENT_LOGGEDOFF",
                    "LoggedInChan: n/a", "LoggedInTime: 0", "TalkingTo: n/a")],
        1000.0,
    )  # fmt: skip
    assert row(agents, "agents", "1001").fields["login"] is None
    fed(agents, "Event: Agentlogin", "Agent: 1001", "Channel: SIP/101-1", "Uniqueid: 1.1")
    member = ("Queue: q", "Member: Agent/1001", "Uniqueid: 2.1")
    fed(agents, "Event: AgentConnect", *member, "Channel: Agent/1001", now=1001.0)
    anna = row(agents, "agents", "1001").fields
    assert (anna["state"], anna["since"], anna["talking_to"]) == ("on_call", 1001.0, None)
    fed(agents, "Event: AgentComplete", *member, now=1002.0)
    assert row(agents, "agents", "1001").fields["state"] == "idle"
    for status, state in ((2, "on_call"), (1, "idle"), (6, "idle"), (5, "logged_off")):
        fed(agents, "Event: QueueMemberStatus", "Location: Agent/1001", f"Status: {status}")
        assert row(agents, "agents", "1001").fields["state"] == state
    fed(agents, "Event: QueueMemberStatus", "Location: SIP/1001", "Status: 1")
    assert row(agents, "agents", "1001").fields["state"] == "logged_off"


def test_who_an_agent_talks_to(agents: AgentTable) -> None:
    """From 12 on AgentConnect names the caller's channel."""
    fed(agents, "Event: AgentLogin", "Agent: 1001", "Channel: PJSIP/1-1", "Uniqueid: 1.1")
    fed(agents, "Event: AgentConnect", "Interface: Agent/1001", "Channel: PJSIP/9-1",
        "DestChannel: PJSIP/1-1")  # fmt: skip
    assert shown(agents, "agents", "state", "talking_to") == [("on_call", "PJSIP/9-1")]
    fed(agents, "Event: DeviceStateChange", "Device: Agent:1001", "State: NOT_INUSE")
    assert shown(agents, "agents", "state", "talking_to") == [("idle", None)]


def test_an_agent_whose_channel_is_gone_is_logged_off() -> None:
    """Also where no event says so; one that hung up does not log in; a new one is a doubt."""
    standing = Standing()
    standing.live = True
    table = AgentTable(standing)
    login = ("Event: AgentLogin", "Agent: 1001", "Channel: PJSIP/1-1", "Uniqueid: 1.1")
    fed(table, *login)
    assert standing.doubts == {"agents"}
    fed(table, "Event: Hangup", "Uniqueid: 1.1")
    assert shown(table, "agents", "state", "channel") == [("logged_off", None)]
    standing.gone.add("1.1", 1000.0)
    fed(table, *login)
    assert shown(table, "agents", "state") == [("logged_off",)]


def test_a_message_is_left(mailboxes: MailboxTable) -> None:
    """The recording: a new message; then it is heard."""
    now = list(give(mailboxes, "pjsip_voicemail"))[-1]
    fields = ("mailbox", "new", "old")
    assert shown(mailboxes, "mailboxes", *fields) == [("102@default", 1, 0)]
    since = row(mailboxes, "mailboxes", "102@default").fields["since"]
    assert isinstance(since, float)
    assert 1000.0 < since < now

    fed(mailboxes, "Event: MessageWaiting", "Mailbox: 102@default", "Waiting: 0", now=now)
    assert shown(mailboxes, "mailboxes", "new", "since") == [(0, now)]


def test_lists_of_mailboxes(mailboxes: MailboxTable) -> None:
    """Of voicemail.conf, with names and new ones; of an external system; what they lack stays."""
    fed(mailboxes, "Event: MessageWaiting", "Mailbox: 9@db", "New: 3", "Old: 1")
    entry = ("Event: VoicemailUserEntry", "VMContext: default", "VoicemailBox: 101",
             "Fullname: Anna", "NewMessageCount: 2")  # fmt: skip
    assert mailboxes.take_list(USERS, [Message.of(*entry)], 1000.0) == 1
    assert mailboxes.take_list(USERS, [Message.of(*entry)], 1000.0) == 0
    item = ("Event: MWIGet", "Mailbox: x", "OldMessages: 4", "NewMessages: 0")
    mailboxes.take_list(EXTERNAL, [Message.of(*item)], 1000.0)

    assert shown(mailboxes, "mailboxes", "mailbox", "name", "new", "old", "since") == [
        ("9@db", None, 3, 1, 1000.0), ("101@default", "Anna", 2, None, None),
        ("x", None, 0, 4, None),
    ]  # fmt: skip
