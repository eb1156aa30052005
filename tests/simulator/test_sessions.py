# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions of the simulated Asterisk: logins, answers, events."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.certificates import self_signed
from tests.simulator.support import SECRET, USER, logged_in
from tests.support import ManagerClient, wait_until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("speak", "banner", "booted"),
    [
        ("1.8", "Asterisk Call Manager/1.1", 3),
        ("13", "Asterisk Call Manager/2.8.0", 3),
        ("22", "Asterisk Call Manager/11.0.0", 5),
    ],
)
def test_each_generation_has_its_banner(speak: str, banner: str, booted: int) -> None:
    """Banner and FullyBooted depend on the generation."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(speak=speak)) as asterisk,
        ManagerClient(asterisk.port) as client,
    ):
        assert client.read_line() == banner
        assert client.ask("Action: Login", USER, SECRET)[0] == "Response: Success"
        assert len(client.read_message()) == booted


@pytest.mark.parametrize("speak", ["1.8", "11", "13"])
def test_old_command_output_is_raw_text(speak: str) -> None:
    """Before 14: Response Follows, bare LFs, blank lines, the end mark."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(speak=speak)) as asterisk,
        logged_in(asterisk) as client,
    ):
        client.send("Action: Command", "ActionID: 5", "Command: empty lines")
        client.send("Action: Logoff")
        heard = client.read_to_end()

    assert heard.startswith(
        b"Response: Follows\r\nPrivilege: Command\r\nActionID: 5\r\n"
        b"\none\n\n\nResponse: Success\nActionID: none\n\n--END COMMAND--\r\n\r\n"
    )


def test_new_command_output_is_headers(asterisk: SimulatedAsterisk) -> None:
    """Since 14: one Output header for each line, even if blank."""
    with logged_in(asterisk) as client:
        answer = client.ask("Action: Command", "ActionID: 5", "Command: empty lines")

    assert answer[:6] == [
        "Response: Success",
        "ActionID: 5",
        "Message: Command output follows",
        "Output: ",
        "Output: one",
        "Output: ",
    ]


def test_large_output_is_as_large_as_asked_for(asterisk: SimulatedAsterisk) -> None:
    """``large output N`` prints N lines."""
    with logged_in(asterisk) as client:
        answer = client.ask("Action: Command", "Command: large output 5000")

    assert sum(line.startswith("Output: ") for line in answer) == 5000


def test_md5_login(asterisk: SimulatedAsterisk) -> None:
    """The key is the MD5 of challenge and secret."""
    with ManagerClient(asterisk.port) as client:
        client.read_line()
        challenge = client.ask("Action: Challenge", "AuthType: MD5")[1].partition(": ")[2]
        key = hashlib.md5(f"{challenge}AmpSecret".encode()).hexdigest()

        answer = client.ask("Action: Login", "AuthType: MD5", USER, f"Key: {key}")

    assert answer == ["Response: Success", "Message: Authentication accepted"]


def test_a_wrong_secret_is_refused_and_the_connection_closed(asterisk: SimulatedAsterisk) -> None:
    """As Asterisk does: Authentication failed, then the end."""
    with ManagerClient(asterisk.port) as client:
        client.read_line()

        answer = client.ask("Action: Login", USER, "Secret: wrong")

        assert answer == ["Response: Error", "Message: Authentication failed"]
        assert client.read_to_end() == b""
    assert asterisk.sessions == []


def test_queue_status_lists_as_many_members_as_asked_for() -> None:
    """5000 members make a list of 5001 items, as its end states."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(queue_members=5000)) as asterisk,
        logged_in(asterisk) as client,
    ):
        client.send("Action: QueueStatus", "ActionID: q")
        messages = [client.read_message()]
        while messages[-1][0] != "Event: QueueStatusComplete":
            messages.append(client.read_message())

    assert messages[0][2] == "EventList: start"
    assert messages[-1] == [
        "Event: QueueStatusComplete",
        "ActionID: q",
        "EventList: Complete",
        "ListItems: 5001",
    ]


def test_old_queue_status_has_no_list_marks() -> None:
    """1.8 does not mark the start and the end of this list."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(speak="1.8")) as asterisk,
        logged_in(asterisk) as client,
    ):
        answer = client.ask("Action: QueueStatus")

    assert answer == ["Response: Success", "Message: Queue status will follow"]


def test_iax_peers_have_no_action_id(asterisk: SimulatedAsterisk) -> None:
    """The entries of IAXpeers have none; its response and end have."""
    with logged_in(asterisk) as client:
        client.send("Action: IAXpeers", "ActionID: p")
        first, entry = client.read_message(), client.read_message()

    assert "ActionID: p" in first
    assert not any(line.startswith("ActionID") for line in entry)


def test_iax_netstats_is_not_a_message(asterisk: SimulatedAsterisk) -> None:
    """Without calls its answer is one CRLF, before the next answer."""
    with logged_in(asterisk) as client:
        client.send("Action: IAXnetstats")
        client.send("Action: Ping")
        client.send("Action: Logoff")

        assert client.read_to_end().startswith(b"\r\nResponse: Success\r\nPing: Pong\r\n")


def test_a_user_event_reaches_every_client(asterisk: SimulatedAsterisk) -> None:
    """With the sender's ActionID and all headers unchanged."""
    with logged_in(asterisk) as one, logged_in(asterisk) as other:
        answer = one.ask("Action: UserEvent", "UserEvent: U", "ActionID: 7", "Response: Fake")

        event = other.read_message()
        assert answer == ["Response: Success", "ActionID: 7", "Message: Event Sent"]
        assert one.read_message() == event
    assert event == [
        "Event: UserEvent",
        "Privilege: user,all",
        "UserEvent: U",
        "ActionID: 7",
        "Response: Fake",
    ]


