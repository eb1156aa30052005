# SPDX-License-Identifier: GPL-2.0-or-later
"""What the running program answers to actions, and what it never lets through."""

from __future__ import annotations

import contextlib
import hashlib
import time

import pytest

from amiproxy import __version__
from simulator.faults import Faults
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import (
    PATIENT,
    BareServer,
    host_line,
    is_response,
    read_block,
    value,
    wait_connected,
)
from tests.system.people import answer

GOODBYE = ["Response: Goodbye", "Message: Thanks for all the fish."]


@pytest.fixture
def client(stage):
    """A client that the proxy has in its list; what Asterisk had heard is forgotten."""
    program, asterisk = stage
    with program.client() as one:
        one.send("ProxyAction: ListServers")
        one.read_until(is_response)
        asterisk.received.clear()
        yield one


def is_served(client, asterisk):
    """Tell whether the shared session still works: a Ping is answered over it."""
    client.send("Action: Ping", "ActionID: served")
    pong = client.read_until(lambda message: value(message, "ActionID") == "served")
    return "Ping: Pong" in pong and len(asterisk.sessions) == 1


# -- log-in and log-off ----------------------------------------------------------------


def test_the_banner_is_the_proxys_own(stage):
    """Asterisk Call Manager Proxy/version, unless forcebanner says otherwise."""
    program, _ = stage
    with program.client(banner=False) as client:
        assert client.read_line() == f"Asterisk Call Manager Proxy/{__version__}"


def test_forcebanner_replaces_the_banner(proxy):
    """It is sent as it stands."""
    program = proxy(PATIENT + 'forcebanner = "Asterisk Call Manager/1.1"\n')
    with program.client(banner=False) as client:
        assert client.read_line() == "Asterisk Call Manager/1.1"


def test_a_login_is_answered_by_the_proxy_and_followed_by_fullybooted(stage, client):
    """Response first, ActionID last, then the event; Asterisk hears nothing."""
    _, asterisk = stage

    client.send("Action: Login", "ActionID: 1", "Username: any", "Secret: what", "Events: off")

    assert client.read_message() == [
        "Response: Success",
        "Message: Authentication accepted",
        "ActionID: 1",
    ]
    assert not asterisk.received
    assert is_served(client, asterisk)


def test_fullybooted_follows_a_login_that_wants_events(client):
    """Exactly as Asterisk says it."""
    client.send("Action: Login", "Username: any", "Secret: what")

    assert client.read_message()[1] == "Message: Authentication accepted"
    assert client.read_message() == [
        "Event: FullyBooted",
        "Privilege: system,all",
        "Status: Fully Booted",
    ]


def test_users_log_in_by_secret_or_md5_and_nobody_else(proxy):
    """A new challenge each time; a second login replaces the first."""
    with SimulatedAsterisk() as asterisk:
        config = PATIENT + "authrequired = yes\n" + host_line(asterisk)
        program = proxy(config, "joe=joesecret\nann=annsecret\n")
        wait_connected(program)
        with program.client() as client:
            assert answer(client, "Action: Ping", "ActionID: 7") == [
                "Response: Error",
                "Message: Action Filtered",
                "ActionID: 7",
            ]
            wrong = answer(client, "Action: Login", "Username: joe", "Secret: annsecret")
            assert wrong == ["Response: Error", "Message: Authentication failed"]
            asterisk.event("UserEvent", UserEvent="NotForStrangers")
            one = value(answer(client, "Action: Challenge", "AuthType: MD5"), "Challenge")
            two = value(answer(client, "Action: Challenge", "AuthType: MD5"), "Challenge")
            assert one != two
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


