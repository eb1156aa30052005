# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions of the simulated Asterisk over real sockets."""

from __future__ import annotations

import hashlib
import time

import pytest

from simulator.behaviour import Behaviour
from simulator.faults import Faults
from simulator.server import SimulatedAsterisk
from tests.certificates import self_signed
from tests.simulator.support import SECRET, USER, logged_in
from tests.support import ManagerClient, wait_until


@pytest.mark.parametrize(
    ("speak", "banner", "booted"),
    [
        ("1.8", "Asterisk Call Manager/1.1", 3),
        ("13", "Asterisk Call Manager/2.8.0", 3),
        ("22", "Asterisk Call Manager/11.0.0", 5),
    ],
)
def test_each_generation_greets_in_its_way(speak, banner, booted):
    """Banner and FullyBooted differ with the generation."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(speak=speak)) as asterisk,
        ManagerClient(asterisk.port) as client,
    ):
        assert client.read_line() == banner
        assert client.ask("Action: Login", USER, SECRET)[0] == "Response: Success"
        assert len(client.read_message()) == booted


@pytest.mark.parametrize("speak", ["1.8", "13"])
def test_old_command_output_is_raw_text(speak):
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


def test_new_command_output_is_headers(asterisk):
    """Since 14: one Output header for each line, blank ones too."""
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


def test_large_output_is_as_large_as_asked_for(asterisk):
    """``large output N`` prints N lines."""
    with logged_in(asterisk) as client:
        answer = client.ask("Action: Command", "Command: large output 5000")

    assert sum(line.startswith("Output: ") for line in answer) == 5000


def test_md5_login(asterisk):
    """The key is the MD5 of challenge and secret."""
    with ManagerClient(asterisk.port) as client:
        client.read_line()
        challenge = client.ask("Action: Challenge", "AuthType: MD5")[1].partition(": ")[2]
        key = hashlib.md5(f"{challenge}AmpSecret".encode()).hexdigest()

        answer = client.ask("Action: Login", "AuthType: MD5", USER, f"Key: {key}")

    assert answer == ["Response: Success", "Message: Authentication accepted"]


def test_a_wrong_secret_is_refused_and_the_connection_closed(asterisk):
    """As Asterisk: Authentication failed, then the end."""
    with ManagerClient(asterisk.port) as client:
        client.read_line()

        answer = client.ask("Action: Login", USER, "Secret: wrong")

        assert answer == ["Response: Error", "Message: Authentication failed"]
        assert client.read_to_end() == b""
    assert asterisk.sessions == []


def test_queue_status_lists_as_many_members_as_asked_for():
    """5000 members make a list of 5001 items, and its end says so."""
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


def test_old_queue_status_has_no_list_marks():
    """1.8 does not mark the start and the end of this list."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(speak="1.8")) as asterisk,
        logged_in(asterisk) as client,
    ):
        answer = client.ask("Action: QueueStatus")

    assert answer == ["Response: Success", "Message: Queue status will follow"]


def test_iax_peers_carry_no_action_id(asterisk):
    """The entries of IAXpeers have none; its response and end have."""
    with logged_in(asterisk) as client:
        client.send("Action: IAXpeers", "ActionID: p")
        first, entry = client.read_message(), client.read_message()

    assert "ActionID: p" in first
    assert not any(line.startswith("ActionID") for line in entry)


def test_iax_netstats_is_no_message(asterisk):
    """With no calls its answer is one CRLF, before the next answer."""
    with logged_in(asterisk) as client:
        client.send("Action: IAXnetstats")
        client.send("Action: Ping")
        client.send("Action: Logoff")

        assert client.read_to_end().startswith(b"\r\nResponse: Success\r\nPing: Pong\r\n")


def test_a_user_event_reaches_every_client(asterisk):
    """With the sender's ActionID and all its headers, as they are."""
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


def test_the_event_mask_is_each_sessions_own(asterisk):
    """One session switches classes off; the other still hears them."""
    with logged_in(asterisk) as one, logged_in(asterisk) as other:
        assert one.ask("Action: Events", "EventMask: user")[1] == "Events: On"

        asterisk.event("Newchannel", Channel="SIP/1")
        asterisk.event("UserEvent", UserEvent="x")

        assert one.read_message()[0] == "Event: UserEvent"
        assert other.read_message()[0] == "Event: Newchannel"


