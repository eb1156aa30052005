# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables: which columns, in which order, and which go first on a narrow terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.status import units
from amiproxy.status.clustervalues import (
    ALONE,
    CUT_OFF,
    JOINED,
    HoldingStatus,
    MemberStatus,
)
from amiproxy.status.style import Look
from amiproxy.status.table import Column
from amiproxy.status.values import (
    CONNECTING,
    GIVEN_UP,
    LOGGING_IN,
    PAUSED,
    UP,
    WAITING,
    ClientStatus,
    ListenerStatus,
    ServerStatus,
    ThreadStatus,
    UserStatus,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOKS: Mapping[str, Look] = {
    UP: Look.GOOD,
    LOGGING_IN: Look.WARNING,
    CONNECTING: Look.WARNING,
    PAUSED: Look.WARNING,
    WAITING: Look.BAD,
    GIVEN_UP: Look.BAD,
}

#: Bytes that a client leaves unread, and seconds of round trip, from which on they are coloured.
_MUCH_UNREAD = 65536
_SLOW = 1.0


def _state(server: ServerStatus) -> str:
    if server.state == WAITING and server.again_in is not None:
        return f"down, {units.span(server.again_in)}"
    return server.state


def _problem(server: ServerStatus) -> str:
    """Why it is down, or else what it is."""
    what = f"Asterisk {server.version}" if server.version else server.banner
    if server.behind:  # what it says of itself is its first server's
        lost = server.behind_lost
        names = [f"({name})" if name in lost else name for name in server.behind]
        what = f"astmanproxy: {', '.join(names)}"
    return server.problem or what


def _backlog(row: ServerStatus | ClientStatus) -> Look:
    return Look.WARNING if row.backlog >= _MUCH_UNREAD else Look.USUAL


def _slow(server: ServerStatus) -> Look:
    late = server.round_trip is not None and server.round_trip >= _SLOW
    return Look.WARNING if late else Look.USUAL


SERVERS: tuple[Column[ServerStatus], ...] = (
    Column("SERVER", lambda row: row.name, left=True, least=20),
    Column("STATE", _state, left=True, look=lambda row: _LOOKS.get(row.state, Look.USUAL)),
    Column("SINCE", lambda row: units.span(row.since)),
    Column("EVENTS/S", lambda row: units.rate(row.events_per_second)),
    Column("PING", lambda row: units.short(row.round_trip), 1, look=_slow),
    Column("UNDER WAY", lambda row: units.number(row.actions_under_way), 2),
    Column("WAITING", lambda row: units.number(row.actions_waiting), 5),
    Column("TIMED OUT", lambda row: units.number(row.actions_timed_out), 4),
    Column("LATE", lambda row: units.number(row.late_answers), 8),
    Column("CONNECTS", lambda row: units.number(row.connects), 3),
    Column("LOSSES", lambda row: units.number(row.losses), 4),
    Column("HEARD", lambda row: units.span(row.heard), 6),
    Column("EVENTS", lambda row: units.number(row.events), 6),
    Column("BACKLOG", lambda row: units.size(row.backlog), 7, look=_backlog),
    Column("RECEIVED", lambda row: units.size(row.bytes_received), 8),
    Column("SENT", lambda row: units.size(row.bytes_sent), 9),
    Column("KEPT", lambda row: units.size(row.ring_bytes), 9),
    Column("OLDEST", lambda row: units.span(row.ring_age), 9),
    Column("MODEL", lambda row: row.model or units.UNKNOWN, 9, left=True),
    Column("NET", lambda row: units.short(row.network_round_trip), 10),
    Column("TLS", lambda row: "yes" if row.tls else "no", 12, left=True),
    Column("ADDRESS", lambda row: row.address or units.UNKNOWN, 11, left=True),
    Column("USER", lambda row: row.user, 11, left=True),
    Column("ASTERISK OR PROBLEM", _problem, 4, left=True),
)

CLIENTS: tuple[Column[ClientStatus], ...] = (
    Column("N", lambda row: str(row.number)),
    Column("ADDRESS", lambda row: row.address, left=True, least=21),
    Column("USER", lambda row: row.user or ("?" if row.state == "guarded" else units.UNKNOWN),
           left=True, look=lambda row: Look.FAINT if not row.user else Look.USUAL),
    Column("AGE", lambda row: units.span(row.age), 1),
    Column("EVENTS/S", lambda row: units.rate(row.events_per_second)),
    Column("BACKLOG", lambda row: units.size(row.backlog), look=_backlog),
    Column("UNDER WAY", lambda row: units.number(row.actions_under_way), 2),
    Column("EVENTS", lambda row: units.number(row.events), 5),
    Column("ACTIONS", lambda row: units.number(row.actions), 4),
    Column("SENT", lambda row: units.size(row.bytes_sent), 3),
    Column("RECEIVED", lambda row: units.size(row.bytes_received), 9),
    Column("IDLE", lambda row: units.span(row.idle), 8),
    Column("NET", lambda row: units.short(row.network_round_trip), 12),
    Column("IN", lambda row: row.input, 11, left=True),
    Column("OUT", lambda row: row.output, 7, left=True),
    Column("AUTOFILTER", lambda row: row.autofilter, 10, left=True),
    Column("TLS", lambda row: row.tls.replace("TLSv", "") or "no", 13, left=True),
    Column("LISTENER", lambda row: row.listener, 14, left=True),
    Column("FILTER", lambda row: row.filter, 6, left=True),
)  # fmt: skip

LISTENERS: tuple[Column[ListenerStatus], ...] = (
    Column("LISTENER", lambda row: row.name, left=True, least=14),
    Column("CLIENTS", lambda row: units.number(row.clients)),
    Column("IN", lambda row: row.input, left=True),
    Column("OUT", lambda row: row.output, 1, left=True),
    Column("AUTOFILTER", lambda row: row.autofilter, 3, left=True),
    Column("TLS", lambda row: row.tls, left=True),
    Column("AUTH", lambda row: row.auth, 2, left=True),
)

USERS: tuple[Column[UserStatus], ...] = (
    Column("USER", lambda row: row.name, left=True),
    Column("CLIENTS", lambda row: units.number(row.clients)),
    Column("EVENTS/S", lambda row: units.rate(row.events_per_second)),
    Column("EVENTS", lambda row: units.number(row.events), 3),
    Column("ACTIONS", lambda row: units.number(row.actions), 2),
    Column("UNDER WAY", lambda row: units.number(row.actions_under_way), 1),
    Column("RIGHTS", lambda row: row.rights, 4, left=True),
)

THREADS: tuple[Column[ThreadStatus], ...] = (
    Column("THREAD", lambda row: row.name, left=True),
    Column("THREADS", lambda row: units.number(row.count)),
    Column(
        "BUSY",
        lambda row: "hangs " * row.hangs + (units.short(row.busy) if row.busy else "waits"),
        look=lambda row: Look.BAD if row.hangs else Look.USUAL,
    ),
    Column("CPU", lambda row: units.short(row.cpu)),
    Column("CPU NOW", lambda row: units.share(row.cpu_share)),
)

_MEMBER_LOOKS: Mapping[str, Look] = {
    JOINED: Look.GOOD,
    CUT_OFF: Look.BAD,
    ALONE: Look.WARNING,
}


def _readers(holding: HoldingStatus) -> str:
    return ", ".join(f"{each.proxy} {units.short(each.lag)}" for each in holding.readers)


#: The proxies of the cluster.
MEMBERS: tuple[Column[MemberStatus], ...] = (
    Column("PROXY", lambda row: row.name, left=True, least=20),
    Column("SLOT", lambda row: row.slot, 2, left=True),
    Column(
        "STATE",
        lambda row: "stopping" if row.stopping else row.state,
        left=True,
        look=lambda row: _MEMBER_LOOKS.get(row.state, Look.USUAL),
    ),
    Column("CLIENTS", lambda row: units.number(row.clients)),
    Column("RELEASE", lambda row: row.version, 3, left=True),
    Column("HOLDS", lambda row: ", ".join(row.holds) or units.UNKNOWN, 1, left=True),
)

#: Who holds which server, and how far behind the others are.
HOLDINGS: tuple[Column[HoldingStatus], ...] = (
    Column("SERVER", lambda row: row.server, left=True, least=20),
    Column("HOLDER", lambda row: row.holder or "nobody", left=True,
           look=lambda row: Look.USUAL if row.holder else Look.BAD),
    Column("EPOCH", lambda row: str(row.epoch) if row.epoch else units.UNKNOWN, 3),
    Column("LAG", lambda row: units.short(row.lag),
           look=lambda row: Look.WARNING if (row.lag or 0.0) >= _SLOW else Look.USUAL),
    Column("READERS", lambda row: _readers(row) or units.UNKNOWN, 2, left=True),
)  # fmt: skip
