# SPDX-License-Identifier: GPL-2.0-or-later
"""AddServer with ``UseSSL``: a secret that was to be encrypted is never sent in plain text."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from tests.system.peers import QUICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support import ManagerClient, ProxyProcess

#: First byte of a TLS record that holds a ClientHello (RFC 8446, section 5.1).
HANDSHAKE = b"\x16"


@pytest.fixture
def client(proxy: Callable[..., ProxyProcess]) -> Iterator[ManagerClient]:
    """Return a client of a proxy without servers."""
    with proxy(QUICK).client() as one:
        yield one


@contextlib.contextmanager
def listening() -> Iterator[socket.socket]:
    """Return a listener that says nothing by itself."""
    with socket.create_server(("127.0.0.9", 0)) as server:
        server.settimeout(10.0)
        yield server


def add(client: ManagerClient, listener: socket.socket, *use_ssl: str) -> list[str]:
    """Add *listener* as a server; return the answer."""
    host, port = listener.getsockname()
    return client.ask(
        *("ProxyAction: AddServer", f"Server: {host}", f"Port: {port}"),
        *("Username: bob", "Secret: hunter2", "Events: on", *use_ssl),
    )


#: One more blank or capital does not make it another word.
YES = ("on", "yes", "true", "1", "y", "Y", "t", "ON", " yes ")


def test_any_yes_connects_with_tls(client: ManagerClient) -> None:
    """The first byte to the server begins a handshake, not a log-in."""
    for word in YES:
        with listening() as listener:
            answer = add(client, listener, f"UseSSL: {word}")

            assert answer[0] == "ProxyResponse: Success", word
            link, _ = listener.accept()
            with link:
                link.settimeout(10.0)
                assert link.recv(1) == HANDSHAKE, word


#: Headers that are no answer to whether there is TLS.
NEITHER = [
    *([f"UseSSL: {word}"] for word in ("enabled", "tls", "yes please", "2", "yes,no", "\xa0yes")),
    *([f"{name}: yes"] for name in ("Use_SSL", "Use-SSL", "SSL", "UseTLS", "tls", "UseSSL2")),
    ["UseSSL: no", "UseSSL: yes"],
    ["UseSSL: ", "UseSSL: yes"],
    ["UseSSL:no", "Usessl: no"],
]


def test_what_is_neither_yes_nor_no_adds_nothing(client: ManagerClient) -> None:
    """A guess could send the secret in plain text."""
    with listening() as listener:
        for lines in NEITHER:
            answer = add(client, listener, *lines)

            assert answer == ["ProxyResponse: Failure", "Message: Could not add 127.0.0.9"], lines
            assert client.ask("ProxyAction: ListServers") == ["ProxyResponse: Success"], lines
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_without_a_yes_the_server_is_reached_in_plain_text(client: ManagerClient) -> None:
    """An absent or empty header means no."""
    for lines in ([], ["UseSSL: "], ["UseSSL: no"], ["UseSSL: N"]):
        with listening() as listener:
            answer = add(client, listener, *lines)

            assert answer[0] == "ProxyResponse: Success", lines
            link, _ = listener.accept()
            with link, link.makefile("rb") as sent:
                link.sendall(b"Asterisk Call Manager/11.0.0\r\n")
                assert sent.readline() == b"Action: Login\r\n", lines
