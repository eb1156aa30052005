# SPDX-License-Identifier: GPL-2.0-or-later
"""Batches: what one read brought, encoded once however many clients want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import HandlerError
from amiproxy.formats import Format, load_formats, written
from amiproxy.message import Message
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.routed import Routed
from tests.support import ROOT

if TYPE_CHECKING:
    from typing import Callable

EVENT = Message.of("Event: Newchannel", "Privilege: call,all", "Channel: SIP/1")
BOOTED = Message.of("Event: FullyBooted", "Privilege: system,all")
PONG = Message.of("Response: Success", "ActionID: a", "Ping: Pong")
FORMATS = load_formats(ROOT / "handlers")

ME, OTHER = 7, 8


def form_of(write: Callable[[Message], bytes]) -> Format:
    """Return a format that writes with *write* and reads nothing."""
    return Format("other", write, None, None, None, "text/plain", wire=False)


def counting() -> tuple[Format, list[Message]]:
    """Return a format, and the list of all that it has written."""
    wrote: list[Message] = []

    def write(message: Message) -> bytes:
        wrote.append(message)
        return b"<" + message.raw + b">"

    return form_of(write), wrote


def test_events_for_everybody_keep_their_bytes() -> None:
    """No message of such a batch is taken apart for AMI clients."""
    wire = EVENT.raw + BOOTED.raw
    batch = Batch("pbx", wire)

    assert batch.kind is BatchKind.EVENTS
    assert batch.whole(FORMATS["standard"]) is wire
    assert [item.message for item in batch.items] == [EVENT, BOOTED]


def test_messages_that_are_cut_already_are_not_cut_again() -> None:
    """Filters find what the call table has put down in them."""
    batch = Batch("pbx", EVENT.raw, [Routed(EVENT)])

    assert batch.items[0].message is EVENT


def test_the_kind_and_owners_tell_whom_the_router_must_ask() -> None:
    """It passes over clients that can have nothing in a batch."""
    answers = Batch.of_items("pbx", [Routed(PONG, owner=ME), Routed(PONG, owner=OTHER)])
    mixed = Batch.of_items("pbx", [Routed(PONG, owner=ME), Routed(EVENT)])

    assert (answers.kind, set(answers.owners)) == (BatchKind.ANSWERS, {ME, OTHER})
    assert (mixed.kind, set(mixed.owners)) == (BatchKind.MIXED, {ME})


def test_a_message_is_encoded_once_for_all_clients_of_a_format() -> None:
    """However many clients and views there are, each message is written once."""
    form, wrote = counting()
    batch = Batch("pbx", EVENT.raw + BOOTED.raw)

    for key in range(10):
        batch.joined(form, key, lambda items: [True] * len(items))
    whole = batch.whole(form)

    assert len(wrote) == 2
    assert whole == b"<" + EVENT.raw + b"><" + BOOTED.raw + b">"


def test_a_message_that_is_gone_leaves_its_encoding_to_no_other() -> None:
    """Replayed messages live shortly, and a new object may stand where an old one was."""
    form, _ = counting()
    batch = Batch("pbx", EVENT.raw)

    for number in range(100):
        raw = b"Event: Replayed\r\nN: %d\r\n\r\n" % number
        assert batch.part(form, Message(raw)) == b"<" + raw + b">"


def test_private_messages_are_in_no_whole_batch() -> None:
    """What one client alone is told is not among what all are sent."""
    batch = Batch.of_items("pbx", [Routed(EVENT), Routed(PONG, owner=ME, private=True)])

    assert batch.whole(FORMATS["standard"]) == EVENT.raw
    assert b"Pong" not in batch.whole(FORMATS["xml"])


@pytest.mark.parametrize("error", [KeyError("secret"), SystemExit("secret")])
def test_a_handler_that_raises_is_named(error: BaseException) -> None:
    """Its clients are dropped for it, with its name and nothing of the message in the log."""

    def write(_message: Message) -> bytes:
        raise error

    kind = type(error).__name__
    with pytest.raises(HandlerError, match=f"handler other: cannot write a message: {kind}$"):
        Batch("pbx", EVENT.raw).whole(form_of(write))


def test_a_handler_that_gives_no_bytes_is_named() -> None:
    """The type it gave is a mistake of its own, found before anything is sent."""
    with pytest.raises(HandlerError, match="handler other: cannot write a message: TypeError"):
        written(form_of(lambda message: message.raw.decode()), EVENT)  # type: ignore[arg-type,return-value]
