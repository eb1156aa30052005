# SPDX-License-Identifier: GPL-2.0-or-later
"""Meter: what of one Asterisk's events is measured only once somebody has asked for metrics."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import TYPE_CHECKING

from amiproxy.metrics.histogram import MOMENTS, Histogram
from amiproxy.routing.classes import CLASSES
from amiproxy.wire.batch import BatchKind
from amiproxy.wire.routed import BROADCAST

if TYPE_CHECKING:
    from amiproxy.wire.batch import Batch

#: An event without a class, or of one that no table knows.
OTHER = "other"

#: The class of each event; Asterisk writes the header so, as the second line.
_CLASSES = re.compile(rb"\r\nPrivilege: (\w*)")
#: So few words are counted one by one: to make a Counter takes longer.
_FEW = 4
_ONES = (1,) * _FEW
_WORDS = {word.encode("latin-1"): word for word in CLASSES}


class Meter:
    """The figures of one link.  Its server's thread changes them; any thread may read."""

    def __init__(self, events: int) -> None:
        """*events* have come before, whose classes nobody has counted."""
        #: By class.
        self.events = {OTHER: events}
        #: How long it took from reading events until they were handed to all clients' sockets.
        self.delays = Histogram(MOMENTS)

    def note(self, batch: Batch, read: float) -> None:
        """Note that *batch*, which was *read* then, in monotonic seconds, has been handed out.

        What is not of Asterisk, but said by the proxy of it, was not read.
        """
        if not batch.events or batch.kind is BatchKind.NOTICE:
            return
        self.delays.note(time.monotonic() - read)
        words: list[bytes]
        if batch.kind is BatchKind.EVENTS:
            words = _CLASSES.findall(batch.wire)
        else:
            raws = [item.message.raw for item in batch.items if item.owner == BROADCAST]
            words = [word for raw in raws for word in _CLASSES.findall(raw)[:1]]
        counts = self.events
        for word, count in Counter(words).items() if len(words) > _FEW else zip(words, _ONES):
            name = _WORDS.get(word, OTHER)
            counts[name] = counts.get(name, 0) + count
        counts[OTHER] += max(0, batch.events - len(words))
