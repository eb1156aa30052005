# SPDX-License-Identifier: GPL-2.0-or-later
"""The tool that measures attacks: it sees harm where there is some, and none where there is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from amiproxy.formats import load_formats
from amiproxy.limits import Limits
from benchmarks.subjects import ROOT
from benchmarks.torture.attacks import ATTACKS, Attack
from benchmarks.torture.innocent import block
from benchmarks.torture.trial import Result, Window, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

_QUIET = Window(event=1.0, event_max=2.0, ping=2.0, lost=0, gone="")


def _result(under: Window) -> Result:
    return Result("name", "what", _QUIET, under, 30.0, 31.0)


@pytest.mark.parametrize(
    ("under", "words"),
    [
        (_QUIET, []),
        (_QUIET._replace(event=9.0, ping=9.9), []),  # nobody notices that
        (_QUIET._replace(event=11.0), ["event p99"]),
        (_QUIET._replace(ping=60.0), ["ping p99"]),
        (_QUIET._replace(lost=3), ["3 events lost"]),
        (_QUIET._replace(gone="a connection was closed"), ["closed"]),
    ],
)
def test_harm_is_named(under: Window, words: Sequence[str]) -> None:
    problems = _result(under).problems
    assert len(problems) == len(words)
    assert all(word in problem for word, problem in zip(words, problems))


def test_no_figure_under_attack_may_be_above_the_limit_whatever_it_was_without() -> None:
    slow = _QUIET._replace(event=40.0)
    assert Result("name", "what", slow, slow._replace(event=60.0), 30.0, 31.0).problems


def test_each_attack_has_a_name_of_its_own() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize("form", ["standard", "json", "csv", "xml"])
def test_the_innocent_client_speaks_the_format(form: str) -> None:
    reader = load_formats(ROOT / "handlers")[form].reader
    assert reader is not None
    (message,) = reader(Limits()).feed(block(form, Action="Ping", ActionID="1"))
    assert message.raw == b"Action: Ping\r\nActionID: 1\r\n\r\n"  # type: ignore[union-attr]


def test_an_attack_is_measured() -> None:
    attack = next(each for each in ATTACKS if each.name == "refused")
    assert isinstance(attack, Attack)
    result = measure(attack, [sys.executable, str(ROOT / "astmanproxy.py")], 0.2)
    assert result.without.lost == result.under.lost == 0
    assert result.without.event > 0
    assert result.under.ping > 0
    assert result.highest >= result.before > 0
