# SPDX-License-Identifier: GPL-2.0-or-later
"""Log-in and log-off at the running program, and what never goes to Asterisk."""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy import __version__
from simulator.server import SimulatedAsterisk
from tests.system.peers import (
    PATIENT,
    host_line,
    is_response,
    value,
    wait_connected,
)
from tests.system.people import answer, is_served

if TYPE_CHECKING:
    from simulator.protocol import Action
    from tests.support import ManagerClient, StartProxy
    from tests.system.peers import Stage


GOODBYE = ["Response: Goodbye", "Message: Thanks for all the fish."]


def test_the_banner_is_the_proxys_own(stage: Stage) -> None:
    """Asterisk Call Manager Proxy/version, unless forcebanner says otherwise."""
    program, _ = stage
    with program.client(banner=False) as client:
        assert client.read_line() == f"Asterisk Call Manager Proxy/{__version__}"


def test_forcebanner_replaces_the_banner(proxy: StartProxy) -> None:
    """It is sent as it stands."""
    program = proxy(PATIENT + 'forcebanner = "Asterisk Call Manager/1.1"\n')
    with program.client(banner=False) as client:
        assert client.read_line() == "Asterisk Call Manager/1.1"


def test_a_login_is_answered_by_the_proxy_and_followed_by_fullybooted(
    stage: Stage, client: ManagerClient
) -> None:
    """Response first, ActionID second, then the event; Asterisk hears nothing."""
    _, asterisk = stage

    client.send("Action: Login", "ActionID: 1", "Username: any", "Secret: what", "Events: off")

    assert client.read_message() == [
        "Response: Success",
        "ActionID: 1",
        "Message: Authentication accepted",
    ]
    assert not asterisk.received
    assert is_served(client, asterisk)


def test_fullybooted_follows_a_login_that_wants_events(client: ManagerClient) -> None:
    """Exactly as Asterisk says it."""
    client.send("Action: Login", "Username: any", "Secret: what")

    assert client.read_message()[1] == "Message: Authentication accepted"
    assert client.read_message() == [
        "Event: FullyBooted",
        "Privilege: system,all",
        "Status: Fully Booted",
    ]


def test_users_log_in_by_secret_or_md5_and_nobody_else(proxy: StartProxy) -> None:
    """A new challenge each time; a second login replaces the first."""
    with SimulatedAsterisk() as asterisk:
        config = PATIENT + "authrequired = yes\n" + host_line(asterisk)
        program = proxy(config, "joe=joesecret\nann=annsecret\n")
        wait_connected(program)
        with program.client() as client:
            assert answer(client, "Action: Ping", "ActionID: 7") == [
                "Response: Error",
                "ActionID: 7",
                "Message: Action Filtered",
            ]
            wrong = answer(client, "Action: Login", "Username: joe", "Secret: annsecret")
            assert wrong == ["Response: Error", "Message: Authentication failed"]
            asterisk.event("UserEvent", UserEvent="NotForTheUnauthenticated")
            one = value(answer(client, "Action: Challenge", "AuthType: MD5"), "Challenge")
            two = value(answer(client, "Action: Challenge", "AuthType: MD5"), "Challenge")
            assert one != two
            assert two is not None
            assert two.isdigit()
            key = hashlib.md5(f"{two}joesecret".encode()).hexdigest()
            client.send("Action: Login", "AuthType: MD5", "Username: joe", f"Key: {key}")
            assert client.read_message() == [
                "Response: Success",
                "Message: Authentication accepted",
            ]
            assert "Ping: Pong" in answer(client, "Action: Ping")
            asterisk.event("UserEvent", UserEvent="ForJoe")
            client.read_until("UserEvent: ForJoe")
            again = answer(client, "Action: Login", "Username: ann", "Secret: annsecret")
            assert again[0] == "Response: Success"
        assert not asterisk.actions("Challenge")
        assert len(asterisk.actions("Login")) == 1
        for secret in ("joesecret", "annsecret", "AmpSecret", key):
            assert secret not in program.log()


def test_a_challenge_of_another_kind_is_refused(client: ManagerClient) -> None:
    """Must specify AuthType, as Asterisk says."""
    for lines in (["Action: Challenge"], ["Action: Challenge", "AuthType: SHA1"]):
        assert answer(client, *lines) == ["Response: Error", "Message: Must specify AuthType"]


@pytest.mark.parametrize(
    "block",
    [
        "Action: Logoff",
        "Action:Logoff",
        "action:logoff",
        "ACTION:   LOGOFF",
        "Action:\tLogoff",
        "Action:Logoff\r\nAction: Ping",
        "Action:\r\nAction: Logoff",
        "Action: \r\nAction:Logoff",
        "ProxyAction: ListServers\r\nAction: Logoff",
        "Action: Logoff\r\nProxyAction: SetAutoFilter",
        "ProxyAction: Logoff",
        "ProxyAction: Logoff\r\nAction: Ping",
        "ActionID: 1\r\nX: y\r\nAction: Logoff",
    ],
)
def test_no_spelling_of_logoff_reaches_asterisk(
    stage: Stage, client: ManagerClient, block: Any
) -> None:
    """The client is said goodbye and let go; the shared connection stays."""
    program, asterisk = stage

    client.send_raw(block + "\r\n\r\n")

    # Without autofilter late answers of the test before may come first.
    reply = client.read_until("Response: Goodbye")
    assert [line for line in reply if not line.startswith("ActionID: ")] == GOODBYE
    assert client.read_to_end() == b""
    assert not asterisk.received
    with program.client() as other:
        assert is_served(other, asterisk)


