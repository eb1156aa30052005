# SPDX-License-Identifier: GPL-2.0-or-later
"""pyami_asterisk, as its README uses it."""

from __future__ import annotations

import asyncio

from pyami_asterisk import AMIClient
from steps import COMMAND, EVENT, HOST, ORIGINATE, PORT, SECRET, USER, saw

ami = AMIClient(
    host=HOST, port=PORT, username=USER, secret=SECRET, ping_delay=0, reconnect_timeout=0
)
steps = [
    ("ping", {"Action": "Ping"}, "Ping"),
    ("error", {"Action": "NoSuchThing"}, "Response"),
    ("originate", ORIGINATE, "Response"),
    # Last: raw text, of Asterisk 13 and before, is more than it can read.
    ("command", {"Action": "Command", "Command": COMMAND}, "Output"),
]


def next_step() -> None:
    """Ask the next of the steps; after the last one, for an event."""
    if not steps:
        ami.create_action(dict(EVENT), lambda _: None)
        return
    name, action, header = steps.pop(0)

    def answered(answer: dict[str, object]) -> None:
        saw(name, answer.get(header))
        next_step()

    ami.create_action(dict(action), answered)


async def event(message: dict[str, object]) -> None:
    """See the event, and leave."""
    saw("event", message.get("Agent"))
    await ami.connection_close()


ami.register_event(["UserEvent"], event)
next_step()
asyncio.run(asyncio.wait_for(ami.connect_ami(), 12))
