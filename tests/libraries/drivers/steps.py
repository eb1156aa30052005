# SPDX-License-Identifier: GPL-2.0-or-later
"""What the drivers in Python share: where to connect, and how they say what they saw."""

from __future__ import annotations

import json
import sys

HOST, PORT, USER, SECRET = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]

#: The event that each driver has Asterisk send, and the command it asks for.
EVENT = {"Action": "UserEvent", "UserEvent": "Wallboard", "Agent": "1001"}
COMMAND = "core show version"
ORIGINATE = {
    "Action": "Originate",
    "Channel": "SIP/101",
    "Context": "default",
    "Exten": "200",
    "Priority": "1",
    "Async": "true",
}


def saw(step: str, what: object) -> None:
    """Print one line for the program that compares: what the library made of *step*."""
    print(json.dumps({"step": step, "saw": what}), flush=True)
