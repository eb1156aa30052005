# SPDX-License-Identifier: GPL-2.0-or-later
"""Log lines about unauthenticated peers: one a second, the others are counted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy.threads.net.ratelimitedlog import RateLimitedLog

if TYPE_CHECKING:
    import pytest


def test_one_line_a_second_and_the_rest_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """A flood of bad blocks is two lines, and no line is lost without a word."""
    now = 1000.0
    limited = RateLimitedLog(logging.getLogger("test"), clock=lambda: now)

    for number in range(5):
        limited.warning("bad block %d", number)
    now += 1.0
    limited.warning("bad block %d", 5)
    now += 1.0
    limited.warning("bad block %d", 6)

    assert caplog.messages == [
        "bad block 0",
        "bad block 5 (and 4 more like it)",
        "bad block 6",
    ]
