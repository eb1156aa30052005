# SPDX-License-Identifier: GPL-2.0-or-later
"""The events that the benchmarks send: prebuilt, like recorded ones, each with a mark.

A batch is a list of events that is sent again and again.  Every event has a header
``BenchId: BATCH-TIME-INDEX``: the number of its batch, the time of sending
(microseconds of CLOCK_MONOTONIC) and its place in the batch.  BATCH and TIME are
the same in the whole batch, so one ``bytes.replace`` makes a batch ready to send.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Placeholder of BATCH-TIME.
BLANK = b"@" * 25
END = b"\r\n\r\n"

_CHANNEL = """Event: {name}
Privilege: {privilege},all
Channel: PJSIP/{exten}-{call:08x}
ChannelState: 6
ChannelStateDesc: Up
CallerIDNum: {exten}
CallerIDName: Load {call}
ConnectedLineNum: {other}
ConnectedLineName: Load {call}
Language: en
AccountCode:
Context: load
Exten: {other}
Priority: {priority}
Uniqueid: 1795412387.{call}
Linkedid: 1795412387.{link}
"""
_DEVICE = """Event: DeviceStateChange
Privilege: call,all
Device: PJSIP/{exten}
State: INUSE
"""
#: Events that come at once if there are many: about 244 KB.
PIECE = 654

#: The events of a short call: (event, class, the lines after the channel's).
_STEPS = (
    ("Newchannel", "call", ""),
    ("VarSet", "dialplan", "Variable: DIALEDPEERNUMBER\nValue: PJSIP/{other}\n"),
    ("Newexten", "dialplan", "Extension: {other}\nApplication: Dial\nAppData: PJSIP/{other},20\n"),
    ("Newstate", "call", ""),
    ("VarSet", "dialplan", "Variable: ANSWEREDTIME_MS\nValue: 20125\n"),
    ("Hangup", "call", "Cause: 16\nCause-txt: Normal Clearing\n"),
)
#: The number of the first channel that stays.
_STAYING = 1_000_000
#: The number of the first caller who rings several phones.
_CALLERS = 500_000
#: One event in this many is about a device, without channel and unique id.
_DEVICE_EVERY = 12


class Event(NamedTuple):
    """One event, and the values that the filters of the benchmarks look at."""

    name: str
    privilege: str
    #: Digits of its channel (``PJSIP/1007-...`` -> ``1007``), empty without one.
    exten: str
    #: Digits of the device that it is about, as of a channel.
    device: str
    raw: bytes


def call_events(calls: int, together: int = 1) -> list[Event]:
    """Return the events of *calls* calls at once, step by step, as a batch.

    So many phones *together* belong to the call of one caller, whose channel has no events.
    """
    events: list[Event] = []
    for step, (name, privilege, more) in enumerate(_STEPS):
        for call in range(calls):
            exten = 1000 + call
            text = (_CHANNEL + more).format(
                name=name,
                privilege=privilege,
                call=call,
                link=call if together == 1 else _CALLERS + call // together,
                exten=exten,
                other=exten + 1000,
                priority=step + 1,
            )
            events.append(_event(text, len(events), name, privilege, exten=str(exten)))
            if len(events) % _DEVICE_EVERY == 0:
                text = _DEVICE.format(exten=exten)
                state = _event(text, len(events), "DeviceStateChange", "call", device=str(exten))
                events.append(state)
    return events


def centre_events(calls: int, together: int) -> list[Event]:
    """Return the same, for few calls again and again, so that they fill a piece of PIECE events."""
    events = call_events(calls, together)
    return events * max(1, PIECE // len(events))


def _event(
    text: str, index: int, name: str, privilege: str, *, exten: str = "", device: str = ""
) -> Event:
    # Asterisk sends a blank after the colon of an empty value too.
    lines = text.replace("AccountCode:\n", "AccountCode: \n").replace("\n", "\r\n")
    raw = lines.encode() + b"BenchId: " + BLANK + b"-%04d" % index + END
    return Event(name, privilege, exten, device, raw)


def channel_events(first: int, count: int, phones: Sequence[int]) -> list[Event]:
    """Return *count* Newchannel events of channels that nothing else is said of.

    They have the numbers from *first* on, and are of *phones* in turn.
    """
    name, privilege, more = _STEPS[0]
    events = []
    for call in range(first, first + count):
        exten = phones[call % len(phones)]
        text = (_CHANNEL + more).format(
            name=name,
            privilege=privilege,
            call=call,
            link=call,
            exten=exten,
            other=exten,
            priority=1,
        )
        events.append(_event(text, 0, name, privilege, exten=str(exten)))
    return events


def ringing_events(phones: int, each: int) -> list[Event]:
    """Return the events of *each* channels of so many *phones*, behind those of strangers.

    Of these there are twice as many: what is kept of each channel is kept of them, and goes for
    the others.
    """
    count = phones * each
    return [
        *channel_events(2 * _STAYING, 2 * count, range(5000, 5000 + phones)),
        *channel_events(4 * _STAYING, count, range(1000, 1000 + phones)),
    ]


def single_events(events: list[Event]) -> list[bytes]:
    """Return each of *events* as a batch of its own, for sending at a fixed rate."""
    singles = []
    for event in events:
        head, blank, tail = event.raw.partition(BLANK)
        singles.append(head + blank + b"-0000" + tail[len(b"-0000") :])
    return singles


def stamped(template: bytes, batch: int) -> bytes:
    """Return *template* as batch number *batch*, sent now."""
    return template.replace(BLANK, b"%08d-%016d" % (batch, time.monotonic_ns() // 1000))
