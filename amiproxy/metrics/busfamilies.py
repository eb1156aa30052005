# SPDX-License-Identifier: GPL-2.0-or-later
"""The metrics of the bus and the cluster; all are absent where there is no ``bus``."""

from __future__ import annotations

from amiproxy.metrics.family import Family, counter, gauge

UP = gauge("bus_up", "1: the bus answers, 0: it is lost; absent without bus, as all bus_ are.")
CUT_OFF = gauge(
    "bus_cut_off", "1: it is lost, and the proxy serves no Asterisk for that (busoptional)."
)
MEMBERS = gauge("bus_members", "Live proxies of the cluster, this one among them.")
CLIENTS = gauge("bus_clients", "Clients of all of them.")
HOLDS = gauge(
    "bus_holds", "1: this proxy is connected to it for all, 0: another is, or nobody.", "server"
)
HELD = gauge(
    "bus_held", "1: one of the proxies is connected to it for all, 0: nobody is.", "server"
)
LAG = gauge(
    "bus_lag_seconds",
    "How long what this proxy read last took to come; absent where it holds the server.",
    "server",
)
QUEUE = gauge("bus_queue_bytes", "Bytes that wait to be sent to the bus.")
SENT = counter("bus_entries_sent_total", "Entries that were sent to the bus.")
DROPPED = counter("bus_entries_dropped_total", "Entries of others that could not be read.")
OVERRUNS = counter(
    "bus_overruns_total", "How often so much waited for the bus that it was dropped."
)

#: All of them, in this order.
ALL: tuple[Family, ...] = tuple(
    each for each in globals().copy().values() if isinstance(each, Family)
)
