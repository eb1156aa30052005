# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy key of the running program."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from simulator.server import SimulatedAsterisk
from tests.system.peers import (
    PATIENT,
    host_line,
    wait_connected,
)
from tests.system.people import (
    answer,
    is_in,
    log_in,
)

if TYPE_CHECKING:
    from tests.support import StartProxy


DENIED = ["Response: Error", "Message: Authentication failed"]
EVENT = b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: X\r\n\r\n"


def test_a_proxy_key_opens_and_nothing_else_does(proxy: StartProxy) -> None:
    """Without authrequired and users too: no events before the key, no Login instead of it."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(host_line(asterisk) + 'proxykey = "K3y Of Mine"\nauthrequired = no\n')
        wait_connected(program)
        with contextlib.ExitStack() as stack:
            silent, guesser, owner, login = (
                stack.enter_context(program.client()) for _ in range(4)
            )
            assert answer(guesser, "Action: Ping", "ProxyKey: k3y of mine", "ActionID: 1") == [
                "Response: Error",
                "ActionID: 1",
                "Message: ProxyKey required",
            ]
            assert guesser.read_to_end() == b""
            assert log_in(login, "any", "thing") == DENIED
            assert answer(login, "Action: Ping")[1] == "Message: ProxyKey required"
            assert login.read_to_end() == b""
            reply = answer(owner, "Action: Ping", "ProxyKey: K3y Of Mine", "ActionID: 2")
            assert "Ping: Pong" in reply
            assert "Ping: Pong" in answer(owner, "Action: Ping")  # once is enough
            # Libraries insist on a login, and there are no users it could be wrong for.
            assert is_in(log_in(owner, "any", "thing"))
            assert owner.read_message()[0] == "Event: FullyBooted"
            asterisk.send(EVENT)
            assert owner.read_until("UserEvent: X")
            assert silent.is_silent()
        assert b"proxykey" not in b"".join(asterisk.received).lower()


def test_a_proxy_key_in_any_block(proxy: StartProxy) -> None:
    """With a ProxyAction, with a login, and in vain where it is wrong."""
    program = proxy("proxykey = k3y\nauthrequired = yes\n", "joe=secret")
    with program.client() as client:
        assert answer(client, "ProxyAction: ListSessions", "ProxyKey: k3y")[0] == (
            "ProxyResponse: Success"
        )
    with program.client() as client:
        assert is_in(log_in(client, "joe"))
        assert answer(client, "ProxyAction: ListIOHandlers")[0] == "ProxyResponse: Success"
    with program.client() as client:
        assert log_in(client, "joe", "wrong", "ProxyKey: k3y") == DENIED
    with program.client() as client:
        assert answer(client, "ProxyAction: ListSessions")[1] == "Message: ProxyKey required"
        assert client.read_to_end() == b""


def test_the_proxy_key_is_asked_for_checked_and_kept_from_asterisk(proxy: StartProxy) -> None:
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