def test_each_session_has_its_own_event_mask(asterisk: SimulatedAsterisk) -> None:
    """One session switches classes off; the other still gets them."""
    with logged_in(asterisk) as one, logged_in(asterisk) as other:
        assert one.ask("Action: Events", "EventMask: user")[1] == "Events: On"

        asterisk.event("Newchannel", Channel="SIP/1")
        asterisk.event("UserEvent", UserEvent="x")

        assert one.read_message()[0] == "Event: UserEvent"
        assert other.read_message()[0] == "Event: Newchannel"


def test_filters_apply_to_events_and_not_to_responses(asterisk: SimulatedAsterisk) -> None:
    """With an include and an exclude, an event must match only the include."""
    with logged_in(asterisk) as client:
        client.ask("Action: Filter", "Operation: Add", "Filter: Event: Newchannel")
        client.ask("Action: Filter", "Operation: Add", "Filter: !SIP/2")

        asterisk.event("Hangup", Channel="SIP/1")
        asterisk.event("Newchannel", Channel="SIP/2")
        asterisk.event("Newchannel", Channel="SIP/1")

        assert client.read_message()[2] == "Channel: SIP/1"
        assert client.ask("Action: Ping")[0] == "Response: Success"


def test_wait_event_blocks_the_session_until_an_event(asterisk: SimulatedAsterisk) -> None:
    """The next action is answered only after the event."""
    with logged_in(asterisk) as client:
        client.send("Action: WaitEvent", "Timeout: 30")
        client.send("Action: Ping")
        asterisk.wait_for_action("WaitEvent")
        assert client.is_silent(0.05)

        asterisk.event("Newchannel")

        names = [client.read_message()[0] for _ in range(4)]
    assert names == [
        "Response: Success",
        "Event: Newchannel",
        "Event: WaitEventComplete",
        "Response: Success",
    ]


def test_the_answer_to_an_action_can_be_replaced(asterisk: SimulatedAsterisk) -> None:
    """By bytes, by a function, or by nothing; None restores the built-in answer."""
    with logged_in(asterisk) as client:
        asterisk.answer("Ping", b"Response: Odd\r\nActionID: {ActionID}\r\n\r\n")
        assert client.ask("Action: Ping", "ActionID: 1") == ["Response: Odd", "ActionID: 1"]
        asterisk.answer("Ping", lambda action: f"Got: {action.name}\r\n\r\n".encode())
        assert client.ask("Action: Ping") == ["Got: Ping"]
        asterisk.answer("ping", lambda _action: None)
        client.send("Action: Ping")
        asterisk.wait_for_action("Ping", 3)
        asterisk.answer("Ping", None)
        assert client.ask("Action: Ping")[1] == "Ping: Pong"


def test_everything_received_is_kept(asterisk: SimulatedAsterisk) -> None:
    """``received`` has every block of every client, unchanged."""
    with logged_in(asterisk) as client:
        client.send_raw("Action:  Ping\nX: y\n\n")
        client.read_message()

    assert asterisk.received[1:] == [b"Action:  Ping\nX: y\n\n"]
    assert asterisk.actions("ping") == [b"Action:  Ping\nX: y\n\n"]


def test_output_can_be_cut_anywhere() -> None:
    """Everything arrives, in small pieces."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(pieces=3)) as asterisk,
        logged_in(asterisk) as client,
    ):
        asterisk.event("Newchannel", Channel="SIP/1-" + "x" * 3000)

        assert len(client.read_message()[2]) == 3000 + len("Channel: SIP/1-")


def test_raw_bytes_go_to_all_who_are_logged_in(asterisk: SimulatedAsterisk) -> None:
    """Whatever their masks; clients that are not logged in get nothing."""
    with (
        logged_in(asterisk, "Events: off") as client,
        ManagerClient(asterisk.port) as unauthenticated,
    ):
        asterisk.send(b"\0\xff", times=1000)

        assert asterisk.flush()
        wait_until(lambda: not client.is_silent(0.01))
        unauthenticated.read_line()
        assert unauthenticated.is_silent(0.05)


def test_a_client_that_does_not_read_is_dropped() -> None:
    """As Asterisk does, after the write timeout, even in the middle of a message."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(write_timeout=0.05)) as asterisk,
        logged_in(asterisk) as client,
    ):
        asterisk.send(b"Event: X\r\nV: " + b"x" * 1_000_000 + b"\r\n\r\n", times=30)

        wait_until(lambda: asterisk.sessions == [])
        assert client.read_to_end()


def test_it_speaks_tls(tmp_path: Path) -> None:
    """Login, answers and events work over TLS."""
    pem = self_signed("localhost").write(tmp_path / "cert.pem")
    with SimulatedAsterisk(tls=pem) as asterisk, ManagerClient(asterisk.port, tls=True) as client:
        client.read_line()
        assert client.ask("Action: Login", USER, SECRET)[0] == "Response: Success"
        client.read_message()
        assert "Ping: Pong" in client.ask("Action: Ping")
        asterisk.event("Newchannel", Channel="SIP/1-" + "x" * 100_000)
        assert len(client.read_message()[2]) > 100_000


def test_fully_booted_can_be_late_or_missing() -> None:
    """``boot_delay`` and ``boot``."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(boot=False)) as asterisk,
        logged_in(asterisk) as client,
    ):
        assert client.is_silent(0.05)
    with (
        SimulatedAsterisk(behaviour=Behaviour(boot_delay=0.1)) as asterisk,
        ManagerClient(asterisk.port) as client,
    ):
        client.read_line()
        assert client.ask("Action: Login", USER, SECRET)[0] == "Response: Success"
        assert client.is_silent(0.02)
        assert client.read_message()[0] == "Event: FullyBooted"
