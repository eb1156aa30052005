# SPDX-License-Identifier: GPL-2.0-or-later
"""Outboxes for tests: with a real Redis, and what is in its streams."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from amiproxy.basics.deadline import Deadline
from amiproxy.bus.entries import EVENTS, Entry, decode_entry, encode_entry
from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.bus.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bus.redisserver import RedisServer

EPOCH = 5 << 16
MEGA = 1024 * 1024


@contextlib.contextmanager
def running(outbox: Outbox) -> Iterator[Outbox]:
    """Start *outbox*, and stop it."""
    outbox.start()
    try:
        yield outbox
    finally:
        outbox.stop(Deadline(5.0))


def outbox_of(
    url: str, *, limit: int = 16 * MEGA, stream: int = 16 * MEGA, join: float = 0.0
) -> Outbox:
    """Return an outbox that sends to *url*."""
    return Outbox(BusClient(url), "t", limit, stream, join)


def nothing() -> None:
    """Do nothing."""


def body(number: int, size: int = 0, *, step: int = 2) -> bytes:
    """Return entry *number*, an event of about *size* bytes.

    With a *step* of 2 no two are in a row, so that they are not joined; with 1 they are.
    """
    wire = b"Event: Number%d\r\nX: %b\r\n\r\n" % (number, b"x" * size)
    return encode_entry(Entry(EVENTS, EPOCH, number * step, 1, 0, wire))


def entries(redis: RedisServer, key: str = "t:events:pbx") -> list[tuple[str, bytes]]:
    """Return the entries of a stream: ID and body."""
    found: list[Any] = redis.command("XRANGE", key, "-", "+")
    return [(each[0].decode(), each[1][1]) for each in found]


def numbers(redis: RedisServer, key: str = "t:events:pbx") -> list[int]:
    """Return the numbers of the events in a stream, in its order."""
    wires = [decode_entry(each).payload for _, each in entries(redis, key)]
    events = b"".join(wires).split(b"\r\n\r\n")[:-1]
    return [int(event.split(b"\r\n")[0].removeprefix(b"Event: Number")) for event in events]
