# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages that have come round: an Asterisk of ours is, by way of others, this proxy itself.

Each proxy puts its own ``Server:`` behind a message.  Where a proxy is reached through
itself, every event comes again and again, each time longer.
"""

from __future__ import annotations

import re

from amiproxy.errors import LoginRefused
from amiproxy.message import END
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
    """Return *chunk* without messages that seem to have come round, but are a client's own.

    Worth its while only if there are more than MOST ``Server:`` in its last TAIL bytes.  It
    suffices to look there: what goes round goes on doing so, and each read ends somewhere.

    Raises:
        LoginRefused: a message has come round.

    """
    wire = chunk.wire
    if chunk.exact is None:
        if _ROUND.search(wire, max(0, len(wire) - TAIL)) is None:
            return chunk
        parts = wire.split(END)
        parts.pop()
        messages = [part + END for part in parts]
    else:
        messages = chunk.exact
    found = [each for each in messages if _ROUND.search(each)]
    if not found:
        return chunk
    if not all(each.startswith(_USER_EVENT) for each in found):
        raise LoginRefused(f"a message with more than {MOST} Server: this proxy reaches itself")
    return Chunk(exact=[each for each in messages if each not in found])
