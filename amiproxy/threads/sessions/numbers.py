# SPDX-License-Identifier: GPL-2.0-or-later
"""The numbers of sessions: never used again while the proxy runs (spec section 7).

Proxies that share their servers (threads/bus/) tell from the number whose session it is: above
BITS it has the slot of the proxy, which is 0 for one that shares nothing.
"""

from __future__ import annotations

import itertools

#: How many of the lower bits of a number tell the session.
BITS = 28

_numbers = itertools.count(1)


def new_number() -> int:
    """Return the number of a new session.  Any thread may call."""
    return next(_numbers)


def begin_at(slot: int) -> None:
    """Give out numbers of the proxy *slot* from now on; before there is any session."""
    global _numbers  # noqa: PLW0603 - one for the process, as its sessions are
    _numbers = itertools.count(number_of(slot) + 1)


def slot_of(number: int) -> int:
    """Return the slot of the proxy of whose sessions one has *number*."""
    return number >> BITS


def is_elsewhere(number: int, slot: int) -> bool:
    """Return whether *number* stands for another proxy than *slot*, or for a session there."""
    return 0 < slot_of(number) != slot


def number_of(slot: int) -> int:
    """Return what stands for the proxy *slot* itself, and for no session."""
    return slot << BITS


def is_of_session(number: int) -> bool:
    """Return whether *number* stands for a session, not for a proxy itself."""
    return number != number_of(slot_of(number))
