# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows of the table: what is measured, with which files, on which subjects.

To add a row, yield one more :class:`benchmarks.row.Row` from :func:`rows`; to give it a
limit, add a line to ``targets.py``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import connecting, delivery, logins, requests
from benchmarks.delivery import Delivery
from benchmarks.ends import Opening
from benchmarks.filtered import filtered_rows
from benchmarks.row import Row
from benchmarks.snapshots import COMPLETE, beside_snapshots
from benchmarks.subjects import free_port
from benchmarks.watches import beside_watchers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.figures import Figures
    from benchmarks.row import Scale
    from benchmarks.subjects import Running

FORMATS = ("standard", "xml", "json", "csv")


def rows(scale: Scale, certificate: Path) -> Iterator[Row]:
    """Return every row, in the order of the table.

    *certificate* is a PEM file for the row about TLS.
    """
    yield from _fan_out(scale)
    yield from filtered_rows(scale)
    yield from _paced(scale)
    yield from _live(scale)
    yield from _kept(scale)
    yield from _round_trips(scale)
    yield from _http(scale)
    yield from _connections(scale, certificate)
    yield from _bad_clients(scale)
    yield from _logins(scale, certificate)


def _fan_out(scale: Scale) -> Iterator[Row]:
    for clients in (1, 10, 100, 1000):
        if clients > scale.most_clients:
            continue
        for form in FORMATS:
            for autofilter in ("off", "unique"):
                yield Row(
                    f"fanout-{clients}-{form}-{autofilter}",
                    partial(
                        delivery.as_fast_as_it_goes,
                        delivery=Delivery(clients, form),
                        seconds=scale.seconds,
                    ),
                    {"outputformat": form, "autofilter": autofilter},
                )


def _paced(scale: Scale) -> Iterator[Row]:
    for clients in (10, 100):
        for rate in (100, 2000):
            yield Row(
                f"paced-{clients}-{rate}",
                partial(
                    delivery.at_a_pace,
                    delivery=Delivery(clients),
                    rate=rate,
                    seconds=scale.paced_seconds(),
                ),
            )


