# SPDX-License-Identifier: GPL-2.0-or-later
"""astami, as its documentation uses it."""

from __future__ import annotations

import asyncio

from astami import AsyncAMIClient
from steps import COMMAND, EVENT, HOST, ORIGINATE, PORT, SECRET, USER, saw


async def use() -> None:
    """Each step, one after the other."""
    ami = AsyncAMIClient(HOST, PORT, USER, SECRET)
    await ami.connect()
    saw("login", (await ami.login()).response)
    saw("ping", (await ami.send_action({"Action": "Ping"})).data.get("Ping"))
    saw("list", (await ami.send_action({"Action": "QueueStatus"})).response)
    saw("error", (await ami.send_action({"Action": "NoSuchThing"})).response)
    saw("event", (await ami.send_action(dict(EVENT))).response)
    saw("originate", (await ami.send_action(dict(ORIGINATE))).response)
    # Last: raw text, of Asterisk 13 and before, is more than it can read.
    saw("command", (await ami.command(COMMAND)).output)
    saw("logoff", (await ami.logoff()).response)
    await ami.disconnect()


asyncio.run(use())
