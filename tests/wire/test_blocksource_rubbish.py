# SPDX-License-Identifier: GPL-2.0-or-later
"""Readers of third parties: whatever they return that is no block is their error."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.errors import HandlerError
from amiproxy.formats import Format, Refused
from amiproxy.limits import Limits
from amiproxy.message import Message
from amiproxy.wire.blocksource import BlockSource

if TYPE_CHECKING:
    from collections.abc import Callable

PING = Message.of("Action: Ping")


def source(feed: Callable[[bytes], Any]) -> BlockSource:
    """Return the blocks of a reader with that method."""
    made = type("Odd", (), {"feed": staticmethod(feed)})
    form = Format("odd", None, lambda _: made(), None, None, "text/plain", wire=False)
    blocks = BlockSource(form, Limits())
    blocks.receive(b"Action: Ping\r\n")
    return blocks


@pytest.mark.parametrize(
    "found",
    [
        None,
        7,
        "text",
        ["text"],
        [PING, None],
        [PING.raw],
        [Message(b"Action: Ping")],
        [Message(b"\r\n")],
        [Message(b"Action: Ping\r\n\r\nAction: Logoff\r\n\r\n")],
        [Message(b"Action: Ping\r\n\r\n\r\n\r\n")],
        [Message(bytearray(PING.raw))],  # type: ignore[arg-type]
        [Message("Action: Ping\r\n\r\n")],  # type: ignore[arg-type]
        [Refused("text", "why")],  # type: ignore[arg-type]
        [Refused(PING, 7)],  # type: ignore[arg-type]
        itertools.repeat(PING),
        (1 / 0 for _ in [1]),
    ],
)
def test_rubbish_goes_nowhere(found: Any) -> None:
    """Its client is dropped, and the log names the handler."""
    blocks = source(lambda _: found)

    with pytest.raises(HandlerError, match="handler odd: cannot read: "):
        blocks.next()


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_any_order_of_blocks_is_taken(kind: Callable[[list[Any]], Any]) -> None:
    """Handlers that yield them are as good."""
    refused = Refused(PING, "why")
    blocks = source(lambda _: kind([PING, refused]))

    assert [blocks.next(), blocks.next()] == [PING, refused]