def _live(scale: Scale) -> Iterator[Row]:
    """Yield the rows about WebSockets, beside as many clients of plain sockets."""
    handshake = (
        b"GET /ws?events=* HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    clients = min(1000, scale.most_clients)
    socket = Opening(handshake, b'"type":"subscribed"')
    for name, delivered, settings in (
        ("json", Delivery(clients, "json"), {"outputformat": "json"}),
        ("ws", Delivery(clients, "ws", opening=socket), {"inputformat": "http"}),
    ):
        measure = partial(
            delivery.at_a_pace, delivery=delivered, rate=500, seconds=scale.paced_seconds()
        )
        yield Row(f"{name}-{clients}", measure, settings, subjects=("proxy",))


def _kept(scale: Scale) -> Iterator[Row]:
    """Yield the rows about what the proxy keeps of events, each with one without."""
    ids = Delivery(
        100,
        request=b"ProxyAction: SetEventIDs\r\nEventIDs: on\r\n\r\n",
        answered=b"EventIDs: on\r\nProxyEventID: ",
    )
    for name, delivered, settings in (
        ("nothing", Delivery(100), {}),
        ("ring", Delivery(100), {"replay": "64MB"}),
        ("ids", ids, {}),
    ):
        measure = partial(delivery.as_fast_as_it_goes, delivery=delivered, seconds=scale.seconds)
        yield Row(f"kept-{name}", measure, settings, subjects=("proxy",))
    snapshot = Delivery(
        10, request=b"ProxyAction: Snapshot\r\nOf: queues\r\n\r\n", answered=COMPLETE
    )
    for name, delivered in (("off", Delivery(10)), ("on", snapshot)):
        measure = partial(
            delivery.at_a_pace, delivery=delivered, rate=2000, seconds=scale.paced_seconds()
        )
        yield Row(f"model-{name}", measure, {"state": name}, subjects=("proxy",))
    measure = partial(
        beside_snapshots, channels=scale.channels, rate=1000, seconds=scale.paced_seconds()
    )
    yield Row(f"snapshot-{scale.channels}", measure, {"state": "yes"}, subjects=("proxy",))
    for watchers in (1, 1000):
        if watchers <= scale.most_clients:
            yield _watch_row(watchers, scale)


def _watch_row(watchers: int, scale: Scale) -> Row:
    port = free_port()
    measure = partial(
        beside_watchers, port=port, watchers=watchers, rate=500, seconds=scale.paced_seconds()
    )
    listen = f"127.0.0.1, {port}, input=http"
    return Row(
        f"watch-{watchers}", measure, {"state": "yes", "listen": listen}, subjects=("proxy",)
    )


def _round_trips(scale: Scale) -> Iterator[Row]:
    for name, clients, depth in (("1", 1, 1), ("50", 50, 1), ("pipelined", 1, 50)):
        for autofilter in ("off", "unique"):
            yield Row(
                f"roundtrip-{name}-{'standard' if autofilter == 'off' else autofilter}",
                partial(
                    _round_trip,
                    clients=clients,
                    depth=depth,
                    seconds=scale.seconds,
                    unique=autofilter == "unique",
                ),
                {"autofilter": autofilter},
            )


def _round_trip(
    running: Running, clients: int, depth: int, seconds: float, *, unique: bool
) -> Figures:
    alone = clients == 1 or running.name == "direct" or (unique and running.name == "proxy")
    return requests.round_trips(running, clients, depth, seconds, alone=alone)


def _http(scale: Scale) -> Iterator[Row]:
    for kind in ("keepalive", "fresh"):
        for clients in (1, 50):
            yield Row(
                f"http-{kind}-{clients}",
                partial(
                    requests.http,
                    clients=clients,
                    seconds=scale.seconds,
                    keep_alive=kind == "keepalive",
                ),
                {"inputformat": "http", "autofilter": "unique"},
                subjects=("proxy",),
            )


def _connections(scale: Scale, certificate: Path) -> Iterator[Row]:
    yield Row("connect-plain", partial(connecting.connect, clients=scale.connections))
    yield Row(
        "connect-tls",
        partial(_connect_tls, clients=scale.connections, certificate=certificate),
        {
            "acceptencryptedconnection": "yes",
            "acceptunencryptedconnection": "no",
            "certfile": str(certificate),
            # A client end that handles the others first is slow with its ClientHello.
            "sslclienthellotimeout": "20000",
        },
        subjects=("proxy",),
    )
    yield Row("hold", partial(delivery.hold, clients=scale.held), subjects=("relay", "proxy"))


def _connect_tls(running: Running, clients: int, certificate: Path) -> Figures:
    rate = connecting.openssl_rate(certificate, 2)
    figures = connecting.connect(running, clients, tls=True)
    return {**figures, "openssl_rate": rate, "times_openssl": rate / figures["rate"]}


def _bad_clients(scale: Scale) -> Iterator[Row]:
    for name, bytes_per_second in (("stuck", 0), ("slow", 10_000)):
        yield Row(
            f"{name}-20",
            partial(
                delivery.beside_a_bad_client,
                delivery=Delivery(20),
                rate=1000,
                seconds=scale.paced_seconds() * 1.5,
                bytes_per_second=bytes_per_second,
            ),
            subjects=("relay", "proxy"),
        )


def _logins(scale: Scale, certificate: Path) -> Iterator[Row]:
    """Yield the rows about a mass log-in: evenly, all at once, and all at once with TLS."""
    encrypted = {
        "acceptencryptedconnection": "yes",
        "certfile": str(certificate),
        "sslclienthellotimeout": "20000",  # as for connect-tls
    }
    for name, within, settings in (
        ("", scale.connections / 100, {}),
        ("-at-once", 0.0, {}),
        ("-tls", 0.0, encrypted),
    ):
        yield Row(
            f"login-storm{name}",
            partial(
                logins.beside_logins,
                agents=scale.connections,
                within=within,
                rate=2000,
                seconds=scale.paced_seconds(),
                tls=bool(settings),
            ),
            {"authrequired": "yes", "autofilter": "unique", **settings},
            logins.users_file(scale.connections),
            subjects=("proxy",),
        )
