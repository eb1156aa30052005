# SPDX-License-Identifier: GPL-2.0-or-later
"""Links: what one message means for the calls of its Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from amiproxy.message import Message


class Links:
    """What one message means for calls, by all that its Asterisk sent before it.  A value.

    Only :meth:`amiproxy.routing.calltable.CallTable.note` makes one, and keeps it with the message.
    """

    __slots__ = ("ended", "learned", "live", "past", "replays")

    def __init__(
        self,
        live: tuple[str, ...],
        learned: tuple[str, ...] = (),
        ended: tuple[str, ...] = (),
        replays: tuple[tuple[str, tuple[Message, ...]], ...] = (),
        past: tuple[str, ...] = (),
    ) -> None:
        #: The ids of live channels, or of bridges, that the message names: a client
        #: that knows one of them gets the message.
        self.live: Final = live
        #: The ids that a client knows once it got the message.
        self.learned: Final = learned
        #: The ids that nobody needs to know any longer after it.
        self.ended: Final = ended
        #: For ids in ``learned``: what a client that does not know the id gets first.
        self.replays: Final = replays
        #: The ids that a message may name when they have ended: a client that knew one of
        #: them gets it.
        self.past: Final = past
