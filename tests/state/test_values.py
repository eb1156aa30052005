# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of headers, as rows have them."""

from __future__ import annotations

from amiproxy.state.gone import Gone
from amiproxy.state.values import (
    LONGEST,
    decimal,
    earlier,
    instant,
    is_true,
    key_of,
    known,
    later,
    number,
    seconds,
    text,
)


def test_values() -> None:
    """What is no value; numbers, yes, times."""
    assert [known(each) for each in ("", "<unknown>", "Unknown", None, "7")] == [None] * 4 + ["7"]
    assert [number(each) for each in ("12", "-1", "1.5", "", "9" * 16, "\xb2", None)] == [
        12, -1, None, None, None, None, None,
    ]  # fmt: skip
    assert [decimal(each) for each in ("12", "-1.5", "0.25", "", "1.", "1.-5", "x", "nan", "1e3")] == [
        12.0, -1.5, 0.25, None, None, None, None, None, None,
    ]  # fmt: skip
    assert [is_true(each) for each in ("1", "Yes", "0", "", None)] == [True, True, *[False] * 3]
    assert [seconds(each) for each in ("75", "00:01:15", "a:b", "-1:2", "")] == [
        75, 75, None, None, None,
    ]  # fmt: skip


def test_keys_of_two_names_differ_for_any_two() -> None:
    """Queues and interfaces may both have slashes."""
    assert key_of("support", "PJSIP/1") == "support/PJSIP/1"
    assert key_of("a", "b/c") != key_of("a/b", "c")
    assert key_of("a%2Fb", "c") != key_of("a/b", "c")


def test_texts_and_times() -> None:
    """No value, too long a value; 0 is no time; what is not known is left out."""
    assert (text("<unknown>"), text("x" * 600)) == (None, "x" * LONGEST)
    assert (instant("0"), instant(""), instant("5", 2.5)) == (None, None, 7.5)
    assert (later(None, 1.0), later(2.0, None), later(2.0, 3.0), later(None, None)) == (
        1.0, 2.0, 3.0, None,
    )  # fmt: skip
    assert (earlier([None, 2.0, 1.0]), earlier([None])) == (1.0, None)


def test_what_is_gone_is_remembered_for_a_minute() -> None:
    """And not more than so many."""
    gone = Gone(2)
    for step, key in enumerate("abca"):
        gone.add(key, float(step))
    assert [gone.has(key, 10.0) for key in "abc"] == [True, False, True]
    assert gone.has("c", 61.9)
    assert not gone.has("c", 62.0)
