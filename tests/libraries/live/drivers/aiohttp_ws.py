# SPDX-License-Identifier: GPL-2.0-or-later
"""aiohttp: its WebSocket."""

from __future__ import annotations

import asyncio

import aiohttp
from steps import HEADERS, HOST, PORT, Flow, LostError

run = asyncio.new_event_loop().run_until_complete


class Socket:
    """One connection."""

    def __init__(self, path: str, protocol: str = "") -> None:
        run(self._connect(f"http://{HOST}:{PORT}{path}", protocol))

    async def _connect(self, url: str, protocol: str) -> None:
        self._session = aiohttp.ClientSession(headers=HEADERS)
        self._socket = await self._session.ws_connect(url, protocols=[protocol] * bool(protocol))

    def send(self, text: str) -> None:
        """Send *text*."""
        run(self._socket.send_str(text))

    def close(self) -> None:
        """Close it."""
        run(self._socket.close())
        run(self._session.close())

    def recv(self) -> str:
        """Return the next message."""
        told = run(self._socket.receive(timeout=15))
        if told.type is not aiohttp.WSMsgType.TEXT:
            raise LostError
        return told.data


Flow(Socket).run()
