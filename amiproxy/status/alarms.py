# SPDX-License-Identifier: GPL-2.0-or-later
"""Alarms: what an operator should know of before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.status import units
from amiproxy.status.clustervalues import ALONE, CUT_OFF
from amiproxy.status.values import GIVEN_UP, PAUSED, RECONNECTED, UP, Alarm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.status.clustervalues import ClusterStatus
    from amiproxy.status.values import (
        ClientStatus,
        MemoryStatus,
        ServerStatus,
        ThreadStatus,
        Totals,
    )

#: Parts of a limit from which on it is named.
_NEARLY = 0.9

#: Bytes that a client leaves unread, from which on it is named; and how many are named.
_MUCH_UNREAD = 1024 * 1024
_NAMED = 3

#: For how many seconds it is told of that a client was dropped, or a server lost.
_RECENT = 3600.0

#: Seconds that Asterisk may take for a Ping, and events from the proxy that holds a server.
_SLOW = 2.0


def alarms(
    servers: Sequence[ServerStatus],
    clients: Sequence[ClientStatus],
    totals: Totals,
    memory: MemoryStatus,
    threads: Sequence[ThreadStatus],
) -> Iterator[Alarm]:
    """Yield what is wrong, or soon may be; each with what to do where that is not plain."""
    yield from _of_servers(servers)
    yield from _of_threads(threads)
    yield from _of_limits(totals, memory)
    yield from _of_clients(clients, totals)
    yield from _of_log(totals)


def of_files(
    problems: Sequence[str], waiting: Sequence[str], certificates: Sequence[str]
) -> Iterator[Alarm]:
    """Yield what is wrong with the files.

    Those are the *problems* of the last reload, the keys that have been *waiting* for the next
    start since, and what is said of *certificates* that are old.
    """
    if problems:
        first = problems[0]
        # One that says itself which command helps needs no other one.
        helps = "; astmanproxy -t names each problem, then astmanproxy --control reload"
        helps = "" if "astmanproxy --control" in first else helps
        yield _error(f"the last reload failed: {first}{helps}")
    if waiting:
        yield _warning(
            f"not in force before the next start: {', '.join(waiting)};"
            " astmanproxy --control restart"
        )
    for each in certificates:
        yield _warning(each)


def of_cluster(cluster: ClusterStatus | None, totals: Totals) -> Iterator[Alarm]:
    """Yield what is wrong with the *cluster*; nothing where there is none."""
    if cluster is None:
        return
    because = f": {cluster.problem.rstrip('.')}" if cluster.problem else ""
    if cluster.state == CUT_OFF:
        yield _error(
            f"cut off from the bus{because}; no Asterisk is served before it is back (busoptional)"
        )
    elif cluster.state == ALONE:
        yield _warning(
            f"without the bus{because}; this proxy goes on alone, connected to each Asterisk itself"
        )
    yield from _of_readers(cluster)
    is_recent = cluster.trouble_ago is not None and cluster.trouble_ago < _RECENT
    if cluster.overruns and is_recent:
        yield _warning(
            f"the bus took too slowly what it was sent: {cluster.overruns} times since the start"
            " the other proxies missed events"
        )
    if cluster.dropped and is_recent:
        yield _warning(
            f"{cluster.dropped} entries of the bus could not be read: does another program, or"
            " another release, write to it?"
        )
    most = totals.most_clients
    if most and totals.clients < _NEARLY * most <= cluster.clients:
        yield _warning(
            f"{cluster.clients} of {most} clients are connected in the cluster (maxclients)"
        )


def _of_readers(cluster: ClusterStatus) -> Iterator[Alarm]:
    for each in cluster.servers:
        late = [reader for reader in each.readers if reader.lag > _SLOW]
        if late:
            worst = max(late, key=lambda reader: reader.lag)
            more = f" and {len(late) - 1} more" if len(late) > 1 else ""
            yield _warning(
                f"events of server {each.server} come {units.short(worst.lag)} late at proxy"
                f" {worst.proxy}{more}"
            )


def _error(text: str) -> Alarm:
    return Alarm("error", text)


def _warning(text: str) -> Alarm:
    return Alarm("warning", text)


def _of_servers(servers: Sequence[ServerStatus]) -> Iterator[Alarm]:
    if not servers:
        yield _error(
            "no Asterisk is configured: add a host line to astmanproxy.conf, then"
            " astmanproxy --control reload; an edge has those of the other proxies"
        )
    for each in servers:
        because = f": {each.problem}" if each.problem else ""
        down = f"server {each.name} has been down for {units.span(each.since)}"
        if each.state == PAUSED:
            yield _warning(
                f"server {each.name} is paused: astmanproxy --control 'resume {each.name}'"
            )
        elif each.state == GIVEN_UP:
            yield _error(
                f"server {each.name} is given up{because}; mend that, then"
                f" astmanproxy --control 'reconnect {each.name}'"
            )
        elif each.state != UP:
            again = "" if each.again_in is None else f"; tried again in {units.span(each.again_in)}"
            yield _error(f"{down}{because}{again}")
        elif each.round_trip is not None and each.round_trip > _SLOW:
            yield _warning(f"server {each.name} took {units.short(each.round_trip)} for a Ping")
        elif each.lost is not None and each.lost < _RECENT and each.lost_because != RECONNECTED:
            yield _warning(
                f"server {each.name} was lost {units.span(each.lost)} ago ({each.lost_because});"
                f" {each.losses} since the start"
            )
        if each.state == UP and each.behind_lost:
            yield _warning(
                f"behind {each.name}, not connected there: {', '.join(each.behind_lost)}; ask that"
                " proxy why (astmanproxy --status)"
            )


def _of_threads(threads: Sequence[ThreadStatus]) -> Iterator[Alarm]:
    for each in threads:
        if each.hangs:
            yield _error(
                f"thread {each.name} has hung for {units.span(each.busy)}; the log says where"
            )


def _of_limits(totals: Totals, memory: MemoryStatus) -> Iterator[Alarm]:
    most = totals.most_clients
    if most and totals.clients >= _NEARLY * most:
        yield _warning(f"{totals.clients} of {most} clients are connected (maxclients)")
    used, limit = memory.descriptors, memory.most_descriptors
    if used and limit and used >= _NEARLY * limit:
        yield _warning(
            f"{used} of {limit} descriptors are in use: the proxy turns clients away soon"
            " (LimitNOFILE)"
        )


def _of_clients(clients: Sequence[ClientStatus], totals: Totals) -> Iterator[Alarm]:
    slow = sorted((each for each in clients if each.backlog >= _MUCH_UNREAD),
                  key=lambda each: -each.backlog)  # fmt: skip
    for each in slow[:_NAMED]:
        who = f"{each.address} ({each.user})" if each.user else each.address
        yield _warning(f"client {each.number} at {who} has left {units.size(each.backlog)} unread")
    if len(slow) > _NAMED:
        yield _warning(f"{len(slow) - _NAMED} more clients leave much unread")
    if totals.dropped_ago is not None and totals.dropped_ago < _RECENT:
        yield _warning(
            f"a client was dropped {units.span(totals.dropped_ago)} ago: it took too slowly what it"
            f" was sent; {totals.dropped} since the start, the log says which"
        )


def _of_log(totals: Totals) -> Iterator[Alarm]:
    if totals.log_lines_lost:
        yield _error(f"{totals.log_lines_lost} lines of the log were lost: is its disk full?")
