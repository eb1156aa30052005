# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows for the stage: a small company in the afternoon, and a large one under load."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.console.stage import Rows

NAMES = ("Anna Berg", "Bert Haas", "Caro Lind", "Dora Maas", "Emil Roth", "Fay Stern", "Gus Thal")
STATES = ("talking", "talking", "talking", "ringing", "waiting", "hold", "application", "dialling")
DEVICE_STATES = ("NOT_INUSE", "NOT_INUSE", "NOT_INUSE", "INUSE", "UNAVAILABLE", "RINGING")


def server(name: str, **more: Any) -> dict[str, Any]:
    """Return the row of a server."""
    now = time.time()
    return {
        "server": name, "name": name, "state": "live", "since": now - 86400, "reason": None,
        "version": "22.10.1", "system_name": name, "last_heard": now, "next_try": None,
        "ping_seconds": 0.004, "clock_offset": 0.01, "events": 81223, "events_per_second": 96.0,
        "building": None, "unknown": {}, **more,
    }  # fmt: skip


def call(number: int, state: str = "talking", **more: Any) -> dict[str, Any]:
    """Return the row of a call."""
    now = time.time()
    chooser = random.Random(number)
    began = now - chooser.random() * 500
    return {
        "server": "pbx1", "state": state, "since": began + 3, "started": began,
        "answered": began + 3 if state in ("talking", "hold") else None,
        "from_number": f"+49 30 {5550000 + number}", "from_name": None,
        "from_device": "PJSIP/provider",
        "to_number": None if state == "waiting" else str(101 + number % 40),
        "to_name": None if state == "waiting" else NAMES[number % len(NAMES)],
        "to_device": f"PJSIP/{101 + number % 40}", "dialled": "2000",
        "ringing": 1 if state == "ringing" else 0,
        "queue": ("support", "sales", None)[number % 3],
        "application": "Queue" if state == "waiting" else "IVR" if state == "application" else None,
        "bridge": f"{number:08x}-b" if state == "talking" else None,
        "legs": [f"{number}.1", f"{number}.2"], "channels": [f"{number}.1", f"{number}.2"],
        "cause": None, "merged_into": None, **more,
    }  # fmt: skip


def queue(name: str, waiting: int = 0, longest: float | None = None, **more: Any) -> dict[str, Any]:
    """Return the row of a queue."""
    states = ("in_call", "ringing", "free", "paused", "wrap_up", "offline", "unknown")
    counted = {f"members_{each}": 0 for each in (*states, "ringing_elsewhere", "busy_elsewhere")}
    numbers: dict[str, Any] = {}
    for window, times in (("hour", 1), ("day", 6)):
        numbers.update({
            f"{window}_offered": 42 * times, f"{window}_answered": 36 * times,
            f"{window}_in_level": 33 * times, f"{window}_hung_up": 4 * times,
            f"{window}_hung_up_short": 1, f"{window}_timed_out": times, f"{window}_other": 0,
            f"{window}_since": time.time() - 3600 * times, f"{window}_complete": True,
            f"{window}_level_percent": 80.5,
        })  # fmt: skip
    return {
        "server": "pbx1", "queue": name, "strategy": "rrmemory", "max": 0, "weight": 0,
        "level_seconds": 20, "waiting": waiting,
        "longest_since": None if longest is None else time.time() - longest,
        "members": 5, **counted, **numbers, **more,
    }  # fmt: skip


def member(queue_: str, number: int, state: str, age: float, **more: Any) -> dict[str, Any]:
    """Return the row of a member of *queue_*."""
    since = time.time() - age
    return {
        "server": "pbx1", "queue": queue_, "interface": f"PJSIP/{100 + number}",
        "name": NAMES[number % len(NAMES)], "state": state, "since": since,
        "state_interface": f"PJSIP/{100 + number}", "device": f"PJSIP/{100 + number}",
        "paused": state == "paused", "pause_reason": None, "paused_since": None,
        "wrap_up_seconds": 30, "in_call_with": None, "ringing_for": None, "channel": None,
        "caller_number": None, "caller_name": None, **more,
    }  # fmt: skip


def afternoon() -> Rows:
    """Return what a supervisor sees on a usual day, and one server lost."""
    now = time.time()
    waiting = [161, 74, 33, 8]
    rows: Rows = {
        "servers": {
            "pbx1": server("pbx1"),
            "pbx2": server("pbx2", state="lost", since=now - 134, reason="keepalive", next_try=now + 9),
        },
        "totals": {
            "pbx1": {
                "server": "pbx1", "calls": 14, "devices": 5000, "devices_not_inuse": 4120,
                "devices_inuse": 310, "devices_ringing": 12, "devices_unavailable": 558,
            }
        },
        "queues": {
            "pbx1/support": queue("support", 4, 161, members_free=0, members_in_call=5, members_paused=2, hour_level_percent=71.2),
            "pbx1/sales": queue("sales", 1, 8, members_free=3, members_in_call=2, members_ringing=1),
            "pbx1/billing": queue("billing", 2, 78, members_free=1, members_in_call=3, hour_complete=False),
            "pbx1/night": queue("night", members=0, hour_level_percent=None, day_level_percent=None),
            "pbx2/berlin": queue("berlin", 1, 55, server="pbx2", stale=True),
        },
        "members": {
            f"pbx1/support/PJSIP/{101 + index}": member("support", 1 + index, *facts)
            for index, facts in enumerate([("in_call", 252), ("ringing", 7), ("paused", 1100), ("free", 130), ("in_call", 31), ("offline", 9000)])
        },
        "callers": {
            f"pbx1/support/{index}.1": {
                "server": "pbx1", "queue": "support", "uniqueid": f"{index}.1", "position": index + 1,
                "since": now - age, "caller_number": f"+49 30 55500{index:02}", "caller_name": None,
            }
            for index, age in enumerate(waiting)
        },
        "calls": {f"pbx1/{number}.1": call(number, STATES[number % len(STATES)]) for number in range(14)},
        "devices": devices(400),
    }  # fmt: skip
    _talk(rows, now)
    return rows


def _talk(rows: Rows, now: float) -> None:
    """Say who of the members talks with whom; and what the lost server had."""
    tiles = list(rows["members"].values())
    tiles[0].update(caller_number="+49 30 5550123", in_call_with="7.1")
    tiles[1].update(caller_number="+49 171 5550199", ringing_for="8.1")
    tiles[2].update(pause_reason="lunch", paused_since=now - 1100)
    tiles[4].update(caller_number="+49 30 5550177", caller_name="Möbel Kraft", in_call_with="9.1")
    rows["calls"]["pbx2/1.1"] = call(1, "talking", server="pbx2", stale=True)


def devices(count: int) -> dict[str, dict[str, Any]]:
    """Return rows of *count* devices."""
    return {
        f"pbx1/PJSIP/{number}": {
            "server": "pbx1", "device": f"PJSIP/{number}", "since": time.time() - number % 977,
            "state": DEVICE_STATES[number % len(DEVICE_STATES)], "extensions": [str(number)],
            "presence": None, "presence_message": None, "contacts": None,
        }
        for number in range(1000, 1000 + count)
    }  # fmt: skip


def crowd(calls: int = 1000, phones: int = 5000) -> Rows:
    """Return a large company."""
    rows = afternoon()
    rows["calls"] = {
        f"pbx1/{number}.1": call(number, STATES[number % len(STATES)]) for number in range(calls)
    }
    rows["devices"] = devices(phones)
    return rows