@pytest.mark.parametrize(
    "block",
    [
        " Action: Logoff",
        "Action : Logoff",
        "Action: Logoff ",
        "Action: Logoff\x00x",
        "Action: Ping\r\r\nAction: Logoff",
        "X: y\x00\r\nAction: Logoff\x00",
        "\x00\r\nAction: Logoff",
        "X: y\r\n\x00z\r\nAction: Logoff",
        "X: y\r\n\x00\r\n\x00Action: Logoff",
        "Action: Ping\nAction: Logoff",
        "\xef\xbb\xbfAction: Logoff",
        "Action: Login\r\nAction: Logoff",
        "Action\x00: Ping\r\nAction: Logoff",
    ],
)
def test_nothing_that_asterisk_would_read_as_logoff_gets_through(
    stage: Stage, client: ManagerClient, block: Any
) -> None:
    """However it is disguised, the shared session is there afterwards."""
    program, asterisk = stage

    client.send_raw(block.encode("latin-1") + b"\r\n\r\n")
    client.send("Action: Logoff")
    client.read_to_end()

    with program.client() as other:
        assert is_served(other, asterisk)
    assert not asterisk.actions("Logoff")
    assert asterisk.accepted == 1


def test_login_and_challenge_win_over_a_proxyaction_and_that_over_an_action(
    stage: Stage, client: ManagerClient
) -> None:
    """A block with both does one thing."""
    _, asterisk = stage

    login = answer(client, "ProxyAction: ListServers", "Action: Login", "Username: a")
    assert login[1] == "Message: Authentication accepted"
    challenge = answer(client, "ProxyAction: ListServers", "Action: Challenge", "AuthType: MD5")
    assert value(challenge, "Challenge")
    listing = answer(client, "Action: Ping", "ProxyAction: ListServers")
    assert listing[0] == "ProxyResponse: Success"
    assert not asterisk.received


def test_empty_blocks_and_torn_ones_go_nowhere(stage: Stage, client: ManagerClient) -> None:
    """Each stray blank line upstream would draw an error that nobody asked for."""
    program, asterisk = stage

    client.send_raw("\r\n\r\n\n\n\r\n")
    client.send_raw("\r\n\r\nAction: Ping\nActionID: lf\n\n\n\n")
    assert value(client.read_until(is_response), "ActionID") == "lf"
    with program.client() as torn:
        torn.send_raw("Action: Getvar\r\nVariable: torn\r\n")
        torn.half_close()
        assert torn.read_to_end() == b""
    assert "Ping: Pong" in answer(client, "Action: Ping")
    assert not [raw for raw in asterisk.received if b"ction: Ping" not in raw]


def test_an_action_goes_up_whole_in_order_and_with_crlf(
    stage: Stage, client: ManagerClient
) -> None:
    """Repeated headers, odd names, any case, bytes beyond ASCII: as the client wrote them."""
    _, asterisk = stage

    client.send_raw(
        "aCTION: ping\nVariable: a=1\nVariable: b=2\nX-\xe9: \xfc\nEmpty: \nActionID: q\n\n"
    )

    client.read_until(lambda message: value(message, "ActionID") == "q")
    # The ActionID alone is the proxy's own.
    assert re.sub(rb"amp\d+-.*-q\r", b"q\r", asterisk.received[-1]) == (
        b"aCTION: ping\r\nVariable: a=1\r\nVariable: b=2\r\nX-\xe9: \xfc\r\nEmpty: \r\n"
        b"ActionID: q\r\n\r\n"
    )


def pong_late(request: Action) -> bytes:
    """Answer a Ping after a while."""
    time.sleep(0.2)
    return f"Response: Success\r\nPing: Pong\r\nActionID: {request.action_id}\r\n\r\n".encode()


def test_a_client_that_half_closes_gets_the_answers_under_way(stage: Stage) -> None:
    """As ``printf ... | nc -N`` does; lists whole, and then the end."""
    program, asterisk = stage
    asterisk.answer(
        "Ping",
        pong_late,
    )
    try:
        with program.client() as client:
            client.send("Action: Ping", "ActionID: one")
            client.send("Action: QueueStatus", "ActionID: two")
            client.half_close()
            data = client.read_to_end()
    finally:
        asterisk.answer("Ping", None)

    assert b"Ping: Pong\r\nActionID: one" in data
    assert b"Event: QueueStatusComplete\r\nActionID: two" in data
