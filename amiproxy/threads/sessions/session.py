# SPDX-License-Identifier: GPL-2.0-or-later
"""ClientSession: what the proxy knows of one client, and what the client is sent.

A session is shared: its client's thread acts on it, every server's thread
delivers to it.  streamsession.py and collector.py have the two kinds there are.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.access.lockout import network_of
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.classes import ALL
from amiproxy.routing.viewer import MeteredViewer, Viewer
from amiproxy.routing.visibility import View
from amiproxy.threads.sessions.filtertime import FilterTime
from amiproxy.threads.sessions.listed import ListedSession
from amiproxy.threads.sessions.numbers import new_number
from amiproxy.threads.sessions.sight import view_of

if TYPE_CHECKING:
    from amiproxy.access.stamp import Stamp
    from amiproxy.access.user import User
    from amiproxy.basics.deadline import Deadline
    from amiproxy.formats import Format
    from amiproxy.message import Message
    from amiproxy.routing.eventfilter import EventFilters
    from amiproxy.routing.selection import Selection
    from amiproxy.threads.sessions.admission import Slot
    from amiproxy.threads.sessions.filtertime import FilterMeter
    from amiproxy.threads.sessions.waitevent import WaitEvent

#: What the filters that clients add may take together.
FILTER_TIME = FilterTime()


class ClientSession(ListedSession):
    """State of one client.

    *peer* names it in logs, *address* is its IP address.  A client that is *guarded*
    must log in, or give the proxy key, before anything else.
    """

    is_web = False  #: whether it is made for web requests, one log-in each
    answers_in_order = True  #: whether what it asks is answered in that order
    #: Whether servers' threads hand it each batch; else only those with an answer to what it asked
    #: itself (``Batch.owners``).  Does not change while the session is in the registry.
    hears = True
    #: Until when a web request waits for other ones, and whether its client has left.
    patience: tuple[Deadline, Callable[[], bool]]

    #: Tells whether its log-in is a user's, where its headers do not (HTTP Digest, a token).
    proof: Callable[[User | None], bool] | None = None

    #: Which proxies are behind this client, if it is one; as it said at its log-in.
    proxy_path = ""

    #: The input format it reads.  Only the client's thread changes it; others may see an old one.
    input_name: str

    #: Its share of the limits.  A web client's belongs to its connection.
    slot: Slot | None = None

    actions = 0  #: how many went upstream for it
    login_name = ""  #: the one that it holds; only LoginNames changes it

    #: What its log-in is to be computed with.  Only its thread changes it, without the lock.
    challenge = ""

    #: Whether it has logged in or given the proxy key; and by what, of a client of the web.
    authenticated = False
    stamp: Stamp | None = None

    #: The events that it wants; None: all.
    selection: Selection | None = None

    _meter: FilterMeter | None = None
    _viewer = Viewer(0, View(silent=True))  # until it has its own
    _as_is = 0  # events that were sent as they came

    def __init__(
        self,
        peer: str,
        address: str,
        *,
        mode: AutoFilter,
        guarded: bool,
        output: Format,
        filter_local: str,
    ) -> None:
        self.number, self.began = new_number(), time.monotonic()
        self.peer, self.address = peer, address
        self._filter_local, self.guarded = filter_local, guarded
        # Changed by the client's thread only, which needs no lock for it; ListSessions shows it
        # to other clients, where an old value will do.
        self.last_id: str | None = None
        # Guards number, output, user, mode, event_mask, own_filters, waiting_for_event,
        # callfilter, _meter, authenticated, _viewer, _as_is, is_listed, _crowds and a
        # StreamSession's _early, track and shown.  Only the client's thread sets these fields, with
        # the lock, and so may read them without; the servers' threads read them, and change _early,
        # the track, what was counted, what the call filter has learned, what the filters took and
        # the WaitEvent has been told.  (ListSessions, the status and Router.publish read some
        # without: references.)
        # Nothing done under it may block; no thread holds two sessions' locks at once.
        self.lock = threading.Lock()
        self.output = output
        self.user: User | None = None
        self.mode = mode
        self.event_mask = ALL
        self.own_filters: EventFilters | None = None
        self.waiting_for_event: WaitEvent | None = None
        self.callfilter: SessionFilter | None = None
        with self.lock:
            self._renew()

    @property
    def allowed(self) -> bool:
        """Whether the client may act and see at all."""
        return self.authenticated or not self.guarded

    @property
    def network(self) -> str:
        """Its address, or what all addresses of one host share: an IPv6 host has a /64."""
        return network_of(self.address) if ":" in self.address else self.address

    # -- what the client's thread changes ---------------------------------------------

    def log_in(self, user: User | None, event_mask: int | None, *said: Message) -> None:
        """Make *user* the client's user; None where no users are defined.

        The client is sent *said* in the same step: what it gets before them is by the
        old rights, what it gets after them by the new ones.  Only for
        SessionRegistry.log_in, which prepares the servers' threads for it.
        """
        with self.lock:
            self._drop_callfilter()
            for message in said:
                self._tell(message)
            if self.allowed and user != self.user:
                self._disown()
            self.user = user
            if user is not None and user.filtered:
                self.callfilter = SessionFilter(user, self._filter_local)
            self.event_mask = ALL if event_mask is None else event_mask
            self.own_filters = None
            self.last_id = None
            self.authenticated = True
            self._renew()
            self._note_answer()

    def log_out(self) -> None:
        """Take away what an earlier login gave: a login has failed.

        Only for SessionRegistry.log_out.
        """
        with self.lock:
            if self.user is not None or self.authenticated:
                self._disown()
            self.user = None
            self._drop_callfilter()
            self.event_mask = ALL
            self.own_filters = None
            self.last_id = None
            self.waiting_for_event = None
            self.authenticated = False
            self._renew()

    def _drop_callfilter(self) -> None:
        """Have no filter of calls any more.  The caller holds ``lock``."""
        assert self.lock.locked()
        self.touch()
        if self.callfilter is not None:
            self.callfilter.leave()
            self.callfilter = None

    def _disown(self) -> None:
        """Take another number: answers to what the earlier user asked are for nobody.

        Some may be on their way just now, in the thread of a server.  The caller holds
        ``lock``, and puts the new number into the registry.
        """
        assert self.lock.locked()
        self.number = new_number()

    def accept_key(self) -> None:
        """Note that the client has given the proxy key."""
        with self.lock:
            self.authenticated = True
            self._renew()

    def set_mode(self, mode: AutoFilter) -> None:
        """Change the autofilter; the ActionID remembered so far is forgotten."""
        with self.lock:
            self.mode = mode
            self.last_id = None
            self._renew()

    def set_event_mask(self, mask: int) -> None:
        """Change which classes of events the client wants (Action: Events)."""
        with self.lock:
            self.event_mask = mask
            self._renew()

    def add_filter(self, filters: EventFilters) -> None:
        """Set the filters that Action: Filter has built up."""
        with self.lock:
            self.own_filters = filters
            self._meter = self._meter or FILTER_TIME.meter()
            self._renew()

    def set_output(self, form: Format, message: Message) -> None:
        """Switch to *form* and say *message* in it, in one step.

        What was sent before is in the old format, all that follows in the new.
        """
        with self.lock:
            self.output = form
            self._renew()
            self._tell(message)
            self._note_answer()

    def sending(self, request_id: str | None, action_id: str | None = None) -> None:
        """Note that an action with *request_id* goes upstream for this client now.

        *action_id* is the one that the client gave, if any, for autofilter ``on``.
        """
        del request_id
        if action_id is None or self.last_id == action_id:
            return
        if self.mode is not AutoFilter.ON:
            self.last_id = action_id  # for ListSessions only; no view depends on it
            return
        with self.lock:
            self.last_id = action_id
            self._renew()

    def outgoing(self, message: Message) -> Message | str:
        """Return *message*, an action, as the user's filters let it pass, or why they do not."""
        callfilter = self.callfilter
        if callfilter is None:
            return message

        def knows(uid: str) -> bool:
            with self.lock:
                return callfilter.knows(uid)

        # The rest is long for a long action, and servers' threads want the lock meanwhile.
        return callfilter.outgoing(message, knows)

    @property
    def event_count(self) -> int:
        """How many events it was sent; any thread may read it."""
        return self._as_is + self._viewer.events

    @property
    def listed_id(self) -> str:
        """What ListSessions shows as this client's ActionID (spec section 10)."""
        if self.mode is AutoFilter.UNIQUE:
            return f"amp{self.number}-"
        return self.last_id or ""

    def _renew(self) -> None:
        """Make what depends on the fields anew: the viewer.  The caller holds ``lock``."""
        assert self.lock.locked()
        # Only if it withholds anything of what Asterisk says.
        callfilter = self.callfilter
        if callfilter is not None and not callfilter.active:
            callfilter = None
        view = view_of(self, callfilter)
        if self._meter is None or self.own_filters is None:
            viewer = Viewer(self.number, view, callfilter)
        else:
            viewer = MeteredViewer(self.number, view, callfilter, self._meter.spend)
        viewer.events = self._viewer.events
        if view.last_id is None or self._viewer.view.last_id is None:  # else it has the same plan
            self.touch()
        self._viewer = viewer

    # -- what any thread may call ----------------------------------------------------------

    def forget(self, scope: str) -> None:
        """Forget the calls of the server *scope*: the connection to it was lost."""
        with self.lock:
            if self.callfilter is not None:
                self.callfilter.forget(scope)

    @property
    def ended(self) -> bool:
        """Whether the session is over, and its thread is only to find out."""
        raise NotImplementedError

    def call_at_end(self, wake: Callable[[], object] | None) -> None:
        """Call *wake* when the session is ended: its thread waits for something else than input.

        None: it does so no more.  Without effect for web sessions: nobody waits for input there.
        """

    def complete(self, request_id: str) -> None:
        """Note that the answer to *request_id* is complete, though nothing in it says so.

        Without effect for clients that read what comes as it comes.  Never blocks or raises.
        """

    def say(self, message: Message) -> None:
        """Send *message*, the proxy's own.  Never blocks, never raises."""
        with self.lock:
            self._tell(message)
            self._note_answer()

    def _note_answer(self) -> None:
        """Note that the client has been answered by the proxy.  The caller holds ``lock``."""

    def _tell(self, message: Message) -> None:
        """As ``say``.  The caller holds ``lock``."""
        raise NotImplementedError

    def drain(self, heard: float) -> None:
        """Have its thread go on that waits for nothing but input, or events: the proxy stops.

        Only of a client that was not heard since *heard*, in monotonic seconds.
        """

    def farewell(self, message: Message, reason: str) -> None:
        """Send *message*, the last one, and end the session.  Any thread may call."""
        self.say(message)
        self.end(reason)

    def revoke(self, reason: str) -> None:
        """End the session: what let its client in does so no more.  Any thread may call."""
        self.end(reason)

    def end(self, reason: str) -> None:
        """End the session; its own thread tidies up.  Any thread may call."""
        raise NotImplementedError
