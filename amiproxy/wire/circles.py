# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages that have come round: an Asterisk of ours is, by way of others, this proxy itself.

Each proxy puts its own ``Server:`` behind a message.  Where a proxy is reached through
itself, every event comes again and again, each time longer, until it is left out here.  That
proves nothing: values are never escaped, and whoever may use Getvar can forge such a message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable

from amiproxy.message import END
from amiproxy.wire.framing import Chunk

if TYPE_CHECKING:
    from amiproxy.message import Message

#: As many proxies may stand one behind the other; a message with more ``Server:`` has come round.
MOST = 8

#: How much of a read is looked at, in bytes.
TAIL = 1024

SERVER = b"\r\nServer: "

_ROUND = re.compile(rb"(?:\r\nServer: [^\r\n]*){%d}\r\n\r\n" % (MOST + 1))

_LAST = re.compile(rb"(?:\r\nServer: [^\r\n]*)+\r\n\r\n\Z")


def through(raw: bytes) -> list[str]:
    """Return the values of the ``Server:`` headers that end the message *raw*, in lower case."""
    found = _LAST.search(raw)
    ends = b"" if found is None else found.group()[: -len(END)]
    return [each.decode("latin-1").lower() for each in ends.split(SERVER)[1:]]


def checked(chunk: Chunk, is_ours: Callable[[Message], bool]) -> Chunk:
    """Return *chunk* without messages that look as if they had come round.

    Needed only where there are more than MOST ``Server:`` in its last TAIL bytes.  It
    suffices to look there: what goes round goes on doing so, and each read ends somewhere.
    An answer of which *is_ours* says that this proxy has asked for it is kept.
    """
    wire = chunk.wire
    if chunk.exact is None and _ROUND.search(wire, max(0, len(wire) - TAIL)) is None:
        return chunk
    messages = chunk.messages()
    kept = [each.raw for each in messages if not _ROUND.search(each.raw) or is_ours(each)]
    return chunk if len(kept) == len(messages) else Chunk(exact=kept)
