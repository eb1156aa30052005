# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads what clients are sent, and checks each event's bytes against what Asterisk has sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.resumes.asterisk import END

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.resumes.asterisk import NumberedAsterisk

_ID = "ProxyEventID"
_BANNER = b"Asterisk Call Manager"


class Wrong(Exception):
    """A client was told what nobody has said, or not told what it must be."""


class Message(NamedTuple):
    """One message: its bytes, and its headers."""

    raw: bytes
    headers: Mapping[str, Any]

    def get(self, name: str) -> str:
        """Return the value of a header, "" if there is none."""
        return str(self.headers.get(name, ""))


class Reader:
    """Reads messages of one format."""

    def __init__(self, asterisks: Mapping[str, NumberedAsterisk]) -> None:
        self._asterisks = asterisks

    def messages(self, data: bytes) -> tuple[list[Message], bytes]:
        """Return the whole messages in *data*, and the rest."""
        raise NotImplementedError

    def number(self, message: Message) -> int:
        """Return the number of an event that an Asterisk has sent.

        Raises:
            Wrong: it is not what it has sent.

        """
        raise NotImplementedError

    def _asterisk(self, message: Message) -> NumberedAsterisk:
        asterisk = self._asterisks.get(message.get("Server"))
        if asterisk is None:
            raise Wrong(f"of no server: {message.raw!r}")
        return asterisk


class AmiReader(Reader):
    """Messages of the manager's own format."""

    def messages(self, data: bytes) -> tuple[list[Message], bytes]:
        """Cut *data* at blank lines, behind the banner."""
        if data.startswith(_BANNER):
            line, end, data = data.partition(b"\r\n")
            if not end:
                return [], line
        *parts, rest = data.split(END)
        return [Message(part, _headers(part)) for part in parts], rest

    def number(self, message: Message) -> int:
        """Return it, if the bytes are right."""
        asterisk, raw = self._asterisk(message), message.raw
        number = int(message.get("N") or 0)
        if message.get(_ID):
            right = raw.rpartition(b"\r\n")[0] == asterisk.shown.get(number)
        else:
            right = raw == asterisk.plain.get(number)
        if not right:
            raise Wrong(f"other bytes: {raw!r} for {asterisk.plain.get(number)!r}")
        return number


def _headers(raw: bytes) -> dict[str, str]:
    """Return the headers of *raw*; an id stands last: an Asterisk may write one, too."""
    *pairs, last = [line.partition(": ") for line in raw.decode("latin-1").split("\r\n")]
    return {name: value for name, _, value in (*pairs, last) if name != _ID or name == last[0]}


class JsonReader(Reader):
    """Messages in JSON, a line each."""

    def messages(self, data: bytes) -> tuple[list[Message], bytes]:
        """Cut *data* into lines."""
        *lines, rest = data.split(b"\n")
        return [Message(line, json.loads(line)) for line in lines if line.startswith(b"{")], rest

    def number(self, message: Message) -> int:
        """Return it, if the headers are right."""
        asterisk = self._asterisk(message)
        number = int(message.get("N") or 0)
        headers = {name: value for name, value in message.headers.items() if name != _ID}
        if headers != _headers(asterisk.shown.get(number, b"")):
            raise Wrong(f"other headers: {message.raw!r} for {asterisk.shown.get(number)!r}")
        return number


READERS: dict[str, type[Reader]] = {"standard": AmiReader, "json": JsonReader}