def test_a_challenge_of_another_kind_is_refused(client):
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
def test_no_spelling_of_logoff_reaches_asterisk(stage, client, block):
    """The client is said goodbye and let go; the shared connection stays."""
    program, asterisk = stage

    client.send_raw(block + "\r\n\r\n")

    assert client.read_until(is_response)[:2] == GOODBYE
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
def test_nothing_that_asterisk_would_read_as_logoff_gets_through(stage, client, block):
    """However it is disguised, the shared session is there afterwards."""
    program, asterisk = stage

    client.send_raw(block.encode("latin-1") + b"\r\n\r\n")
    client.send("Action: Logoff")
    client.read_to_end()

    with program.client() as other:
        assert is_served(other, asterisk)
    assert not asterisk.actions("Logoff")
    assert asterisk.accepted == 1


def test_login_and_challenge_win_over_a_proxyaction_and_that_over_an_action(stage, client):
    """A block with both does one thing."""
    _, asterisk = stage

    login = answer(client, "ProxyAction: ListServers", "Action: Login", "Username: a")
    assert login[1] == "Message: Authentication accepted"
    challenge = answer(client, "ProxyAction: ListServers", "Action: Challenge", "AuthType: MD5")
    assert value(challenge, "Challenge")
    listing = answer(client, "Action: Ping", "ProxyAction: ListServers")
    assert listing[0] == "ProxyResponse: Success"
    assert not asterisk.received


def test_empty_blocks_and_torn_ones_go_nowhere(stage, client):
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


def test_an_action_goes_up_whole_in_order_and_with_crlf(stage, client):
    """Repeated headers, odd names, any case, bytes beyond ASCII: as the client wrote them."""
    _, asterisk = stage

    client.send_raw(
        "aCTION: ping\nVariable: a=1\nVariable: b=2\nX-\xe9: \xfc\nEmpty: \nActionID: q\n\n"
    )

    client.read_until(lambda message: value(message, "ActionID") == "q")
    assert asterisk.received[-1] == (
        b"aCTION: ping\r\nVariable: a=1\r\nVariable: b=2\r\nX-\xe9: \xfc\r\nEmpty: \r\n"
        b"ActionID: q\r\n\r\n"
    )


