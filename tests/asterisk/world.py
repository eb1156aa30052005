# SPDX-License-Identifier: GPL-2.0-or-later
"""An Asterisk with ten phones, and clients that record what it, and proxies before it, say."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, NamedTuple

from tests.asterisk.asking import Admin, Answer, value
from tests.asterisk.decoding import header
from tests.asterisk.instance import PHONES, Asterisk
from tests.asterisk.phones.loop import Loop
from tests.asterisk.phones.phone import Manner, Phone
from tests.asterisk.recorder import Recorder
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.decoding import Lines
    from tests.asterisk.phones.call import Call

_FLOWS = itertools.count(1)
#: States of a contact that Asterisk has asked whether it is there.
_REACHABLE = ("Avail", "Reachable", "NonQual", "NonQualified")


class Window(NamedTuple):
    """The time of one flow: from one mark to another."""

    first: str
    last: str

    def messages(self, recorder: Recorder) -> list[Lines]:
        """Return what *recorder* was sent in that time."""
        return recorder.between(self.first.encode(), self.last.encode())

    def bytes(self, recorder: Recorder) -> bytes:
        """Return the bytes of these messages, and of the mark at the end."""
        return recorder.bytes_between(self.first.encode(), self.last.encode())


class World:
    """Phones of *asterisk* by number, an admin, and a direct client that records all events."""

    def __init__(self, asterisk: Asterisk) -> None:
        self.asterisk = asterisk
        self.loop = Loop()
        self.phones = {number: Phone(self.loop, number, asterisk.ports.sip) for number in PHONES}
        self.trunk = Phone(self.loop, "trunk", asterisk.ports.sip, port=asterisk.ports.trunk)
        self.admin = Admin(asterisk.client(timeout=20))
        self.direct = Recorder("direct", asterisk.ports.ami, "direct", direct=True)
        self._since = 0

    def __enter__(self) -> World:
        for each in self.phones.values():
            assert each.register(), f"{each.number} could not register"
        wait_until(self._reachable, 20, "all phones are reachable")
        return self

    def __exit__(self, *_: object) -> None:
        self.direct.close()
        self.admin.client.close()
        for each in (*self.phones.values(), self.trunk):
            each.close()
        self.loop.close()

    def __getitem__(self, number: int) -> Phone:
        """Return the phone with that *number*."""
        return self.phones[str(number)]

    def _reachable(self) -> bool:
        items = self.admin.ask("PJSIPShowContacts")[1:-1]
        found = [value(one, "Status") for one in items if value(one, "Endpoint") in PHONES]
        return sum(one in _REACHABLE for one in found) >= len(self.phones)

    # -- a flow -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def window(self, name: str) -> Iterator[Window]:
        """Mark what is done inside: it begins and ends without any call."""
        number = next(_FLOWS)
        window = Window(f"{name}-{number}-begins", f"{name}-{number}-ends")
        self._since = self.direct.wait(self.mark(window.first).encode())
        try:
            yield window
        finally:
            self.end_calls()
            self.mark(window.last)
        self.direct.wait(window.last.encode(), self._since)
        assert self.loop.errors == []

    def mark(self, text: str) -> str:
        """Send a UserEvent with *text* to all clients, users of the phones too; return it."""
        channels = [f"Channel: PJSIP/{number}-mark" for number in self.phones]
        self.admin.succeed("UserEvent", *channels, UserEvent="Mark", Text=text)
        return text

    def end_calls(self) -> None:
        """Hang up all phones, wait until no channel is left, and forget what they were told."""
        for each in self.phones.values():
            each.hang_up()
        wait_until(lambda: not self.admin.channels(), 20, "no channel is left")
        for each in self.phones.values():
            each.manner = Manner()
            each.incoming.clear()

    def heard(self, event: str, timeout: float = 15.0, **begins: str) -> Lines:
        """Wait until *event* came in this flow, with headers whose values begin like *begins*."""

        def wanted(lines: Lines) -> bool:
            return header(lines, "Event") == event and all(
                header(lines, name).startswith(text) for name, text in begins.items()
            )

        found = self.direct.wait_message(wanted, self._since, timeout)
        assert found, f"no {event} with {begins}"
        return found

    def forget(self) -> None:
        """Let no event that came so far count for ``heard``."""
        self._since = self.direct.position

    def connect(self, caller: int, callee: int) -> Call:
        """Let one phone call another; return the caller's call when the two are joined."""
        self.forget()
        call = self[caller].call(str(callee))
        assert call.state == "up", (call.state, call.code)
        for number in (caller, callee):
            self.heard("BridgeEnter", Channel=f"PJSIP/{number}")
        return call

    def ask(self, action: str, *lines: str, **headers: str) -> list[Answer]:
        """Ask Asterisk directly; see Admin.ask."""
        return self.admin.ask(action, *lines, **headers)

    def channel(self, number: int) -> str:
        """Return the channel of a phone that is in a call."""
        return self.admin.channels()[f"PJSIP/{number}"]
