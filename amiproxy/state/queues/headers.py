# SPDX-License-Identifier: GPL-2.0-or-later
"""What events about queues say where: each generation of Asterisk has its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.values import text, value_in

if TYPE_CHECKING:
    from collections.abc import Mapping


def interface_of(values: Mapping[str, str]) -> str | None:
    """Return the member's interface; before 13 each event has its own word for it."""
    get = values.get
    return get("interface") or get("location")


def queue_in(raw: bytes) -> str | None:
    """Return the queue that an event names."""
    return text(value_in(raw, b"\r\nQueue: "))


def interface_in(raw: bytes) -> str | None:
    """Return the member's interface, as the events about its calls name it."""
    return first_in(raw, b"\r\nInterface: ", b"\r\nMember: ", b"\r\nAgentCalled: ")


def first_in(raw: bytes, *headers: bytes) -> str | None:
    """Return the value of the first of *headers* that has one."""
    for header in headers:
        value = text(value_in(raw, header))
        if value is not None:
            return value
    return None
