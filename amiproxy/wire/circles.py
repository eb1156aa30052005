# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages that have come round: an Asterisk of ours is, by way of others, this proxy itself.

Each proxy puts its own ``Server:`` behind a message.  Where a proxy is reached through
itself, every event comes again and again, each time longer.
"""

from __future__ import annotations

import re

from amiproxy.errors import LoginRefused
from amiproxy.wire.framing import Chunk

#: As many proxies may stand one behind the other; a message with more ``Server:`` has come round.
MOST = 8

#: How much of a read is looked at, in bytes.
TAIL = 1024

SERVER = b"\r\nServer: "

_ROUND = re.compile(rb"(?:\r\nServer: [^\r\n]*){%d}\r\n\r\n" % (MOST + 1))

#: The one event that a client can give any headers.
_USER_EVENT = b"Event: UserEvent\r\n"


def checked(chunk: Chunk) -> Chunk:
    """Return *chunk* without messages of a client that look as if they had come round.

    Needed only where there are more than MOST ``Server:`` in its last TAIL bytes.  It
    suffices to look there: what goes round goes on doing so, and each read ends somewhere.

    Raises:
        LoginRefused: a message has come round.

    """
    wire = chunk.wire
    if chunk.exact is None and _ROUND.search(wire, max(0, len(wire) - TAIL)) is None:
        return chunk
    messages = chunk.messages()
    kept = []
    for message in messages:
        if not _ROUND.search(message.raw):
            kept.append(message.raw)
        elif not message.raw.startswith(_USER_EVENT):
            raise LoginRefused(f"a message with more than {MOST} Server: this proxy reaches itself")
    return chunk if len(kept) == len(messages) else Chunk(exact=kept)
