# SPDX-License-Identifier: GPL-2.0-or-later
"""The order in which a block is looked at (spec section 5)."""

from __future__ import annotations

import pytest

from amiproxy.threads.actions.call import LEAVES, STAYS
from tests.threads.actions.support import Client

GOODBYE = ["Response: Goodbye", "Message: Thanks for all the fish."]
NO_ASTERISK = ["Response: Error", "Message: No Asterisk server connected"]
REFUSED = ["Response: Error", "Message: Action Filtered"]
PROXY_REFUSED = ["ProxyResponse: Error", "Message: Action Filtered"]
ACCEPTED = ["Response: Success", "Message: Authentication accepted"]


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["Action: Logoff", "ProxyAction: ListServers"], GOODBYE),
        (["Action: Login", "ProxyAction: Logoff"], ACCEPTED),
        (["Action: Challenge", "AuthType: MD5x", "ProxyAction: ListServers"],
         ["Response: Error", "Message: Must specify AuthType"]),
        (["Action: Ping", "ProxyAction: ListServers"], ["ProxyResponse: Success"]),
        (["Action: Events", "EventMask: on", "ProxyAction: logoff"], GOODBYE),
        (["Action: Events", "EventMask: off"], ["Response: Success", "Events: Off"]),
        (["Action: Ping"], NO_ASTERISK),
        (["X: y"], NO_ASTERISK),
    ],
)  # fmt: skip
def test_what_a_block_with_several_actions_means(lines: list[str], answer: list[str]) -> None:
    """Login, Logoff, Challenge; then ProxyAction; then the proxy's own; then Asterisk."""
    client = Client()

    client.handle(*lines)

    assert client.session.told[0] == answer


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (["Action: Ping"], REFUSED),
        (["Action: Events", "EventMask: off"], REFUSED),
        (["Action: WaitEvent"], REFUSED),
        (["ProxyAction: ListSessions"], PROXY_REFUSED),
        (["ProxyAction: Nonsense"], PROXY_REFUSED),
        (["ProxyAction: Logoff"], GOODBYE),
        (["Action: Logoff"], GOODBYE),
    ],
)
def test_before_a_needed_login_everything_else_is_refused(
    lines: list[str], answer: list[str]
) -> None:
    """Only Login, Challenge and Logoff are served."""
    client = Client("joe=secret", auth_required=True)

    assert client.ask(*lines) == answer


def test_a_missing_or_wrong_proxy_key_ends_the_session() -> None:
    """Where a key is set; the right one is good for the whole session."""
    client = Client(proxy_key="k3y")
    for lines in (["Action: Ping"], ["Action: Ping", "ProxyKey: K3Y"], ["ProxyAction: Logoff"]):
        unauthenticated = client.join()
        assert client.handle(*lines, session=unauthenticated) == LEAVES
        assert unauthenticated.told == [["Response: Error", "Message: ProxyKey required"]]

    assert client.ask("Action: Ping", "ProxyKey: k3y") == NO_ASTERISK
    assert client.ask("Action: Ping") == NO_ASTERISK


def test_a_key_alone_is_accepted_without_an_answer() -> None:
    """Without the key the block is empty, and nothing goes to Asterisk."""
    client = Client(proxy_key="k3y")

    assert client.handle("ProxyKey: k3y") == STAYS
    assert client.session.told == []
    assert client.session.authenticated


def test_logoff_needs_no_key() -> None:
    """As Login and Challenge."""
    client = Client(proxy_key="k3y")

    assert not client.handle("Action: Logoff").stays
    assert client.session.told == [GOODBYE]


@pytest.mark.parametrize(
    ("lines", "logoff"),
    [
        (["Action: Logoff"], True),
        (["ProxyAction: LOGOFF"], True),
        (["Action: Ping", "ProxyAction: Logoff"], True),
        (["Action: Login", "ProxyAction: Logoff"], False),
        (["Action: Ping"], False),
        (["ProxyAction: ListServers"], False),
    ],
)
def test_the_answer_to_a_logoff_is_left_to_the_clients_thread(
    lines: list[str], logoff: bool
) -> None:
    """It waits for the answers under way first."""
    assert (Client().handle(*lines).goodbye is not None) is logoff


def test_an_action_beyond_the_users_rights_does_not_go_upstream() -> None:
    """It is answered at once; one that is permitted goes on to Asterisk."""
    client = Client("[u]\nsecret = s\nread =\nwrite = call\n", auth_required=True)
    client.ask("Action: Login", "Username: u", "Secret: s")

    assert client.ask("Action: Command", "Command: x", "ActionID: 1") == [
        REFUSED[0],
        "ActionID: 1",
        *REFUSED[1:],
    ]
    assert client.ask("Action: Hangup", "Channel: x") == NO_ASTERISK
