# SPDX-License-Identifier: GPL-2.0-or-later
"""Kept: what is counted of one server, whatever becomes of its connection and its model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from amiproxy.state.calls import causes
from amiproxy.state.queues.numbers import Defaults, Numbers

if TYPE_CHECKING:
    from amiproxy.state.queues.numbers import Rules


class Kept:
    """Counts of one server.  The thread of its model changes them, any thread may read them."""

    def __init__(self, rules: Callable[[], Rules] = Defaults) -> None:
        """Begin with nothing; *rules* returns what the operator says of numbers."""
        #: What has come of the callers of its queues.
        self.numbers = Numbers(rules)
        #: How many calls have begun while the model was live, and have ended, by cause.
        self.calls_started = 0
        self.hangups = dict.fromkeys(causes.WORDS, 0)
        #: How often it has reloaded a module, or all of them; and when it has said that it stops,
        #: or begins anew, None: it has not.
        self.reloads = 0
        self.stopping_since: float | None = None
