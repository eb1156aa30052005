# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that list channels and bridges, and the output of commands."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from simulator.events import write
from simulator.replies import STATUS_BUFFER, cut_ids, error, id_line, listing, response
from simulator.scripts import commands

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.channels import Channel
    from simulator.pbx import Pbx
    from simulator.protocol import Action

LARGE_OUTPUT = "large output"
EMPTY_LINES = "empty lines"


# Channels --------------------------------------------------------------------------


def core_show_channels(pbx: Pbx, action: Action) -> bytes:
    """List the live channels."""
    items = [
        [
            "Event: CoreShowChannel",
            *id_line(action),
            f"Channel: {channel.name}",
            *_snapshot(channel.headers),
            f"Application: {channel.application}",
            f"ApplicationData: {channel.data}",
            f"Duration: {_duration(channel.since)}",
            f"BridgeId: {channel.bridge}",
            *_peer(channel),
        ]
        for channel in pbx.exchange.channels
    ]
    return listing(action, "Channels will follow", items, "CoreShowChannelsComplete")


def status(pbx: Pbx, action: Action) -> bytes:
    """List the live channels, or the one asked for, in detail."""
    wanted = action.get("Channel")
    channels = pbx.exchange.channels
    if wanted:
        channels = [channel for channel in channels if channel.name == wanted]
        if not channels:
            return error(action, "No such channel")
    items = [_status_item(channel, action) for channel in channels]
    return listing(
        action,
        "Channel status will follow",
        items,
        "StatusComplete",
        f"Items: {len(items)}",
    )


def _status_item(channel: Channel, action: Action) -> list[str]:
    return [
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
        *_peer(channel),
        *id_line(action),
    ]


def _peer(channel: Channel) -> list[str]:
    """Return who *channel* talks to, as Asterisk before 12 tells."""
    peer = channel.peer
    return [f"BridgedChannel: {peer.name}", f"BridgedUniqueid: {peer.uniqueid}"] if peer else []


def bridge_list(pbx: Pbx, action: Action) -> bytes:
    """List the bridges."""
    items = _as_events("BridgeListItem", action, pbx.exchange.present.bridges())
    return listing(action, "Bridge listing will follow", items, "BridgeListComplete")


def bridge_info(pbx: Pbx, action: Action) -> bytes | None:
    """List the channels of a bridge; None if there is no such bridge now."""
    wanted = action.get("BridgeUniqueid")
    bridge = pbx.exchange.present.bridge(wanted)
    if bridge is None:
        return None
    items = [
        [
            "Event: BridgeInfoChannel",
            *id_line(action),
            f"Channel: {channel.name}",
            *_snapshot(channel.headers),
        ]
        for channel in pbx.exchange.channels
        if channel.bridge == wanted
    ]
    text = "Bridge channel listing will follow"
    return listing(action, text, items, "BridgeInfoComplete", *_snapshot(bridge))


def device_states(pbx: Pbx, action: Action) -> bytes:
    """List the states of all devices."""
    items = _as_events("DeviceStateChange", action, pbx.exchange.present.devices())
    text = "Device State Changes will follow"
    return listing(action, text, items, "DeviceStateListComplete")


def extension_states(pbx: Pbx, action: Action) -> bytes:
    """List the states of all extensions that have a hint."""
    items = _as_events("ExtensionStatus", action, pbx.exchange.present.hints())
    text = "Extension Statuses will follow"
    return listing(action, text, items, "ExtensionStateListComplete")


def iax_netstats(pbx: Pbx, _action: Action) -> bytes:
    """Answer as chan_iax2.c does: raw text, which is not a message."""
    lines = [
        f"{channel.name} 1000 -1 0 -1 -1 0 -1 0 0 0 0 0 0 0 0 Tx:NEW     Tx:ACK    \n"
        for channel in pbx.exchange.channels
        if channel.name.startswith("IAX2/")
    ]
    return "".join(lines).encode("latin-1", "replace") + b"\r\n"


def core_status(pbx: Pbx, action: Action) -> bytes:
    """Return when Asterisk started and how many calls there are."""
    started = time.localtime(pbx.started)
    date, clock = time.strftime("%Y-%m-%d", started), time.strftime("%H:%M:%S", started)
    answer = response(
        action,
        "Success",
        f"CoreStartupDate: {date}",
        f"CoreStartupTime: {clock}",
        f"CoreReloadDate: {date}",
        f"CoreReloadTime: {clock}",
        f"CoreCurrentCalls: {len({channel.call for channel in pbx.exchange.channels})}",
        f"CoreProcessedCalls: {pbx.exchange.begun}",
    )
    return cut_ids(answer, action, STATUS_BUFFER)


def _as_events(event: str, action: Action, found: Iterable[dict[str, str]]) -> list[list[str]]:
    """Return each of *found* as an item of a list, called *event*."""
    return [[f"Event: {event}", *id_line(action), *_snapshot(each)] for each in found]


def _snapshot(headers: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


def _duration(since: float) -> str:
    seconds = int(time.time() - since)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


# Commands -------------------------------------------------------------------------


def command(pbx: Pbx, action: Action) -> bytes:
    """Run a CLI command.

    It knows the commands of the recordings, ``large output [LINES]``, and ``empty
    lines``, whose output has blank lines and looks like headers.
    """
    text = action.get("Command").strip()
    if not text:
        return error(action, "No command provided")
    kind, lines = _output(pbx, text)
    if pbx.dialect.output_headers:
        output = [f"Output: {line}" for line in lines]
        return response(action, kind, "Message: Command output follows", *output)
    head = write(["Response: Follows", "Privilege: Command", *id_line(action)])[:-2]
    # Raw text as the CLI prints it, with bare LFs; only the end has a CRLF.
    raw = "".join(f"{line}\n" for line in lines).encode("latin-1", "replace")
    return head + raw + b"--END COMMAND--\r\n\r\n"


def _output(pbx: Pbx, text: str) -> tuple[str, list[str]]:
    if text == EMPTY_LINES:
        return "Success", ["", "one", "", "", "Response: Success", "ActionID: none", ""]
    large = re.fullmatch(LARGE_OUTPUT + r"(?: (\d{1,7}))?", text)
    if large:
        count = int(large[1]) if large[1] else pbx.behaviour.command_lines
        return "Success", [f"{number:07d}  " + "-" * 60 for number in range(count)]
    if text == "core show version":
        return "Success", [f"Asterisk {pbx.dialect.version} built by root @ pbx on a x86_64"]
    known = commands().get(text)
    if known is not None:
        return known
    shorter = text.rpartition(" ")[0] or text
    problem = (
        f"No such command '{text}' (type 'core show help {shorter}' for other possible commands)"
    )
    return "Error", [problem]


def voicemail_users(pbx: Pbx, action: Action) -> bytes | None:
    """List two mailboxes, as app_voicemail does, of which the first has a new message.

    The Asterisk that was recorded without phones has no such module.
    """
    if pbx.behaviour.speak == "22" and not pbx.exchange.technology.phones:
        return None
    items = [
        [
            "Event: VoicemailUserEntry",
            *id_line(action),
            "VMContext: default",
            f"VoicemailBox: {box}",
            f"Fullname: Phone {box}",
            f"NewMessageCount: {new}",
        ]
        for box, new in ((101, 1), (102, 0))
    ]
    text = "Voicemail user list will follow"
    return listing(action, text, items, "VoicemailUserEntryComplete")
