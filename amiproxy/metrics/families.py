# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics of the proxy itself, one family each, in the order in which they are told.

Those of what the Asterisks have (``pbx_``, ``queue_``) are beside them.  ``server`` is the name of
a server in the configuration.  docs/live.md has a table made of these: ``make docs``.
"""

from __future__ import annotations

from amiproxy.metrics.family import COUNTER, GAUGE, Family, counter, gauge, histogram
from amiproxy.metrics.histogram import ANSWERS, MOMENTS

# -- the program ---------------------------------------------------------------------------

BUILD_INFO = gauge("build_info", "1; the labels are the releases that run.", "version", "python")
RELOAD_SUCCESS = gauge(
    "config_last_reload_success", "1: all files were read at the last reload, 0: some were not."
)
RELOAD_TIME = gauge(
    "config_last_reload_timestamp_seconds", "When the files were read last; at first, the start."
)
CERTIFICATE_EXPIRY = gauge(
    "certificate_expiry_timestamp_seconds",
    "When the first of the certificates in certfile ends; absent without one.",
)
THREADS = gauge("threads", "Threads of the process.")

# -- servers -------------------------------------------------------------------------------

SERVER_UP = gauge("server_up", "1: logged in and booted, 0: not.", "server")
SERVER_GIVEN_UP = gauge(
    "server_given_up", "1: it is tried no more until a reload: refused, or maxretries.", "server"
)
SERVER_LAST_MESSAGE = gauge(
    "server_last_message_timestamp_seconds",
    "When anything came from it last; absent: it never did.",
    "server",
)
SERVER_CLOCK = gauge(
    "server_clock_offset_seconds",
    "How far the proxy's clock is ahead of its own; absent: not known.",
    "server",
)
SERVER_CONNECTS = counter(
    "server_connects_total", "How often it was logged in and booted.", "server"
)
SERVER_LOSSES = counter(
    "server_losses_total",
    "How often a connection was lost that had been up, by why.",
    "server",
    "reason",
)
SERVER_EVENTS = counter(
    "server_events_total",
    "Events that came, by the first class in Privilege; before the first scrape all are other.",
    "server",
    "class",
)
SERVER_BYTES = counter(
    "server_bytes_total", "Bytes on its connections: received, sent.", "server", "direction"
)
PARSE_ERRORS = counter(
    "parse_errors_total",
    "Text that came, was no message, and had been asked for by nobody.",
    "server",
)
SERVER_PING = histogram(
    "server_ping_seconds",
    "How long it took to answer a Ping; each scrape sends one.",
    MOMENTS,
    "server",
)
DELIVERY_DELAY = histogram(
    "delivery_delay_seconds",
    "From reading events until all clients' sockets had them, since the first scrape.",
    MOMENTS,
    "server",
)
ACTIONS = counter(
    "actions_total",
    "Clients' actions that ended: ok, error, timeout, lost; refused: server is empty.",
    "server",
    "action",
    "result",
)
ACTION_DURATION = histogram(
    "action_duration_seconds",
    "From sending an action until the whole answer was sent on: single, list, originate.",
    ANSWERS,
    "server",
    "kind",
)
ACTIONS_UNDER_WAY = gauge(
    "actions_under_way", "Actions that are sent, or wait for their turn.", "server"
)
GAPS = counter(
    "gaps_total",
    "How often a client was told of events that it is not sent: ring, server_lost, slow,"
    " restart, bus.",
    "server",
    "reason",
)
RING_BYTES = gauge("ring_bytes", "What the events take that are kept for clients.", "server")
RING_OLDEST = gauge(
    "ring_oldest_timestamp_seconds",
    "When the oldest of these came; absent: there is none.",
    "server",
)

# -- the state model, where there is one ---------------------------------------------------

STATE_LIVE = gauge(
    "state_live", "1: the rows are what Asterisk says; absent: nobody has asked.", "server"
)
STATE_ENTRIES = gauge("state_entries", "Rows of the model, by kind.", "server", "kind")
STATE_CORRECTIONS = counter(
    "state_corrections_total", "Rows that a list of Asterisk has put right.", "server", "kind"
)
STATE_RESYNCS = counter(
    "state_resyncs_total", "How often all lists were asked anew: events were missed.", "server"
)

# -- clients -------------------------------------------------------------------------------

CLIENTS = gauge(
    "clients",
    "Connections, by where they came in, the format they read (http: requests), and who it is: "
    "none, operator, restricted, unrestricted.",
    "listener",
    "format",
    "user_class",
)
BACKLOG = gauge("client_backlog_bytes", "Bytes that clients have not taken yet.")
BACKLOG_MAX = gauge("client_backlog_max_bytes", "The most that one client has not taken yet.")
CONNECTIONS = counter("client_connections_total", "Clients that were let in.", "listener")
REFUSED = counter("client_refusals_total", "Clients that were not let in.", "listener")
DROPS = counter(
    "client_drops_total",
    "Clients that were dropped: slow, filters, format, protocol, kicked, unwanted.",
    "reason",
)
CLIENT_MESSAGES = counter("client_messages_total", "Events that clients were sent.", "format")
CLIENT_BYTES = counter(
    "client_bytes_total",
    "Bytes that clients sent (received) and were sent (sent); of http, of those who left.",
    "format",
    "direction",
)
LOGINS = counter(
    "logins_total",
    "Log-ins: ok, failed, address (not permitted), too_often (maxperuser), not_tried.",
    "result",
)
REQUESTS = counter(
    "http_requests_total",
    "Requests of HTTP; the route actions is the old paths, none: it was no request.",
    "route",
    "code",
)
FILTER_SECONDS = counter(
    "filter_seconds_total", "Processor time that filters took which clients have added."
)


def _standard(kind: str, name: str, text: str) -> Family:
    """Return a family that every process has, under the name that it has everywhere."""
    return Family(kind, name, text, prefix="")


CPU = _standard(COUNTER, "process_cpu_seconds_total", "Processor time, user and system.")
MEMORY = _standard(GAUGE, "process_resident_memory_bytes", "Memory that is in use.")
OPEN_FDS = _standard(GAUGE, "process_open_fds", "Open descriptors.")
MAX_FDS = _standard(GAUGE, "process_max_fds", "How many may be open.")
START = _standard(GAUGE, "process_start_time_seconds", "When the proxy began.")

#: All of them, in this order.
ALL: tuple[Family, ...] = tuple(
    each for each in globals().copy().values() if isinstance(each, Family)
)
