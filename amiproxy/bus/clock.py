# SPDX-License-Identifier: GPL-2.0-or-later
"""The clock of leases: it goes on while the machine sleeps, and nobody can set it."""

from __future__ import annotations

import time

# CLOCK_MONOTONIC stands still while a machine is suspended: a lease that Redis has given to
# another meanwhile would look valid (clock_gettime(2)).  CLOCK_BOOTTIME is Linux alone.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    """Return the seconds since this machine was started, times of sleep included."""
    return time.clock_gettime(_CLOCK)
