# SPDX-License-Identifier: GPL-2.0-or-later
"""panoramisk, as its documentation uses it."""

from __future__ import annotations

import asyncio

from panoramisk import Manager
from steps import COMMAND, EVENT, HOST, ORIGINATE, PORT, SECRET, USER, saw


async def use() -> None:
    """Each step, one after the other."""
    seen = asyncio.Queue()
    gone = asyncio.Event()
    manager = Manager(
        loop=asyncio.get_running_loop(),
        host=HOST,
        port=PORT,
        username=USER,
        secret=SECRET,
        on_disconnect=lambda *_: gone.set(),
    )
    manager.register_event("UserEvent", lambda _, event: seen.put_nowait(event.agent))
    await manager.connect()
    while not manager.authenticated:
        await asyncio.sleep(0.01)
    saw("login", manager.authenticated)
    saw("ping", (await manager.send_action({"Action": "Ping"})).ping)
    command = await manager.send_command(COMMAND)
    saw("command", command.output if "output" in command else command.content)
    queue = await manager.send_action({"Action": "QueueStatus"}, as_list=True)
    saw("list", [each.event for each in queue if each.event])
    saw("error", (await manager.send_action({"Action": "NoSuchThing"})).response)
    manager.send_action(dict(EVENT))
    saw("event", await seen.get())
    called = await manager.send_action(dict(ORIGINATE), as_list=False)
    saw("originate", called.response)
    manager.send_action({"Action": "Logoff"})
    await gone.wait()
    saw("logoff", "closed")


asyncio.run(use())
