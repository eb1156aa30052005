# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes from an Asterisk without what has gone round a ring of proxies (wire/circles.py)."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from amiproxy.routing.pending import own_action
from amiproxy.wire import circles

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.wire.framing import Chunk

log = logging.getLogger("amiproxy.asterisk")


def straight(chunk: Chunk, link: AsteriskLink, ids: ActionIds) -> Chunk:
    """Return *chunk* without what looks as if it had come round; ask *link* whether it has."""

    def is_asked_for(message: Message) -> bool:
        """Return whether *message* answers an action that has gone up from this proxy."""
        asked = ids.is_made_here(message.get("ActionID").encode("latin-1", "replace"))
        return asked and message.raw.startswith(b"Response: ")

    found = circles.checked(chunk, is_asked_for)
    if found is not chunk and (question := link.probe.question(time.monotonic())):
        text = f"left out a message with more than {circles.MOST} Server: headers"
        log.warning("asterisk@%s: %s", link.scope, text)
        link.submit(own_action(ids, "Ping", question))
    return found
