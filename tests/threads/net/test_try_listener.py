# SPDX-License-Identifier: GPL-2.0-or-later
"""What is found out about the place where the proxy would listen, without listening there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import ConfigError
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.net import listening
from amiproxy.threads.net.holders import holders, listening_inodes, sockets
from amiproxy.threads.net.listening import try_listener
from amiproxy.threads.net.resolving import unresolved
from tests.support import free_port, is_listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.settings.listenerspec import ListenerSpec

# A program called astmanproxy that listens, as proc(5) shows it.
PROXY = """
import socket, sys
open("/proc/self/comm", "w").write(sys.argv[2])
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def port() -> int:
    """A port that is free."""
    return free_port()


@pytest.fixture
def taken(port: int, request: pytest.FixtureRequest) -> Iterator[int]:
    """The pid of a program, called as the parameter says, that listens on *port*."""
    with subprocess.Popen(
        [sys.executable, "-c", PROXY, str(port), request.param],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.communicate()


def config(port: int, address: str = "127.0.0.1") -> ListenerSpec:
    """Return the first listener of a configuration, with the lines of a file."""
    return of_keys(
        Config(
            listen_address=address,
            listen_port=port,
            where={"listen_address": "x.conf:1", "listen_port": "x.conf:2"},
        )
    )


def test_a_free_port_stays_free(port: int) -> None:
    """Nobody is accepted by a check."""
    assert try_listener(config(port)) == ""
    assert not is_listening(port)
    assert try_listener(config(port, "*")) == ""


@pytest.mark.parametrize("taken", ["astmanproxy"], indirect=True)
def test_a_proxy_that_runs_there_is_no_problem(port: int, taken: int) -> None:
    """Its configuration is checked before it is restarted; that it listens is well."""
    assert [one.pid for one in holders(port)] == [taken]
    assert try_listener(config(port)) == ""


@pytest.mark.parametrize("taken", ["other"], indirect=True)
def test_another_program_there_is_named(port: int, taken: int) -> None:
    """With its number, as ss would."""
    with pytest.raises(ConfigError) as caught:
        try_listener(config(port))

    assert str(caught.value) == (
        f"x.conf:2: Cannot bind to listener socket! 127.0.0.1 port {port}: Address already in use;"
        f" other (pid {taken}) listens there: end it (ss -ltnp names it), or take another listenport"
    )


def test_who_cannot_see_who_listens_says_so(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a user who may not look at the proxy's process: it may be the proxy."""
    monkeypatch.setattr(listening, "holders", lambda _: [])
    with socket.create_server(("127.0.0.1", port)):
        assert try_listener(config(port)) == (
            f"x.conf:2: port {port} is in use; by whom, only root can see: is it the proxy?"
        )


def test_an_address_of_another_machine_is_a_problem(port: int) -> None:
    """Of the networks for documentation (RFC 5737)."""
    with pytest.raises(ConfigError, match=r"x\.conf:1: .*it is no address of this machine"):
        try_listener(config(port, "192.0.2.77"))


def test_listening_sockets_are_found_by_their_port() -> None:
    """Lines of proc(5); a connection at that port listens not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(listener.getsockname()):
            inode = os.fstat(listener.fileno()).st_ino
            found = listening_inodes(sockets(), port)
            # Another test may listen at the same port of another address.
            assert str(inode) in found
            assert len(found) < 5
    assert listening_inodes(["", "x", "0: 00:04D2 00 0A"], 1234) == set()


def server(host: str) -> ServerSpec:
    """Return a server at *host*."""
    return ServerSpec(host, 5038, "u", "s")


def test_a_host_without_address_is_told_with_its_line() -> None:
    """Names of this machine and addresses need nobody (RFC 6761: invalid has none)."""
    names = ("localhost", "192.0.2.1", "::1", "nosuch.invalid")
    found = unresolved(
        Config(
            servers=tuple(map(server, names)),
            server_places=("x:1", "x:2", "x:3", "x:4"),
        ),
        patience=20,
    )

    assert [line[:34] for line in found] == ["x:4: host: nosuch.invalid has no a"]


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a time for all of them."""
    come, go = socket.socketpair()
    with come, go:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: come.recv(1))
        found = unresolved(
            Config(servers=(server("a"), server("b")), server_places=("x:1", "x:2")), patience=0.01
        )
        go.send(b"..")

    assert [line.partition("(")[2] for line in found] == [
        "no answer within 0.01 s); the proxy goes on trying"
    ] * 2
