# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that keep all that they are sent, in any format, and give out what came between marks.

A mark is a UserEvent that the admin sends to Asterisk: it comes to every client, in its place
among the other events.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Callable

from tests.asterisk.decoding import DECODERS, ENDS, Lines
from tests.support import ManagerClient

if TYPE_CHECKING:
    import ssl

_AT_ONCE = 1 << 18


class Recorder:
    """A client on *port* that has logged in as *user* (""; it does not), and only listens.

    *output* is the format that it asks a proxy for, "" for what it gives unasked: AMI.
    *direct*: it is connected to an Asterisk.  It asks without an ActionID, so that the mode ``on`` shows it
    every event.
    """

    def __init__(
        self,
        name: str,
        port: int,
        user: str = "",
        secret: str = "secret",
        *,
        output: str = "",
        direct: bool = False,
        tls: bool | ssl.SSLContext = False,
        login: tuple[str, ...] = (),
    ) -> None:
        self.name, self.format = name, output or ("asterisk" if direct else "standard")
        # Guards _data and _ended; notified when either changes.
        self._changed = threading.Condition()
        self._data = bytearray()
        self._ended = False
        self._client = ManagerClient(port, tls=tls, timeout=20)
        self._client.read_line()
        if user:
            lines = ("Action: Login", f"Username: {user}", f"Secret: {secret}", *login)
            self._client.send(*lines)
            answer = self._client.read_until(lambda got: got[0].startswith("Response:"))
            assert answer[0] == "Response: Success", answer
        if output:
            self._choose(output)
        self._data += self._client.take()
        self._client.sock.settimeout(None)
        self._thread = threading.Thread(target=self._read, name=f"record {name}", daemon=True)
        self._thread.start()

    def _choose(self, output: str) -> None:
        """Ask for the format *output*, and read what comes up to the answer, which is in it."""
        self._client.send("ProxyAction: SetOutputFormat", f"OutputFormat: {output}")
        said = b""
        while b"OutputFormat" not in said:
            said = self._client.read_to(ENDS[output])

    def _read(self) -> None:
        while True:
            try:
                data = self._client.sock.recv(_AT_ONCE)
            except OSError:
                data = b""
            with self._changed:
                self._data += data
                self._ended = self._ended or not data
                self._changed.notify_all()
            if not data:
                return

    def close(self) -> None:
        """Leave."""
        with self._changed:
            self._ended = True
        with contextlib.suppress(OSError):
            self._client.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._client.close()

    def say(self, *lines: str) -> None:
        """Send *lines* as one block."""
        self._client.send(*lines)

    @property
    def ended(self) -> bool:
        """Whether the connection has ended."""
        return self._ended

    @property
    def position(self) -> int:
        """How many bytes have come."""
        with self._changed:
            return len(self._data)

    def wait(self, text: bytes, since: int = 0, timeout: float = 30.0) -> int:
        """Wait until *text* comes behind position *since*; return the end of its message."""
        end, start = ENDS[self.format], since
        found = 0

        def look() -> bool:
            nonlocal start, found
            at = self._data.find(text, start)
            # Not looked at again: all but what may be the beginning of the text.
            start = at if at >= 0 else max(since, len(self._data) - len(text))
            behind = self._data.find(end, at) if at >= 0 else -1
            found = behind + len(end) if behind >= 0 else 0
            return bool(found) or self._ended

        with self._changed:
            self._changed.wait_for(look, timeout)
        assert found, f"{self.name}: {text!r} did not come (ended: {self._ended})"
        return found

    def wait_message(
        self, wanted: Callable[[Lines], bool], since: int = 0, timeout: float = 15.0
    ) -> Lines | None:
        """Return the first message behind *since* that is *wanted*; None: it did not come."""
        end, start = ENDS[self.format], since
        found: Lines | None = None

        def look() -> bool:
            nonlocal start, found
            behind = self._data.rfind(end, start)
            if behind >= 0:
                new = DECODERS[self.format](bytes(self._data[start : behind + len(end)]))
                start = behind + len(end)
                found = next((one for one in new if wanted(one)), None)
            return found is not None or self._ended

        with self._changed:
            self._changed.wait_for(look, timeout)
        return found

    def between(self, first: bytes, last: bytes) -> list[Lines]:
        """Return the messages between the one with the text *first* and the one with *last*.

        Waits for both.
        """
        return DECODERS[self.format](self.bytes_between(first, last))[:-1]

    def bytes_between(self, first: bytes, last: bytes) -> bytes:
        """Return what came behind the message with the text *first*, to the end of *last*'s."""
        begin = self.wait(first)
        behind = self.wait(last, begin)
        with self._changed:
            return bytes(self._data[begin:behind])

    def so_far(self) -> list[Lines]:
        """Return all messages that have come whole."""
        end = ENDS[self.format]
        with self._changed:
            data = bytes(self._data)
        return DECODERS[self.format](data[: data.rfind(end) + len(end)] if end in data else b"")