def test_filters_hold_events_back_and_never_responses(asterisk):
    """An include and an exclude: what passes the one and not the other."""
    with logged_in(asterisk) as client:
        client.ask("Action: Filter", "Operation: Add", "Filter: Event: Newchannel")
        client.ask("Action: Filter", "Operation: Add", "Filter: !SIP/2")

        asterisk.event("Hangup", Channel="SIP/1")
        asterisk.event("Newchannel", Channel="SIP/2")
        asterisk.event("Newchannel", Channel="SIP/1")

        assert client.read_message()[2] == "Channel: SIP/1"
        assert client.ask("Action: Ping")[0] == "Response: Success"


def test_wait_event_holds_the_session_up_until_an_event(asterisk):
    """The action behind it is answered only when the event came."""
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


def test_actions_can_be_answered_otherwise(asterisk):
    """By bytes, by a function, or not at all; None gives the built-in answer back."""
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


def test_all_that_came_is_kept(asterisk):
    """``received`` has every block of every client, as it came."""
    with logged_in(asterisk) as client:
        client.send_raw("Action:  Ping\nX: y\n\n")
        client.read_message()

    assert asterisk.received[1:] == [b"Action:  Ping\nX: y\n\n"]
    assert asterisk.actions("ping") == [b"Action:  Ping\nX: y\n\n"]


def test_output_can_be_cut_anywhere():
    """In small pieces all comes, too."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(pieces=3)) as asterisk,
        logged_in(asterisk) as client,
    ):
        asterisk.event("Newchannel", Channel="SIP/1-" + "x" * 3000)

        assert len(client.read_message()[2]) == 3000 + len("Channel: SIP/1-")


def test_raw_bytes_go_to_all_who_are_logged_in(asterisk):
    """Whatever the mask says; and to nobody else."""
    with logged_in(asterisk, "Events: off") as client, ManagerClient(asterisk.port) as stranger:
        asterisk.send(b"\0\xff", times=1000)

        assert asterisk.flush()
        wait_until(lambda: not client.is_silent(0.01))
        stranger.read_line()
        assert stranger.is_silent(0.05)


def test_a_client_that_does_not_read_is_dropped():
    """As Asterisk does, after the write time-out, wherever the message is."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(write_timeout=0.05)) as asterisk,
        logged_in(asterisk) as client,
    ):
        asterisk.send(b"Event: X\r\nV: " + b"x" * 1_000_000 + b"\r\n\r\n", times=30)

        wait_until(lambda: asterisk.sessions == [])
        assert client.read_to_end()


def test_it_restarts_on_its_port(asterisk):
    """Clients are cut; new ones find it where it was, 20 times."""
    port = asterisk.port
    for _ in range(20):
        with logged_in(asterisk) as client:
            asterisk.restart()
            assert client.read_to_end() == b""
    assert asterisk.port == port
    with logged_in(asterisk):
        assert len(asterisk.wait_for_session(1)) == 1


def test_shutdown_is_announced(asterisk):
    """As core stop now: an event, then the end."""
    with logged_in(asterisk) as client:
        asterisk.shutdown(restart=True)

        assert client.read_message() == [
            "Event: Shutdown",
            "Privilege: system,all",
            "Shutdown: Cleanly",
            "Restart: True",
        ]
        assert client.read_to_end() == b""


def test_it_speaks_tls(tmp_path):
    """With a certificate all is as without."""
    pem = self_signed("localhost").write(tmp_path / "cert.pem")
    with SimulatedAsterisk(tls=pem) as asterisk, ManagerClient(asterisk.port, tls=True) as client:
        client.read_line()
        assert client.ask("Action: Login", USER, SECRET)[0] == "Response: Success"
        client.read_message()
        assert "Ping: Pong" in client.ask("Action: Ping")
        asterisk.event("Newchannel", Channel="SIP/1-" + "x" * 100_000)
        assert len(client.read_message()[2]) > 100_000


# Misbehaviour ---------------------------------------------------------------------


