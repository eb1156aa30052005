# SPDX-License-Identifier: GPL-2.0-or-later
"""The thread of one Asterisk where there is no further thread, or no memory."""

from __future__ import annotations

import socket
import threading
from typing import Callable

import pytest

from tests.support import wait_until
from tests.threads.test_asterisk import Stage, stage

__all__ = ["stage"]  # a fixture


def no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")


def test_a_server_whose_thread_cannot_start_is_started_later(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says it once; whoever starts it is not hurt."""
    with monkeypatch.context() as patched:
        patched.setattr("amiproxy.threads.asterisk.WatchedThread.start", no_thread)
        play = stage()
        play.server.start()
        play.server.join(0)
    assert caplog.messages == ["asterisk@pbx:5038: can't start new thread; trying again"]

    play.server.start()
    play.server.start()

    play.live()


@pytest.mark.parametrize("place", ["sessions.link.AsteriskLink.lose",
                                   "sessions.publisher.Publisher.abandon"])  # fmt: skip
def test_a_shortage_of_memory_costs_one_connection(
    stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Nothing of it is left behind, whatever step fails; the next one works."""
    play = stage()
    link = play.live()
    failed = threading.Event()

    def fail(*_: object) -> None:
        failed.set()
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(f"amiproxy.threads.{place}", fail)
        link.sendall(b"Event: One\r\n\r\n")
        link.shutdown(socket.SHUT_WR)
        assert failed.wait(10)

    play.asterisk.log_in()
    wait_until(lambda: b"FullyBooted" in play.heard())
    assert play.submit("Action: Ping")
