# SPDX-License-Identifier: GPL-2.0-or-later
"""websockets, its client for asyncio."""

from __future__ import annotations

import asyncio

from steps import HEADERS, HOST, PORT, Flow, LostError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

run = asyncio.new_event_loop().run_until_complete


class Socket:
    """One connection."""

    def __init__(self, path: str, protocol: str = "") -> None:
        self._socket = run(self._connect(path, protocol))

    async def _connect(self, path: str, protocol: str):
        return await connect(
            f"ws://{HOST}:{PORT}{path}", additional_headers=HEADERS,
            subprotocols=[protocol] if protocol else None,
        )  # fmt: skip

    def send(self, text: str) -> None:
        """Send *text*."""
        run(self._socket.send(text))

    def close(self) -> None:
        """Close it."""
        run(self._socket.close())

    def recv(self) -> str:
        """Return the next message."""
        try:
            return run(asyncio.wait_for(self._socket.recv(), 15))
        except ConnectionClosed as error:
            raise LostError from error


Flow(Socket).run()
