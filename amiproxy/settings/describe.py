# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``astmanproxy -t`` says of the users: who may see and do what, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.access import hashes
from amiproxy.routing.callfilter import CALL_FILTERS
from amiproxy.routing.classes import SYSTEM, describe_classes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.access.user import User, Users

# Field of User -> what is said where it is not empty.
_SEES = {
    "channel": "sees only calls of channels {}...",
    "in_context": "sees only messages of context {}",
}
_MAY = {
    "channel": "may act only on channels {}...",
    "out_context": "may act only in context {}",
    "accountcode": "calls on account {}",
    "server": "acts only on server {}",
}


def describe_users(
    users: Users,
    *,
    guarded: bool = True,
    privileged: Sequence[str] = (),
    for_everybody: Sequence[str] = (),
) -> list[str]:
    """Return, line by line, what each user may see and do, without secrets.

    *guarded*: clients must log in, or give the proxy key, before anything else.
    *privileged* are the names of the ProxyActions that a user needs to be given,
    *for_everybody* of those that no user can be denied.
    """
    if not users:
        return ["no users: every login succeeds, unless authrequired = yes"]
    lines = []
    if users.general.acl.rules:
        lines.append(f"everyone: from {users.general.acl.describe()}")
    if not guarded:
        lines.append("who does not log in: sees and may do everything (authrequired = no)")
    for user in users.values():
        kind = "bcrypt secret" if hashes.is_hash(user.secret) else "plain secret"
        lines.append(f"user {user.name}: {kind}, from {user.acl.describe()}")
        lines += [f"  {text}" for text in (*_sees(user), *_may(user, privileged, for_everybody))]
    return lines


def _filled(texts: dict[str, str], user: User) -> Iterator[str]:
    """Yield those of *texts* whose field of *user* is not empty."""
    for field, text in texts.items():
        value = getattr(user, field)
        if value:
            yield text.format(value)


def _sees(user: User) -> Iterator[str]:
    """Yield what *user* sees."""
    yield f"sees events of: {describe_classes(user.read)}"
    yield from _filled(_SEES, user)
    chosen = [CALL_FILTERS[name] for name in sorted(user.filters)]
    only = [row.description for row in chosen if row.only]
    if only:
        yield f"sees only {', '.join(only)} events"
    for row in chosen:
        if not row.only:
            yield f"does not see {row.description}"
    if user.channel or user.in_context:
        yield f"sees {'also' if user.more_events else 'no'} events that belong to no call"
    for one in user.eventfilters.includes:
        yield f"sees of these (or of other such lines) only {one.describe()}"
    for one in user.eventfilters.excludes:
        yield f"does not see {one.describe()}"


def _may(user: User, privileged: Sequence[str], for_everybody: Sequence[str]) -> Iterator[str]:
    """Yield what *user* may do."""
    yield f"may send actions of: {describe_classes(user.write)}"
    if not user.write & SYSTEM:
        yield "may not run what could leave the PBX"
    yield from _filled(_MAY, user)
    yield f"may call ProxyActions: {_proxyactions(user, privileged, for_everybody)}"
    if not user.allow_multiple_login:
        yield "may log in once at a time"


def _proxyactions(user: User, privileged: Sequence[str], for_everybody: Sequence[str]) -> str:
    """Return which ProxyActions *user* may call, in words."""
    if user.proxyactions is None:
        return f"all but {', '.join(privileged)}" if privileged else "all"
    if "all" in user.proxyactions:
        return "all"
    return ", ".join(sorted({*user.proxyactions, *map(str.lower, for_everybody)}))
