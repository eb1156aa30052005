# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGHUPs are carried out one after the other, in a thread that nobody waits for."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from amiproxy.threads.reloading import Reloader
from tests.support import wait_until

if TYPE_CHECKING:
    import pytest


def test_signals_during_a_reload_are_one_more(caplog: pytest.LogCaptureFixture) -> None:
    """And the log says so, once."""
    done: list[int] = []
    may_end = threading.Event()

    def reload(_because: str) -> None:
        done.append(len(done))
        may_end.wait(10)

    reloader = Reloader(reload)
    reloader.start()
    reloader.ask()
    wait_until(lambda: done == [0])

    for _ in range(5):
        reloader.ask()
    may_end.set()

    wait_until(lambda: done == [0, 1] and not reloader.busy_since)
    (line,) = caplog.messages
    assert re.fullmatch(r"Received HUP -- follows the one that takes \d+\.\d s already", line)


def test_a_reload_that_fails_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it raises."""
    errors: list[BaseException] = [ValueError("oops"), MemoryError(), SystemExit()]

    def reload(_because: str) -> None:
        raise errors.pop()

    reloader = Reloader(reload)
    reloader.start()
    for left in (2, 1, 0):
        reloader.ask()
        wait_until(lambda left=left: len(errors) == left)  # type: ignore[misc]

    wait_until(lambda: "oops" in caplog.text)
