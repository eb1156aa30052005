# SPDX-License-Identifier: GPL-2.0-or-later
"""A small cluster for tests: a Redis, servers that a test plays itself, and proxies."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Callable

from tests.bus.redisserver import StartRedis, remember, starter
from tests.support import ProxyProcess, wait_until
from tests.system.peers import BareServer, host_line
from tests.system.people import closed

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

    from benchmarks.redisserver import RedisServer

USERS = (
    "board=secret\nother=secret\n"
    "[phone]\nsecret = secret\nread = all\nwrite = all\nchannel = SIP/100\n"
)
MORE = (
    "serverevents = yes\nkeepalive = 0\nreplay = 4MB\nbusfailover = 2\nactiontimeout = 2\n"
    "controlsocket = {dir}/control.sock\nretryinterval = 0.1\nretrylongest = 0.2\n"
)


class Cluster:
    """Proxies that share *servers* through *redis*."""

    def __init__(self, redis: RedisServer, servers: Sequence[BareServer], more: str = "") -> None:
        self.redis, self.servers = redis, servers
        hosts = "".join(
            host_line(server, options=f"name=pbx{number}")
            for number, server in enumerate(servers, 1)
        )
        self.config = closed(more=f"{MORE}bus = {redis.url}\n{more}") + hosts
        self.proxies: list[ProxyProcess] = []

    def start(self, more: str = "") -> ProxyProcess:
        """Return one proxy more."""
        proxy = ProxyProcess(self.config + more, USERS)
        self.proxies.append(proxy)
        return proxy

    def stop(self, proxy: ProxyProcess) -> None:
        """Stop *proxy*."""
        self.proxies.remove(proxy)
        proxy.stop()

    def holder(self, number: int = 1) -> ProxyProcess | None:
        """Return the proxy that is connected to a server, by what the logs say last."""
        held = f"asterisk@pbx{number}: connected ("
        lost = f"asterisk@pbx{number}: connected by another proxy"
        for proxy in self.proxies:
            log = proxy.log()
            if log.rfind(held) > log.rfind(lost):
                return proxy
        return None

    def wait_shared(self, number: int = 1) -> tuple[ProxyProcess, list[ProxyProcess]]:
        """Wait until all proxies have a server; return its holder, and the others."""
        known = f"asterisk@pbx{number}: connected"

        def done() -> bool:
            return self.holder(number) is not None and all(known in p.log() for p in self.proxies)

        wait_until(done, what="a server that is shared")
        holder = self.holder(number)
        assert holder is not None
        return holder, [proxy for proxy in self.proxies if proxy is not holder]

    def link(self, number: int = 1) -> socket.socket:
        """Return the last connection to a server."""
        links = self.servers[number - 1].links
        return links[-1]


@contextlib.contextmanager
def cluster(
    proxies: int = 2,
    servers: int = 1,
    *,
    more: str = "",
    script: Callable[[socket.socket], object] | None = None,
) -> Iterator[Cluster]:
    """Give a cluster that is up; skip the test where there is no Redis."""
    with contextlib.ExitStack() as stack:
        start: StartRedis = stack.enter_context(starter())
        redis = start()
        remember(redis)
        those = [stack.enter_context(BareServer(script=script)) for _ in range(servers)]
        made = Cluster(redis, those, more)
        stack.callback(lambda: [proxy.stop() for proxy in made.proxies])
        for _ in range(proxies):
            made.start()
        for number in range(1, servers + 1):
            made.wait_shared(number)
        yield made
