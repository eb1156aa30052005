# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists of modules that may not be loaded, or that cost much."""

from __future__ import annotations

from amiproxy.message import Message
from tests.threads.state.test_lists import ERROR, Asterisk, answer


def test_a_module_that_is_not_loaded_has_nothing_to_list() -> None:
    """As an action of the same classes is there; where it is not, nothing is known."""
    there = ("MailboxCount", "QueuePause")
    for others, unknown in ((there, set[str]()), ((), {"mailboxes", "agents"})):
        one = Asterisk()
        lines = (f"{name}: x  (Priv: call,all)" for name in others)
        one.commands = [Message.of("Response: Success", *lines)]
        one.live()
        assert {"mailboxes", "agents"} & set(one.lists.unknown()) == unknown
        assert not {"VoicemailUsersList", "MWIGet", "Agents"} & {name for name, _ in one.asked}


def test_a_costly_list_is_asked_once_a_connection() -> None:
    """Mailboxes are counted by looking into each; one that was refused is asked again."""
    one = Asterisk()
    one.commands = ERROR
    one.answers["VoicemailUsersList"] = lambda: answer(
        Message.of("Event: VoicemailUserEntry", "VoicemailBox: 101")
    )
    one.live()
    one.run(400.0)
    asked = [name for name, _ in one.asked]
    assert (asked.count("VoicemailUsersList"), asked.count("MWIGet")) == (1, 0)
    assert asked.count("Agents") > 2

    one.answers["VoicemailUsersList"] = lambda: ERROR
    one.model.clear()
    one.lists.begin(one.now)
    one.live()
    one.run(400.0)
    assert [name for name, _ in one.asked].count("VoicemailUsersList") > 2