def test_a_client_that_half_closes_gets_the_answers_under_way(stage):
    """As ``printf ... | nc -N`` does; lists whole, and then the end."""
    program, asterisk = stage
    asterisk.answer(
        "Ping",
        lambda request: (
            time.sleep(0.2)
            or b"Response: Success\r\nPing: Pong\r\n"
            + f"ActionID: {request.action_id}\r\n\r\n".encode()
        ),
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


# -- ProxyActions --------------------------------------------------------------------------


def test_listsessions_and_listservers_tell_who_is_there(stage, client):
    """Newest client first, then the servers; no secret in it."""
    program, asterisk = stage
    with program.client() as newest:
        answer(newest, "ProxyAction: SetOutputFormat", "OutputFormat: standard")
        assert answer(newest, "ProxyAction: ListSessions", "ActionID: s") == [
            "ProxyResponse: Success",
            *[
                "ProxyClientSession: 127.0.0.1",
                "ProxyClientActionID: ",
                "ProxyClientInputHandler: standard",
                "ProxyClientOutputHandler: standard",
            ]
            * 2,
            "ProxyServerSession: 127.0.0.1",
            "ActionID: s",
        ]
        assert answer(newest, "proxyaction: LISTSERVERS") == [
            "ProxyResponse: Success",
            f"ProxyListServer I: 127.0.0.1 H: 127.0.0.1 U: ampuser P: {asterisk.port} E: on ",
        ]


def test_listiohandlers_names_every_format(client):
    """One line each way."""
    lines = answer(client, "ProxyAction: ListIOHandlers")

    assert lines[0] == "ProxyResponse: Success"
    assert {"InputHandler: standard", "InputHandler: xml", "InputHandler: http"} <= set(lines)
    assert {"OutputHandler: standard", "OutputHandler: xml", "OutputHandler: csv"} <= set(lines)


def test_setoutputformat_answers_in_the_new_format_and_refuses_unknown_ones(stage, client):
    """An unknown one changes nothing; nor does http, which is input only."""
    for name in ("nosuch", "http", "", "../standard"):
        lines = answer(client, "ProxyAction: SetOutputFormat", f"OutputFormat: {name}")
        assert lines[0] == "ProxyResponse: Error"
    client.send("ProxyAction: SetOutputFormat", "OutputFormat: XML", "ActionID: f")
    lines = client.read_message()
    assert lines[0] == "<AsteriskManagerProxyOutput>"
    assert ' <OutputFormat Value="xml"/>' in lines
    client.send("ProxyAction: SetOutputFormat", "OutputFormat: standard")
    assert client.read_until(is_response) == ["ProxyResponse: Success", "OutputFormat: standard"]


@pytest.mark.parametrize(
    ("mode", "number"), [("on", 1), ("off", 0), ("unique", 2), ("ON", 1), ("rubbish", 0)]
)
def test_setautofilter_answers_with_a_number(client, mode, number):
    """The answers: on 1, off 0, unique 2."""
    assert answer(client, "ProxyAction: SetAutoFilter", f"AutoFilter: {mode}") == [
        "ProxyResponse: Success",
        f"AutoFilter: {number}",
    ]


def test_an_unknown_proxyaction_is_an_error(client):
    """With the client's ActionID at the end."""
    assert answer(client, "ProxyAction: Dance", "ActionID: d") == [
        "ProxyResponse: Error",
        "Message: Invalid Proxy Action",
        "ActionID: d",
    ]


def test_addserver_and_dropserver(stage, client):
    """Added last, once; dropped; told why not."""
    program, _ = stage
    with SimulatedAsterisk("127.0.0.9") as other:
        add = [
            "ProxyAction: AddServer",
            "Server: 127.0.0.9",
            f"Port: {other.port}",
            "Username: ampuser",
            "Secret: AmpSecret",
            "Events: on",
        ]
        assert answer(client, *add, "ActionID: a") == [
            "ProxyResponse: Success",
            "Message: Added 127.0.0.9",
            "ActionID: a",
        ]
        other.wait_for_session()
        wait_until(
            lambda: "Ping: Pong" in answer(client, "Action: Ping", "Server: 127.0.0.9"), what="it"
        )
        assert value(answer(client, "Action: Ping"), "Server") == "127.0.0.1"
        listed = answer(client, "ProxyAction: ListServers")
        assert [line.split()[2] for line in listed[1:]] == ["127.0.0.1", "127.0.0.9"]
        assert answer(client, *add) == [
            "ProxyResponse: Failure",
            "Message: Could not add 127.0.0.9",
        ]
        assert len(other.sessions) == 1
        assert answer(client, "ProxyAction: DropServer", "Server: 127.0.0.9") == [
            "ProxyResponse: Success",
            "Message: Dropped 127.0.0.9",
        ]
        other.wait_for_action("Logoff")
        other.wait_until(lambda: not other.connections)
        assert answer(client, "Action: Ping", "Server: 127.0.0.9") == [
            "Response: Error",
            "Message: Server 127.0.0.9 is not connected",
        ]
        assert other.accepted == 1
    assert "AmpSecret" not in program.log()


@pytest.mark.parametrize("missing", ["Server", "Port", "Username", "Secret", "Events"])
def test_addserver_with_a_header_missing_fails(client, missing):
    """Nothing is added."""
    headers = {
        "Server": "127.0.0.8",
        "Port": "5038",
        "Username": "u",
        "Secret": "s",
        "Events": "on",
    }
    del headers[missing]
    lines = answer(
        client, "ProxyAction: AddServer", *[f"{name}: {text}" for name, text in headers.items()]
    )

    assert lines == [
        "ProxyResponse: Failure",
        f"Message: Could not add {headers.get('Server', '')}",
    ]
    assert len(answer(client, "ProxyAction: ListServers")) == 2


@pytest.mark.parametrize(
    "lines",
    [
        ["Server: no such host", "Port: 1", "Username: u", "Secret: s", "Events: on"],
        ["Server: nosuch.invalid", "Port: 1", "Username: u", "Secret: s", "Events: on"],
        ["Server: 127.0.0.8", "Port: 0", "Username: u", "Secret: s", "Events: on"],
        ["Server: 127.0.0.8", "Port: 99999999", "Username: u", "Secret: s", "Events: on"],
        ["Server: " + "x" * 900, "Port: 1", "Username: u", "Secret: s", "Events: on"],
    ],
)
def test_addserver_of_what_cannot_be_fails(client, lines):
    """A name that does not resolve, a port that is none."""
    assert answer(client, "ProxyAction: AddServer", *lines)[0] == "ProxyResponse: Failure"


@pytest.mark.parametrize("server", [[], ["Server: "], ["Server: nosuch"]])
def test_dropserver_without_a_server_that_is_there_fails(client, server):
    """The C program died of the first."""
    name = server[0].partition(": ")[2] if server else ""
    assert answer(client, "ProxyAction: DropServer", *server) == [
        "ProxyResponse: Failure",
        f"Message: Cannot Drop Server {name}, Does Not Exist",
    ]


def test_a_user_name_of_any_length_in_addserver_harms_nothing(client):
    """The C program died of one with 300 bytes."""
    lines = ["Server: 127.0.0.8", "Port: 1", f"Username: {'u' * 900}", "Secret: s", "Events: on"]
    assert answer(client, "ProxyAction: AddServer", *lines)[0] == "ProxyResponse: Success"
    assert answer(client, "ProxyAction: DropServer", "Server: 127.0.0.8")[0].endswith("Success")


def test_without_a_needed_login_every_proxyaction_is_refused(proxy):
    """Only Logoff, Login and Challenge are served."""
    program = proxy(PATIENT + "authrequired = yes\n", "joe=secret\n")
    with program.client() as client:
        for name in (
            *("ListSessions", "ListServers", "ListIOHandlers", "SetOutputFormat"),
            *("SetAutoFilter", "AddServer", "DropServer", "Nonsense"),
        ):
            lines = answer(client, f"ProxyAction: {name}", "OutputFormat: xml", "Server: 127.0.0.1")
            assert lines == ["ProxyResponse: Error", "Message: Action Filtered"]
        assert answer(client, "ProxyAction: Logoff") == GOODBYE


# -- the proxy key -----------------------------------------------------------------------------


def test_the_proxy_key_is_asked_for_checked_and_kept_from_asterisk(proxy):
    """Right key: in; no or wrong key: an error, then the end; no events before."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(PATIENT + 'proxykey = "Ke y7"\n' + host_line(asterisk), "joe=hush\n")
        wait_connected(program)
        with program.client() as good, program.client() as bad, program.client() as silent:
            assert answer(good, "Action: Ping", "ProxyKey: Ke y7", "ActionID: 1")[-1].startswith(
                "Server"
            )
            assert b"ProxyKey" not in asterisk.received[-1]
            assert "Ping: Pong" in answer(good, "Action: Ping")
            asterisk.event("UserEvent", UserEvent="Secret")
            good.read_until("UserEvent: Secret")
            count = len(asterisk.received)
            bad.send("Action: Ping", "ProxyKey: ke y7")
            assert bad.read_message()[0] == "Response: Error"
            assert bad.read_to_end() == b""
            assert silent.is_silent()
            assert len(asterisk.received) == count
        with program.client() as alone:
            # With nothing else in it, the block that gives the key is an empty one.
            alone.send("ProxyKey: Ke y7")
            assert answer(alone, "Action: Ping", "ActionID: 2")[1] == "ActionID: 2"
            assert len(asterisk.received) == count + 1
        with program.client() as user:
            assert answer(user, "Action: Login", "Username: joe")[0] == "Response: Error"
            login = ("Action: Login", "Username: joe", "Secret: hush")
            assert answer(user, *login)[0] == "Response: Success"
            assert "Ping: Pong" in answer(user, "Action: Ping")
        assert "Ke y7" not in program.log()


# -- which server --------------------------------------------------------------------------------


def test_the_server_header_chooses_by_name_address_and_port(proxy):
    """Two on one address by their ports; any case; else the first of the file."""
    with (
        SimulatedAsterisk("127.0.0.1") as one,
        SimulatedAsterisk("127.0.0.1") as two,
        SimulatedAsterisk("127.0.0.3") as three,
    ):
        program = proxy(
            PATIENT
            + host_line(one, host="LocalHost")
            + host_line(two, host="localhost")
            + host_line(three)
        )
        wait_connected(program, 3)
        with program.client() as client:
            for name, target in (
                ("LOCALHOST", one),
                ("127.0.0.1", one),
                (f"localhost:{one.port}", one),
                (f"localhost:{two.port}", two),
                (f"127.0.0.1:{two.port}", two),
                ("127.0.0.3", three),
                (f"127.0.0.3:{three.port}", three),
            ):
                before = len(target.received)
                pong = answer(client, "Action: Ping", f"Server: {name}")
                assert "Ping: Pong" in pong, name
                assert len(target.received) == before + 1
            assert (
                value(answer(client, "Action: Ping", "Server: 127.0.0.3"), "Server") == "127.0.0.3"
            )
            assert value(answer(client, "Action: Ping"), "Server") == "localhost"
            one.stop()
            wait_until(
                lambda: "Ping: Pong" in answer(client, "Action: Ping") and two.actions("Ping"),
                what="the second takes over",
            )
            for name in ("nosuch", "10.1.2.3", f"127.0.0.1:{one.port}"):
                assert answer(client, "Action: Ping", f"Server: {name}", "ActionID: e") == [
                    "Response: Error",
                    f"Message: Server {name} is not connected",
                    "ActionID: e",
                ]


def test_without_any_server_actions_are_errors_and_proxyactions_work(proxy):
    """No host line at all."""
    program = proxy(PATIENT)
    with program.client() as client:
        assert client.ask("Action: Ping", "ActionID: 1") == [
            "Response: Error",
            "Message: No Asterisk server connected",
            "ActionID: 1",
        ]
        assert client.ask("Action: Ping", "Server: x")[1] == "Message: Server x is not connected"
        assert client.ask("ProxyAction: ListServers") == ["ProxyResponse: Success"]
    with program.client() as again:
        assert again.ask("ProxyAction: ListSessions")[0] == "ProxyResponse: Success"


# -- limits (12.17) --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block", "fine"),
    [
        ("Action: Ping\r\nActionID: l\r\nX: " + "y" * 1019, True),
        ("Action: Ping\r\nActionID: l\r\nX: " + "y" * 1020, False),
        ("Action: Ping\r\nActionID: l\r\nX: " + "y" * 100_000, False),
        ("Action: Ping\r\nActionID: l" + "\r\nX: y" * 126, True),
        ("Action: Ping\r\nActionID: l" + "\r\nX: y" * 127, False),
        ("Action: Ping\r\nActionID: l" + "\r\nX: y" * 5000, False),
    ],
)
def test_what_asterisk_would_cut_is_refused_with_an_error_that_says_so(stage, client, block, fine):
    """1022 bytes a line and 128 headers; the client stays and is served on."""
    _, asterisk = stage

    client.send_raw(block + "\r\n\r\n")

    lines = client.read_until(is_response)
    assert lines[0] == ("Response: Success" if fine else "Response: Error")
    assert len(asterisk.received) == fine
    if not fine:
        assert lines[1].endswith(
            ("line too long", "Too many lines in message or allocation failure")
        )
    assert "Ping: Pong" in answer(client, "Action: Ping")


def test_one_endless_line_is_refused_and_ends_nothing(stage, client):
    """The C program died of 256 KB."""
    program, asterisk = stage
    with program.client() as flood, contextlib.suppress(OSError):
        for _ in range(100):
            flood.send_raw(b"x" * 65536)
        flood.send_raw(b"\r\n\r\n")
        assert flood.read_until(is_response)[0] == "Response: Error"
    assert is_served(client, asterisk)


# -- what acts on one client alone (12.8) --------------------------------------------------------------


def test_the_event_mask_of_one_client_is_its_own(stage, client):
    """Action: Events and the Events header of Login: answered as Asterisk would."""
    program, asterisk = stage
    with program.client() as other:
        answer(other, "ProxyAction: ListServers")
        for mask, told in (("off", "Off"), ("call,user", "On"), ("rubbish", "Off"), ("on", "On")):
            assert answer(client, "Action: Events", f"EventMask: {mask}", "ActionID: m") == [
                "Response: Success",
                f"Events: {told}",
                "ActionID: m",
            ]
        assert answer(client, "Action: Events")[1] == "Message: Invalid event mask"
        answer(client, "Action: Events", "EventMask: call")
        asterisk.event("UserEvent", UserEvent="One")
        other.read_until("UserEvent: One")
        assert client.ask("Action: Ping", "ActionID: p")[0] == "Response: Success"
        login = ("Action: Login", "Username: x", "Events: user")
        assert client.ask(*login)[0] == "Response: Success"
        asterisk.event("Newchannel", Channel="SIP/1")
        asterisk.event("UserEvent", UserEvent="Two")
        assert "UserEvent: Two" in client.read_message()
    assert not asterisk.actions("Events")
    assert len(asterisk.actions("Login")) == 1


def test_the_filter_of_one_client_is_its_own(stage, client):
    """Operation Add, old syntax; a broken pattern is refused."""
    program, asterisk = stage
    with program.client() as other:
        answer(other, "ProxyAction: ListServers")
        assert answer(client, "Action: Filter", "Operation: Add", "Filter: (")[0].endswith("Error")
        assert answer(client, "Action: Filter", "Operation: Remove")[0].endswith("Error")
        assert answer(client, "Action: Filter", "Operation: Add", "Filter: UserEvent: Wan")[0] == (
            "Response: Success"
        )
        asterisk.event("UserEvent", UserEvent="Unwished")
        asterisk.event("UserEvent", UserEvent="Wanted")
        assert "UserEvent: Wanted" in client.read_message()
        other.read_until("UserEvent: Unwished")
        assert "Ping: Pong" in answer(client, "Action: Ping")
    assert not asterisk.actions("Filter")


def test_waitevent_holds_up_its_client_only(stage, client):
    """Answered as Asterisk does when an event comes, or when time is over."""
    program, asterisk = stage
    with program.client() as other:
        answer(other, "ProxyAction: ListServers")
        client.send("Action: WaitEvent", "Timeout: 60", "ActionID: w")
        client.send("Action: Ping", "ActionID: behind")
        assert "Ping: Pong" in answer(other, "Action: Ping", "ActionID: o")
        # It is an event that is waited for, not the answer to somebody else.
        answered = []

        def comes():
            # One that came before the WaitEvent was taken does not end it.
            asterisk.event("UserEvent", UserEvent="Come")
            with contextlib.suppress(TimeoutError):
                wanted = client.read_until(lambda message: value(message, "ActionID") == "w", 0.2)
                answered.extend(wanted)
            return answered

        assert wait_until(comes) == [
            "Response: Success",
            "Message: Waiting for Event completed.",
            "ActionID: w",
        ]
        assert client.read_until("Event: WaitEventComplete") == [
            "Event: WaitEventComplete",
            "ActionID: w",
        ]
        client.read_until(lambda message: value(message, "ActionID") == "behind")
        start = time.monotonic()
        client.send("Action: WaitEvent", "Timeout: 1", "ActionID: t")
        client.read_until(lambda message: value(message, "ActionID") == "t")
        assert 0.9 < time.monotonic() - start < 5
    assert not asterisk.actions("WaitEvent")


# -- synchronous Originate (12.16) ------------------------------------------------------------------------

CALL = ("Action: Originate", "Context: default", "Exten: 100", "Priority: 1")


@pytest.fixture(params=["off", "unique"])
def phones(request, proxy):
    """A proxy in either mode, its Asterisk whose calls take a while, and two clients."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(PATIENT + f"autofilter = {request.param}\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as caller, program.client() as other:
            for one in (caller, other):
                answer(one, "ProxyAction: ListServers")
            yield caller, other, asterisk


def test_a_synchronous_originate_holds_nobody_up(phones):
    """Recording b7: the phone is never answered; all others are served meanwhile."""
    caller, other, asterisk = phones

    caller.send(*CALL, "Channel: Local/never@phones", "Timeout: 3000", "ActionID: c")
    asterisk.wait_for_action("Originate")
    start = time.monotonic()
    assert "Ping: Pong" in answer(other, "Action: Ping", "ActionID: p")
    asterisk.event("UserEvent", UserEvent="Meanwhile")
    other.read_until("UserEvent: Meanwhile")
    assert time.monotonic() - start < 2
    assert b"Async: true\r\n" in asterisk.actions("Originate")[-1]

    reply = caller.read_until(
        lambda message: value(message, "ActionID") == "c" and is_response(message)
    )
    assert reply[0] == "Response: Error"
    assert "Message: Originate failed" in reply
    assert 2 < time.monotonic() - start < 8


@pytest.mark.parametrize(
    ("channel", "first", "text"),
    [
        ("Local/1@phones", "Response: Success", "Originate successfully queued"),
        ("Local/busy@phones", "Response: Error", "Originate failed"),
        ("NoTech/1", "Response: Error", "Originate failed"),
        ("", "Response: Error", "Channel not specified"),
    ],
)
@pytest.mark.parametrize("action_id", ["c1", None])
def test_a_synchronous_originate_is_answered_as_asterisk_would(
    phones, channel, first, text, action_id
):
    """Recordings c1 and c3: one answer, when it is decided, and no OriginateResponse."""
    caller, _, _ = phones
    lines = [*CALL, f"Channel: {channel}"] + ([f"ActionID: {action_id}"] if action_id else [])

    caller.send(*lines)
    reply = caller.read_until(is_response)

    expected = [first, f"Message: {text}", "Server: 127.0.0.1"]
    if action_id:
        expected.insert(1, f"ActionID: {action_id}")
    assert reply == expected
    caller.send("Action: Ping", "ActionID: sentinel")
    while "ActionID: sentinel" not in (message := caller.read_message()):
        assert "Event: OriginateResponse" not in message
        assert not is_response(message)


@pytest.mark.parametrize("phones", ["on"], indirect=True)
def test_with_autofilter_on_an_originate_without_actionid_is_answered(phones):
    """The ActionID it gets on its way is not one that the client would have to know."""
    caller, _, _ = phones

    for channel, first in (("", "Response: Error"), ("Local/1@phones", "Response: Success")):
        caller.send(*CALL, f"Channel: {channel}")
        reply = caller.read_until(is_response)
        assert reply[0] == first
        assert value(reply, "ActionID") is None


def test_an_asynchronous_originate_is_left_as_it_is(phones):
    """Recording c2: queued at once, then the OriginateResponse."""
    caller, _, asterisk = phones

    caller.send(*CALL, "Channel: Local/1@phones", "Async: yes", "ActionID: a")

    assert "Message: Originate successfully queued" in caller.read_until(is_response)
    assert "ActionID: a" in caller.read_until("Event: OriginateResponse")
    assert b"Async: yes\r\n" in asterisk.actions("Originate")[-1]
    assert asterisk.actions("Originate")[-1].count(b"Async") == 1


def test_originateasync_no_leaves_the_originate_synchronous(proxy):
    """And so does an Asterisk that tells us no events."""
    for config, events in (("originateasync = no\n", "on"), ("", "off")):
        with SimulatedAsterisk() as asterisk:
            program = proxy(PATIENT + config + host_line(asterisk, events=events))
            wait_connected(program)
            with program.client() as client:
                reply = answer(client, *CALL, "Channel: Local/busy@phones", "ActionID: s")
                assert "Message: Originate failed" in reply
                assert b"Async" not in asterisk.actions("Originate")[-1]


# -- autofilter off and on ------------------------------------------------------------------------------


def test_with_autofilter_off_everybody_sees_every_answer(stage, client):
    """Untouched, ActionIDs as they are."""
    program, asterisk = stage
    with program.client() as other:
        answer(other, "ProxyAction: ListServers")
        mine = answer(client, "Action: Ping", "ActionID: shared")
        assert other.read_until(is_response) == mine
        assert b"ActionID: shared\r\n" in asterisk.actions("Ping")[-1]


def test_with_autofilter_on_a_client_sees_only_its_last_actionid(proxy):
    """Before it has sent one it sees all; then answers only, and events with the id."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(PATIENT + "autofilter = on\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as one, program.client() as two:
            for client in (one, two):
                answer(client, "ProxyAction: ListServers")
            asterisk.event("UserEvent", UserEvent="All")
            one.read_until("UserEvent: All")
            assert value(answer(one, "Action: Ping", "ActionID: a"), "ActionID") == "a"
            asterisk.event("UserEvent", UserEvent="Hidden")
            answer(two, "Action: Ping", "ActionID: b")
            one.send("Action: CoreShowChannels", "ActionID: c")
            assert one.read_message()[1] == "ActionID: c"
            assert one.read_message()[0] == "Event: CoreShowChannelsComplete"
            one.send("Action: UserEvent", "UserEvent: Mine", "ActionID: d")
            assert one.read_message()[0] == "Response: Success"
            assert "UserEvent: Mine" in one.read_message()
            assert answer(one, "ProxyAction: SetAutoFilter", "AutoFilter: off")[1].endswith("0")
            asterisk.event("UserEvent", UserEvent="Seen")
            one.read_until("UserEvent: Seen")
            assert answer(one, "ProxyAction: SetAutoFilter", "AutoFilter: unique")[1].endswith("2")
            answer(one, "Action: Ping", "ActionID: d")
            assert b"-d\r\n" in asterisk.actions("Ping")[-1]


def test_an_answer_that_is_late_is_for_its_owner_only(proxy):
    """Whoever changes to unique while an answer is under way still gets it."""
    with BareServer() as server:
        program = proxy(PATIENT + "autofilter = unique\n" + host_line(server))
        link = server.wait_link()
        wait_connected(program)
        with program.client() as client:
            client.send("Action: Ping", "ActionID: 1")
            wire = value(read_block(link), "ActionID")
            answer(client, "ProxyAction: SetAutoFilter", "AutoFilter: off")
            link.sendall(f"Response: Success\r\nActionID: {wire}\r\nPing: Pong\r\n\r\n".encode())
            assert "ActionID: 1" in client.read_until(is_response)


def test_asterisk_in_shutdown_answers_errors_and_they_reach_who_asked(proxy):
    """Recording k3: the connection is kept, its answers are passed on."""
    faults = Faults()
    with SimulatedAsterisk(faults=faults) as asterisk:
        program = proxy(PATIENT + "autofilter = unique\n" + host_line(asterisk))
        wait_connected(program)
        faults.shutting_down = True
        with program.client() as client:
            assert "Message: Asterisk is shutting down" in answer(client, "Action: Ping")
            asterisk.event("UserEvent", UserEvent="StillHere")
            client.read_until("UserEvent: StillHere")


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("u=s,,,,,,,novar", "Foo"),
        ("u=s,,,,,,,cdronly", "Cdr"),
        ("u=s,,,,acc", "VarSet"),
        ("u=s,,,,,127.0.0.1", "VarSet"),
    ],
)
def test_a_user_whose_filters_ask_for_no_calls_sees_events_without_ids(proxy, line, seen):
    """Golden session filt_novar: nobody else needs calls to be kept, and still events come."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(PATIENT + "authrequired = yes\n" + host_line(asterisk), line + "\n")
        wait_connected(program)
        with program.client() as client:
            login = ("Action: Login", "Username: u", "Secret: s")
            assert answer(client, *login)[0] == "Response: Success"
            assert client.read_message()[0] == "Event: FullyBooted"
            for name in ("VarSet", "Foo", "Cdr"):
                asterisk.event(name, A="b")
            assert client.read_message()[0] == f"Event: {seen}"
