# SPDX-License-Identifier: GPL-2.0-or-later
"""Loops of threads: they go on after whatever is raised, or say that they do not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy.threads.net.endless import endless

if TYPE_CHECKING:
    import pytest


class Step:
    """A step that raises each of *errors*, then returns False; None: True."""

    def __init__(self, *errors: BaseException | None) -> None:
        self._errors = iter(errors)
        self.ends: list[str] = []

    def __call__(self) -> bool:
        for error in self._errors:
            if error is not None:
                raise error
            return True
        return False

    def run(self) -> None:
        endless("x", self, pause=0.0, end=self.ends.append)


def test_any_exception_is_logged_and_the_next_step_taken(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also what is no Exception: a handler may call sys.exit()."""
    step = Step(MemoryError(), ValueError("oops"), SystemExit(3), None, OSError(9, "bad"))

    step.run()

    assert caplog.messages == ["thread x goes on after an error"] * 4
    assert "oops" in caplog.text
    assert step() is False
    assert step.ends == []


def test_without_memory_for_a_log_line_it_goes_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is lost, the thread is not."""

    def no_memory(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(logging.Logger, "error", no_memory)
    step = Step(MemoryError(), MemoryError())

    step.run()

    assert step() is False


def test_a_thread_that_only_fails_ends_the_process() -> None:
    """With a reason; failures with success between them do not count."""
    now_and_then = Step(*[ValueError(), None] * 150)
    always = Step(*[ValueError()] * 150)

    now_and_then.run()
    always.run()

    assert now_and_then.ends == []
    assert always.ends == ["thread x failed 100 times in a row"]
