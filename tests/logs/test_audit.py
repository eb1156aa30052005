# SPDX-License-Identifier: GPL-2.0-or-later
"""Which actions the audit is about, and what it says of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.asterisk.actions import ACTIONS
from amiproxy.logs.audit import is_change, key_headers, line, result_of
from amiproxy.message import Message

SECRET = "S3cret"


@pytest.mark.parametrize(
    ("lines", "changes"),
    [
        (["Action: Originate", "Channel: SIP/1"], True),
        (["Action: NoSuchAction"], True),
        (["Action: QueueStatus"], False),
        (["Action: CoreShowChannels"], False),
        (["Action: Getvar", "Variable: CALLERID(num)"], True),
        (["Action: Getvar", "Variable: X"], False),
        (["Action: Command", "Command: core show channels"], False),
        (["Action: Command", "Command: queue add member x to y"], True),
        (["Action: Command", "Command: channel originate show"], True),
        (["Action: Command"], True),
    ],
)
def test_what_changes_something_is_audited(lines: list[str], changes: bool) -> None:
    """What is not known may."""
    assert is_change(Message.of(*lines)) is changes


def test_most_actions_that_are_known_change_something() -> None:
    """Those that read are left out, and nothing else."""
    changes = {name for name in ACTIONS if is_change(Message.of(f"Action: {name}"))}

    assert {"Originate", "Hangup", "Redirect", "DBPut", "UpdateConfig", "QueuePause"} <= changes
    assert not {"Ping", "Status", "SIPpeers", "DBGet", "MailboxCount", "GetConfig"} & changes


@pytest.mark.parametrize(
    "lines",
    [
        ["Action: Setvar", "Channel: SIP/1", "Variable: PIN", f"Value: {SECRET}"],
        ["Action: Originate", f"Channel: SIP/joe:{SECRET}@host/200", "Exten: 1"],
        ["Action: Originate", f"Channel: IAX2/joe:a/b:{SECRET}@host/200", "Exten: 1"],
        ["Action: Originate", f"Channel: SIP/joe:p@{SECRET}@host/200", "Exten: 1"],
        ["Action: Originate", "Channel: SIP/1", f"Variable: PIN={SECRET}", f"Data: {SECRET}"],
        ["Action: Originate", "Channel: SIP/1", f"Variable: {SECRET}"],
        ["Action: DBPut", "Family: pins", "Key: 101", f"Val: {SECRET}"],
        ["Action: Command", f"Command: database put pins 101 {SECRET}"],
        ["Action: MessageSend", f"To: sip:101:{SECRET}@host", f"Body: {SECRET}"],
        ["Action: UpdateConfig", "Var-000000: secret", f"Value-000000: {SECRET}"],
        ["Action: UpdateConfig", f"Var-000000: secret={SECRET}"],
        ["Action: PlayDTMF", "Channel: SIP/1", f"Digit: {SECRET}"],
        ["Action: Foo", f"Secret: {SECRET}", f"Password: {SECRET}", f"ProxyKey: {SECRET}"],
    ],
)
def test_no_secret_is_in_it(lines: list[str]) -> None:
    """What an action sets, says or dials with."""
    headers = key_headers(Message.of(*lines))

    assert SECRET not in str(headers)
    assert headers or lines[0] == "Action: Foo"


def test_it_says_on_what_an_action_acts() -> None:
    """Also who a message is for."""
    message = Message.of(
        *("Action: Originate", "Channel: PJSIP/101", "Exten: 200", "Context: default"),
        *("Priority: 1", "Async: true", "Timeout: 3000"),
    )
    assert key_headers(message) == {
        "channel": "PJSIP/101", "exten": "200", "context": "default", "priority": "1",
    }  # fmt: skip
    dial = Message.of("Action: Originate", "Channel: SIP/a:b@c@host/1&IAX2/d@e/2@f&SIP/g:h@i/3@j")
    assert key_headers(dial) == {"channel": "SIP/a:...@host/1&IAX2/d@e/2@f&SIP/g:...@i/3@j"}
    assert key_headers(Message.of("Action: MessageSend", "To: sip:101@host")) == {
        "to": "sip:101@host"
    }


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (["Response: Success", "Message: Originate successfully queued"], "Success"),
        (["Response: Error", "Message: No such channel"], "Error: No such channel"),
        (["ProxyResponse: Failure", "Message: Could not add x"], "Failure: Could not add x"),
        (["Event: QueueStatusComplete"], "Success"),
    ],
)
def test_the_result_is_what_asterisk_answered(answer: list[str], said: str) -> None:
    """With the reason where it failed."""
    assert result_of(Message.of(*answer)) == said


@given(st.dictionaries(st.sampled_from(["user", "action", "channel"]), st.text()))
def test_no_value_looks_like_another_field(fields: dict[str, str]) -> None:
    """A value with a blank, a quote or an equals sign is quoted, and the line is one line."""
    text = line(fields)

    assert text.isascii()
    assert text.isprintable()
    rest = text[len("audit: ") :]
    for name, value in fields.items():
        assert rest.startswith(f"{name}=")
        rest = rest[len(name) + 1 :]
        if value and all(each.isalnum() and each.isascii() for each in value):
            assert rest.startswith(value)
        end = rest.index('"', 1) if rest.startswith('"') else 0
        while end and rest[end - 1] == "\\" and not rest[:end].endswith("\\\\"):
            end = rest.index('"', end + 1)
        rest = rest[end:].partition(" ")[2]
