# SPDX-License-Identifier: GPL-2.0-or-later
"""The switch interval: the more threads may wait for the interpreter, the longer it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.sessions import admission
from amiproxy.threads.sessions.admission import Admission, Slot
from amiproxy.threads.sessions.interpreter import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    usual = sys.getswitchinterval()
    yield
    sys.setswitchinterval(usual)


def test_it_grows_with_the_clients_and_falls_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them together wake up 30 000 times a second."""
    usual = sys.getswitchinterval()
    monkeypatch.setattr(admission, "INTERPRETER", Interpreter())
    many = Admission()
    slots = [many.enter("192.0.2.1", guarded=False) for _ in range(900)]

    assert sys.getswitchinterval() == pytest.approx(0.03, rel=0.1)
    for slot in slots:
        assert isinstance(slot, Slot)
        many.leave(slot)
    assert sys.getswitchinterval() == usual


def test_a_crowd_in_any_queue_has_it_as_long_as_can_be() -> None:
    """Until the last one has gone."""
    usual = sys.getswitchinterval()
    interpreter = Interpreter()

    interpreter.note_crowd("one", is_there=True)
    interpreter.note_crowd("two", is_there=True)
    interpreter.note_crowd("one", is_there=False)
    assert sys.getswitchinterval() == pytest.approx(0.1)
    interpreter.note_crowd("two", is_there=False)

    assert sys.getswitchinterval() == usual
    interpreter.note_clients(1_000_000)
    assert sys.getswitchinterval() == pytest.approx(0.1)
