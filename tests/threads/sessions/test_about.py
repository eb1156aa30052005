# SPDX-License-Identifier: GPL-2.0-or-later
"""About: which Asterisk it is, asked once a connection, and only if somebody wants to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair


def asked(data: bytes) -> list[str]:
    """Return the lines of the only block in *data*."""
    (block, rest) = data.decode().split("\r\n\r\n")
    assert rest == ""
    return block.split("\r\n")


def test_an_asterisk_is_asked_once_a_connection(pair: MakePair) -> None:
    """Its answer is nobody's but the proxy's."""
    link = AsteriskLink(ServerSpec("pbx", 5038, "u", "s", "on", False), ActionIds())
    for version in ("22.1.0", "23.0.0"):
        transport, theirs = pair()
        link.open(transport)
        link.ask_about()  # not before it is live
        link.go_live()
        link.ask_about()
        link.ask_about()
        action, action_id = asked(theirs.recv(1000))

        items, _ = link.classify(
            [Message.of("Response: Success", action_id, f"AsteriskVersion: {version}")]
        )

        assert (action, items) == ("Action: CoreSettings", [])
        assert link.about.version == version
        link.lose()


def test_what_another_says_does_not_count(pair: MakePair) -> None:
    """An answer to a client may say what its client has put into it; a refusal says nothing."""
    link = AsteriskLink(ServerSpec("pbx", 5038, "u", "s", "on", False), ActionIds())
    transport, theirs = pair()
    link.open(transport)
    link.go_live()
    link.ask_about()
    _, action_id = asked(theirs.recv(1000))
    link.classify([Message.of("Response: Success", "ActionID: 1", "AsteriskVersion: forged")])
    assert link.about.version == ""

    link.classify([Message.of("Response: Error", action_id, "Message: Permission denied")])

    assert link.about.version == ""
