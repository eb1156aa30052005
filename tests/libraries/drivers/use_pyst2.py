# SPDX-License-Identifier: GPL-2.0-or-later
"""pyst2, as its examples use it."""

from __future__ import annotations

import queue

from asterisk.manager import Manager
from steps import COMMAND, EVENT, HOST, PORT, SECRET, USER, saw

seen = queue.Queue()
manager = Manager()
manager.connect(HOST, PORT)
manager.register_event("UserEvent", lambda event, _: seen.put(event.get_header("Agent")))
saw("login", manager.login(USER, SECRET).get_header("Response"))
saw("ping", manager.ping().get_header("Response"))
answer = manager.command(COMMAND)
saw("command", answer.data or answer.get_header("Output"))
# It reads the whole list as one message.
saw("list", manager.send_action({"Action": "QueueStatus"}).get_header("Response"))
saw("error", manager.send_action({"Action": "NoSuchThing"}).get_header("Response"))
manager.send_action(dict(EVENT))
saw("event", seen.get(timeout=8))
answer = manager.originate("SIP/101", "200", context="default", priority="1", run_async=True)
saw("originate", answer.get_header("Response"))
# No log-off: now and then its own threads lose the goodbye, direct as well.
