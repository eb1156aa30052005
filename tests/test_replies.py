# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies: in AMI's words they stand in Asterisk's order, for libraries count on it."""

from __future__ import annotations

import pytest

from amiproxy import replies
from amiproxy.blocks import refusal
from amiproxy.message import Message

ASKED = Message.of("Action: Login", "ActionID: 7")
IN_AMIS_WORDS = {
    "success": replies.reply(ASKED, "Response: Success", "Message: Authentication accepted"),
    "error": replies.error(ASKED, "No"),
    "filtered": replies.filtered(ASKED),
    "goodbye": replies.goodbye(ASKED),
    "waited": replies.waited(ASKED),
    "complete": replies.wait_complete(ASKED),
    "refusal": refusal("No", [b"ActionID: 7"]).reply,
}


@pytest.mark.parametrize("reply", IN_AMIS_WORDS.values(), ids=IN_AMIS_WORDS)
def test_the_actionid_stands_behind_the_first_line(reply: Message) -> None:
    """Response, ActionID, the rest: as astman_send_response_full writes it."""
    assert reply.lines[0].startswith(("Response: ", "Event: "))
    assert reply.lines[1] == "ActionID: 7"
    assert len(reply.all("ActionID")) == 1


def without_the_last_line(reply: Message) -> dict[str, str]:
    """Read *reply* as phpagi does: it drops the last line of every Success and Follows."""
    lines = list(reply.lines)
    if lines[0].partition(": ")[2] in ("Success", "Follows"):
        lines.pop()
    return dict(line.split(": ", 1) for line in lines)


def test_a_library_that_drops_the_last_line_finds_its_actionid() -> None:
    """Else it waits for ever for the answer to its log-in."""
    read = without_the_last_line(IN_AMIS_WORDS["success"])

    assert read == {"Response": "Success", "ActionID": "7"}


@pytest.mark.parametrize(
    "reply",
    [
        replies.proxy_success(ASKED, "Message: Done"),
        replies.proxy_failure(ASKED, "No"),
        replies.proxy_error(ASKED, "No"),
    ],
)
def test_a_proxyresponse_ends_with_the_actionid(reply: Message) -> None:
    """As the C program wrote it."""
    assert reply.lines[0].startswith("ProxyResponse: ")
    assert reply.lines[-1] == "ActionID: 7"


def test_who_gives_no_actionid_gets_none() -> None:
    """Nor who gives an empty one, as in Asterisk; nor does what is nobody's answer have one."""
    assert replies.error(Message.of("Action: Ping"), "No").lines == (
        "Response: Error",
        "Message: No",
    )
    assert not replies.error(None, "No").has("ActionID")
    assert not replies.error(Message.of("Action: Ping", "ActionID:  "), "No").has("ActionID")
    assert not replies.proxy_error(None, "No").has("ActionID")
