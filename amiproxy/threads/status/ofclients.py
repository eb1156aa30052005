# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes on at the clients, and what their users are."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.routing.classes import ALL, describe_classes
from amiproxy.status.values import ClientStatus, UserStatus
from amiproxy.threads.net.traffic import local_name, traffic
from amiproxy.threads.net.transport import Transport
from amiproxy.threads.sessions.streamsession import StreamSession

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.access.user import User, Users
    from amiproxy.threads.sessions.session import ClientSession


def client_status(session: ClientSession, actions: int, rate: float) -> ClientStatus:
    """Return what goes on at *session*, of which *actions* are under way; *rate* in events/s."""
    transport = _transport(session)
    found = None if transport is None else traffic(transport.sock)
    user = session.user
    return ClientStatus(
        number=session.number,
        address=session.peer.replace("client ", "", 1),
        user="" if user is None else user.name,
        state=_state(session),
        listener="" if transport is None else local_name(transport.sock),
        tls="" if transport is None else transport.tls_version,
        input=session.input_name,
        output=session.output.name,
        autofilter=session.mode.value,
        filter=_filter(session),
        age=time.monotonic() - session.began,
        idle=None if found is None else found.quiet,
        events=session.event_count,
        events_per_second=rate,
        actions=session.actions,
        actions_under_way=actions,
        bytes_sent=None if found is None else found.sent,
        bytes_received=None if found is None else found.received,
        backlog=backlog(session),
        network_round_trip=None if found is None else found.round_trip,
    )


def backlog(session: ClientSession) -> int:
    """Return how many bytes *session* has not taken yet."""
    transport = _transport(session)
    return 0 if transport is None else transport.backlog


class Together(NamedTuple):
    """What clients have had, all together."""

    actions: int
    bytes_sent: int
    backlog: int


def together(sessions: Iterable[ClientSession]) -> Together:
    """Return what *sessions* have had; asks the kernel about each."""
    actions = sent = waiting = 0
    for session in sessions:
        transport = _transport(session)
        found = None if transport is None else traffic(transport.sock)
        actions += session.actions
        sent += 0 if found is None else found.sent
        waiting += backlog(session)
    return Together(actions, sent, waiting)


def _state(session: ClientSession) -> str:
    if not session.allowed:
        return "guarded"
    return "authenticated" if session.authenticated else "open"


def _transport(session: ClientSession) -> Transport | None:
    """Return the connection of *session*; None for a web session, which has none of its own."""
    if isinstance(session, StreamSession):
        return session.transport
    connection = getattr(session, "connection", None)
    return connection if isinstance(connection, Transport) else None


def _filter(session: ClientSession) -> str:
    """Return what keeps events from *session*, in a few words."""
    user, own = session.user, session.own_filters
    words = [] if user is None else _limits(user)
    mask = session.event_mask & (ALL if user is None else user.read)
    if mask & ALL != ALL:
        words.append(describe_classes(mask))
    sets = [own, None if user is None else user.eventfilters]
    count = sum(len(each.includes) + len(each.excludes) for each in sets if each is not None)
    if count:
        words.append(f"{count} event filter{'s' * (count > 1)}")
    return "; ".join(words)


def _limits(user: User) -> list[str]:
    """Return what limits *user* to some calls, in a few words."""
    words = []
    if user.channel:
        words.append(f"channel {user.channel}")
    if user.in_context:
        words.append(f"context {user.in_context}")
    if user.filters:
        words.append("+".join(sorted(user.filters)))
    return words


def user_statuses(users: Users, clients: Sequence[ClientStatus]) -> Iterable[UserStatus]:
    """Yield what goes on as each of *users*, and as users that the file has no more."""
    of: defaultdict[str, list[ClientStatus]] = defaultdict(list)
    for each in clients:
        of[each.user].append(each)
    for name in dict.fromkeys([*users, *filter(None, of)]):
        theirs, user = of[name], users.get(name)
        yield UserStatus(
            name=name,
            clients=len(theirs),
            events=sum(each.events for each in theirs),
            events_per_second=sum(each.events_per_second for each in theirs),
            actions=sum(each.actions for each in theirs),
            actions_under_way=sum(each.actions_under_way for each in theirs),
            rights="no longer in the users file" if user is None else _rights(user),
        )


def _rights(user: User) -> str:
    """Return what *user* may see and do, in a few words."""
    words = [f"sees {describe_classes(user.read)}", f"may {describe_classes(user.write)}"]
    if user.servers:
        words.append(f"server {', '.join(sorted(user.servers))}")
    if user.out_context:
        words.append(f"acts in context {user.out_context}")
    return "; ".join([*words, *_limits(user)])
