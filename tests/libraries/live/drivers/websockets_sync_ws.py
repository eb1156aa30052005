# SPDX-License-Identifier: GPL-2.0-or-later
"""websockets, its client for threads."""

from __future__ import annotations

from steps import HEADERS, HOST, PORT, Flow, LostError
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


class Socket:
    """One connection."""

    def __init__(self, path: str, protocol: str = "") -> None:
        self._socket = connect(
            f"ws://{HOST}:{PORT}{path}", additional_headers=HEADERS,
            subprotocols=[protocol] if protocol else None,
        )  # fmt: skip
        self.send, self.close = self._socket.send, self._socket.close

    def recv(self) -> str:
        """Return the next message."""
        try:
            return self._socket.recv(timeout=15)
        except ConnectionClosed as error:
            raise LostError from error


Flow(Socket).run()
