# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Redis, or Valkey, for a test: skipped where there is none.

The fixtures ``redis`` (one, plain) and ``start_redis`` (as many as are wanted, with users or TLS)
are for all tests; tests/conftest.py has them.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from benchmarks.redisserver import RedisError, RedisServer, Tls, find_redis, packed, read_answer
from tests.certificates import Authority
from tests.support import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "RedisError", "RedisServer", "StartRedis", "Tls", "find_redis", "make_tls", "needs_redis",
    "packed", "read_answer", "remember", "starter",
]  # fmt: skip

MISSING = "neither redis-server nor valkey-server is installed"
needs_redis = pytest.mark.skipif(not find_redis(), reason=MISSING)


class StartRedis(Protocol):
    """Starts a server that ends with the test."""

    def __call__(self, **options: Any) -> RedisServer:
        """Return it, started; the options are those of RedisServer."""


def remember(redis: RedisServer, name: str = "astmanproxy") -> None:
    """Have *redis*, which has just begun, give out leases of the cluster *name* at once.

    As one that has been there for long: else it waits for the time of a lease.
    """
    run = re.search(rb"run_id:(\w+)", redis.command("INFO", "server"))
    assert run is not None
    redis.command("SET", f"{name}:memory", run[1] + b" 0")


@contextlib.contextmanager
def starter() -> Iterator[StartRedis]:
    """Give what starts servers; they end with the block.  Skip the test where that cannot be."""
    if not find_redis():
        pytest.skip(MISSING)
    with contextlib.ExitStack() as stack:

        def start(**options: Any) -> RedisServer:
            # Outside the ephemeral range: it must be free when the server comes back to it.
            return stack.enter_context(RedisServer(**{"port": free_port(), **options}))

        yield start


def make_tls(
    directory: Path, *, host: str = "127.0.0.1", expired: bool = False, asks_clients: bool = False
) -> tuple[Tls, Path]:
    """Return the files of a server in *directory*, and those of a client, certificate and key."""
    authority = Authority()
    own = authority.expired(host) if expired else authority.sign(host, "localhost")
    tls = Tls(
        own.write(directory / "redis.pem"), authority.write(directory / "ca.pem"), asks_clients
    )
    return tls, authority.sign("client", client=True).write(directory / "client.pem")
