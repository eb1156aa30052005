# SPDX-License-Identifier: GPL-2.0-or-later
"""Marks that come one by one, as clients do who each choose other events."""

from __future__ import annotations

from amiproxy.message import Message
from amiproxy.routing.marks import Head, Marks, Unwanted


class _Counting:
    """A choice of the event called *name*, which counts how often it is asked."""

    def __init__(self, name: str) -> None:
        self.name, self.asked = name, 0

    def has(self, name: str) -> bool:
        self.asked += 1
        return name == self.name


def _key(marks: Marks, name: str) -> int:
    return marks.key(Message.of(f"Event: {name}", "Privilege: call,all", "X: 1"))


def test_a_choice_that_comes_later_has_no_other_asked_again() -> None:
    """A thousand choices, each before another batch, would be asked half a million times."""
    marks, choices = Marks(), [_Counting(f"e{number % 7}") for number in range(50)]
    for count, choice in enumerate(choices, 1):
        marks.add([Unwanted(choice)])
        for name in ("E1", "E5"):
            key = _key(marks, name)
            hidden = [each for each in choices[:count] if each.name != name.lower()]
            wanted = [each for each in choices[:count] if each.name == name.lower()]
            assert all(key & marks.bits[Unwanted(each)] for each in hidden)
            assert not any(key & marks.bits[Unwanted(each)] for each in wanted)

    assert {choice.asked for choice in choices} == {2}


def test_a_first_line_that_is_looked_for_later_is_found() -> None:
    """What was noted of events that begin so before does not hide it."""
    marks = Marks([Unwanted(_Counting("hangup"))])
    before = _key(marks, "Hangup")
    marks.add([Head(b"Event: Hangup\r\n")])

    assert _key(marks, "Hangup") == before | marks.bits[Head(b"Event: Hangup\r\n")]
    assert _key(marks, "hangup") == before
