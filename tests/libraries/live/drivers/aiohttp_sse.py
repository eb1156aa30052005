# SPDX-License-Identifier: GPL-2.0-or-later
"""aiohttp: lines of an answer that has no end."""

from __future__ import annotations

import asyncio

import aiohttp
from steps import HEADERS, HOST, PORT, Events, LostError

run = asyncio.new_event_loop().run_until_complete


def lines(path: str, last: str):
    """Yield the lines of a stream."""
    headers = {**HEADERS, "Last-Event-ID": last} if last else HEADERS

    async def connect():
        session = aiohttp.ClientSession(headers=headers)
        return session, await session.get(f"http://{HOST}:{PORT}{path}")

    session, answer = run(connect())
    try:
        while line := run(answer.content.readline()):
            yield line.decode()
    except aiohttp.ClientError as error:
        raise LostError from error
    finally:
        run(session.close())


Events(lines).run()
