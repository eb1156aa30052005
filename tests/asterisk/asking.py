# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions and their whole answers, of Asterisk or of a proxy, in AMI."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support import ManagerClient

_NUMBERS = itertools.count(1)

#: The lines of one message.
Answer = list[str]


def value(lines: Answer, name: str) -> str:
    """Return the first value of the header *name*, "" if there is none."""
    key = name.lower()
    for line in lines:
        found, colon, text = line.partition(":")
        if colon and found.lower() == key:
            return text.strip()
    return ""


class Admin:
    """Asks by way of *client*, which gets no events: each message is of an answer."""

    def __init__(self, client: ManagerClient) -> None:
        self.client = client

    def __enter__(self) -> Admin:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def ask(self, action: str, *lines: str, **headers: str) -> list[Answer]:
        """Return all messages of the answer to *action*: a response, and the list behind it.

        Headers are *lines* as they stand, and those by name.
        """
        number = f"ask-{next(_NUMBERS)}"
        named = [f"{name}: {text}" for name, text in headers.items()]
        self.client.send(f"Action: {action}", f"ActionID: {number}", *lines, *named)
        answer = [self.client.read_until(f"ActionID: {number}")]
        if value(answer[0], "EventList") == "start":
            while value(answer[-1], "EventList") != "Complete":
                answer.append(self.client.read_message())
        return answer

    def succeed(self, action: str, *lines: str, **headers: str) -> list[Answer]:
        """Return the answer to *action*, which has to be a success."""
        answer = self.ask(action, *lines, **headers)
        assert answer[0][0] == "Response: Success", answer[0]
        return answer

    def channels(self) -> dict[str, str]:
        """Return all channels, by what stands before their last dash: technology and name.

        Without the one that text messages have, which stays.
        """
        items = self.ask("CoreShowChannels")[1:]
        names = [value(one, "Channel") for one in items]
        return {name.rpartition("-")[0]: name for name in names if "-" in name}
