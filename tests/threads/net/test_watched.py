# SPDX-License-Identifier: GPL-2.0-or-later
"""Threads that find no memory to begin: whoever starts one does not wait for ever."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.net import starting
from amiproxy.threads.net.starting import StartingThread
from amiproxy.threads.net.watched import WatchedThread

if TYPE_CHECKING:
    from amiproxy.threads.net.watched import Work

WORK: Work = SimpleNamespace(busy_since=0.0)


def test_a_thread_runs() -> None:
    ran = threading.Event()
    thread = WatchedThread("x", ran.set, WORK)

    thread.start()

    assert ran.wait(10)
    thread.join(10)


def test_a_thread_that_ends_before_it_begins_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a MemoryError in the first lines of a new thread."""
    monkeypatch.setattr(starting, "PATIENCE", 0.01)
    thread = WatchedThread("x", lambda: None, WORK, look=lambda: None)
    monkeypatch.setattr(thread, "_bootstrap", lambda: None)

    with pytest.raises(RuntimeError, match="can't start new thread"):
        thread.start()

    assert thread.look is None


def test_a_thread_that_was_given_up_never_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was to hold has been given back."""
    monkeypatch.setattr(starting, "PATIENCE", 0.01)
    ran, go, over = threading.Event(), threading.Event(), threading.Event()
    thread = WatchedThread("x", ran.set, WORK)
    bootstrap = getattr(thread, "_bootstrap")  # noqa: B009 - mypy does not know it

    def late() -> None:
        go.wait(10)
        bootstrap()
        over.set()

    monkeypatch.setattr(thread, "_bootstrap", late)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        thread.start()
    go.set()

    assert over.wait(10)
    assert not ran.is_set()


def test_a_thread_that_is_not_watched_is_not_waited_for_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever begins the first web session holds a lock meanwhile."""
    monkeypatch.setattr(starting, "PATIENCE", 0.01)
    monkeypatch.setattr(StartingThread, "_bootstrap", lambda _: None)

    with pytest.raises(RuntimeError, match="can't start new thread"):
        StartingThread("x", lambda: None).start()
