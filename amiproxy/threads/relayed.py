# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the PROXY protocol's header of a connection that comes through a load balancer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerLeft, ProtocolError
from amiproxy.wire.proxyheader import LONGEST, NEEDED, HeaderReader, Source

if TYPE_CHECKING:
    from amiproxy.threads.net.transport import Transport


def read_source(transport: Transport, seconds: float) -> Source:
    """Return where the new connection *transport* comes from; nothing behind the header is read.

    Raises:
        PeerError: no header comes within *seconds*, or what comes is none.

    """
    deadline, reader = Deadline(seconds), HeaderReader()
    while reader.source is None:
        data = transport.peek(deadline.left(), LONGEST)
        if data is None:
            raise ProtocolError(f"no PROXY protocol header within {seconds:g} s: {NEEDED}")
        if not data:
            raise PeerLeft(f"{transport.peer} left")
        transport.recv(reader.feed(data))
    return reader.source
