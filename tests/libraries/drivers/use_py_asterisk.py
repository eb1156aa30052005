# SPDX-License-Identifier: GPL-2.0-or-later
"""py-Asterisk: blocking calls."""

from __future__ import annotations

from Asterisk.Manager import ActionFailed, Manager
from steps import COMMAND, EVENT, HOST, PORT, SECRET, USER, saw

seen = []
manager = Manager((HOST, PORT), USER, SECRET, timeout=8)
manager.events.subscribe("UserEvent", lambda _, event: seen.append(event.Agent))
saw("login", str(manager.username))
manager.Ping()
saw("ping", "answered")
saw("command", manager.Command(COMMAND))
queues = manager.QueueStatus()
saw("list", sorted(queues))
saw("members", sorted(len(queue.members) for queue in queues.values()))
try:
    manager._translate_response(manager.read_response(manager._write_action("NoSuchThing")))
except ActionFailed as error:
    saw("error", str(error)[:60])
headers = {name: value for name, value in EVENT.items() if name != "Action"}
manager.read_response(manager._write_action("UserEvent", headers))
while not seen:
    manager.read()
saw("event", seen[0])
manager.Originate("SIP/101", "default", "200", "1", async_param=True)
saw("originate", "queued")
manager.close()
saw("logoff", "closed")