def test_it_can_accept_and_stay_silent(asterisk):
    """No banner, no answer, no end; and when the client goes, the session ends."""
    asterisk.faults.silent = True
    with ManagerClient(asterisk.port) as client:
        client.send("Action: Login", USER, SECRET)
        assert client.is_silent(0.1)
    wait_until(lambda: asterisk.connections == [])


def test_it_can_close_at_once(asterisk):
    """Right after accept, without a byte."""
    asterisk.faults.close_on_accept = True
    with ManagerClient(asterisk.port) as client:
        assert client.read_to_end() == b""


def test_it_can_reset_at_once(asterisk):
    """Right after accept, with a RST."""
    asterisk.faults.reset_on_accept = True
    with pytest.raises(ConnectionResetError), ManagerClient(asterisk.port) as client:
        client.sock.recv(1)


def test_it_can_reset_sessions(asterisk):
    """In mid-session."""
    with logged_in(asterisk) as client:
        asterisk.drop_sessions(reset=True)

        with pytest.raises(ConnectionResetError):
            client.sock.recv(1)


def test_it_can_send_garbage_for_a_banner():
    """Whatever bytes are asked for."""
    with (
        SimulatedAsterisk(faults=Faults(garbage=b"\0\xffSSH-2.0\n")) as asterisk,
        ManagerClient(asterisk.port) as client,
    ):
        client.send("Action: Logoff")
        assert client.read_to_end().startswith(b"\0\xffSSH-2.0\n")


def test_it_can_end_in_mid_message(asterisk):
    """Half a message, then the end."""
    with logged_in(asterisk) as client:
        asterisk.half_a_message()

        assert client.read_to_end() == b"Event: Newchannel\r\nChannel: SIP/1"


def test_a_login_can_be_slow(asterisk):
    """The answer takes as long as asked for."""
    asterisk.faults.login_delay = 0.2
    start = time.monotonic()
    with logged_in(asterisk):
        assert time.monotonic() - start >= 0.2


def test_a_login_can_be_refused_with_any_text(asterisk):
    """Also with the connection kept open."""
    asterisk.faults.login_error = "Go away"
    asterisk.faults.keep_refused = True
    with ManagerClient(asterisk.port) as client:
        client.read_line()
        for _ in range(2):
            answer = client.ask("Action: Login", USER, SECRET)
            assert answer == ["Response: Error", "Message: Go away"]


def test_a_login_can_stay_without_answer(asterisk):
    """It is read, and that is all."""
    asterisk.faults.mute_login = True
    with ManagerClient(asterisk.port) as client:
        client.read_line()
        client.send("Action: Login", USER, SECRET)
        asterisk.wait_for_action("Login")
        assert client.is_silent(0.05)


def test_actions_can_stay_without_answer(asterisk):
    """Events go on meanwhile."""
    with logged_in(asterisk) as client:
        asterisk.faults.mute = True
        client.send("Action: Ping")
        asterisk.wait_for_action("Ping")

        asterisk.event("Newchannel")

        assert client.read_message()[0] == "Event: Newchannel"


def test_actions_can_stay_unread(asterisk):
    """Deaf: nothing is taken from the socket, events still go out."""
    with logged_in(asterisk) as client:
        asterisk.faults.deaf = True
        asterisk.event("Newchannel")
        client.read_message()
        client.send("Action: Ping")

        assert client.is_silent(0.05)
        assert asterisk.actions("Ping") == []


def test_every_action_is_refused_while_it_shuts_down(asterisk):
    """As during core stop gracefully, Ping too (recording k3)."""
    asterisk.faults.shutting_down = True
    with ManagerClient(asterisk.port) as client:
        client.read_line()
        assert client.ask("Action: Login", USER, SECRET)[0] == "Response: Success"
        client.read_message()
        assert client.ask("Action: Ping")[1] == "Message: Asterisk is shutting down"


def test_fully_booted_can_be_late_or_never_come():
    """An option each."""
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


def test_nothing_is_left_when_it_stops():
    """No session, no thread, no descriptor."""
    import os
    import threading

    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with SimulatedAsterisk() as asterisk, logged_in(asterisk):
            asterisk.call("SIP/100")
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before
