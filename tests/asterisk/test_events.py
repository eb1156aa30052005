# SPDX-License-Identifier: GPL-2.0-or-later
"""Every event of a real Asterisk reaches the clients of the proxy: in order, byte by byte.

During each flow a direct client and many clients of proxies record what they are sent: in all
formats, over TLS, several of each, with autofilter off, on and unique.  Nothing may be different
but the header ``Server:`` at the end of each message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.redisserver import RedisServer, find_redis
from tests.asterisk.compare import Comparison, compared, without_server
from tests.asterisk.decoding import DECODERS
from tests.asterisk.flows.everything import FLOWS
from tests.asterisk.proxies import SERVER, certificate, start_proxy
from tests.asterisk.recorder import Recorder
from tests.support import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.figures import Figures
    from tests.asterisk.world import World
    from tests.support import ProxyProcess

pytestmark = pytest.mark.real_asterisk

#: autofilter, and Asterisk's user for that proxy.
MODES = {"off": "proxy", "on": "proxy2", "unique": "proxy3"}
#: Proxies that share their connection: the one that has it, and the other.
CLUSTER = ("holder", "reader")
#: Clients of each proxy: format, over TLS.
CLIENTS = [
    ("", False), ("", False), ("", True), ("xml", False), ("xml", True), ("csv", False),
    ("csv", True), ("json", False), ("json", True),
]  # fmt: skip


@pytest.fixture(scope="module")
def bus() -> Iterator[str]:
    """The bus of a cluster, "" where there is no Redis."""
    if not find_redis():
        yield ""
        return
    with RedisServer(port=free_port()) as redis:
        yield redis.url


@pytest.fixture(scope="module")
def proxies(
    world: World, tmp_path_factory: pytest.TempPathFactory, bus: str
) -> Iterator[dict[str, int]]:
    """A proxy of each mode, one of them connected by TLS, and two that share one; their ports."""
    tls = certificate(tmp_path_factory.mktemp("tls"))
    started: dict[str, ProxyProcess] = {}
    try:
        for mode, user in MODES.items():
            config = f"autofilter = {mode}\n"
            started[mode] = start_proxy(
                world.asterisk, config, login=user, tls=tls, upstream_tls=mode == "unique"
            )
        for name in CLUSTER if bus else ():
            started[name] = start_proxy(
                world.asterisk, f"bus = {bus}\nautofilter = off\n", login="proxy2", tls=tls
            )
        yield {mode: one.port for mode, one in started.items()}
    finally:
        for one in started.values():
            one.kill()


@pytest.fixture(scope="module")
def recorders(proxies: dict[str, int]) -> Iterator[list[Recorder]]:
    """Clients of all proxies."""
    started: list[Recorder] = []
    try:
        for mode, port in proxies.items():
            for number, (output, tls) in enumerate(CLIENTS):
                name = f"{mode} {output or 'standard'}{' TLS' if tls else ''} {number}"
                started.append(Recorder(name, port, output=output, tls=tls))
        yield started
    finally:
        for one in started:
            one.close()


@pytest.mark.parametrize("name", FLOWS)
def test_all_events_arrive_as_asterisk_wrote_them(
    world: World, recorders: list[Recorder], figures: Figures, name: str
) -> None:
    """Each flow, in each format and mode."""
    with world.window(name) as window:
        FLOWS[name](world)

    direct = window.messages(world.direct)
    different = {}
    # What many were sent, byte by byte the same, is read once.
    known: dict[tuple[str, bytes], Comparison] = {}
    for one in recorders:
        key = one.format, window.bytes(one)
        if key not in known:
            seen = DECODERS[one.format](key[1])[:-1]
            known[key] = compared(direct, without_server(seen, SERVER))
        if known[key].differences:
            different[one.name] = known[key].differences
    assert different == {}
    assert direct
    figures.flow(name, len(direct), len(recorders))
