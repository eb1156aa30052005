# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of headers: read into rows, and written as list items."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Optional

from amiproxy.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

#: In front of the value that it names: the header that tells which channel an event is about.
UNIQUEID = b"\r\nUniqueid: "

#: Characters kept of a value.  Asterisk's own names have 80, some texts more.
LONGEST = 512

#: A header of a list item; without a value it is left out.
Header = tuple[str, Optional[str]]

_NO_VALUE = frozenset(("", "<unknown>", "unknown", "<none>", "<null>", "(null)"))
_TRUE = frozenset(("1", "yes", "true", "on", "y", "t"))
_LONGEST = 15  # digits that stay exact in JSON's numbers
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")


def known(value: str | None) -> str | None:
    """Return *value*, or None if it says that there is none: lists and events differ."""
    return None if value is None or value in _NO_VALUE or value.lower() in _NO_VALUE else value


def number(value: str | None) -> int | None:
    """Return the whole number *value*, or None if it is none."""
    if not value or len(value) > _LONGEST or not value.isascii():
        return None
    digits = value[1:] if value[0] == "-" else value
    return int(value) if digits.isdigit() else None


def decimal(value: str | None) -> float | None:
    """Return the number *value*, which may have a fraction, or None if it is none."""
    return float(value) if value and _DECIMAL.fullmatch(value) else None


def is_true(value: str | None) -> bool:
    """Return whether *value* means yes, as Asterisk reads it."""
    return value is not None and value.lower() in _TRUE


def seconds(value: str | None) -> int | None:
    """Return the seconds that *value* says, as ``75`` or ``00:01:15``; None if it is neither."""
    if not value or ":" not in value:
        return number(value)
    found = 0
    for part in value.split(":", 3):
        digits = number(part)
        if digits is None or digits < 0:
            return None
        found = found * 60 + digits
    return found


def text(value: str | None) -> str | None:
    """Return *value*, cut where it is too long; None if there is none."""
    value = known(value)
    return value if value is None or len(value) <= LONGEST else value[:LONGEST]


def value_in(raw: bytes, header: bytes) -> str:
    """Return the value of *header*: line end, name, colon, blank, as Asterisk writes them."""
    at = raw.find(header)
    if at < 0:
        return ""
    begin = at + len(header)
    end = raw.find(b"\r", begin)
    return raw[begin : min(end, begin + LONGEST)].decode("latin-1") if end >= 0 else ""


def key_of(first: str, second: str) -> str:
    """Return one key for two names, which differs for any other two."""
    if "/" in first or "%" in first:
        first = first.replace("%", "%25").replace("/", "%2F")
    return f"{first}/{second}"


def names_of(key: str) -> tuple[str, str]:
    """Return the two names of which :func:`key_of` made *key*."""
    first, _, second = key.partition("/")
    return first.replace("%2F", "/").replace("%25", "%"), second


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
