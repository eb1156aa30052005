# SPDX-License-Identifier: GPL-2.0-or-later
"""What was let in by a log-in ends when that log-in would let it in no more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy.settings.listeners import listeners

if TYPE_CHECKING:
    from collections.abc import Collection

    from amiproxy.access.stamp import Stamp
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.registry import SessionRegistry

log = logging.getLogger("amiproxy.web")

#: Why a session ends, as its client is told.
REVOKED = "the log-in is not valid any more"
CHANGED = "the rights of the user have changed"


def objection(context: ProxyContext, stamp: Stamp) -> str:
    """Return why a stream that *stamp* has let in must end; "" if it may go on."""
    if not stamp.lets_in(context.users, context.config.proxy_key):
        return REVOKED
    if not stamp.proves and any(
        each.guarded for each in listeners(context.config) if each.name == stamp.listener
    ):
        return REVOKED
    return "" if stamp.keeps_rights(context.users) else CHANGED


def renew(context: ProxyContext) -> None:
    """End what the settings of *context*, which are new, let in no more."""
    logins = context.made.get("logins")
    if logins is not None:
        users, key = context.users, context.config.proxy_key
        logins.end_where(lambda stamp: not stamp.lets_in(users, key), REVOKED)  # type: ignore[attr-defined]
    for session in context.registry.snapshot():
        reason = "" if session.stamp is None else objection(context, session.stamp)
        if reason:
            log.info("%s: ended: %s", session.peer, reason)
            session.revoke(reason)


def end_streams(registry: SessionRegistry, logins: Collection[object], reason: str) -> None:
    """End the streams that were opened by one of *logins*, for *reason*."""
    if not logins:
        return
    for session in registry.snapshot():
        if session.stamp is not None and session.stamp.login in logins:
            log.info("%s: ended: %s", session.peer, reason)
            session.revoke(reason)
