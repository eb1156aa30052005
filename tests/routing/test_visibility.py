# SPDX-License-Identifier: GPL-2.0-or-later
"""Views: who sees which message, and which way its bytes are made, as tables of values."""

from __future__ import annotations

import itertools

import pytest

from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.callwords import CALL_FILTERS, Kinds
from amiproxy.routing.classes import ALL, CALL, SYSTEM
from amiproxy.routing.eventfilter import NO_FILTERS
from amiproxy.routing.viewer import Viewer
from amiproxy.routing.visibility import Route, View
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.routed import UNKNOWN_CLIENT, Routed
from tests.routing.support import User

EVENT = Message.of("Event: Newchannel", "Privilege: call,all", "Channel: SIP/1")
BOOTED = Message.of("Event: FullyBooted", "Privilege: system,all")
PONG = Message.of("Response: Success", "ActionID: a", "Ping: Pong")

OFF, ON, UNIQUE = AutoFilter
ME, OTHER = 7, 8


def test_each_autofilter_has_the_number_of_the_c_program() -> None:
    """SetAutoFilter answers with it (spec section 10)."""
    assert {mode.value: mode.number for mode in AutoFilter} == {"off": 0, "on": 1, "unique": 2}


@pytest.mark.parametrize(
    ("view", "item", "sees"),
    [
        (View(), Routed(EVENT), True),
        (View(), Routed(PONG, owner=OTHER, action_id="a"), True),
        (View(mode=UNIQUE), Routed(EVENT), True),
        (View(mode=UNIQUE), Routed(PONG, owner=ME, action_id="a"), True),
        (View(mode=UNIQUE), Routed(PONG, owner=OTHER, action_id="a"), False),
        (View(mode=ON), Routed(EVENT), True),
        (View(mode=ON), Routed(PONG, owner=ME, action_id="a"), False),
        (View(mode=ON, last_id="a"), Routed(PONG, owner=ME, action_id="a"), True),
        (View(mode=ON, last_id="a"), Routed(PONG, owner=OTHER, action_id="a"), True),
        (View(mode=ON, last_id="ab"), Routed(PONG, owner=ME, action_id="a"), False),
        (View(mode=ON, last_id="a"), Routed(EVENT), False),
        # A UserEvent carries its sender's ActionID, and is for everybody.
        (View(mode=ON, last_id="a"), Routed(EVENT, action_id="a"), True),
        (View(mode=ON), Routed(EVENT, action_id="a"), True),
        # What nobody has asked for.
        (View(), Routed(PONG, owner=UNKNOWN_CLIENT, action_id="a"), True),
        (View(mode=UNIQUE), Routed(PONG, owner=UNKNOWN_CLIENT, action_id="a"), False),
        (View(restricted=True), Routed(PONG, owner=UNKNOWN_CLIENT), False),
        (View(mode=ON, last_id="a"), Routed(PONG, owner=UNKNOWN_CLIENT, action_id="a"), False),
        # Rights and event mask take away from what the ActionID lets through.
        (
            View(mode=ON, last_id="a", restricted=True),
            Routed(PONG, owner=OTHER, action_id="a"),
            False,
        ),
        (View(mode=ON, last_id="a", mask=SYSTEM), Routed(EVENT, action_id="a"), False),
        (View(mode=ON, last_id="a", mask=SYSTEM), Routed(EVENT, owner=ME, action_id="a"), True),
        (View(), Routed(PONG, owner=OTHER, private=True), False),
        (View(mode=UNIQUE), Routed(PONG, owner=ME, private=True), True),
        (View(mode=ON, last_id="x"), Routed(PONG, owner=ME, action_id="a", private=True), True),
        (View(restricted=True), Routed(PONG, owner=OTHER, action_id="a"), False),
        (View(restricted=True), Routed(PONG, owner=ME, action_id="a"), True),
        (View(mask=CALL), Routed(EVENT), True),
        (View(mask=SYSTEM), Routed(EVENT), False),
        (View(mask=0), Routed(EVENT), False),
        (View(mask=0), Routed(PONG, owner=ME, action_id="a"), True),
        (View(mask=0), Routed(PONG), True),
    ],
)
def test_who_sees_what(view: View, item: Routed, sees: bool) -> None:
    """Autofilter, event mask and rights decide, as spec sections 7 and 8 say."""
    assert view.sees(item, ME) is sees


def test_event_filters_hide_events_and_no_responses() -> None:
    """A filter of the client's own looks at events only (asterisk.md, Filter)."""
    view = View(filters=(NO_FILTERS.with_line("!Channel: SIP/1"),))

    assert not view.sees(Routed(EVENT), ME)
    assert view.sees(Routed(BOOTED), ME)
    assert view.sees(Routed(PONG), ME)


