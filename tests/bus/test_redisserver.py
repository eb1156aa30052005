# SPDX-License-Identifier: GPL-2.0-or-later
"""The Redis of the tests: what is done to it happens, and nothing of it is left."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.bus.redisserver import RedisError, RedisServer, StartRedis, make_tls, packed, read_answer
from tests.support import tls_context

if TYPE_CHECKING:
    from pathlib import Path


def asked(sock: socket.socket, *words: str) -> object:
    """Return what the Redis behind *sock* answers."""
    sock.sendall(packed(*words))
    with sock.makefile("rb") as stream:
        return read_answer(stream)


def connected(redis: RedisServer) -> socket.socket:
    """Return a connection to its port."""
    return socket.create_connection(("127.0.0.1", redis.port), 5)


def test_it_answers_on_its_port_and_its_socket(redis: RedisServer) -> None:
    """The URLs say where."""
    with connected(redis) as sock:
        assert asked(sock, "SET", "a", "1") == b"OK"
        assert isinstance(asked(sock, "INCR", "a", "b"), RedisError)
    assert redis.url == f"redis://127.0.0.1:{redis.port}"
    assert redis.command("GET", "a") == b"1"
    assert redis.command("XADD", "s", "5-1", "b", "x") == b"5-1"
    assert redis.command("XRANGE", "s", "-", "+") == [[b"5-1", [b"b", b"x"]]]
    with pytest.raises(RedisError, match="equal or smaller"):
        redis.command("XADD", "s", "5-1", "b", "x")


@pytest.mark.parametrize("keep", [True, False])
def test_it_comes_back_with_its_data_or_without(redis: RedisServer, *, keep: bool) -> None:
    """What it has said it has, it has behind a kill -9, unless it is to forget."""
    redis.command("SET", "a", "1")
    before = redis.pid
    redis.restart(keep=keep)
    assert redis.pid != before
    assert redis.command("GET", "a") == (b"1" if keep else None)


def test_it_is_silent_while_its_process_is_stopped(redis: RedisServer) -> None:
    """The connection stays; the answer comes when it goes on."""
    with connected(redis) as sock:
        redis.pause()
        assert not redis.is_ready
        sock.settimeout(0.2)
        with pytest.raises(OSError, match="timed out"):
            asked(sock, "PING")
        redis.go_on()
        sock.settimeout(5)
        with sock.makefile("rb") as stream:
            assert read_answer(stream) == b"PONG"


def test_it_can_be_killed_while_it_is_stopped(redis: RedisServer) -> None:
    """A partition that ends in a crash."""
    redis.pause()
    redis.kill()
    assert not redis.is_ready
    redis.start()
    assert redis.is_ready


def test_its_users_may_do_what_their_rules_say(start_redis: StartRedis) -> None:
    """And nobody else may do anything."""
    redis = start_redis(users={"proxy": ">secret ~astmanproxy:* &* +@all"})
    with connected(redis) as sock:
        assert "NOAUTH" in str(asked(sock, "GET", "astmanproxy:a"))
        assert asked(sock, "AUTH", "proxy", "secret") == b"OK"
        assert asked(sock, "SET", "astmanproxy:a", "1") == b"OK"
        assert "NOPERM" in str(asked(sock, "GET", "other"))
    redis = start_redis(password="secret")
    with connected(redis) as sock:
        assert "NOAUTH" in str(asked(sock, "PING"))
        assert asked(sock, "AUTH", "secret") == b"OK"


def test_it_speaks_tls_only(start_redis: StartRedis, tmp_path: Path) -> None:
    """With the certificate that it was given; where it asks for the client's, it needs one."""
    tls, own = make_tls(tmp_path, asks_clients=True)
    redis = start_redis(tls=tls)
    assert redis.url.startswith("rediss://")
    context = tls_context(str(tls.authority))
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # which says no in the handshake
    with connected(redis) as sock, pytest.raises(ssl.SSLError):
        context.wrap_socket(sock, server_hostname="127.0.0.1")
    context.load_cert_chain(own)
    with context.wrap_socket(connected(redis), server_hostname="127.0.0.1") as wrapped:
        assert asked(wrapped, "PING") == b"PONG"


def test_nothing_of_it_is_left(start_redis: StartRedis) -> None:
    """Neither process nor files, stopped or not."""
    redis = start_redis()
    pid = redis.pid
    redis.pause()
    redis.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not redis.directory.exists()
