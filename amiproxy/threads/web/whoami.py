# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client of the web is told of itself: who it is, and what it may see and do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from amiproxy import __version__
from amiproxy.access import rights
from amiproxy.basics.characters import text_of
from amiproxy.routing.classes import ALL, CLASSES
from amiproxy.threads.actions.proxyactions import PROXY_ACTIONS

if TYPE_CHECKING:
    from amiproxy.access.user import User
    from amiproxy.threads.web.visit import Visit


def rights_of(user: User | None) -> dict[str, Any]:
    """Return what *user* may see and do, JSON's kinds of values; None: who need not log in."""
    may = [
        each
        for each in PROXY_ACTIONS.values()
        if each.for_everybody
        or rights.may_proxyaction(
            user, each.name, privileged=each.privileged, operating=each.operating
        )
    ]
    return {
        "read": _classes(ALL if user is None else user.read),
        "write": _classes(ALL if user is None else user.write),
        "proxyactions": [each.name for each in may],
        "servers": sorted(user.servers) if user is not None and user.servers else None,
        "operator": any(each.operating for each in may),
    }


def me(visit: Visit, user: User | None) -> dict[str, Any]:
    """Return what ``/v1/me`` tells *user*, None who need not log in."""
    return {
        "user": None if user is None else text_of(user.name),
        "login_required": visit.spec.guarded,
        "rights": rights_of(user),
        "state": visit.context.config.state,
        "encrypted": visit.is_tls,
        "version": __version__,
        "now": time.time(),
    }


def _classes(mask: int) -> list[str]:
    return [name for name, bit in CLASSES.items() if bit and bit != ALL and mask & bit]
