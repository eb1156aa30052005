# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS handshakes of clients: few are computed at a time, and who waits for its client is none."""

from __future__ import annotations

import logging
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.sessions.turnstile import HALF
from tests.support import tls_context, wait_until
from tests.system.peers import certificate
from tests.threads.served import Served
from tests.threads.test_client import BANNER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amiproxy.threads.sessions.turnstile import Queue
    from tests.threads.conftest import MakePair

#: How a ClientHello begins whose rest does not come.
HALF_A_HELLO = b"\x16\x03\x01\x02\x00\x01"


@pytest.fixture
def served(pair: MakePair, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Served]:
    """Serve a client that may speak TLS; the parameter is the format that it writes."""
    pem = certificate(tmp_path)
    form = getattr(request, "param", "standard")
    made = Served(pair, accept_encrypted=True, certfile=str(pem), input_format=form)
    made.context.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.context.tls.load_cert_chain(pem)
    yield made.start()
    made.stop()


def handshakes(served: Served) -> Queue:
    """Return who computes a handshake, and who waits for that."""
    return served.context.turnstile.handshakes


def test_handshakes_wait_for_their_turn(served: Served) -> None:
    """Others who compute one, on half of the processors, come first."""
    queue = handshakes(served)
    with queue.lock:
        queue.holders.update(dict.fromkeys(range(HALF)))  # threads that compute
    greeted = threading.Event()

    def speak() -> None:
        with tls_context().wrap_socket(served.sock) as client:
            assert client.recv(100) == BANNER
            greeted.set()

    speaker = threading.Thread(target=speak)
    speaker.start()
    wait_until(lambda: queue.waiting)
    assert not greeted.is_set()
    with queue.lock:
        queue.holders.clear()
        queue.let_in()
    speaker.join(10)

    assert greeted.is_set()
    assert not queue.holders


def test_who_waits_for_its_client_keeps_no_turn(served: Served) -> None:
    """However many say half of what they have to say, others get on."""
    queue = handshakes(served)
    moved: list[int] = []
    end = served.context.turnstile.end

    def note() -> None:
        moved.extend(queue.holders)
        end()

    served.context.turnstile.end = note  # type: ignore[method-assign]
    served.sock.sendall(HALF_A_HELLO)

    wait_until(lambda: moved)
    wait_until(lambda: not queue.holders)

    assert moved == [served.thread.ident]
    assert served.thread.is_alive()


@pytest.mark.parametrize("served", ["http"], indirect=True)
def test_who_has_shaken_hands_keeps_no_turn(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """Not while it says nothing: a client of the web speaks first."""
    caplog.set_level(logging.DEBUG)
    with tls_context().wrap_socket(served.sock):
        wait_until(lambda: "TLSv1." in caplog.text)

        assert not handshakes(served).holders
        assert served.thread.is_alive()
