# SPDX-License-Identifier: GPL-2.0-or-later
"""The attacks: one row each, with what the attacker may do and what the Asterisk is like."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable

from benchmarks.torture import bodies, clients, servers
from benchmarks.torture.floods import LOGIN, action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.torture.floods import Clock, Target

_PING = action("Ping")


@dataclass(frozen=True)
class Attack:
    """One attack.

    *run* carries it out until the clock says that it is over.  The attacker, mallory, has
    the classes *read* and *write*.  The Asterisk takes *pause* microseconds for each action
    and reads 1 KB at a time, if it is not 0.
    """

    name: str
    what: str
    run: Callable[[Target, Clock], None]
    read: str = ""
    write: str = ""
    pause: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    #: Whether the attacker is a second server of the proxy.
    serves: bool = False


_HTTP = MappingProxyType({"inputformat": "http"})
_JSON = MappingProxyType({"inputformat": "json"})
_CSV = MappingProxyType({"inputformat": "csv"})
_XML = MappingProxyType({"inputformat": "xml"})
_SLOW = 100  # microseconds

ATTACKS: tuple[Attack, ...] = (
    # -- filters
    Attack(
        "filter-program",
        "127 filters `(.{0,30}){30}q`",
        clients.filters("(.{0,30}){30}q"),
        "all",
        "system",
    ),
    Attack(
        "filter-optional",
        "127 filters `(.?){900}q`",
        clients.filters("(.?){900}q"),
        "all",
        "system",
    ),
    Attack(
        "filter-repeat", "127 filters `x{1,999}y`", clients.filters("x{1,999}y"), "all", "system"
    ),
    Attack(
        "filter-many",
        "40 clients, 127 different filters `!zqNxM` each",
        clients.many_filters("!zq{}x{}"),
        "all",
        "system",
    ),
    Attack(
        "filter-classes",
        "40 clients, 127 different filters `![a-f]N.*M` each",
        clients.many_filters("![a-f]{}.*{}"),
        "all",
        "system",
    ),
    # -- the way up
    Attack(
        "pipeline",
        "one client pipelines pings to a slow Asterisk",
        clients.pipeline(1, _PING),
        pause=_SLOW,
    ),
    Attack(
        "pipeline-36",
        "36 clients pipeline pings to a slow Asterisk",
        clients.pipeline(36, _PING),
        pause=_SLOW,
    ),
    Attack(
        "pipeline-fast", "50 clients pipeline pings to a fast Asterisk", clients.pipeline(50, _PING)
    ),
    Attack(
        "long-ids",
        "36 clients pipeline pings with ActionIDs of 70 bytes",
        clients.pipeline(36, action("Ping", "ActionID: " + "x" * 70)),
        pause=_SLOW,
    ),
    Attack(
        "originates",
        "20 clients pipeline Originates that nobody answers",
        clients.pipeline(
            20, action("Originate", "Channel: Local/1@a", "Exten: 1", "Context: a", "Priority: 1")
        ),
        write="originate",
    ),
    Attack(
        "half-closed",
        "60 clients pipeline actions and half-close, again and again",
        clients.half_closed(60, _PING * 200),
        pause=_SLOW,
    ),
    Attack(
        "refused",
        "50 clients pipeline actions that their rights refuse",
        clients.pipeline(50, action("DBPut")),
    ),
    Attack(
        "garbage",
        "50 clients pipeline lines that mean nothing",
        clients.pipeline(50, b"x" * 64 + b"\r\n\r\n"),
    ),
    Attack(
        "proxyactions",
        "50 clients pipeline ListSessions",
        clients.pipeline(50, b"ProxyAction: ListSessions\r\n\r\n"),
    ),
    Attack(
        "modes",
        "50 clients change autofilter, mask and format all the time",
        clients.pipeline(50, clients.CHANGES),
        "all",
    ),
    Attack(
        "challenges",
        "50 clients pipeline Challenge",
        clients.pipeline(50, action("Challenge", "AuthType: MD5")),
    ),
    Attack(
        "log-ins",
        "50 clients log in again and again",
        clients.pipeline(50, action(*LOGIN)),
        "all",
    ),
    Attack(
        "waits",
        "50 clients pipeline WaitEvent",
        clients.pipeline(50, action("WaitEvent", "Timeout: 0")),
        "all",
    ),
    Attack(
        "at-once-3000",
        "3 000 clients send one action at once",
        clients.one_each(3000, b"ProxyAction: Uptime\r\n\r\n"),
    ),
    Attack("waiting-3000", "3 000 clients wait for an event", clients.waiting(3000)),
    Attack(
        "filter-refused",
        "50 clients pipeline filters that are refused",
        clients.pipeline(50, action("Filter", "Operation: Add", "Filter: (.{0,30}){30}q(")),
        "all",
        "system",
    ),
    Attack(
        "filter-compiled",
        "20 clients log in, add filters, and log in again",
        clients.pipeline(20, clients.COMPILES),
        "all",
        "system",
    ),
    Attack(
        "second-server", "pings to a second Asterisk that reads nothing", servers.stuck, serves=True
    ),
    # -- strangers
    Attack(
        "guesses",
        "40 strangers guess secrets",
        clients.strangers(40, action("Login", "Username: innocent", "Secret: no")),
    ),
    Attack("connects", "strangers connect and close as fast as they can", clients.connects),
    Attack("slow-lines", "50 strangers send byte by byte", clients.slow_lines),
    Attack("slow-heads", "50 strangers send HTTP byte by byte", clients.slow_lines, settings=_HTTP),
    Attack("arrival-3000", "3 000 strangers connect at once", clients.arrival(3000)),
    Attack("departure-3000", "3 000 idle clients close at once", clients.departure(3000)),
    Attack("departure-5000", "5 000 idle clients close at once", clients.departure(5000)),
    # -- big blocks before log-in, 1 MB each, on two connections
    Attack(
        "json-objects",
        "JSON: a line of empty objects",
        clients.strangers(2, bodies.JSON_OBJECTS),
        settings=_JSON,
    ),
    Attack(
        "json-nested",
        "JSON: a line of brackets",
        clients.strangers(2, bodies.JSON_NESTED),
        settings=_JSON,
    ),
    Attack("csv-lines", "CSV: line feeds", clients.strangers(2, b"\n" * 1048576), settings=_CSV),
    Attack("xml-tags", "XML: empty elements", clients.strangers(2, bodies.XML_TAGS), settings=_XML),
    Attack(
        "http-objects",
        "HTTP: a body of empty JSON objects",
        clients.strangers(2, bodies.http("application/json", bodies.JSON_OBJECTS)),
        settings=_HTTP,
    ),
    Attack(
        "http-numbers",
        "HTTP: a body of JSON numbers",
        clients.strangers(2, bodies.http("application/json", bodies.JSON_NUMBERS)),
        settings=_HTTP,
    ),
    Attack(
        "http-escapes",
        "HTTP: a form of `%41`",
        clients.strangers(2, bodies.http(bodies.FORM, b"%41" * 340000)),
        settings=_HTTP,
    ),
    Attack(
        "http-fields",
        "HTTP: a form of `a&a&a`",
        clients.strangers(2, bodies.http(bodies.FORM, b"a&" * 500000)),
        settings=_HTTP,
    ),
    Attack(
        "http-gets",
        "50 connections pipeline GET Ping without log-in",
        clients.strangers(50, bodies.GET),
        settings=_HTTP,
    ),
    # -- the same after log-in, as large as a block may be
    Attack(
        "json-logged-in",
        "JSON after log-in: lines of empty objects",
        clients.big_lines(bodies.JSON_SMALL),
        settings=_JSON,
    ),
    Attack(
        "http-logged-in",
        "HTTP with credentials: bodies of empty objects",
        clients.strangers(4, bodies.http("application/json", bodies.JSON_SMALL, user="mallory")),
        settings=_HTTP,
    ),
    # -- servers
    Attack(
        "huge-events",
        "a second Asterisk sends Newchannel events of 4 MB",
        servers.huge_events,
        serves=True,
    ),
    Attack("slow-readers", "300 clients read no events", clients.slow_readers(300), "all"),
)
