# SPDX-License-Identifier: GPL-2.0-or-later
"""Clocks that are moved: of one process, at once, and only the time of day."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from benchmarks.movedclock import MovedClock, compiled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bus.redisserver import RedisServer, StartRedis


def redis_time(redis: RedisServer) -> int:
    """Return the time of day by Redis, in Unix seconds."""
    seconds, _ = redis.command("TIME")
    return int(seconds)


def test_redis_goes_by_a_clock_that_is_moved(start_redis: StartRedis, tmp_path: Path) -> None:
    """Forth and back; what expires by the time of day expires."""
    library = compiled(tmp_path)
    if library is None:
        pytest.skip("there is no C compiler")
    clock = MovedClock(tmp_path, "redis", library)
    redis = start_redis(before=["env", *(f"{k}={v}" for k, v in clock.environment.items())])
    assert abs(redis_time(redis) - time.time()) < 60
    redis.command("SET", "a", "1", "PX", 600_000)
    for moved in (3000, -3600):
        clock.move(moved)
        assert abs(redis_time(redis) - time.time() - moved) < 60
        assert redis.command("GET", "a") is None
    assert redis.command("SET", "a", "1", "PX", 600_000) == b"OK"
    clock.move(0)
    assert redis.command("GET", "a") is None
