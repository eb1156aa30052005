# SPDX-License-Identifier: GPL-2.0-or-later
"""ClientSession: what the proxy knows of one client, and what it is sent.

A session is shared: its client's thread acts on it, every server's thread
delivers to it.  Its lock guards all of its state.
"""

from __future__ import annotations

import dataclasses
import itertools
import logging
import threading
from typing import TYPE_CHECKING, Any

from amiproxy.errors import HandlerError, PeerGone
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.classes import ALL
from amiproxy.routing.viewer import Viewer
from amiproxy.routing.visibility import Route, View
from amiproxy.wire.batch import BatchKind, written

if TYPE_CHECKING:
    from amiproxy.access.user import User
    from amiproxy.formats import Format
    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.eventfilter import EventFilters
    from amiproxy.threads.net.transport import Transport
    from amiproxy.wire.batch import Batch
    from amiproxy.wire.routed import Routed

log = logging.getLogger("amiproxy.session")

#: A session number is never used again while the proxy runs (spec section 7).
_NUMBERS = itertools.count(1)


class ClientSession:
    """State of one client.

    *peer* names it in logs, *address* is its IP address.  *guarded* tells that
    it must log in, or give the proxy key, before anything else.
    """

    #: Whether it is made for web requests, one log-in each.
    is_web = False

    def __init__(
        self,
        peer: str,
        address: str,
        ids: ActionIds,
        *,
        mode: AutoFilter,
        guarded: bool,
        input_name: str,
        output: Format,
        filter_local: str,
        lock: threading.Lock | None = None,
    ) -> None:
        self.number = next(_NUMBERS)
        self.peer = peer
        self.address = address
        self.ids = ids
        # Guards everything below.  Where there is a transport it is the
        # transport's, so that choosing and sending are one step.  Nothing done
        # under it may block; no thread holds two sessions' locks at once.
        self.lock = lock if lock is not None else threading.Lock()
        self.input_name = input_name
        self.output = output
        self.user: User | None = None
        self.login_name = ""  # of the user, or who is becoming it; see ProxyContext.name_lock
        self.authenticated = False
        self.challenge = ""
        self.guarded = guarded
        self.mode = mode
        self.event_mask = ALL
        self.own_filters: EventFilters | None = None
        self.last_id: str | None = None
        self.waiting_for_event: Wait | None = None
        self._filter_local = filter_local
        self._filter: SessionFilter | None = None
        self._renew_viewer()

    # -- what the client's thread changes ---------------------------------------------

    def log_in(self, user: User | None, event_mask: int | None, *said: Message) -> None:
        """Make the client *user* (None: whoever it says, no users are defined).

        It is told *said* in the same step: before them nothing it gets is by the
        new rights, behind them all of it is.
        """
        with self.lock:
            for message in said:
                self._tell(message)
            self.user = user
            self.login_name = "" if user is None else user.name
            self.authenticated = True
            self._filter = None
            if user is not None and user.filtered:
                self._filter = SessionFilter(user, self._filter_local)
            self.event_mask = ALL if event_mask is None else event_mask
            self.own_filters = None
            self._renew_viewer()

    def log_out(self) -> None:
        """Take away what an earlier login gave: a login has failed."""
        with self.lock:
            self.user = None
            self.login_name = ""
            self.authenticated = False
            self._filter = None
            self._renew_viewer()

    def accept_key(self) -> None:
        """The client has given the proxy key."""
        with self.lock:
            self.authenticated = True
            self._renew_viewer()

    def set_mode(self, mode: AutoFilter) -> None:
        """Change the autofilter; the ActionID remembered so far is forgotten."""
        with self.lock:
            self.mode = mode
            self.last_id = None
            self._renew_viewer()

    def set_event_mask(self, mask: int) -> None:
        """Change which classes of events the client wants (Action: Events)."""
        with self.lock:
            self.event_mask = mask
            self._renew_viewer()

    def add_filter(self, filters: EventFilters) -> None:
        """Set the filters that Action: Filter has built up."""
        with self.lock:
            self.own_filters = filters
            self._renew_viewer()

    def sending(self, wire_id: str | None) -> None:
        """An action with *wire_id* goes upstream for this client now."""

    def remember_id(self, action_id: str) -> None:
        """Note the ActionID of the action that is sent now, for autofilter ``on``."""
        if self.mode is not AutoFilter.ON:
            self.last_id = action_id  # for ListSessions only; no view depends on it
            return
        if self.last_id == action_id:
            return
        with self.lock:
            self.last_id = action_id
            self._renew_viewer()

    def forget(self, scope: str) -> None:
        """The connection to the server *scope* was lost: its calls are over."""
        with self.lock:
            if self._filter is not None:
                self._filter.forget(scope)

    def outgoing(self, message: Message) -> Message | None:
        """Return an action as the user's filters let it go, None if they don't."""
        if self._filter is None:
            return message  # set by the client's own thread only, which is this one
        with self.lock:
            return message if self._filter is None else self._filter.outgoing(message)

    @property
    def allowed(self) -> bool:
        """Whether the client may act and see at all."""
        return self.authenticated or not self.guarded

    @property
    def over(self) -> bool:
        """Whether somebody let the client go."""
        return False

    def _renew_viewer(self) -> None:
        user = self.user
        filters = [] if user is None or not user.eventfilters else [user.eventfilters]
        if self.own_filters is not None:
            filters.append(self.own_filters)
        read = ALL if user is None else user.read
        # Only where it withholds anything of what Asterisk says.
        callfilter = self._filter if self._filter is not None and self._filter.active else None
        view = View(
            silent=not self.allowed,
            mode=self.mode,
            mask=read & self.event_mask,
            filters=tuple(filters),
            restricted=user is not None and user.limited,
            last_id=self.last_id if self.mode is AutoFilter.ON else None,
            filtered=callfilter is not None,
        )
        self._viewer = Viewer(self.number, view, self.ids, callfilter)

    # -- what server threads call --------------------------------------------------------

    def deliver(self, batch: Batch) -> None:
        """Take what of *batch* this client may see.  Never blocks, never raises."""
        raise NotImplementedError

    def chosen(self, batch: Batch) -> list[tuple[Routed, Message]]:
        """Return the messages of *batch* for this client, as it must see them.

        The caller holds ``lock``.
        """
        assert self.lock.locked()
        return self._viewer.chosen(batch)

    def say(self, message: Message) -> None:
        """Send *message*, the proxy's own.  Never blocks, never raises."""
        with self.lock:
            self._tell(message)

    def _tell(self, message: Message) -> None:
        """As ``say``; the caller holds ``lock``."""
        raise NotImplementedError

    def set_output(self, form: Format, message: Message) -> None:
        """Switch to *form* and say *message* in it, in one step."""
        raise NotImplementedError

    def end(self, reason: str) -> None:
        """Let the client go, whoever asks; its own thread tidies up."""
        raise NotImplementedError

    @property
    def listed_id(self) -> str:
        """What ListSessions shows as this client's ActionID (spec section 10)."""
        if self.mode is AutoFilter.UNIQUE:
            return f"amp{self.number}-"
        return self.last_id or ""


