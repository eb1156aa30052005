# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that show what goes on: ``status``, ``show clients`` and their like.

As text each is a table, no wider than who asks has room for; as JSON, the values.  Where a proxy of
the cluster is named they are that one's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from amiproxy.settings.inforce import InForce, in_force
from amiproxy.status.documents import checked, document
from amiproxy.status.page import cluster_lines, memory_lines, page, totals
from amiproxy.status.shows import CLIENTS, LISTENERS, SERVERS, THREADS, USERS
from amiproxy.status.table import Column, render
from amiproxy.status.values import (
    ClientStatus,
    ListenerStatus,
    ServerStatus,
    ThreadStatus,
    UserStatus,
)
from amiproxy.threads.control import elsewhere
from amiproxy.threads.control.command import Answer, Command, Request, command, refusal
from amiproxy.threads.sessions.cluster import Told
from amiproxy.threads.sessions.paced import paced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import DataclassInstance

    from amiproxy.threads.sessions.context import Observations

CONFIG: tuple[Column[InForce], ...] = (
    Column("KEY", lambda row: row.key, left=True, least=30),
    Column("VALUE", lambda row: row.value, left=True, least=20),
    Column("FROM", lambda row: row.place, 1, left=True, least=20),
    Column("SIGHUP", lambda row: "at once" if row.live else "no", 2, left=True),
)


class _Shown(NamedTuple):
    """What the command *name* shows: a row of *columns* for each value of *kind*."""

    name: str
    columns: Sequence[Column[Any]]
    kind: type[DataclassInstance]
    look: Callable[[Observations], Sequence[Any]]


def _table(request: Request, shown: _Shown) -> Answer:
    if request.words:
        return _tables(request, shown)
    rows = shown.look(request.context.program.observer)
    lines = render(shown.columns, paced(rows), request.width)
    return Answer(lines, data=lambda: [document(row) for row in paced(rows)])


def _tables(request: Request, shown: _Shown) -> Answer:
    """Show the rows of the proxies that the request names, with the proxy before each."""
    observer = request.context.program.observer

    def here() -> Told:
        return Told(True, (), [document(row) for row in paced(shown.look(observer))])

    asked = elsewhere.ask(request, shown.name, here)
    if isinstance(asked, Answer):
        return asked
    rows: list[tuple[str, Any]] = []
    data: list[dict[str, Any]] = []
    problems: list[tuple[str, str]] = []
    for name, told in asked:
        try:
            found = elsewhere.rows(told)
            rows += [(name, checked(shown.kind, row)) for row in paced(found)]
            data += [{"proxy": name, **row} for row in found]
        except ValueError as error:
            problems.append((name, str(error)))
    proxy = Column[tuple[str, Any]]("PROXY", lambda row: row[0], left=True, least=16)
    columns = (proxy, *(_of_second(column) for column in shown.columns))
    lines = [*render(columns, paced(rows), request.width)]
    lines += [f"{name}: {problem}" for name, problem in problems]
    data += [{"proxy": name, "error": problem} for name, problem in problems]
    return Answer(lines, is_good=not problems, data=data)


def _texts(request: Request, name: str, look: Callable[[], Answer]) -> Answer:
    """Show what *look* returns, or what the command *name* does at the proxies that are named."""
    if not request.words:
        return look()

    def here() -> Told:
        answer = look()
        return Told(True, tuple(answer.lines), answer.document)

    asked = elsewhere.ask(request, name, here)
    if isinstance(asked, Answer):
        return asked
    lines: list[str] = []
    data: list[dict[str, Any]] = []
    is_good = True
    for proxy, told in asked:
        if told is not None and told.is_good and isinstance(told.data, dict):
            lines += [f"{proxy}:", *(f"  {line}" for line in told.lines)]
            data.append({"proxy": proxy, **told.data})
        else:
            is_good, problem = False, elsewhere.problem(told)
            lines.append(f"{proxy}: {problem}")
            data.append({"proxy": proxy, "error": problem})
    return Answer(lines, is_good=is_good, data=data)


def _of_second(column: Column[Any]) -> Column[tuple[str, Any]]:
    """Return *column* for rows that have something before them."""
    return replace(
        column, text=lambda row: column.text(row[1]), look=lambda row: column.look(row[1])
    )


@command("status", explanation="everything at a glance, what is wrong first")
def _status(request: Request) -> Answer:
    status = request.context.program.observer.status()
    return Answer(page(status, request.width), data=lambda: document(status))


_SERVERS = _Shown("show servers", SERVERS, ServerStatus, lambda each: each.status().servers)
_CLIENTS = _Shown("show clients", CLIENTS, ClientStatus, lambda each: each.clients())
_LISTENERS = _Shown("show listeners", LISTENERS, ListenerStatus, lambda each: each.listeners())
_USERS = _Shown("show users", USERS, UserStatus, lambda each: each.users())
_THREADS = _Shown("show threads", THREADS, ThreadStatus, lambda each: each.threads())


@command(
    "show servers",
    "[PROXY]",
    action="ShowServers",
    explanation="each Asterisk: state, since when, events, answers, why it is down",
)
def _servers(request: Request) -> Answer:
    return _table(request, _SERVERS)


@command(
    "show clients",
    "[PROXY]",
    action="ShowClients",
    explanation="each client: who, where from, formats, filter, events, backlog",
)
def _clients(request: Request) -> Answer:
    return _table(request, _CLIENTS)


@command(
    "show listeners",
    "[PROXY]",
    action="ShowListeners",
    explanation="each listener: where, how many clients, formats, TLS or a log-in is needed",
)
def _listeners(request: Request) -> Answer:
    return _table(request, _LISTENERS)


@command(
    "show users",
    "[PROXY]",
    action="ShowUsers",
    explanation="each user: how many clients, their events and actions, rights",
)
def _users(request: Request) -> Answer:
    return _table(request, _USERS)


@command(
    "show threads",
    "[PROXY]",
    action="ShowThreads",
    explanation="what the threads do, and how much processor time they take",
)
def _threads(request: Request) -> Answer:
    return _table(request, _THREADS)


@command(
    "show memory",
    "[PROXY]",
    action="ShowMemory",
    explanation="memory, backlogs, descriptors, processor time",
)
def _memory(request: Request) -> Answer:
    def look() -> Answer:
        memory = request.context.program.observer.status().memory
        return Answer(tuple(memory_lines(memory)), data=document(memory))

    return _texts(request, "show memory", look)


@command(
    "show stats",
    "[PROXY]",
    action="ShowStats",
    explanation="what was counted since the start, and rates",
)
def _stats(request: Request) -> Answer:
    def look() -> Answer:
        status = request.context.program.observer.status()
        return Answer(tuple(totals(status)), data=document(status.totals))

    return _texts(request, "show stats", look)


@command(
    "show cluster",
    action="ShowCluster",
    explanation="the proxies that share a bus with this one: which hold which server, how late"
    " the others are; other show commands ask a PROXY of these, by name or slot, or all (cluster)",
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
