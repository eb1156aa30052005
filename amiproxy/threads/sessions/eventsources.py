# SPDX-License-Identifier: GPL-2.0-or-later
"""EventSources: the servers that a session may be sent events of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink


class EventSources(Protocol):
    """The servers that send events, and the nonce of the ids of these; see Router."""

    servers: tuple[AsteriskLink, ...]
    nonce: str


class _NoSources:
    """No servers at all."""

    servers: tuple[AsteriskLink, ...] = ()
    nonce = ""


NO_SOURCES = _NoSources()
