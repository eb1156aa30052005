# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads and replays recordings of real servers.

A recording is ``NAME.s2c.ami`` (or ``.gz``), the exact bytes of the server, and
``NAME.idx.jsonl``, the time of each write; see tests/data/README.md.
"""

from __future__ import annotations

import gzip
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Of a login: the banner, the answers and FullyBooted, which a session sends itself.
_PRELUDE = re.compile(
    rb"\AAsterisk Call Manager[^\n]*\n"
    rb"(?:Response: .*?\r\n\r\n)*?Response: Success\r\n(?:ActionID: [^\n]*\n)?"
    rb"Message: Authentication accepted\r\n\r\n"
    rb"(?:Event: FullyBooted\r\n.*?\r\n\r\n)?",
    re.DOTALL,
)
_FAREWELL = re.compile(rb"Response: Goodbye\r\n(?:[^\r\n]+\r\n)*\r\n\Z")


def read(path: str | Path) -> bytes:
    """Return the bytes of the recording *path*, unpacked."""
    data = Path(path).read_bytes()
    return gzip.decompress(data) if str(path).endswith(".gz") else data


def read_traffic(path: str | Path) -> bytes:
    """Return what the server *path* sent between login and logoff."""
    return _FAREWELL.sub(b"", _PRELUDE.sub(b"", read(path)))


def split(data: bytes) -> list[bytes]:
    """Cut *data* after each blank line; the joined parts are *data* again."""
    return [part for part in re.split(rb"(?<=\r\n\r\n)", data) if part]


def pauses(path: str | Path) -> list[tuple[float, int]]:
    """Return (seconds since connect, offset) of each write of the recorded server.

    Raises:
        ValueError: its times were not recorded.

    """
    text = str(path)
    index = Path(text[: text.rindex(".s2c.ami")] + ".idx.jsonl")
    if not index.exists():
        raise ValueError(f"{text} has no times (no {index.name}); choose a rate instead of a speed")
    rows = [json.loads(line) for line in index.read_text().splitlines()]
    return [(row["t"], row["off"]) for row in rows if row["dir"] == "s2c" and row["len"]]


def replay(
    send: Callable[[bytes], None],
    path: str | Path,
    *,
    rate: float = 0.0,
    speed: float = 0.0,
    wanted: Callable[[], bool] = lambda: True,
) -> int:
    """Give the traffic of *path* to *send*, message by message; return their number.

    At *rate* messages a second, or *speed* times as fast as it was recorded, or, with
    both 0, all at once.  Stop when *wanted* returns False; it is called before each
    pause.
    """
    messages = split(read_traffic(path))
    if not rate and not speed:
        send(b"".join(messages))
        return len(messages)
    due = list(_at_rate(messages, rate) if rate else _as_recorded(path, messages, speed))
    start = time.monotonic()
    sent = 0
    while sent < len(due):
        now = time.monotonic() - start
        ready = sent
        while ready < len(due) and due[ready][0] <= now:
            ready += 1
        if ready > sent:
            send(b"".join(message for _, message in due[sent:ready]))
            sent = ready
        elif wanted():
            # At least a millisecond: sending many messages at a time costs less.
            time.sleep(min(max(due[sent][0] - now, 0.001), 0.2))
        else:
            break
    return sent


def _at_rate(messages: list[bytes], rate: float) -> Iterator[tuple[float, bytes]]:
    return ((number / rate, message) for number, message in enumerate(messages))


def _as_recorded(
    path: str | Path, messages: list[bytes], speed: float
) -> Iterator[tuple[float, bytes]]:
    writes = pauses(path)
    at = len(read(path)) - sum(map(len, messages))
    first = None
    for message in messages:
        while len(writes) > 1 and writes[1][1] <= at:
            del writes[0]
        when = writes[0][0] if writes else 0.0
        first = when if first is None else first
        yield (when - first) / speed, message
        at += len(message)