EVENTS, MIXED, ANSWERS, _NOTICE = BatchKind
NOTHING, WHOLE, OWN, SHARED, EACH = Route

# For each view the routes of events, of a mixed batch without and with answers to the
# client, and of answers without and with those.
ROUTES = {
    View(silent=True): (NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
    View(): (WHOLE, WHOLE, EACH, WHOLE, EACH),
    View(restricted=True): (WHOLE, SHARED, EACH, SHARED, EACH),
    View(mask=CALL): (SHARED, SHARED, EACH, SHARED, EACH),
    View(mode=UNIQUE): (WHOLE, SHARED, EACH, OWN, OWN),
    View(mode=UNIQUE, mask=CALL): (SHARED, SHARED, EACH, SHARED, EACH),
    View(mode=ON): (WHOLE, EACH, EACH, EACH, EACH),
    View(mode=ON, last_id="x"): (NOTHING, EACH, EACH, EACH, EACH),
    View(filtered=True): (EACH, EACH, EACH, EACH, EACH),
}
BATCHES = (
    Batch("pbx", EVENT.raw + BOOTED.raw),
    Batch.of_items("pbx", [Routed(EVENT), Routed(PONG, owner=OTHER, action_id="a")]),
    Batch.of_items("pbx", [Routed(BOOTED, action_id="x"), Routed(PONG, owner=ME, action_id="a")]),
    Batch.of_items("pbx", [Routed(PONG, owner=OTHER, private=True)]),
    Batch.of_items("pbx", [Routed(PONG, owner=ME), Routed(PONG, owner=OTHER)]),
)


@pytest.mark.parametrize(("view", "routes"), ROUTES.items(), ids=str)
def test_the_route_of_a_batch_depends_on_its_kind_and_the_view(
    view: View, routes: tuple[Route, ...]
) -> None:
    """The cheapest way that gives a client exactly what it may see."""
    found = [
        view.route(kind, owns=owns)
        for kind, owns in (
            (EVENTS, False),
            (MIXED, False),
            (MIXED, True),
            (ANSWERS, False),
            (ANSWERS, True),
        )
    ]

    assert tuple(found) == routes


@pytest.mark.parametrize("view", ROUTES, ids=str)
@pytest.mark.parametrize("batch", BATCHES, ids=["events", "mixed", "mine", "other", "answers"])
def test_a_route_gives_what_picking_message_by_message_gives(view: View, batch: Batch) -> None:
    """Whatever is shared or passed whole: no client sees more or less for it."""
    picked = [] if view.silent else [item for item in batch.items if view.sees(item, ME)]

    shortcuts = {
        NOTHING: [],
        WHOLE: [item for item in batch.items if not item.private],
        OWN: [item for item in batch.items if item.owner == ME],
        SHARED: [item for item, yes in zip(batch.items, view.shared_picks(batch.items)) if yes],
        EACH: picked,
    }
    assert shortcuts[view.route(batch.kind, owns=ME in batch.owners)] == picked


WORDS = [
    words for count in range(5) for words in itertools.combinations(sorted(CALL_FILTERS), count)
]
KINDS = [
    Message.of(f"Event: {name}", f"Privilege: {privilege}", "Channel: SIP/1", "Uniqueid: 1.1")
    for name in ("Cdr", "cdr", "Bridge", "Transfer", "VarSet", "Newchannel", "")
    for privilege in ("call,all", "dialplan,all")
]


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
@pytest.mark.parametrize("mode", AutoFilter)
@pytest.mark.parametrize("mask", [ALL, CALL])
def test_users_whose_filters_go_by_names_alone_share_what_each_would_be_let_through(
    words: tuple[str, ...], mode: AutoFilter, mask: int
) -> None:
    """Events come to the same, whether the choice is shared or made for each."""
    judge = SessionFilter(User(filters=frozenset(words)), "off")
    batch = Batch("pbx", b"".join(each.raw for each in KINDS))
    expected = Viewer(ME, View(mode=mode, mask=mask, filtered=True), judge).chosen(batch)

    view = View(mode=mode, mask=mask, filtered=True, kinds=Kinds.of(words))

    assert view.route(EVENTS, owns=False) is SHARED
    assert view.route(MIXED, owns=False) is view.route(ANSWERS, owns=True) is EACH
    picks = view.shared_picks(batch.items)
    assert [item for item, yes in zip(batch.items, picks) if yes] == expected
