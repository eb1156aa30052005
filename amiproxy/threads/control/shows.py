# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that show what goes on: ``status``, ``show clients`` and their like.

As text each is a table, no wider than who asks has room for; as JSON, the values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from amiproxy.settings.inforce import InForce, in_force
from amiproxy.status.documents import document
from amiproxy.status.page import cluster_lines, memory_lines, page, totals
from amiproxy.status.shows import CLIENTS, LISTENERS, SERVERS, THREADS, USERS
from amiproxy.status.table import Column, render
from amiproxy.threads.control.command import Answer, Command, Request, command, refusal
from amiproxy.threads.sessions.paced import paced

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = TypeVar("Row")

CONFIG: tuple[Column[InForce], ...] = (
    Column("KEY", lambda row: row.key, left=True, least=30),
    Column("VALUE", lambda row: row.value, left=True, least=20),
    Column("FROM", lambda row: row.place, 1, left=True, least=20),
    Column("SIGHUP", lambda row: "at once" if row.live else "no", 2, left=True),
)


def _table(request: Request, columns: Sequence[Column[Row]], rows: Sequence[Row]) -> Answer:
    lines = render(columns, paced(rows), request.width)
    return Answer(lines, data=lambda: [document(row) for row in paced(rows)])


@command("status", explanation="everything at a glance, what is wrong first")
def _status(request: Request) -> Answer:
    status = request.context.program.observer.status()
    return Answer(page(status, request.width), data=lambda: document(status))


@command(
    "show servers",
    action="ShowServers",
    explanation="each Asterisk: state, since when, events, answers, why it is down",
)
def _servers(request: Request) -> Answer:
    return _table(request, SERVERS, request.context.program.observer.status().servers)


@command(
    "show clients",
    action="ShowClients",
    explanation="each client: who, where from, formats, filter, events, backlog",
)
def _clients(request: Request) -> Answer:
    return _table(request, CLIENTS, request.context.program.observer.clients())


@command(
    "show listeners",
    action="ShowListeners",
    explanation="each listener: where, how many clients, formats, TLS or a log-in is needed",
)
def _listeners(request: Request) -> Answer:
    return _table(request, LISTENERS, request.context.program.observer.listeners())


@command(
    "show users",
    action="ShowUsers",
    explanation="each user: how many clients, their events and actions, rights",
)
def _users(request: Request) -> Answer:
    return _table(request, USERS, request.context.program.observer.users())


@command(
    "show threads",
    action="ShowThreads",
    explanation="what the threads do, and how much processor time they take",
)
def _threads(request: Request) -> Answer:
    return _table(request, THREADS, request.context.program.observer.threads())


@command(
    "show memory", action="ShowMemory", explanation="memory, backlogs, descriptors, processor time"
)
def _memory(request: Request) -> Answer:
    memory = request.context.program.observer.status().memory
    return Answer(tuple(memory_lines(memory)), data=document(memory))


@command(
    "show stats", action="ShowStats", explanation="what was counted since the start, and rates"
)
def _stats(request: Request) -> Answer:
    status = request.context.program.observer.status()
    return Answer(tuple(totals(status)), data=document(status.totals))


@command(
    "show cluster",
    action="ShowCluster",
    explanation="the proxies that share a bus with this one: which hold which server, how late"
    " the others are",
)
def _cluster(request: Request) -> Answer:
    cluster = request.context.program.observer.cluster()
    if cluster is None:
        return refusal("this proxy is in no cluster: bus in astmanproxy.conf names none")
    return Answer(cluster_lines(cluster, request.width), data=lambda: document(cluster))


@command(
    "show config",
    action="ShowConfig",
    explanation="each key in force, and which line of which file sets it",
)
def _config(request: Request) -> Answer:
    rows = tuple(in_force(request.context.config))
    data = [row._asdict() for row in rows]
    return Answer(render(CONFIG, rows, request.width), data=data)


COMMANDS: tuple[Command, ...] = (
    _status, _servers, _clients, _listeners, _users, _config, _threads, _memory, _stats,
    _cluster,
)  # fmt: skip
