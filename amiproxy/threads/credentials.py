# SPDX-License-Identifier: GPL-2.0-or-later
"""What the proxy logs in with at one server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.routing.classes import SYSTEM
from amiproxy.wire.login import Login

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink


def credentials(link: AsteriskLink, path: str) -> Login:
    """Return the log-in at the server of *link*; *path*: who this proxy is, for another proxy."""
    spec, mask = link.spec, link.mask
    return Login(
        spec.user,
        spec.secret,
        spec.events,
        receives_events=bool(mask),
        receives_system=bool(mask & SYSTEM),
        path=path,
        is_proxy=spec.proxy,
    )
