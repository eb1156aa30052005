# SPDX-License-Identifier: GPL-2.0-or-later
"""Status: what goes on at one moment, as values.

Times are seconds, sizes bytes; None is what is not known.  A name here is a name in the JSON that
``astmanproxy --status --json`` prints: a field may be added, and none is renamed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from amiproxy.status.clustervalues import ClusterStatus

#: Of a field that is not told at all where it is None.
TOLD_IF_THERE = "told if there"

#: The states of a server.
UP, LOGGING_IN, CONNECTING, WAITING, GIVEN_UP, PAUSED = (
    "up",
    "logging in",
    "connecting",
    "waiting",
    "given up",
    "paused",
)

#: Why a server was lost that the operator had connect anew.
RECONNECTED = "reconnected by the operator"


@dataclass(frozen=True)
class ServerStatus:
    """One Asterisk."""

    name: str  # as in the log: that of its host line, or host:port
    host: str
    port: int
    address: str  # "" while it is not known
    user: str
    tls: bool
    #: One of the states; ``waiting``: for the next try.
    state: str
    #: For how long it has been up, or down, whatever was tried meanwhile.
    since: float
    #: Why it is down, "" if that is not known; and in how many seconds it is tried again.
    problem: str
    again_in: Optional[float]
    #: How it greeted when it was connected last, and what Asterisk it says it is.
    banner: str
    version: str
    #: How often it has been up since the proxy began.
    connects: int
    #: How often a connection was lost that had been up; how long ago the last one was, and why.
    losses: int
    lost: Optional[float]
    lost_because: str
    #: How long ago anything came from it, also on a connection that is over.
    heard: Optional[float]
    events: int
    events_per_second: float
    #: How long it took to answer the last Ping, and the network's part in that.
    round_trip: Optional[float]
    network_round_trip: Optional[float]
    #: Actions that have gone there and are not answered, and those that wait for their turn.
    actions_under_way: int
    actions_waiting: int
    #: Those that were not answered in time since the proxy began, and how many of them were later.
    actions_timed_out: int
    late_answers: int
    #: Of this connection.
    bytes_received: Optional[int]
    bytes_sent: Optional[int]
    #: What it has not taken yet.
    backlog: int
    #: How the model of what is there now is, "" if nobody has asked for a snapshot; its rows, how
    #: many a list of Asterisk has corrected, and how often events were missed.
    model: str
    model_rows: int
    model_corrections: int
    model_gaps: int
    #: What its last events take that are kept, and how old the oldest is; None: there is none.
    ring_bytes: int
    ring_age: Optional[float]
    #: Of another proxy: the servers behind it, and which of them are not connected there.
    behind: tuple[str, ...] = ()
    behind_lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClientStatus:
    """One client: a connection, a request of a web client, or a web session."""

    number: int
    address: str  # with the port, as the log names it
    user: str  # "": it has not logged in
    #: ``guarded``: it must log in first; ``open``: it need not; ``authenticated``.
    state: str
    #: Where it came in, with the port, and by which version of TLS, "" for none.
    listener: str
    tls: str
    input: str
    output: str
    autofilter: str
    #: What keeps events from it, in a few words, "" for nothing.
    filter: str
    #: For how long it has been connected, and how long ago it sent anything.
    age: float
    idle: Optional[float]
    events: int
    events_per_second: float
    actions: int
    actions_under_way: int
    bytes_sent: Optional[int]
    bytes_received: Optional[int]
    #: Bytes that it has not taken yet.
    backlog: int
    network_round_trip: Optional[float]


@dataclass(frozen=True)
class ListenerStatus:
    """One listener: where clients are accepted, and what holds for who comes from now on."""

    name: str  # address:port, or unix:path
    #: How many clients are connected that came in there.
    clients: int
    input: str
    output: str
    autofilter: str
    tls: str  # no, yes, both
    auth: str  # yes, no


@dataclass(frozen=True)
class UserStatus:
    """One user of the users file."""

    name: str
    #: How many clients are logged in as this user, and what they have had so far.
    clients: int
    events: int
    events_per_second: float
    actions: int
    actions_under_way: int
    #: What the user may see and do beyond the usual, in a few words.
    rights: str


@dataclass(frozen=True)
class ThreadStatus:
    """One thread, or all those of clients that do nothing remarkable: *count* of them."""

    name: str
    count: int
    #: For how long it has been at one thing, 0.0: it waits.
    busy: float
    hangs: bool
    #: Seconds of processor time, and the share of one processor just now.
    cpu: Optional[float]
    cpu_share: Optional[float]


@dataclass(frozen=True)
class MemoryStatus:
    """What the process takes of the machine."""

    resident: Optional[int]
    most_resident: Optional[int]
    swapped: Optional[int]
    #: What lies here for clients and servers that take it slowly.
    backlogs: int
    descriptors: Optional[int]
    most_descriptors: Optional[int]
    threads: int
    #: Processor time since the start, and the share of one processor just now.
    cpu: float
    cpu_share: float


@dataclass(frozen=True)
class Totals:
    """Since the proxy began; what the clients have had that have left is in it."""

    clients: int  #: now
    most_clients: Optional[int]  #: maxclients; None: no limit
    not_logged_in: int  #: now
    connections: int
    refused: int
    dropped: int
    dropped_ago: Optional[float]  #: the last one
    logins: int
    failed_logins: int
    actions: int
    refused_actions: int
    actions_under_way: int
    events_received: int
    events_received_per_second: float
    events_sent: int
    events_sent_per_second: float
    bytes_sent: int  #: but to web clients that are still connected
    #: That a full disk has kept from the log, and that stand for nothing in it yet.
    log_lines_lost: int


@dataclass(frozen=True)
class Alarm:
    """Something the operator should know of: *severity* is ``error`` or ``warning``."""

    severity: str
    text: str


@dataclass(frozen=True)
class Status:
    """All of it."""

    version: str
    pid: int
    started: str  # as 2026-01-31T08:15:00+01:00
    uptime: float
    #: In how many seconds the rates were counted.
    interval: float
    listeners: tuple[str, ...]
    warnings: tuple[Alarm, ...]
    servers: tuple[ServerStatus, ...]
    #: Those that cost most, if there are many: what they leave unread, then events, count.
    clients: tuple[ClientStatus, ...]
    clients_left_out: int
    totals: Totals
    memory: MemoryStatus
    #: As ``listeners``, with more about each; also one that is left, while clients are.
    listening: tuple[ListenerStatus, ...] = ()
    #: The proxies that share a bus with this one; None: it has none.
    cluster: Optional[ClusterStatus] = field(default=None, metadata={TOLD_IF_THERE: True})
