# SPDX-License-Identifier: GPL-2.0-or-later
"""Viewer: one client as a reader of batches, and the bytes it gets of each."""

from __future__ import annotations

from time import thread_time
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable
from weakref import WeakValueDictionary

from amiproxy.formats import written
from amiproxy.routing.visibility import Route, View
from amiproxy.wire.batch import BatchKind
from amiproxy.wire.routed import BROADCAST, Routed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.formats import Format
    from amiproxy.routing.callfilter import SessionFilter
    from amiproxy.wire.batch import Batch


# Looked up in the class it would cost more than the comparison.
_EVENTS, _NOTICE = BatchKind.EVENTS, BatchKind.NOTICE

#: Makes the bytes of a batch for one client, in a format.
Encoder = Callable[["Viewer", "Batch", "Format"], bytes]


class Viewer:
    """What the client with session *number* gets of batches.

    *view* is what it may see.  *callfilter* judges each message last, and remembers the
    calls it has let through; *view* says that there is one.  All else is a value.
    """

    __slots__ = ("_callfilter", "events", "number", "picks", "plan", "view")

    def __init__(self, number: int, view: View, callfilter: SessionFilter | None = None) -> None:
        assert view.filtered is (callfilter is not None)
        self.number = number
        self.view = view
        self._callfilter = callfilter
        #: Tells which of a batch's items every client with this view sees.
        self.picks: Callable[[Sequence[Routed]], list[bool]] = view.shared_picks
        #: The encoders for its view, once there was a batch: a web request needs none.
        self.plan: Plan | None = None
        #: How many events were encoded for it, answers not among them.
        self.events = 0

    def encode(self, batch: Batch, form: Format) -> bytes:
        """Return what of *batch* this client gets, in the format *form*.

        Raises:
            HandlerError: *form* cannot write a message of it.

        """
        plan = self.plan or self.planned()
        encoders = plan.own if self.number in batch.owners else plan.others
        return encoders[batch.kind](self, batch, form)

    def planned(self) -> Plan:
        """Return the plan for its view."""
        plan = self.plan
        if plan is None:
            plan = self.plan = Plan.of(self.view)
        return plan

    @property
    def follows_calls(self) -> bool:
        """Whether what it gets depends on the calls that it knows."""
        return self._callfilter is not None and self._callfilter.follows_calls

    def recall(self) -> None:
        """Know again the calls that the client was shown on another connection."""
        if self._callfilter is not None:
            self._callfilter.recall()

    def route(self, batch: Batch) -> Route:
        """Return how its bytes are made of *batch*, of a server that it sees."""
        plan = self.planned()
        return (plan.own_routes if self.number in batch.owners else plan.routes)[batch.kind]

    def chosen(self, batch: Batch) -> list[Routed]:
        """Return what this client gets of *batch*, each behind what is replayed for it."""
        view, number, callfilter = self.view, self.number, self._callfilter
        found: list[Routed] = []
        if view.silent:
            return found
        if view.narrow and not view.is_of(batch.names):
            return _answers(self, batch)
        if batch.kind is _NOTICE:
            return list(batch.items) if view.hears_notices else found
        chosen = batch.chosen
        for item in batch.items if chosen is None else chosen.get(callfilter, batch.items):
            if not view.sees(item, number):
                continue
            if callfilter is not None:
                own = number in (item.owner, item.asker)
                passing = callfilter.incoming(item.message, batch.scope, own)
                if not passing:
                    continue
                found += [Routed(extra) for extra in passing[:-1] if view.sees_event(extra)]
            found.append(item)
        return found

    def hears_event(self, batch: Batch) -> bool:
        """Return whether something in *batch* ends a WaitEvent of this client.

        Answers and the items of lists do not.
        """
        view = self.view
        if batch.kind is _NOTICE:
            return view.hears_notices and view.is_of(batch.names)
        return view.is_of(batch.names) and any(
            item.owner == BROADCAST
            and item.message.has("Privilege")
            and view.sees(item, self.number)
            for item in batch.items
        )


class MeteredViewer(Viewer):
    """A viewer that tells how long it takes to choose: its client has added filters.

    *spend* is told the seconds of processor time; what it raises ends the choice.  What
    clients with equal views share is told of the one it was made for.
    """

    __slots__ = ("_spend",)

    def __init__(
        self,
        number: int,
        view: View,
        callfilter: SessionFilter | None,
        spend: Callable[[float], None],
    ) -> None:
        super().__init__(number, view, callfilter)
        self._spend = spend
        self.picks = self._metered_picks

    def _metered_picks(self, items: Sequence[Routed]) -> list[bool]:
        began = thread_time()
        found = self.view.shared_picks(items)
        self._spend(thread_time() - began)
        return found

    def chosen(self, batch: Batch) -> list[Routed]:
        """As for any viewer."""
        began = thread_time()
        found = super().chosen(batch)
        self._spend(thread_time() - began)
        return found


