# SPDX-License-Identifier: GPL-2.0-or-later
"""One connection, one user after the other: what the first has asked is not for the next."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import BareServer, read_block, value, wait_connected
from tests.system.people import answer, closed, is_in, log_in

if TYPE_CHECKING:
    from tests.support import StartProxy

DENIED = ["Response: Error", "Message: Authentication failed"]
USERS = """
boss=secret
[ann]
secret=secret
read=
write=
[call]
secret=secret
read=call
write=call
allowmultiplelogin=no
"""


@pytest.mark.parametrize("autofilter", ["off", "on", "unique"])
@pytest.mark.parametrize("secret", ["secret", "wrong"])
def test_a_login_waits_for_what_was_asked_before(
    proxy: StartProxy, autofilter: str, secret: str
) -> None:
    """As in Asterisk, which answers in order: the answer comes, and then that to the login."""
    with BareServer() as server:
        program = proxy(closed(server, more=f"autofilter = {autofilter}\n"), USERS)
        link = server.wait_link()
        wait_connected(program)
        with program.client() as client:
            log_in(client, "boss")
            client.read_until("Event: FullyBooted")
            client.send("Action: GetConfig", "Filename: x", "ActionID: 1")
            client.send("Action: Login", "Username: ann", f"Secret: {secret}", "ActionID: 2")
            asked = read_block(link)
            assert client.is_silent()
            wire_id = value(asked, "ActionID")
            link.sendall(
                f"Response: Success\r\nActionID: {wire_id}\r\nLine: s3cret\r\n\r\n".encode()
            )
            assert "Line: s3cret" in client.read_message()
            assert client.read_message()[0].endswith("Success" if secret == "secret" else "Error")
            assert answer(client, "Action: GetConfig", "Filename: x", "ActionID: 3")[1:] == [
                "ActionID: 3",
                "Message: Action Filtered",
            ]


def test_users_that_change_under_events_see_their_own(proxy: StartProxy) -> None:
    """Of a thousand events while one client is two users in turn, none reaches the one without."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk), USERS)
        wait_connected(program)
        over = threading.Event()

        def speak() -> None:
            # Some are always under way, and the processor has time for the two users.
            while not over.wait(0.001):
                asterisk.send(b"Event: Secret\r\nPrivilege: security,all\r\n\r\n" * 5)

        speaker = threading.Thread(target=speak)
        speaker.start()
        try:
            with program.client() as client:
                for _ in range(20):
                    assert is_in(log_in(client, "boss"))
                    client.read_until("Event: Secret")
                    assert is_in(log_in(client, "ann"))
                    # Between the two answers nothing comes.
                    assert client.ask("Action: Challenge", "AuthType: MD5")[0].endswith("Success")
        finally:
            over.set()
            speaker.join()


def test_of_log_ins_of_one_name_that_race_one_holds_it(proxy: StartProxy) -> None:
    """Whoever else logs in and out meanwhile, and from one address as from many."""
    program = proxy(closed(), USERS)
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(program.client(source=f"127.0.0.{2 + number % 8}"))
            for number in range(24)
        ]
        for number, client in enumerate(clients):
            if number % 2:
                client.send("Action: Login", "Username: boss", "Secret: secret", "Events: off")
            client.send("Action: Login", "Username: call", "Secret: secret", "ActionID: x")
        replies = [client.read_until(lambda reply: "ActionID: x" in reply) for client in clients]
        holders = [client for client, reply in zip(clients, replies) if is_in(reply)]
        assert len(holders) == 1
        assert log_in(clients[0 if clients[0] not in holders else 1], "call") == DENIED
        log_in(holders[0], "boss", "secret", "Events: off")
        (other,) = [client for client in clients if client not in holders][:1]
        wait_until(lambda: is_in(log_in(other, "call")))


def test_a_user_that_has_failed_does_not_hold_their_name(proxy: StartProxy) -> None:
    """A stranger is nobody."""
    program = proxy(closed(), USERS)
    with program.client() as client, program.client() as other:
        assert is_in(log_in(client, "call"))
        assert log_in(other, "call") == DENIED
        assert log_in(client, "call", "wrong") == DENIED
        assert is_in(log_in(other, "call"))
