# SPDX-License-Identifier: GPL-2.0-or-later
"""A Redis in memory, as far as the outbox asks it, that fails at any command as it is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.bus.ids import place_of
from amiproxy.threads.bus.client import BusError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The connection breaks: before the command is carried out, or after that.
BREAK_BEFORE, BREAK_AFTER = "before", "after"
#: As after, in the middle of the reply.
BREAK_WITHIN = "within"
#: The reply is no reply.
NONSENSE = "nonsense"

_SMALLER = b"ERR The ID specified in XADD is equal or smaller than the target stream top item"


class ModelRedis:
    """Streams, and what goes wrong: *faults* by the number of the command, or errors to answer."""

    def __init__(self, faults: dict[int, str]) -> None:
        self.faults = dict(faults)
        #: Bytes of a value at which it closes the connection without a word.
        self.most = 2**32
        self.streams: dict[bytes, list[tuple[bytes, bytes]]] = {}
        self.last: dict[bytes, bytes] = {}
        self.count = 0

    def add(self, key: bytes, entry_id: bytes, body: bytes) -> bytes:
        """Add an entry; return its ID, or the error."""
        last = place_of(self.last.get(key, b"0-0"))
        if entry_id == b"*":
            entry_id = b"%d-%d" % (last[0], last[1] + 1)
        if place_of(entry_id) <= last:
            return b"-" + _SMALLER
        self.last[key] = entry_id
        self.streams.setdefault(key, []).append((entry_id, body))
        return entry_id

    def reply(self, words: list[bytes]) -> bytes:
        """Carry out one command; return the bytes of its reply."""
        name, key = words[0], words[1]
        if name == b"XADD":
            added = self.add(key, words[-3], words[-1])
            return added + b"\r\n" if added.startswith(b"-") else _bulk(added)
        if name == b"XRANGE":
            first, last = place_of(words[2]), place_of(words[3])
            return _entries([each for each in self.streams.get(key, ())
                             if first <= place_of(each[0]) <= last])  # fmt: skip
        if name == b"XREVRANGE":
            return _entries(self.streams.get(key, [])[::-1][: int(words[-1])])
        if name == b"XINFO":
            return b"*2\r\n" + _bulk(b"last-generated-id") + _bulk(self.last[words[2]])
        return b":0\r\n"

    def serve(self, data: bytes) -> Iterator[bytes | None]:
        """Carry out the commands in *data*; yield the replies, None where the connection ends."""
        for words in _commands(data):
            self.count += 1
            fault = self.faults.pop(self.count, "")
            if fault == BREAK_BEFORE or len(words[-1]) > self.most:
                yield None
            if fault in ("OOM", "LOADING", "READONLY"):
                yield b"-%b no\r\n" % fault.encode()
                continue
            reply = self.reply(words)
            if fault == NONSENSE:
                yield b"SSH-2.0\r\n"
            if fault == BREAK_WITHIN:
                yield reply[: len(reply) // 2]
            if fault in (BREAK_AFTER, BREAK_WITHIN):
                yield None
            yield reply


class ModelClient:
    """Connections to *redis*."""

    shown = "model"

    def __init__(self, redis: ModelRedis) -> None:
        self.redis = redis

    def connection(self) -> ModelLine:
        """Return one."""
        return ModelLine(self.redis)


class ModelLine:
    """A connection: what is sent is carried out as far as replies are waited for."""

    def __init__(self, redis: ModelRedis) -> None:
        self._redis = redis
        self._replies: Iterator[bytes | None] = iter(())
        self.is_open = True

    def send(self, data: bytes, *, timeout: float | None = None) -> None:
        """Take commands."""
        self._replies = self._redis.serve(data)

    def receive(self, *, timeout: float | None = None) -> bytes:
        """Return one reply, or what has come of it."""
        reply = next(self._replies, None) if self.is_open else None
        if reply is None:
            self.close()
            raise BusError("the connection was closed")
        return reply

    def close(self) -> None:
        """Close it: what was not carried out never is."""
        self.is_open = False
        self._replies = iter(())


def _commands(data: bytes) -> Iterator[list[bytes]]:
    at = 0
    while at < len(data):
        head = re.compile(rb"\*(\d+)\r\n").match(data, at)
        assert head is not None
        at, words = head.end(), []
        for _ in range(int(head[1])):
            size = re.compile(rb"\$(\d+)\r\n").match(data, at)
            assert size is not None
            end = size.end() + int(size[1])
            words.append(data[size.end() : end])
            at = end + 2
        yield words


def _bulk(value: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(value), value)


def _entries(found: list[tuple[bytes, bytes]]) -> bytes:
    each = [b"*2\r\n" + _bulk(entry_id) + b"*2\r\n" + _bulk(b"b") + _bulk(body)
            for entry_id, body in found]  # fmt: skip
    return b"*%d\r\n" % len(each) + b"".join(each)
