# SPDX-License-Identifier: GPL-2.0-or-later
"""The first bytes of a connection: TLS or plain text?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.errors import ProtocolError

if TYPE_CHECKING:
    from amiproxy.threads.net.transport import Transport

#: The first byte of a TLS record that holds a handshake (RFC 8446, 5.1).
TLS_HANDSHAKE = b"\x16"


def refuse_tls(transport: Transport, first: bytes) -> None:
    """Reject *first*, what came first on *transport*, if it is TLS on a plain connection.

    Raises:
        ProtocolError: it is.

    """
    if first.startswith(TLS_HANDSHAKE + b"\x03") and not transport.tls_version:
        raise ProtocolError(
            "TLS on a connection that is to be plain text (acceptencryptedconnection = no)"
        )
