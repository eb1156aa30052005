# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGHUPs are carried out one after the other, in a thread that nobody waits for."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from amiproxy.settings.reloadreport import ReloadReport
from amiproxy.threads.reloading import Reloader
from amiproxy.threads.supervisor import Supervisor
from tests.support import wait_until

if TYPE_CHECKING:
    import pytest


def test_signals_during_a_reload_are_one_more(caplog: pytest.LogCaptureFixture) -> None:
    """And the log says so, once."""
    done: list[int] = []
    may_end = threading.Event()

    def reload(_because: str) -> ReloadReport:
        done.append(len(done))
        may_end.wait(10)
        return ReloadReport()

    reloader = Reloader(reload, Supervisor())
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

    def reload(_because: str) -> ReloadReport:
        raise errors.pop()

    reloader = Reloader(reload, Supervisor())
    reloader.start()
    for left in (2, 1, 0):
        reloader.ask()
        wait_until(lambda left=left: len(errors) == left)  # type: ignore[misc]

    wait_until(lambda: "oops" in caplog.text)


def test_who_waits_gets_the_report_of_a_reload_that_began_after_it_asked() -> None:
    """All who ask while one is under way share the next one."""
    begun: list[str] = []
    may_end = threading.Event()

    def reload(because: str) -> ReloadReport:
        begun.append(because)
        may_end.wait(10)
        return ReloadReport(read=(f"{len(begun)}",))

    reloader = Reloader(reload, Supervisor())
    reloader.start()
    reloader.ask()
    wait_until(lambda: begun == ["Received HUP"])
    asked = [reloader.ask_and_tell(f"Reload by {name}") for name in ("root", "joe")]

    assert asked[0].wait(0.0) is None
    may_end.set()

    assert [each.wait(10) for each in asked] == [ReloadReport(read=("2",))] * 2
    assert begun == ["Received HUP", "Reload by root"]


def test_who_waits_is_told_of_a_bug() -> None:
    """Whatever the reload raises."""

    def reload(_because: str) -> ReloadReport:
        raise ValueError("oops")

    reloader = Reloader(reload, Supervisor())
    reloader.start()

    report = reloader.ask_and_tell("Reload by root").wait(10)

    assert report is not None
    assert report.problems == ("bug in the proxy: see its log",)
