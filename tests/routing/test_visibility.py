# SPDX-License-Identifier: GPL-2.0-or-later
"""Views: who sees which message, as a table of values; batches are encoded once."""

from __future__ import annotations

import pytest

from amiproxy.errors import HandlerError
from amiproxy.formats import Format, load_formats
from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import ALL, CALL, SYSTEM
from amiproxy.routing.eventfilter import NO_FILTERS
from amiproxy.routing.visibility import View
from amiproxy.wire.batch import Batch
from amiproxy.wire.routed import NO_CLIENT, UNKNOWN_CLIENT, Routed
from tests.support import ROOT

EVENT = Message.of("Event: Newchannel", "Privilege: call,all", "Channel: SIP/1")
BOOTED = Message.of("Event: FullyBooted", "Privilege: system,all")
PONG = Message.of("Response: Success", "ActionID: a", "Ping: Pong")
FORMATS = load_formats(ROOT / "handlers")

ME, OTHER = 7, 8


@pytest.mark.parametrize(
    ("view", "item", "sees"),
    [
        (View(), Routed(EVENT), True),
        (View(), Routed(PONG, owner=OTHER, wire_id="a"), True),
        (View(mode=AutoFilter.UNIQUE), Routed(EVENT), True),
        (View(mode=AutoFilter.UNIQUE), Routed(PONG, owner=ME, wire_id="amp7-a"), True),
        (View(mode=AutoFilter.UNIQUE), Routed(PONG, owner=OTHER, wire_id="amp8-a"), False),
        (View(mode=AutoFilter.UNIQUE), Routed(PONG, owner=UNKNOWN_CLIENT, wire_id="a"), False),
        (View(mode=AutoFilter.ON), Routed(EVENT), True),
        (View(mode=AutoFilter.ON), Routed(PONG, owner=ME, wire_id="a"), False),
        (View(mode=AutoFilter.ON, last_id="a"), Routed(PONG, owner=ME, wire_id="a"), True),
        (View(mode=AutoFilter.ON, last_id="a"), Routed(PONG, owner=OTHER, wire_id="a"), True),
        (View(mode=AutoFilter.ON, last_id="ab"), Routed(PONG, owner=ME, wire_id="a"), False),
        (View(mode=AutoFilter.ON, last_id="a"), Routed(EVENT), False),
        # A UserEvent bears its sender's ActionID, and is for everybody.
        (View(mode=AutoFilter.ON, last_id="a"), Routed(EVENT, wire_id="a"), True),
        (View(mode=AutoFilter.ON), Routed(EVENT, wire_id="a"), True),
        # Rights and event mask take away from what the ActionID lets through.
        (
            View(mode=AutoFilter.ON, last_id="a", restricted=True),
            Routed(PONG, owner=OTHER, wire_id="a"),
            False,
        ),
        (View(mode=AutoFilter.ON, last_id="a", mask=SYSTEM), Routed(EVENT, wire_id="a"), False),
        (
            View(mode=AutoFilter.ON, last_id="a", mask=SYSTEM),
            Routed(EVENT, owner=ME, wire_id="a"),
            True,
        ),
        (View(), Routed(PONG, owner=OTHER, private=True), False),
        (View(mode=AutoFilter.UNIQUE), Routed(PONG, owner=ME, private=True), True),
        (
            View(mode=AutoFilter.ON, last_id="x"),
            Routed(PONG, owner=ME, wire_id="a", private=True),
            True,
        ),
        (View(restricted=True), Routed(PONG, owner=OTHER, wire_id="a"), False),
        (View(restricted=True), Routed(PONG, owner=ME, wire_id="a"), True),
        (View(mask=CALL), Routed(EVENT), True),
        (View(mask=SYSTEM), Routed(EVENT), False),
        (View(mask=0), Routed(EVENT), False),
        (View(mask=0), Routed(PONG, owner=ME, wire_id="a"), True),
        (View(mask=0), Routed(PONG), True),
    ],
)
def test_who_sees_what(view, item, sees):
    """Autofilter, event mask and rights decide, as spec sections 7 and 8 say."""
    assert view.sees(item, ME) is sees


def test_event_filters_hide_events_and_no_responses():
    """A filter of the client's own looks at events only (asterisk.md, Filter)."""
    view = View(filters=(NO_FILTERS.with_line("!Channel: SIP/1"),))

    assert not view.sees(Routed(EVENT), ME)
    assert view.sees(Routed(BOOTED), ME)
    assert view.sees(Routed(PONG), ME)


@pytest.mark.parametrize(
    ("view", "quiet", "answers"),
    [
        (View(), True, True),
        (View(mode=AutoFilter.UNIQUE), True, False),
        (View(mode=AutoFilter.ON), True, False),
        (View(mode=AutoFilter.ON, last_id="x"), False, False),
        (View(restricted=True, mask=ALL), True, False),
        (View(mask=CALL), False, False),
    ],
)
def test_whole_batches_pass_where_nothing_in_them_is_withheld(view, quiet, answers):
    """What passes whole is exactly what picking message by message would give."""
    for batch, whole in (
        (Batch("pbx", EVENT.raw + BOOTED.raw), quiet),
        (Batch.of_items("pbx", [Routed(EVENT), Routed(PONG, owner=OTHER, wire_id="a")]), answers),
    ):
        assert view.takes_whole(batch) is whole
        if whole:
            assert all(view.picks(batch.items, ME))


def counting(name: str, *, wire: bool = False) -> tuple[Format, list[Message]]:
    written: list[Message] = []

    def write(message: Message) -> bytes:
        written.append(message)
        return b"<" + message.raw + b">"

    return Format(name, write, None, None, None, "text/plain", wire), written


def test_a_message_is_encoded_once_for_all_clients_of_a_format():
    """However many clients and views there are, each message is written once."""
    form, written = counting("count")
    batch = Batch("pbx", EVENT.raw + BOOTED.raw)

    for key in range(10):
        batch.joined(key, form, lambda items: [True] * len(items))
    whole = batch.whole(form)

    assert len(written) == 2
    assert whole == b"<" + EVENT.raw + b"><" + BOOTED.raw + b">"


def test_the_standard_format_passes_the_bytes_untouched():
    """No message of a quiet batch is taken apart for AMI clients."""
    wire = EVENT.raw + BOOTED.raw
    batch = Batch("pbx", wire)

    assert batch.whole(FORMATS["standard"]) is wire
    assert batch._items is None


def test_private_messages_are_in_no_whole_batch():
    """What one client alone is told is not among what all are sent."""
    batch = Batch.of_items("pbx", [Routed(EVENT), Routed(PONG, owner=ME, private=True)])

    assert batch.whole(FORMATS["standard"]) == EVENT.raw
    assert b"Pong" not in batch.whole(FORMATS["xml"])


def test_owners_and_public_tell_who_must_be_asked():
    """The router skips whoever can have nothing in a batch."""
    batch = Batch.of_items("pbx", [Routed(PONG, owner=ME), Routed(PONG, owner=OTHER)])

    assert not batch.public
    assert batch.owners == {ME, OTHER}
    assert NO_CLIENT not in batch.owners


def test_a_handler_that_raises_is_named():
    """Its clients are dropped for it, with its name in the log."""

    def write(message: Message) -> bytes:
        raise KeyError(message.raw)

    form = Format("bad", write, None, None, None, "text/plain", wire=False)

    with pytest.raises(HandlerError, match="handler bad: cannot write a message: KeyError"):
        Batch("pbx", EVENT.raw).whole(form)
