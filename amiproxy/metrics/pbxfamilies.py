# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics of what the Asterisks have: calls, phones, queues.  Only with ``state = yes``.

Gauges are absent while a server is not connected, or its lists are missing; counters stay.
"""

from __future__ import annotations

from amiproxy.metrics.family import Family, counter, gauge, histogram
from amiproxy.metrics.histogram import TALKS, WAITS

CALLS = gauge(
    "pbx_calls",
    "Calls, by state: parked, waiting, conference, hold, talking, ringing, dialling, application.",
    "server",
    "state",
)
CHANNELS = gauge("pbx_channels", "Channels, by technology.", "server", "technology")
DEVICES = gauge("pbx_devices", "Devices, by state, in Asterisk's words.", "server", "state")
CONTACTS = gauge(
    "pbx_contacts", "Contacts of PJSIP, and peers of others, by status.", "server", "status"
)
REGISTRATIONS = gauge(
    "pbx_registrations", "Registrations elsewhere, by status.", "server", "status"
)
CALLS_STARTED = counter(
    "pbx_calls_started_total", "Calls that have begun while it was connected.", "server"
)
HANGUPS = counter(
    "pbx_hangups_total",
    "Calls that have ended, by cause: normal, busy, noanswer, rejected, unallocated, congestion, "
    "failure, other.",
    "server",
    "cause",
)

QUEUE_CALLERS = gauge("queue_callers", "Who waits.", "server", "queue")
QUEUE_LONGEST = gauge(
    "queue_longest_wait_seconds", "For how long the first of them waits; 0: nobody.",
    "server", "queue",
)  # fmt: skip
QUEUE_MEMBERS = gauge("queue_members", "Members, by state.", "server", "queue", "state")
QUEUE_LEVEL = gauge(
    "queue_level_seconds", "Within how long callers are to be answered; absent: it is not set.",
    "server", "queue",
)  # fmt: skip
QUEUE_OFFERED = counter("queue_offered_total", "Callers who have come.", "server", "queue")
QUEUE_CALLS = counter(
    "queue_calls_total",
    "Callers who have left: answered, hung_up, hung_up_short (within abandonshort), timeout "
    "(also: no members), other (by key).",
    "server",
    "queue",
    "outcome",
)
QUEUE_IN_LEVEL = counter(
    "queue_answered_in_level_total", "Callers answered in time.", "server", "queue"
)
QUEUE_WAIT = histogram(
    "queue_wait_seconds", "How long callers had waited who have left.", WAITS,
    "server", "queue", "outcome",
)  # fmt: skip
QUEUE_TALK = histogram(
    "queue_talk_seconds", "How long members have talked with them.", TALKS, "server", "queue"
)
TRUNCATED = gauge(
    "metrics_truncated",
    "1: there are more queues than metricsqueues, the rest are told together, as other.",
)

#: All of them, in this order.
ALL: tuple[Family, ...] = tuple(
    each for each in globals().copy().values() if isinstance(each, Family)
)
