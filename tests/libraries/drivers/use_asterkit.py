# SPDX-License-Identifier: GPL-2.0-or-later
"""asterkit: responses and lists of one action at a time."""

from __future__ import annotations

import asyncio

from asterkit.ami import BaseManager
from steps import COMMAND, HOST, ORIGINATE, PORT, SECRET, USER, saw


async def use() -> None:
    """Each step, one after the other."""
    manager = BaseManager(HOST, PORT, USER, SECRET)
    await manager.connect()
    saw("login", manager.is_authenticated)
    saw("ping", (await manager.send_action({"Action": "Ping"})).get("Ping"))
    answer = await manager.send_action({"Action": "Command", "Command": COMMAND})
    saw("command", answer.get_output())
    saw("error", (await manager.send_action({"Action": "NoSuchThing"})).get("Response"))
    saw("originate", (await manager.send_action(dict(ORIGINATE))).get("Response"))


asyncio.run(use())
