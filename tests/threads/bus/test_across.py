# SPDX-License-Identifier: GPL-2.0-or-later
"""Two proxies without servers: commands and limits reach from one to the other."""

from __future__ import annotations

import contextlib
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from amiproxy.access.lockout import FREE
from amiproxy.access.user import Users
from amiproxy.basics.deadline import Deadline
from amiproxy.settings.config import Config
from amiproxy.threads.bus.across import Across
from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.status.observer import Observer
from tests.support import wait_until
from tests.threads.sessions.support import FORMATS, collector

if TYPE_CHECKING:
    from benchmarks.redisserver import RedisServer


class One:
    """One proxy; use it as a context manager."""

    def __init__(self, redis: RedisServer, slot: int) -> None:
        config = Config(bus=redis.url, bus_name="amp", max_clients=2)
        nobody: Any = None
        router = Router(SessionRegistry())
        self.context = ProxyContext(config, Users(), FORMATS, None, router, nobody)
        observer = Observer(self.context, wait=lambda _: None)
        self.context.program = cast("Any", SimpleNamespace(observer=observer))
        self.across = Across(
            config, BusClient(redis.url), slot, self.context, lambda: int(time.time() * 1000)
        )

    def __enter__(self) -> One:
        self.across.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.across.stop(Deadline(5))


def test_one_proxy_reaches_the_other(redis: RedisServer) -> None:
    """Each part of it; and where it has ended nothing of it is left."""
    with contextlib.ExitStack() as stack:
        kiel, bonn = (stack.enter_context(One(redis, slot)) for slot in (0xA, 0xB))
        bonn.context.registry.add(collector())

        told = kiel.across.orders.order([0xB], "show clients", "root")[0xB]
        assert told is not None
        assert len(told.data) == 1
        refused = kiel.across.orders.order([0xB], "shutdown", "root")[0xB]
        assert refused is not None
        assert not refused.is_good

        bonn.context.admission.enter("192.0.2.1", guarded=False)
        wait_until(lambda: kiel.context.admission.elsewhere == 1, 5, "the other's client")

        for _ in range(FREE + 1):
            bonn.context.guesses.failed("192.0.2.1")
        kiel.context.guesses.failed("192.0.2.1")
        assert kiel.context.guesses.delay("192.0.2.1") > 0.5

    assert kiel.context.guesses.elsewhere is None
    wait_until(lambda: redis.command("CLIENT", "LIST").count(b"id=") == 1, 5, "all closed")
