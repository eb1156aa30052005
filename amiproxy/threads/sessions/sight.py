# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client may see, by its user, its own choice and what it has sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import ALL
from amiproxy.routing.visibility import NO_SERVERS, View

if TYPE_CHECKING:
    from amiproxy.access.user import User
    from amiproxy.routing.callfilter import SessionFilter
    from amiproxy.routing.eventfilter import EventFilters
    from amiproxy.routing.selection import Selection


class Seeing(Protocol):
    """What the view of a client depends on; see ClientSession."""

    user: User | None
    own_filters: EventFilters | None
    mode: AutoFilter
    event_mask: int
    last_id: str | None
    selection: Selection | None

    @property
    def allowed(self) -> bool:
        """Whether the client may act and see at all."""


def view_of(session: Seeing, callfilter: SessionFilter | None) -> View:
    """Return the view of *session*; *callfilter*: what judges each message, too."""
    user = session.user
    filters = [] if user is None or not user.eventfilters else [user.eventfilters]
    if session.own_filters is not None:
        filters.append(session.own_filters)
    read = ALL if user is None else user.read
    return View(
        silent=not session.allowed,
        mode=session.mode,
        mask=read & session.event_mask,
        filters=tuple(filters),
        restricted=user is not None and (user.limited or user.follows_calls),
        last_id=session.last_id if session.mode is AutoFilter.ON else None,
        filtered=callfilter is not None,
        servers=NO_SERVERS if user is None else user.servers,
        selection=session.selection,
        kinds=None if callfilter is None or callfilter.follows_calls else callfilter.kinds,
    )
