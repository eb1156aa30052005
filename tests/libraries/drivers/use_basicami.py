# SPDX-License-Identifier: GPL-2.0-or-later
"""basicami, as its documentation uses it."""

from __future__ import annotations

import asyncio

from basicami import BasicAMI
from steps import COMMAND, HOST, PORT, SECRET, USER, saw


async def use() -> None:
    """Each step, one after the other."""
    ami = await BasicAMI.connect(HOST, PORT, USER, SECRET)
    saw("login", "accepted")
    saw("ping", (await ami.send_action({"Action": "Ping"})).get("Ping"))
    answer = await ami.send_action({"Action": "Command", "Command": COMMAND})
    saw("command", answer.get("Output"))
    saw("error", (await ami.send_action({"Action": "NoSuchThing"})).get("Response"))
    answer = await ami.originate("SIP/101", context="default", exten="200", priority="1")
    saw("originate", answer.get("Response"))
    # An event with the ActionID of an action that waits is taken for its answer.
    events = []
    while "Newchannel" not in events:
        events += [each["Event"] for each in await ami.get_events(timeout=8)]
    saw("event", "Newchannel")
    await ami.close()
    saw("logoff", "closed")


asyncio.run(use())
