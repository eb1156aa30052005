# SPDX-License-Identifier: GPL-2.0-or-later
"""ListedSession: what servers' threads know of a session to find it, or to pass it over."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol, Union

from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.viewer import Plan
from amiproxy.threads.sessions.callindex import CallIndex

if TYPE_CHECKING:
    import threading
    from collections import deque
    from collections.abc import Sequence

    from amiproxy.routing.eventfilter import EventFilters
    from amiproxy.routing.plainanswers import PlainAnswer
    from amiproxy.routing.viewer import Viewer
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.wire.batch import Batch


class Handed(Enum):
    """What a session is handed that is found neither by its plan nor by its filter."""

    EVERYTHING = "each batch"
    CATCHING_UP = "each batch, until it stands where others do"
    ANSWERS = "batches with answers to it"


#: How a session is found: as it says, or with all of its plan, or by its filter.
Stance = Union[Handed, Plan, SessionFilter]


class Attentive(Protocol):
    """A crowd (crowd.py), as other threads see it."""

    #: The sessions that it looks at before the next batch; any thread adds to it.
    changed: deque[ListedSession]


class Crowds:
    """The crowds of all servers that are connected, and what they find filters by."""

    def __init__(self) -> None:
        self.index = CallIndex()
        #: Replaced whole by SessionRegistry; who reads it takes the tuple as it stands.
        self.all: tuple[Attentive, ...] = ()


#: Those of a session that nobody has registered.
NO_CROWDS = Crowds()


class ListedSession:
    """A session that servers' threads find by what it sees; see ClientSession."""

    lock: threading.Lock
    callfilter: SessionFilter | None
    own_filters: EventFilters | None
    hears: bool
    _viewer: Viewer

    #: Whether it is registered; with which crowds, it was at last.
    is_listed = False
    _crowds = NO_CROWDS

    def deliver(self, batch: Batch) -> None:
        """Take what of *batch* this client may see.  Never blocks, never raises."""
        raise NotImplementedError

    def take_answers(self, answers: Sequence[PlainAnswer]) -> bool:
        """Take *answers* to it alone as ``deliver`` would; return False if that needs a batch.

        Never blocks, never raises.
        """
        raise NotImplementedError

    def list_in(self, crowds: Crowds | None) -> None:
        """Note that it is registered with *crowds*, None: that it is over."""
        with self.lock:
            self.is_listed = crowds is not None
            if crowds is not None:
                self._crowds = crowds
            self.touch()
            if crowds is None and self.callfilter is not None:
                self.callfilter.leave()

    def touch(self) -> None:
        """Have servers' threads look at it anew: it changes.  The caller holds ``lock``."""
        if self.hears:  # else it is found by its number, and by nothing else
            for crowd in self._crowds.all:
                crowd.changed.append(self)

    def stance(self, index: CallIndex, link: AsteriskLink) -> Stance:
        """Return how the thread of *link* finds it, by *index* maybe.  The caller holds ``lock``.

        Whoever changes what this depends on calls ``touch`` in the same step.
        """
        del link
        viewer, callfilter = self._viewer, self.callfilter
        if viewer.view.is_deaf or not self.hears:
            return Handed.ANSWERS
        if callfilter is not None and callfilter.follows_calls:
            callfilter.enter(index)
            return callfilter
        # What a client's own filters take is counted for that client.
        return viewer.planned() if self.own_filters is None else Handed.EVERYTHING