@dataclasses.dataclass
class Wait:
    """An Action: WaitEvent that is not over."""

    request: Message
    deadline: float  # monotonic seconds
    told: bool = False  # the client has been sent something since


class StreamSession(ClientSession):
    """A client with a connection of its own, which is sent what it may see."""

    def __init__(self, transport: Transport, address: str, ids: ActionIds, **options: Any) -> None:
        super().__init__(transport.peer, address, ids, lock=transport.lock, **options)
        self.transport = transport
        self._write_timeout = transport.write_timeout  # of who has none of his own

    @property
    def over(self) -> bool:
        """Whether somebody let the client go."""
        return self.transport.dropped

    def log_in(self, user: User | None, event_mask: int | None, *said: Message) -> None:
        """As any session; from now on it is waited for as long as *user*'s setting says."""
        super().log_in(user, event_mask, *said)
        own = None if user is None else user.write_timeout
        self.transport.write_timeout = self._write_timeout if own is None else own

    def log_out(self) -> None:
        """As any session."""
        super().log_out()
        self.transport.write_timeout = self._write_timeout

    def deliver(self, batch: Batch) -> None:
        """Send what of *batch* this client may see."""
        with self.lock:
            if batch.kind is self._taken_as_is:
                # Most of all that is ever delivered passes here.
                data = batch.wire
            elif self.transport.dropped:
                return
            else:
                data = self._encode(batch)
            if data:
                self.transport.send(data)
                if self.waiting_for_event is not None and self._viewer.hears_event(batch):
                    self.waiting_for_event.told = True

    def _encode(self, batch: Batch) -> bytes:
        """Return what to send of *batch*; nothing where that fails, which ends the session."""
        assert self.lock.locked()
        try:
            return self._viewer.encode(batch, self.output)
        except HandlerError as error:
            self._fail(error)
        except Exception:
            # Costs this client its session, and nobody else the server.
            log.exception("%s: bug in the proxy", self.peer)
            self.transport.abort(PeerGone(f"{self.peer}: bug in the proxy"))
        return b""

    def _renew_viewer(self) -> None:
        super()._renew_viewer()
        # The kind of batch that is sent as it came, without a look at the view: events,
        # to a client that sees them all and reads AMI.
        events = BatchKind.EVENTS
        as_is = self.output.wire and self._viewer.view.route(events, owns=False) is Route.WHOLE
        self._taken_as_is = events if as_is else None

    def set_output(self, form: Format, message: Message) -> None:
        """Switch to *form* and say *message* in it, in one step.

        What was sent before is in the old format, all that follows in the new.
        """
        with self.lock:
            self.output = form
            self._renew_viewer()
            self._tell(message)

    def _tell(self, message: Message) -> None:
        try:
            self.transport.send(written(self.output, message))
        except HandlerError as error:
            self._fail(error)

    def _fail(self, error: HandlerError) -> None:
        """Drop the client: its format cannot be written.  The lock is held."""
        log.error("%s: dropped: %s", self.peer, error)
        self.transport.abort(HandlerError(f"{self.peer}: {error}"))

    def end(self, reason: str) -> None:
        """Let the client go: its thread wakes up, finds the end and leaves.

        What it was sent before still reaches it, if it takes it soon.
        """
        self.transport.finish(reason)
