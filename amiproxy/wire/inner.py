# SPDX-License-Identifier: GPL-2.0-or-later
"""What another proxy sends, cut where the server changes that its messages are from.

A message of a server behind that proxy bears ``Server:``, which the proxy next to us has
written: as the last line, or, in what a command printed, where no text can stand (as
framing.py puts it; the C program always puts it last).  Headers of that name elsewhere do not
count: values are never escaped.  What a proxy itself says of a server names it where it likes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.message import END, TEXT_FOLLOWS
from amiproxy.wire.framing import END_COMMAND, Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What the name of a server behind another proxy may look like, in lower case: a name or a host.
NAME = re.compile(r"[a-z0-9_:\[][a-z0-9._:%\[\]-]{0,63}")

_SERVER = b"Server: "
_LINE_END = b"\r\n"
_OUTPUT = b"\r\nOutput:"
_TEXT = re.compile(rb"%b *\r\n((?:Server: [^\r\n]*\r\n)*)" % TEXT_FOLLOWS)
_NOTICE = re.compile(
    rb"Event: ProxyServer(?:Lost|Connected)\r\n(?:[^\r\n]+\r\n)*?Server: ([^\r\n]*)\r\n"
)


def is_notice(raw: bytes) -> bool:
    """Return whether the message *raw* tells that a server is lost, or connected."""
    return _NOTICE.match(raw) is not None


def runs(chunk: Chunk) -> Iterator[tuple[str, Chunk]]:
    """Yield the messages of *chunk* in order: those in a row of one server, and its name.

    It is in lower case, "" for what is from no server: the proxy's own words.
    """
    wire = chunk.wire
    if chunk.exact is not None:
        for raw in chunk.exact:
            yield server_of(raw), Chunk(exact=[raw])
        return
    if not wire:
        return
    last = wire[wire.rfind(_LINE_END, 0, -4) + 2 :]
    number = chunk.number or wire.count(END)
    if last.startswith(_SERVER) and wire.count(_LINE_END + last) == number:
        # Nearly always: all of one read is from one server.
        yield _name(last), chunk
        return
    parts = [part + END for part in wire.split(END)[:-1]]
    start, name = 0, server_of(parts[0])
    for at, part in enumerate(parts):
        if (found := server_of(part)) != name:
            yield name, _cut(chunk, parts[start:at])
            start, name = at, found
    yield name, _cut(chunk, parts[start:])


def _cut(chunk: Chunk, parts: list[bytes]) -> Chunk:
    """Return some messages of *chunk* as a chunk."""
    return Chunk(b"".join(parts), only_events=chunk.only_events, number=len(parts))


def server_of(raw: bytes) -> str:
    """Return which server the message *raw* is from, as the proxy it came from says.

    The name is in lower case; "" where there is none, or none that a server may have.
    """
    at = raw.rfind(_LINE_END, 0, -4)
    last = raw[at + 2 :]
    if (notice := _NOTICE.match(raw)) is not None:
        return _name(notice.group(1), b"")
    text = _TEXT.match(raw)
    if text is not None:
        if last.startswith(_SERVER) and raw.endswith(END_COMMAND, 0, at):
            return _name(last)
        return _name(text.group(1).rpartition(_SERVER)[2], b"")
    if last.startswith(_SERVER):
        return _name(last)
    output = -1 if raw.startswith(b"Event: ") else raw.find(_OUTPUT)
    if output < 0:
        return ""
    line = raw[raw.rfind(_LINE_END, 0, output) + 2 : output]
    return _name(line) if line.startswith(_SERVER) else ""


def _name(line: bytes, start: bytes = _SERVER) -> str:
    """Return the name in *line* behind *start*, "" if it is none."""
    name = line[len(start) :].rstrip(_LINE_END).decode("latin-1").lower()
    return name if NAME.fullmatch(name) else ""
