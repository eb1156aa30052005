# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that ``astmanproxy --status`` shows: what is wrong first, and the rest below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.status import units
from amiproxy.status.shows import CLIENTS, HOLDINGS, LISTENERS, MEMBERS, SERVERS
from amiproxy.status.style import Look, plain
from amiproxy.status.table import clean, cut, render
from amiproxy.status.values import UP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.status.clustervalues import ClusterStatus
    from amiproxy.status.style import Style
    from amiproxy.status.values import ClientStatus, MemoryStatus, Status

#: How many clients are shown where no height is given.
FEW = 20


def page(status: Status, width: int = 0, height: int = 0, style: Style = plain) -> list[str]:
    """Return the lines of the page, at most *width* wide and *height* high; 0: no limit.

    Where there is not enough room for all clients, those are shown that cost most.
    """
    lines = [_head(status, width, style)]
    lines += _warnings(status, width, style)
    lines.append("")
    if status.servers:
        lines += render(SERVERS, status.servers, width, style)
        lines.append("")
    if status.cluster is not None:
        lines += [*cluster_lines(status.cluster, width, style), ""]
    if len(status.listening) > 1:
        lines += [*render(LISTENERS, status.listening, width, style), ""]
    lines += [cut(line, width) if width else line for line in totals(status)]
    room = max(3, height - len(lines) - 3) if height else FEW
    lines += _clients(status, room, width, style)
    return lines


def cluster_lines(cluster: ClusterStatus, width: int = 0, style: Style = plain) -> Iterator[str]:
    """Yield the lines about *cluster*: this proxy, all proxies, and all servers."""
    queued = f"{units.size(cluster.queued)} wait for the bus" if cluster.queued else "nothing waits"
    because = f" ({clean(cluster.problem)})" if cluster.problem else ""
    head = (
        f"cluster {clean(cluster.name)}: {cluster.state}{because} as {clean(cluster.proxy)},"
        f" {_counted(len(cluster.members), 'proxy', 'proxies')},"
        f" {_counted(cluster.clients, 'client')}; {queued}, {units.number(cluster.sent)} entries"
        f" sent, {units.number(cluster.dropped)} dropped, {_counted(cluster.overruns, 'overrun')}"
    )
    yield cut(head, width) if width else head
    yield from render(MEMBERS, cluster.members, width, style)
    if cluster.servers:
        yield ""
        yield from render(HOLDINGS, cluster.servers, width, style)


def summary(status: Status) -> str:
    """Return all in a few words: ``2 of 3 servers up, 42 clients``."""
    up = sum(server.state == UP for server in status.servers)
    servers = _counted(len(status.servers), "server")
    clients = _counted(status.totals.clients, "client")
    return f"{up} of {servers} up, {clients}" if status.servers else f"no servers, {clients}"


def _head(status: Status, width: int, style: Style) -> str:
    errors = any(each.severity == "error" for each in status.warnings)
    text = f"astmanproxy {status.version}, up {units.span(status.uptime)}: {summary(status)}"
    look = Look.BAD if errors else Look.WARNING if status.warnings else Look.GOOD
    return style(cut(text, width) if width else text, look)


def _warnings(status: Status, width: int, style: Style) -> Iterator[str]:
    """Yield a line for each, those that matter most first; what is long goes on below."""
    for alarm in sorted(status.warnings, key=lambda each: each.severity != "error"):
        look = Look.BAD if alarm.severity == "error" else Look.WARNING
        head = f"{alarm.severity}: "
        for at, line in enumerate(_wrapped(clean(alarm.text), width - len(head) if width else 0)):
            yield style((" " * len(head) if at else head) + line, look)


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Yield *text* in lines of *width* characters, cut at blanks where there are any."""
    while 0 < width < len(text):
        at = text.rfind(" ", 1, width + 1)
        at = at if at > 0 else width
        yield text[:at]
        text = text[at:].lstrip(" ")
    yield text


def totals(status: Status) -> list[str]:
    """Return a few lines about everything together."""
    found, memory = status.totals, status.memory
    most = f" of {found.most_clients}" if found.most_clients else ""
    guests = f", {found.not_logged_in} not logged in" if found.not_logged_in else ""
    rows = {
        "clients": f"{found.clients}{most}{guests}; {units.number(found.connections)} have come,"
        f" {units.number(found.refused)} refused, {units.number(found.dropped)} dropped",
        "log-ins": f"{units.number(found.logins)}, {units.number(found.failed_logins)} failed",
        "events/s": f"{units.rate(found.events_received_per_second)} in,"
        f" {units.rate(found.events_sent_per_second)} out;"
        f" {units.number(found.events_received)} have come, {units.number(found.events_sent)} were"
        " sent",
        "actions": f"{units.number(found.actions)}, {found.actions_under_way} under way,"
        f" {units.number(found.refused_actions)} refused",
        "sent": f"{units.size(found.bytes_sent)}, {units.size(memory.backlogs)} wait in backlogs",
        "process": f"{units.size(memory.resident)} of memory, {units.share(memory.cpu_share)} cpu,"
        f" {memory.threads} threads, {units.number(memory.descriptors)} of"
        f" {units.number(memory.most_descriptors)} descriptors",
    }
    return _labelled(rows)


def memory_lines(memory: MemoryStatus) -> list[str]:
    """Return a line for each thing that the process takes."""
    rows = {
        "memory": f"{units.size(memory.resident)}, at most {units.size(memory.most_resident)} so"
        f" far, {units.size(memory.swapped)} swapped out",
        "backlogs": f"{units.size(memory.backlogs)} wait for peers that take them slowly",
        "descriptors": f"{units.number(memory.descriptors)} of"
        f" {units.number(memory.most_descriptors)}",
        "threads": f"{memory.threads}",
        "cpu": f"{units.span(memory.cpu)} so far, {units.share(memory.cpu_share)} just now",
    }
    return _labelled(rows)


def _labelled(rows: dict[str, str]) -> list[str]:
    width = max(map(len, rows))
    return [f"{name:{width}}  {text}" for name, text in rows.items()]


def _clients(status: Status, room: int, width: int, style: Style) -> Iterator[str]:
    """Yield the clients, *room* lines of them at the most."""
    if not status.clients:
        return
    yield ""
    shown = status.clients
    rest = len(shown) - room
    if rest > 0:
        shown = tuple(sorted(shown, key=_cost, reverse=True)[: max(1, room - 1)])
    yield from render(CLIENTS, shown, width, style)
    rest = len(status.clients) - len(shown) + status.clients_left_out
    if rest:
        line = f"... {_counted(rest, 'more client')}: astmanproxy --control 'show clients'"
        yield cut(line, width) if width else line


def _cost(client: ClientStatus) -> tuple[int, float, int]:
    return client.backlog, client.events_per_second, client.actions_under_way


def _counted(count: int, thing: str, several: str = "") -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {several or thing + 's'}"
