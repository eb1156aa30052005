# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that write many actions at once, and an Asterisk that answers when a test says so."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from tests.system.peers import is_response, read_block, value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support import ManagerClient

#: An Originate that waits for its call.
CALL = "Action: Originate\r\nChannel: SIP/9\r\nApplication: Wait\r\nTimeout: 30000\r\n"
PING = "Action: Ping\r\n"
EVENTS = "Action: Events\r\nEventMask: off\r\n"


class Asterisk:
    """An Asterisk that a test speaks for; *link* is its connection to the proxy."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link

    def next(self, *, own: bool = False) -> list[str]:
        """Return the next action of a client, or with *own* of the proxy; answer its Pings."""
        while True:
            block = read_block(self.link)
            if own or not (value(block, "ActionID") or "").startswith("amp0-"):
                return block
            self.answer(block, "Ping: Pong")

    def answer(self, block: list[str], *lines: str) -> None:
        """Answer the action *block* with Success."""
        self.say("Response: Success", f"ActionID: {value(block, 'ActionID')}", *lines)

    def accept(self, block: list[str]) -> None:
        """Take the Originate *block*, which is asynchronous here."""
        assert "Async: true" in block
        self.answer(block, "Message: Originate successfully queued")

    def picked_up(self, block: list[str]) -> None:
        """Somebody answers the call of the Originate *block*."""
        self.say(
            "Event: OriginateResponse", "Privilege: call,all",
            f"ActionID: {value(block, 'ActionID')}", "Response: Success",
        )  # fmt: skip

    def say(self, *lines: str) -> None:
        """Send a message."""
        self.link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def is_silent(self) -> bool:
        """Return whether nothing more of clients comes up: what is asked now comes next."""
        self.link.settimeout(0.1)
        try:
            while value(block := read_block(self.link), "ActionID").startswith("amp0-"):  # type: ignore[union-attr]
                self.answer(block)
        except socket.timeout:
            return True
        finally:
            self.link.settimeout(None)
        return False


def write(*actions: str) -> str:
    """Return *actions*, written at once."""
    return "".join(f"{action}\r\n" for action in actions)


def answers(client: ManagerClient, count: int) -> list[list[str]]:
    """Return the next *count* answers."""
    return [client.read_until(is_response) for _ in range(count)]


def ids(found: Sequence[list[str]]) -> list[str | None]:
    """Return the ActionIDs of messages."""
    return [value(message, "ActionID") for message in found]
