# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that tell what is there: channels, queues, peers, command output."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from simulator.events import write
from simulator.replies import STATUS_BUFFER, cut_ids, error, id_line, listing, response
from simulator.scripts import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.protocol import Request
    from simulator.session import Session

LARGE_OUTPUT = "large output"
EMPTY_LINES = "empty lines"


# Channels --------------------------------------------------------------------------


def core_show_channels(session: Session, request: Request) -> bytes:
    """List the live channels."""
    items = [
        [
            "Event: CoreShowChannel",
            *id_line(request),
            f"Channel: {channel.name}",
            *_snapshot(channel.headers),
            f"Application: {channel.application}",
            f"ApplicationData: {channel.data}",
            f"Duration: {_duration(channel.since)}",
            f"BridgeId: {channel.bridge}",
        ]
        for channel in session.server.exchange.channels
    ]
    return listing(request, "Channels will follow", items, "CoreShowChannelsComplete")


def status(session: Session, request: Request) -> bytes:
    """List the live channels, or the one asked for, in detail."""
    wanted = request.get("Channel")
    channels = session.server.exchange.channels
    if wanted:
        channels = [channel for channel in channels if channel.name == wanted]
        if not channels:
            return error(request, "No such channel")
    items = [
        [
            "Event: Status",
            "Privilege: Call",
            f"Channel: {channel.name}",
            *_snapshot(channel.headers),
            f"Type: {channel.name.partition('/')[0]}",
            "DNID: ",
            f"EffectiveConnectedLineNum: {channel.headers.get('ConnectedLineNum', '')}",
            f"EffectiveConnectedLineName: {channel.headers.get('ConnectedLineName', '')}",
            "TimeToHangup: 0",
            f"BridgeID: {channel.bridge}",
            f"Application: {channel.application}",
            f"Data: {channel.data}",
            "Nativeformats: (slin)",
            "Readformat: slin",
            "Readtrans: ",
            "Writeformat: slin",
            "Writetrans: ",
            "Callgroup: 0",
            "Pickupgroup: 0",
            f"Seconds: {int(time.time() - channel.since)}",
            *id_line(request),
        ]
        for channel in channels
    ]
    marks = session.server.dialect.list_marks
    return listing(
        request,
        "Channel status will follow",
        items,
        "StatusComplete",
        f"Items: {len(items)}",
        marks=marks,
        count=marks,
    )


def iax_netstats(session: Session, _request: Request) -> bytes:
    """Answer as the real one: raw text, that is no message (chan_iax2.c)."""
    lines = [
        f"{channel.name} 1000 -1 0 -1 -1 0 -1 0 0 0 0 0 0 0 0 Tx:NEW     Tx:ACK    \n"
        for channel in session.server.exchange.channels
        if channel.name.startswith("IAX2/")
    ]
    return "".join(lines).encode("latin-1", "replace") + b"\r\n"


def core_status(session: Session, request: Request) -> bytes:
    """Tell since when it runs and how many calls there are."""
    server = session.server
    started = time.localtime(server.started)
    date, clock = time.strftime("%Y-%m-%d", started), time.strftime("%H:%M:%S", started)
    answer = response(
        request,
        "Success",
        f"CoreStartupDate: {date}",
        f"CoreStartupTime: {clock}",
        f"CoreReloadDate: {date}",
        f"CoreReloadTime: {clock}",
        f"CoreCurrentCalls: {len({channel.call for channel in server.exchange.channels})}",
        f"CoreProcessedCalls: {server.exchange.begun}",
    )
    return cut_ids(answer, request, STATUS_BUFFER)


