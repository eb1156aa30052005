# SPDX-License-Identifier: GPL-2.0-or-later
"""Linkedids: which channels of one Asterisk still belong to each call.

Asterisk gives all channels of a call the unique id of the one that it began with.  That one
may hang up first, as in a blind transfer: the call ends with its last channel.
"""

from __future__ import annotations

from collections import OrderedDict

from amiproxy.basics.counts import Counts


class Linkedids:
    """The Linkedid of each live channel.  Not thread-safe, as the call table that has it."""

    def __init__(self, most: int) -> None:
        """Remember *most* channels; beyond that the oldest are dropped."""
        self._most = most
        #: Unique id of a channel -> its Linkedid.  To be read only.
        self.of: OrderedDict[str, str] = OrderedDict()
        #: Linkedid -> how many channels have it.  To be read only.
        self.channels: Counts[str] = Counts()

    def clear(self) -> None:
        """Forget all."""
        self.of.clear()
        self.channels.clear()

    def join(self, uid: str, linkedid: str) -> str:
        """Note that the channel *uid* has this *linkedid*; return what :meth:`leave` does."""
        ended = self.leave(uid)
        self.of[uid] = linkedid
        self.channels.add(linkedid)
        if len(self.of) > self._most:
            self.leave(next(iter(self.of)))
        return ended if ended != linkedid else ""

    def leave(self, uid: str) -> str:
        """Note that the channel *uid* is gone; return its Linkedid, if no other has it, else ""."""
        linkedid = self.of.pop(uid, "")
        return linkedid if linkedid and self.channels.remove(linkedid) else ""
