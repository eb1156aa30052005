# SPDX-License-Identifier: GPL-2.0-or-later
"""python-daemon, which everybody imports from here.

Version 2, which Debian 12 has, puts the number of each descriptor that the process could ever
open into a set, when it is imported: 60 MB where the limit is a million, as for root on many
machines, and more than there is where a container allows a thousand million.
"""

from __future__ import annotations

import contextlib
import resource
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What python-daemon closes at a start are descriptors below this: none that a process is
#: given has such a number.
DESCRIPTORS = 65536


@contextlib.contextmanager
def few_descriptors() -> Iterator[None]:
    """Run the block with limits that seem to be DESCRIPTORS at the most."""
    names, real = vars(resource), resource.getrlimit

    def limit(which: int) -> tuple[int, int]:
        soft, hard = real(which)
        if which != resource.RLIMIT_NOFILE:
            return soft, hard
        if hard == resource.RLIM_INFINITY:  # -1
            return DESCRIPTORS, DESCRIPTORS
        return min(soft, DESCRIPTORS), min(hard, DESCRIPTORS)

    names["getrlimit"] = limit
    try:
        yield
    finally:
        names["getrlimit"] = real


with few_descriptors():
    import daemon
    from daemon.pidfile import TimeoutPIDLockFile

__all__ = ["TimeoutPIDLockFile", "daemon"]