def _snapshot(headers: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


def _duration(since: float) -> str:
    seconds = int(time.time() - since)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


# Queues and peers -------------------------------------------------------------------

_QUEUE = "support"
_AGENTS = ("Agent Anna", "Agent Bert", "Agent Caro")


def queue_status(session: Session, request: Request) -> bytes:
    """List the queue, its members, and who waits in it."""
    marks = session.server.dialect.list_marks
    items = list(_queue_items(session, request))
    if request.get("Queue") not in ("", _QUEUE):
        items = []
    return listing(
        request,
        "Queue status will follow",
        items,
        "QueueStatusComplete",
        marks=marks,
        count=marks,
    )


def _queue_items(session: Session, request: Request) -> Iterator[list[str]]:
    server = session.server
    waiting = [
        channel
        for channel in server.exchange.channels
        if channel.application == "Queue" and not channel.bridge
    ]
    yield [
        "Event: QueueParams",
        f"Queue: {_QUEUE}",
        "Max: 0",
        "Strategy: ringall",
        f"Calls: {len(waiting)}",
        "Holdtime: 0",
        "TalkTime: 0",
        "Completed: 0",
        "Abandoned: 0",
        "ServiceLevel: 0",
        "ServicelevelPerf: 0.0",
        "ServicelevelPerf2: 0.0",
        "Weight: 0",
        *id_line(request),
    ]
    for number in range(server.queue_members):
        name = _AGENTS[number] if number < len(_AGENTS) else f"Agent {number + 1}"
        yield [
            "Event: QueueMember",
            f"Queue: {_QUEUE}",
            f"Name: {name}",
            f"Location: Local/{201 + number}@agents/n",
            f"StateInterface: Custom:agent{201 + number}",
            "Membership: static",
            "Penalty: 0",
            "CallsTaken: 0",
            "LastCall: 0",
            "LastPause: 0",
            f"LoginTime: {int(server.started)}",
            "InCall: 0",
            "Status: 1",
            "Paused: 0",
            "PausedReason: ",
            "Wrapuptime: 0",
            *id_line(request),
        ]
    for position, channel in enumerate(waiting, 1):
        yield [
            "Event: QueueEntry",
            f"Queue: {_QUEUE}",
            f"Position: {position}",
            f"Channel: {channel.name}",
            f"Uniqueid: {channel.uniqueid}",
            f"CallerIDNum: {channel.headers.get('CallerIDNum', '')}",
            f"CallerIDName: {channel.headers.get('CallerIDName', '')}",
            f"ConnectedLineNum: {channel.headers.get('ConnectedLineNum', '')}",
            f"ConnectedLineName: {channel.headers.get('ConnectedLineName', '')}",
            f"Wait: {int(time.time() - channel.since)}",
            "Priority: 0",
            *id_line(request),
        ]


def queue_summary(session: Session, request: Request) -> bytes:
    """Tell the numbers of the queue."""
    members = session.server.queue_members
    item = [
        "Event: QueueSummary",
        f"Queue: {_QUEUE}",
        f"LoggedIn: {members}",
        f"Available: {members}",
        "Callers: 0",
        "HoldTime: 0",
        "TalkTime: 0",
        "LongestHoldTime: 0",
        *id_line(request),
    ]
    marks = session.server.dialect.list_marks
    return listing(
        request,
        "Queue summary will follow",
        [item],
        "QueueSummaryComplete",
        marks=marks,
        count=marks,
    )


def iax_peers(session: Session, request: Request) -> bytes:
    """List IAX2 peers; as in the real one, the entries carry no ActionID."""
    items = [
        [
            "Event: PeerEntry",
            "Channeltype: IAX2",
            f"ObjectName: phone{101 + number}/phone{101 + number}",
            "ChanObjectType: peer",
            "IPaddress: 127.0.0.1",
            "IPport: 4570",
            "Dynamic: yes",
            "Trunk: no",
            "Encryption: no",
            "Status: OK (1 ms)",
            "Description: ",
        ]
        for number in range(session.server.peers)
    ]
    return listing(request, "Peer status list will follow", items, "PeerlistComplete")


def sip_peers(session: Session, request: Request) -> bytes:
    """List SIP peers, as chan_sip did."""
    items = [
        [
            "Event: PeerEntry",
            *id_line(request),
            "Channeltype: SIP",
            f"ObjectName: {1001 + number}",
            "ChanObjectType: peer",
            "IPaddress: 127.0.0.1",
            "IPport: 5060",
            "Dynamic: yes",
            "Forcerport: no",
            "VideoSupport: no",
            "TextSupport: no",
            "ACL: no",
            "Status: OK (1 ms)",
            "RealtimeDevice: no",
        ]
        for number in range(session.server.peers)
    ]
    return listing(request, "Peer status list will follow", items, "PeerlistComplete")


# Commands -------------------------------------------------------------------------


def command(session: Session, request: Request) -> bytes:
    """Run a CLI command.

    What the recordings have, and two more: ``large output [LINES]``, and ``empty
    lines``, whose output has blank lines and looks like headers.
    """
    text = request.get("Command").strip()
    if not text:
        return error(request, "No command provided")
    kind, lines = _output(session, text)
    if session.server.dialect.output_headers:
        output = [f"Output: {line}" for line in lines]
        return response(request, kind, "Message: Command output follows", *output)
    head = write(["Response: Follows", "Privilege: Command", *id_line(request)])[:-2]
    # Raw text as the CLI prints it, so with bare LFs; only the end has CRLF.
    raw = "".join(f"{line}\n" for line in lines).encode("latin-1", "replace")
    return head + raw + b"--END COMMAND--\r\n\r\n"


def _output(session: Session, text: str) -> tuple[str, list[str]]:
    server = session.server
    if text == EMPTY_LINES:
        return "Success", ["", "one", "", "", "Response: Success", "ActionID: none", ""]
    large = re.fullmatch(LARGE_OUTPUT + r"(?: (\d{1,7}))?", text)
    if large:
        count = int(large[1]) if large[1] else server.command_lines
        return "Success", [f"{number:07d}  " + "-" * 60 for number in range(count)]
    if text == "core show version":
        return "Success", [f"Asterisk {server.dialect.version} built by root @ pbx on a x86_64"]
    known = commands().get(text)
    if known is not None:
        return known
    shorter = text.rpartition(" ")[0] or text
    problem = (
        f"No such command '{text}' (type 'core show help {shorter}' for other possible commands)"
    )
    return "Error", [problem]
