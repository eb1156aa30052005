# SPDX-License-Identifier: GPL-2.0-or-later
"""Values as a proxy in service would have them; what a test is about it changes."""

from __future__ import annotations

import dataclasses
from typing import Any

from amiproxy.status.values import (
    Alarm,
    ClientStatus,
    MemoryStatus,
    ServerStatus,
    Status,
    Totals,
)

SERVER = ServerStatus(
    name="pbx1.example.com:5038",
    host="pbx1.example.com",
    port=5038,
    address="192.0.2.1",
    user="ampuser",
    tls=False,
    state="up",
    since=93_600.0,
    problem="",
    again_in=None,
    banner="Asterisk Call Manager/9.0.0",
    version="22.1.0",
    connects=2,
    losses=1,
    lost=94_000.0,
    lost_because="closed the connection",
    heard=0.5,
    events=1_234_567,
    events_per_second=480.25,
    round_trip=0.0012,
    network_round_trip=0.0003,
    actions_under_way=3,
    actions_waiting=0,
    actions_timed_out=4,
    late_answers=1,
    bytes_received=123_456_789,
    bytes_sent=45_678,
    backlog=0,
    model="live",
    model_rows=120,
    model_corrections=0,
    model_gaps=0,
    ring_bytes=12_345_678,
    ring_age=1234.0,
)
CLIENT = ClientStatus(
    number=7,
    address="192.0.2.77:40312",
    user="wallboard",
    state="authenticated",
    listener="192.0.2.10:1234",
    tls="TLSv1.3",
    input="standard",
    output="json",
    autofilter="unique",
    filter="channel pjsip/1001",
    age=3725.0,
    idle=12.0,
    events=98_765,
    events_per_second=479.9,
    actions=12,
    actions_under_way=1,
    bytes_sent=22_000_000,
    bytes_received=900,
    backlog=0,
    network_round_trip=0.0202,
)
TOTALS = Totals(
    clients=42,
    most_clients=500,
    not_logged_in=1,
    connections=1204,
    refused=3,
    dropped=2,
    dropped_ago=86_400.0,
    logins=1180,
    failed_logins=4,
    actions=812,
    refused_actions=5,
    actions_under_way=3,
    events_received=1_234_567,
    events_received_per_second=480.25,
    events_sent=51_000_000,
    events_sent_per_second=20_160.0,
    bytes_sent=3_400_000_000,
    log_lines_lost=0,
)
MEMORY = MemoryStatus(
    resident=48 * 1024 * 1024,
    most_resident=60 * 1024 * 1024,
    swapped=0,
    backlogs=0,
    descriptors=63,
    most_descriptors=65_536,
    threads=51,
    cpu=1234.5,
    cpu_share=0.12,
)


def server(**changes: Any) -> ServerStatus:
    return dataclasses.replace(SERVER, **changes)


def client(**changes: Any) -> ClientStatus:
    return dataclasses.replace(CLIENT, **changes)


def status(
    *warnings: Alarm,
    servers: tuple[ServerStatus, ...] = (SERVER,),
    clients: tuple[ClientStatus, ...] = (CLIENT,),
    **totals: Any,
) -> Status:
    return Status(
        version="3.0.0",
        pid=4711,
        started="2026-01-31T08:15:00+01:00",
        uptime=1_234_567.0,
        interval=1.0,
        listeners=("*:1234",),
        warnings=warnings,
        servers=servers,
        clients=clients,
        clients_left_out=0,
        totals=dataclasses.replace(TOTALS, **totals),
        memory=MEMORY,
    )
