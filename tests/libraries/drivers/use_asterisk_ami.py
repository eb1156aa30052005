# SPDX-License-Identifier: GPL-2.0-or-later
"""asterisk-ami, as its documentation uses it."""

from __future__ import annotations

import queue

from asterisk.ami import AMIClient, SimpleAction
from steps import COMMAND, EVENT, HOST, ORIGINATE, PORT, SECRET, USER, saw

seen = queue.Queue()
ends = queue.Queue()
client = AMIClient(address=HOST, port=PORT, timeout=8)
client.add_event_listener(
    on_event=lambda event, **_: seen.put(event.keys["Agent"]), white_list=["UserEvent"]
)
client.add_event_listener(
    on_event=lambda event, **_: ends.put(event.name), white_list=["QueueStatusComplete"]
)


def ask(name: str, **headers: str) -> object:
    """Return the answer to the action *name*."""
    return client.send_action(SimpleAction(name, **headers)).response


def without_name(action: dict[str, str]) -> dict[str, str]:
    """Return the headers of *action* but the first."""
    return {name: value for name, value in action.items() if name != "Action"}


saw("login", client.login(USER, SECRET).response.status)
answer = ask("Ping")
saw("ping", answer.keys.get("Ping") or answer.status)
answer = ask("Command", Command=COMMAND)
saw("command", answer.keys.get("Output") or answer.follows)
saw("list", ask("QueueStatus").status)
saw("end of the list", ends.get(timeout=8))
saw("error", ask("NoSuchThing").status)
ask("UserEvent", **without_name(EVENT))
saw("event", seen.get(timeout=8))
saw("originate", ask("Originate", **without_name(ORIGINATE)).status)
saw("logoff", client.logoff().response.status)
client.disconnect()
