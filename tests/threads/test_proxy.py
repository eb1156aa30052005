# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole program in this process: it starts, takes new settings, and stops."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any, Callable

import pytest

from amiproxy.access.acl import DENY_ALL
from amiproxy.access.user import User, Users
from amiproxy.formats import load_formats
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.net.door import bound
from amiproxy.threads.proxy import Proxy
from simulator.server import SimulatedAsterisk
from tests.certificates import self_signed
from tests.support import ROOT, ManagerClient, free_port, wait_until
from tests.unreachable import name, swallowing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMATS = load_formats(ROOT / "handlers")


class Program:
    """A proxy on a free port, and its clients."""

    def __init__(self, users: Users, settings: dict[str, Any]) -> None:
        self.config = Config(
            listen_address="127.0.0.1", listen_port=free_port(), retry_interval=0.1, **settings
        )
        self.proxy = Proxy(self.config, users, FORMATS, [bound(of_keys(self.config), None)], None)
        self.proxy.start()

    def client(self) -> ManagerClient:
        return ManagerClient(self.config.listen_port)

    def reload(self, users: Users | None = None, **settings: Any) -> None:
        self.config = dataclasses.replace(self.config, **settings)
        self.proxy.reload(self.config, users or Users(), None)


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Start programs; they stop with the test, and leave no thread behind."""
    before = set(threading.enumerate())
    programs: list[Program] = []

    def start(users: Users | None = None, **settings: Any) -> Program:
        programs.append(Program(users or Users(), settings))
        return programs[-1]

    yield start
    for program in programs:
        program.proxy.stop()
    threading.stack_size(0)
    wait_until(lambda: set(threading.enumerate()) <= before, what="all threads ended")


def server(asterisk: SimulatedAsterisk) -> ServerSpec:
    return ServerSpec(asterisk.host, asterisk.port, "ampuser", "AmpSecret", "on", False)


def test_clients_are_served_and_told_goodbye(start: Callable[..., Program]) -> None:
    """The listener is closed first, the connection after the last word."""
    program = start(max_clients=5)
    with program.client() as client:
        client.read_line()
        assert client.ask("Action: Ping")[0] == "Response: Error"

        program.proxy.stop()

        assert b"ProxyMessage: Proxy Shutting Down" in client.read_to_end()
    with pytest.raises(ConnectionRefusedError):
        program.client()


def test_servers_come_and_go_with_a_reload(start: Callable[..., Program]) -> None:
    """Clients stay, whichever server answers them."""
    with SimulatedAsterisk() as one, SimulatedAsterisk("127.0.0.2") as two:
        program = start(servers=(server(one),))
        with program.client() as client:
            client.read_line()
            wait_until(lambda: "Server: 127.0.0.1" in client.ask("Action: Ping"))

            program.reload(servers=(server(two),))

            one.wait_for_action("Logoff")
            wait_until(lambda: "Server: 127.0.0.2" in client.ask("Action: Ping"))


def test_new_limits_and_users_count_after_a_reload(start: Callable[..., Program]) -> None:
    """For new clients; those that are there stay."""
    program = start()
    with program.client() as client:
        client.read_line()

        program.reload(Users({"bob": User("bob", "right")}), acl=DENY_ALL)

        assert "Message: Authentication accepted" in client.ask(
            "Action: Login", "Username: bob", "Secret: right"
        )
        with program.client() as other:
            assert other.read_to_end() == b""


def test_calls_are_kept_from_the_first_user_that_needs_them_on(
    start: Callable[..., Program],
) -> None:
    """And never off again: connected clients keep the filters they have."""
    program = start()
    assert not program.proxy.router.keeps_calls

    program.reload(Users({"bob": User("bob", "x", channel="sip/1")}))
    assert program.proxy.router.keeps_calls
    program.reload()
    assert program.proxy.router.keeps_calls


def test_a_stop_does_not_wait_for_a_server_that_is_just_connecting(
    start: Callable[..., Program],
) -> None:
    """It accepts no connection; nothing is owed to it."""
    with swallowing("127.0.0.4") as port:
        program = start(
            servers=(ServerSpec("127.0.0.4", port, "u", "s", "on", False),), connect_timeout=1e6
        )

        program.proxy.stop()

        assert program.proxy.context.admission.is_empty


def test_of_a_name_with_two_addresses_the_one_that_answers_is_used(
    start: Callable[..., Program], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With TLS as well, though the first one swallows everything; and again after a loss."""
    pem = tmp_path / "pem"
    self_signed("pbx").write(pem)
    with (
        SimulatedAsterisk("127.0.0.12", tls=pem) as asterisk,
        swallowing("127.0.0.11", asterisk.port),
    ):
        name(monkeypatch, "pbx", "127.0.0.11", "127.0.0.12")
        there = ServerSpec("pbx", asterisk.port, "ampuser", "AmpSecret", "on", True)
        program = start(servers=(there,))
        (link,) = program.proxy.router.servers
        for _ in range(2):
            wait_until(lambda: link.connected)
            assert link.address == "127.0.0.12"
            asterisk.drop_sessions()
            wait_until(lambda: not link.connected)
