# SPDX-License-Identifier: GPL-2.0-or-later
"""websocket-client."""

from __future__ import annotations

import websocket
from steps import HEADERS, HOST, PORT, Flow, LostError


class Socket:
    """One connection."""

    def __init__(self, path: str, protocol: str = "") -> None:
        # It sends an Origin: this address, unless it is told not to.
        self._socket = websocket.create_connection(
            f"ws://{HOST}:{PORT}{path}", header=HEADERS, timeout=15,
            subprotocols=[protocol] if protocol else None,
        )  # fmt: skip
        self.send, self.close = self._socket.send, self._socket.close

    def recv(self) -> str:
        """Return the next message."""
        try:
            text = self._socket.recv()
        except (websocket.WebSocketException, OSError) as error:
            raise LostError from error
        if not text:
            raise LostError
        return text


Flow(Socket).run()
