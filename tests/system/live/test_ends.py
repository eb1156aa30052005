# SPDX-License-Identifier: GPL-2.0-or-later
"""How WebSockets of the running program end: the client is told why."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.control.client import ask
from tests.support import ProxyProcess, wait_until
from tests.system.live.support import PATIENCE, Socket
from tests.system.peers import wait_connected
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk

BERT = "[bert]\nsecret = secret\nread = all\nwrite = all\nwritetimeout = 500\n"
USERS = "anna=secret\n" + BERT


@pytest.fixture(scope="module")
def web(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy that speaks HTTP and keeps little for clients that do not read."""
    more = "authrequired = yes\ncontrolsocket = {dir}/c.sock\nclientbacklog = 65536\n"
    with ProxyProcess(config(asterisk, more=more), USERS) as process:
        wait_connected(process)
        yield process


def test_who_is_kicked_is_told(web: ProxyProcess) -> None:
    """Listed as any client, and ended as any."""
    with Socket(web, user="anna:secret") as socket:
        socket.hear()
        told = ask(str(web.dir / "c.sock"), "kick user anna", timeout=PATIENCE)
        bye = socket.until("bye")
        code, _ = socket.closed()

    assert "kicked" in str(told)
    assert (bye["reason"], code) == ("kicked", 1008)


def test_who_does_not_read_is_dropped(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """And delays nobody: another one has all events at once."""
    slow = Socket(web, "?events=*", user="bert:secret", max_queue=1, close_timeout=0.1)
    with slow as socket, Socket(web, "?events=*", user="anna:secret") as other:
        socket.until("subscribed")
        before = web.log().count("dropped")
        for _ in range(10):
            for _ in range(200):
                asterisk.event("UserEvent", "user,all", Text="x" * 3900)
            asterisk.event("UserEvent", "user,all", Round="over")
            other.until("event", lambda told: "Round" in told["event"])
        wait_until(lambda: web.log().count("dropped") > before, PATIENCE)
        asterisk.event("UserEvent", "user,all", Last="yes")
        other.until("event", lambda told: "Last" in told["event"])


def test_whose_rights_have_gone_is_told_at_a_reload(web: ProxyProcess) -> None:
    """And nobody else, but who has become that user since."""
    bare = Socket(web, user="bert:secret", subprotocols=["astmanproxy.ami"])
    anna, bert = Socket(web, user="anna:secret"), Socket(web, user="bert:secret")
    with anna as gone, bert as other, bare as changed:
        gone.hear()
        other.hear()
        changed.socket.send("Action: Login\r\nUsername: anna\r\nSecret: secret")
        assert "Success" in changed.socket.recv(timeout=PATIENCE)
        web.write_users(BERT)
        web.send_signal(signal.SIGHUP)
        bye = gone.until("bye")
        code, _ = gone.closed()
        assert changed.closed()[0] == 1008
        answer = other.ask(Action="Ping")

    assert (bye["reason"], code) == ("rights", 1008)
    assert answer["response"]["Response"] == "Success"


def test_a_stop_is_told(web: ProxyProcess) -> None:
    """What was asked before is answered; then with when to come back."""
    with Socket(web, user="bert:secret") as socket:
        socket.hear()
        socket.say(type="action", id="last", action={"Action": "Ping"})
        web.send_signal(signal.SIGTERM)
        answer, bye = socket.hear(), socket.hear()
        code, _ = socket.closed()

    assert (answer["type"], answer["id"]) == ("answer", "last")
    assert (bye["type"], bye["reason"], code) == ("bye", "stop", 1001)
    assert bye["retry_ms"] > 0
