# SPDX-License-Identifier: GPL-2.0-or-later
"""Queue and Caller: what is known of one queue, and of who waits in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from amiproxy.state.values import number, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.state.queues.member import Member

#: Returns the device behind a state interface such as ``hint:201@office``; None: not known.
DeviceOf = Callable[[str], "str | None"]

#: Headers of QueueParams that are kept, in lower case.  No event tells any of them.
PARAMS = (
    "strategy", "max", "weight", "servicelevel", "holdtime", "talktime", "completed",
    "abandoned", "servicelevelperf", "servicelevelperf2",
)  # fmt: skip


class Caller:
    """Who waits in a queue.  The place in Queue.callers is the position."""

    __slots__ = (
        "channel", "has_abandoned", "name", "number", "original_position", "priority", "queue",
        "since", "uniqueid",
    )  # fmt: skip

    def __init__(self, queue: Queue, uniqueid: str) -> None:
        self.queue = queue
        self.uniqueid = uniqueid
        self.channel: str | None = None
        self.number: str | None = None
        self.name: str | None = None
        self.since: float | None = None
        self.original_position: int | None = None
        #: In the queue.  Priority of an event is that of the dialplan.
        self.priority: str | None = None
        self.has_abandoned = False

    def describe(self, values: Mapping[str, str]) -> None:
        """Note channel and caller id, as far as *values* have them."""
        self.channel = text(values.get("channel")) or self.channel
        self.number = text(values.get("calleridnum")) or self.number
        self.name = text(values.get("calleridname")) or self.name


class Queue:
    """One queue with its members and callers."""

    __slots__ = ("callers", "members", "name", "params", "params_at")

    def __init__(self, name: str) -> None:
        self.name = name
        #: In the order in which they wait.
        self.callers: list[Caller] = []
        #: By interface.
        self.members: dict[str, Member] = {}
        #: What the last list said, and when it came.
        self.params: dict[str, str] = {}
        self.params_at: float | None = None

    def level(self) -> int | None:
        """Return within how many seconds callers are to be answered, None: that is not set."""
        return number(self.params.get("servicelevel")) or None

    def place(self, caller: Caller, position: int | None) -> int:
        """Put *caller* at *position*, counted from 1; those behind move back.

        Returns:
            Its place in the list.

        """
        callers = self.callers
        index = len(callers) if position is None else min(max(position - 1, 0), len(callers))
        callers.insert(index, caller)
        return index
