# SPDX-License-Identifier: GPL-2.0-or-later
"""Paced: to look at thousands of things without keeping the interpreter from the servers' threads.

With many clients a thread may keep it for up to a tenth of a second (interpreter.py).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

#: Seconds in which who waits for the interpreter gets it: not 0, or this thread has it again first.
_PAUSE = 0.0002


def paced(items: Iterable[T], each: int = 32) -> Iterator[T]:
    """Yield *items*; let others have the interpreter after *each* of them, about half a ms."""
    for at, item in enumerate(items, 1):
        if not at % each:
            time.sleep(_PAUSE)
        yield item
