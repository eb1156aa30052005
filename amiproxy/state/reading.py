# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading headers into rows, and writing rows as list items: what the tables share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from amiproxy.message import Message
from amiproxy.state.values import known, number

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Characters kept of a value.  Asterisk's own names have 80, some texts more.
LONGEST = 512

#: A header of a list item; without a value it is left out.
Header = tuple[str, Optional[str]]


def text(value: str | None) -> str | None:
    """Return *value*, cut where it is too long; None if there is none."""
    value = known(value)
    return value if value is None or len(value) <= LONGEST else value[:LONGEST]


def key_of(first: str, second: str) -> str:
    """Return one key for two names, which differs for any other two."""
    if "/" in first or "%" in first:
        first = first.replace("%", "%25").replace("/", "%2F")
    return f"{first}/{second}"


def instant(value: str | None, offset: float = 0.0) -> float | None:
    """Return the time that Asterisk wrote as *value*, by the proxy's clock; 0 is no time."""
    found = number(value)
    return found + offset if found is not None and found > 0 else None


def later(first: float | None, second: float | None) -> float | None:
    """Return the later of two times, of which one or both may not be known."""
    if first is None or second is None:
        return second if first is None else first
    return max(first, second)


def earlier(moments: Iterable[float | None]) -> float | None:
    """Return the first of *moments*, as far as they are known."""
    return min((each for each in moments if each is not None), default=None)


def list_item(event: str, classes: str, headers: Iterable[Header]) -> Message:
    """Return the list item *event* of *classes*, with those of *headers* that have a value."""
    lines = [f"{name}: {value}" for name, value in headers if value is not None]
    return Message.of(f"Event: {event}", f"Privilege: {classes},all", *lines)