# -- how the bytes of each route are made --------------------------------------------------


def _answers(viewer: Viewer, batch: Batch) -> list[Routed]:
    """Return the answers in *batch* to what the client itself has asked."""
    view, number = viewer.view, viewer.number
    return [item for item in batch.items if item.owner == number and view.sees(item, number)]


def _narrowed(encoder: Encoder) -> Encoder:
    """Return *encoder* for a client that sees some servers only."""

    def encode(viewer: Viewer, batch: Batch, form: Format) -> bytes:
        if viewer.view.is_of(batch.names):
            return encoder(viewer, batch, form)
        if viewer.number not in batch.owners:
            return b""
        mine = [item.message for item in _answers(viewer, batch)]
        return b"".join([each.raw if form.wire else written(form, each) for each in mine])

    return encode


def _nothing(_viewer: Viewer, _batch: Batch, _form: Format) -> bytes:
    return b""


def _whole(viewer: Viewer, batch: Batch, form: Format) -> bytes:
    viewer.events += batch.events
    return batch.whole(form)


def _own(viewer: Viewer, batch: Batch, form: Format) -> bytes:
    # Nobody else gets these, so the batch need not keep them.
    mine = [item.message for item in batch.items if item.owner == viewer.number]
    parts = [message.raw if form.wire else written(form, message) for message in mine]
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _shared(viewer: Viewer, batch: Batch, form: Format) -> bytes:
    data, events = batch.joined(form, viewer.plan, viewer.picks)
    viewer.events += events
    return data


def _each(viewer: Viewer, batch: Batch, form: Format) -> bytes:
    chosen = viewer.chosen(batch)
    if batch.kind is _EVENTS:
        viewer.events += len(chosen)
    else:
        viewer.events += [item.owner for item in chosen].count(BROADCAST)
    if form.wire:
        return b"".join([item.message.raw for item in chosen])
    return b"".join([batch.part(form, item.message) for item in chosen])


_ENCODERS: Mapping[Route, Encoder] = MappingProxyType(
    {
        Route.NOTHING: _nothing,
        Route.WHOLE: _whole,
        Route.OWN: _own,
        Route.SHARED: _shared,
        Route.EACH: _each,
    }
)


class Plan:
    """The encoders for clients of one view, looked up once and not for each batch.

    Clients with equal views have the same plan as long as any of them is there, so it
    also stands for the view where batches keep what these clients share: it is found
    sooner than a view, which is compared field by field.
    """

    __slots__ = ("__weakref__", "others", "own", "own_routes", "routes", "view")

    #: By kind of batch: for one that holds answers to the client, and for any other.
    own: Mapping[BatchKind, Encoder]
    others: Mapping[BatchKind, Encoder]

    def __init__(self, view: View) -> None:
        self.view = view
        #: The routes that they belong to.
        self.own_routes = {kind: view.route(kind, owns=True) for kind in BatchKind}
        self.routes = {kind: view.route(kind, owns=False) for kind in BatchKind}
        self.own = {kind: _ENCODERS[route] for kind, route in self.own_routes.items()}
        self.others = {kind: _ENCODERS[route] for kind, route in self.routes.items()}
        if view.narrow and not view.silent:
            self.own = {kind: _narrowed(encode) for kind, encode in self.own.items()}
            self.others = {kind: _narrowed(encode) for kind, encode in self.others.items()}

    def has_nothing(self, batch: Batch) -> bool:
        """Return whether none of its clients gets anything of *batch* but its own answers."""
        route = self.routes[batch.kind]
        if route is Route.NOTHING or route is Route.OWN:
            return True
        view = self.view
        if view.narrow and not view.is_of(batch.names):
            return True
        return route is Route.SHARED and True not in batch.picked(self, view.shared_picks)

    @classmethod
    def of(cls, view: View) -> Plan:
        """Return the plan for *view*, which equal views share."""
        if view.last_id is not None:
            # It changes with each action, and no route depends on what it is.
            view = View(
                silent=view.silent,
                mode=view.mode,
                last_id="",
                servers=view.servers,
                selection=view.selection,
            )
        plan = _PLANS.get(view)
        if plan is None:
            # Threads may make the same one at once; then their clients share less.
            plan = _PLANS[view] = cls(view)
        return plan


_PLANS: WeakValueDictionary[View, Plan] = WeakValueDictionary()
