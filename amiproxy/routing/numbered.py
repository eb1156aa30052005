# SPDX-License-Identifier: GPL-2.0-or-later
"""Encodings of events with their ids, for the clients that want these.

Clients with equal views and equal stamps share one encoding, which is kept in the batch.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from amiproxy.formats import written
from amiproxy.message import END, Message
from amiproxy.routing.visibility import Route
from amiproxy.wire.batch import BatchKind
from amiproxy.wire.routed import BROADCAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amiproxy.formats import Envelope, Format
    from amiproxy.routing.eventids import Stamp
    from amiproxy.routing.viewer import Viewer
    from amiproxy.wire.batch import Batch
    from amiproxy.wire.routed import Routed

#: The header, as events have it.
HEADER = "ProxyEventID"
_LOWER = HEADER.lower()
_FORGED = _LOWER.encode()
_LINE = b"\r\n%b: " % HEADER.encode()


def stamped(message: Message, event_id: str) -> Message:
    """Return *message* with *event_id* as its last header, and no other header of that name."""
    if _FORGED in message.raw.lower():
        kept = [line for line in message.lines if not _is_header(line)]
        message = Message.of(*kept, own=message.own)
    raw = b"%b%b%b%b" % (message.raw[:-4], _LINE, event_id.encode("ascii"), END)
    return Message(raw, own=message.own)


def _is_header(line: str) -> bool:
    """Return whether some reader may take *line* for the header."""
    return line.partition(":")[0].strip().lower() == _LOWER


def numbered(viewer: Viewer, batch: Batch, form: Format, stamp: Stamp, behind: int = 0) -> bytes:
    """Return what the client of *viewer* gets of *batch*, the events with ids.

    No event up to the number *behind* is among them.  The client sees the batch's server.

    Raises:
        HandlerError: *form* cannot write it.

    """
    route = viewer.route(batch)
    if route is Route.NOTHING:
        return b""
    if route is Route.OWN:
        return viewer.encode(batch, form)
    if route is Route.EACH or behind > batch.after:
        found = list(_each(viewer, batch, route, behind))
        viewer.events += sum(item.owner == BROADCAST for item, _ in found)
        return b"".join(_written(batch, form, stamp, found))
    if route is Route.WHOLE and form.wire and batch.kind is BatchKind.EVENTS:
        data, events = batch.kept((_LOWER, stamp), lambda: _wire(batch, stamp))
    else:
        by = route if route is Route.WHOLE else viewer.plan
        data, events = batch.kept(
            (_LOWER, form.name, by, stamp), lambda: _shared(viewer, batch, form, stamp, route)
        )
    viewer.events += events
    return data


def _wire(batch: Batch, stamp: Stamp) -> tuple[bytes, int]:
    """Return all of a batch of events, as AMI."""
    wire, number = batch.wire, batch.after
    if _FORGED in wire.lower():
        messages = [item.message for item in batch.items]
        raws = [stamped(each, stamp.id(n)).raw for n, each in enumerate(messages, number + 1)]
        return b"".join(raws), len(raws)
    parts = wire.split(END)
    parts.pop()
    before, behind = _LINE + stamp.before.encode("ascii"), stamp.behind.encode("ascii") + END
    number_of = stamp.number
    found = []
    for part in parts:
        number += 1
        found += [part, before, number_of(number), behind]
    return b"".join(found), len(parts)


def _shared(
    viewer: Viewer, batch: Batch, form: Format, stamp: Stamp, route: Route
) -> tuple[bytes, int]:
    """Return what all clients of an equal view get."""
    found = list(_each(viewer, batch, route))
    events = sum(item.owner == BROADCAST for item, _ in found)
    return b"".join(_written(batch, form, stamp, found)), events


def _each(
    viewer: Viewer, batch: Batch, route: Route, behind: int = 0
) -> Iterator[tuple[Routed, int]]:
    """Yield what the client gets behind a number, each with its own, or that of the event before.

    What is sent before an event, so that it is understood, has no number.
    """
    items = batch.items
    if route is Route.EACH:
        chosen: Iterable[Routed] = viewer.chosen(batch)
    elif route is Route.WHOLE:
        chosen = [item for item in items if not item.private]
    else:
        picks = batch.picked(viewer.plan, viewer.picks)
        chosen = [item for item, yes in zip(items, picks) if yes]
    numbers = batch.numbers
    ahead: list[Routed] = []
    for item in chosen:
        if id(item) not in numbers:
            ahead.append(item)
            continue
        number, is_event = numbers[id(item)], item.owner == BROADCAST
        if number > behind or not is_event:  # an answer comes once, wherever it stands
            for extra in ahead:
                yield extra, number - is_event
            yield item, number
        ahead = []


def _written(
    batch: Batch, form: Format, stamp: Stamp, found: Iterable[tuple[Routed, int]]
) -> Iterator[bytes]:
    """Yield *found* in the format *form*."""
    if (envelope := form.envelope) is not None:
        yield from _enveloped(batch, form, stamp, found, envelope)
        return
    for item, number in found:
        if item.owner != BROADCAST:
            yield batch.part(form, item.message)
            continue
        message = stamped(item.message, stamp.id(number))
        yield message.raw if form.wire else written(form, message)


def _enveloped(
    batch: Batch,
    form: Format,
    stamp: Stamp,
    found: Iterable[tuple[Routed, int]],
    envelope: Envelope,
) -> Iterator[bytes]:
    """Yield *found* as *envelope*, that of *form*, writes events."""
    came = batch.came
    if not came:  # it is read now: nobody has kept it
        came = batch.came = monotonic()
    write = envelope.notice if batch.kind is BatchKind.NOTICE else envelope.event
    for item, number in found:
        if item.owner != BROADCAST:
            yield batch.part(form, item.message)
        else:
            yield write(item.message, stamp.id(number), came)


def without_events(batch: Batch, viewer: Viewer, form: Format) -> bytes:
    """Return what the client of *viewer* gets of *batch* but for the events.

    Raises:
        HandlerError: *form* cannot write it.

    """
    if batch.kind in (BatchKind.EVENTS, BatchKind.NOTICE):
        return b""
    answers = [item for item in batch.items if item.owner != BROADCAST]
    return viewer.encode(batch.part_of(answers), form) if answers else b""
