# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections to a real Redis: every kind of URL, time limits, what is told when there is none."""

from __future__ import annotations

import ast
import socket
import subprocess
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.bus.client import BusClient, BusError, BusRefused, Line
from benchmarks.redisserver import find_redis, packed
from tests.bus.redisserver import make_tls
from tests.support import ROOT, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.redisserver import RedisServer
    from tests.bus.redisserver import StartRedis

SECRET = "Geh/3im"
ENCODED = "Geh%2F3im"


def trial(url: str) -> None:
    """Write to and read from the Redis at *url*."""
    with closing(BusClient(url).connection()) as line:
        assert line.command("SET", b"k", b"\xff\r\n") == b"OK"
        assert line.command("GET", "k") == b"\xff\r\n"
        line.command("DEL", "s")
        assert line.command("XADD", "s", "5-1", "b", b"x") == b"5-1"
        assert line.command("XREAD", "STREAMS", "s", "0") == [[b"s", [[b"5-1", [b"b", b"x"]]]]]


def test_tcp_and_unix_sockets(redis: RedisServer) -> None:
    """Replies are bytes, in RESP2, whichever release of redis-py there is."""
    trial(f"{redis.url}/3")
    trial(f"{redis.unix_url}?db=2")
    assert redis.command("GET", "k") is None
    trial(redis.unix_url)
    assert redis.command("GET", "k") is not None


def test_a_user_of_an_acl(start_redis: StartRedis) -> None:
    """A wrong password is told without either."""
    redis = start_redis(users={"proxy": f">{SECRET} ~* &* +@all"})

    trial(f"redis://proxy:{ENCODED}@127.0.0.1:{redis.port}")
    for url in (f"redis://proxy:{ENCODED}x@127.0.0.1:{redis.port}", redis.url):
        with pytest.raises(BusError) as raised, closing(BusClient(url).connection()) as line:
            line.command("PING")
        assert SECRET not in str(raised.value)
        assert "127.0.0.1" in str(raised.value)


def test_a_password_without_user(start_redis: StartRedis) -> None:
    """As in Redis before its ACLs."""
    redis = start_redis(password=SECRET)

    trial(f"redis://:{ENCODED}@127.0.0.1:{redis.port}")


def test_tls_is_checked(start_redis: StartRedis, tmp_path: Path) -> None:
    """Against the authority, and with the host's name; in redis-py before 6, too."""
    tls, client = make_tls(tmp_path, asks_clients=True)
    redis = start_redis(tls=tls)
    own = f"ssl_certfile={client}&ssl_keyfile={client}"

    trial(f"{redis.url}?ssl_ca_certs={tls.authority}&{own}")
    trial(f"{redis.url}?ssl_cert_reqs=none&{own}")
    with pytest.raises(BusError, match=r"(?i)certificate.verify|self.signed"):
        BusClient(f"{redis.url}?{own}").connection()


def test_the_name_of_a_certificate_is_checked(start_redis: StartRedis, tmp_path: Path) -> None:
    """Unless the URL says otherwise."""
    tls, _ = make_tls(tmp_path, host="localhost")
    redis = start_redis(tls=tls)
    url = f"{redis.url}?ssl_ca_certs={tls.authority}"

    with pytest.raises(BusError, match=r"(?i)certificate.verify|mismatch"):
        BusClient(url).connection()
    trial(f"{url}&ssl_check_hostname=no")


def is_listening(port: int) -> bool:
    """Return whether anybody listens at *port*."""
    with socket.socket() as sock:
        return not sock.connect_ex(("127.0.0.1", port))


@contextmanager
def sentinel(directory: Path, master: RedisServer) -> Iterator[int]:
    """Give the port of a Sentinel that knows *master* as "main"."""
    port = free_port()
    configuration = directory / f"sentinel-{port}.conf"
    configuration.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {directory}\n"
        f"sentinel monitor main 127.0.0.1 {master.port} 1\n"
    )
    process = subprocess.Popen(
        [find_redis(), str(configuration), "--sentinel"], stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: is_listening(port))
        yield port
    finally:
        process.kill()
        process.wait()


def test_sentinels_say_where_the_master_is(redis: RedisServer, tmp_path: Path) -> None:
    """The first that answers; one that does not know it is told."""
    with sentinel(tmp_path, redis) as port:
        where = f"127.0.0.1:{free_port()},127.0.0.1:{port}"
        trial(f"redis+sentinel://{where}/main/0")
        with pytest.raises(BusError, match="knows no master other"):
            BusClient(f"redis+sentinel://{where}/other").connection()


def test_a_sentinel_that_names_a_replica_is_not_believed(
    start_redis: StartRedis, tmp_path: Path
) -> None:
    """For a moment after a failover it may."""
    master, replica = start_redis(), start_redis()
    with sentinel(tmp_path, replica) as port:
        replica.command("REPLICAOF", "127.0.0.1", master.port)
        with pytest.raises(BusError, match=r"is not the master|knows no master"):
            BusClient(f"redis+sentinel://127.0.0.1:{port}/main").connection()


def test_what_redis_refuses_leaves_the_connection_good(redis: RedisServer) -> None:
    """Raised for one command; in its place among several."""
    with closing(BusClient(redis.url).connection()) as line:
        with pytest.raises(BusRefused, match="unknown command"):
            line.command("NOSUCH")
        replies = line.send_packed(packed("SET", "a", "1") + packed("LPUSH", "a", "1"), 2)
        assert replies[0] == b"OK"
        assert isinstance(replies[1], BusRefused)
        assert line.command("PING") == b"PONG"
        assert line.is_open


def test_a_redis_that_is_stopped_costs_the_time_limit(redis: RedisServer) -> None:
    """Then the connection is over, and says so."""
    with closing(BusClient(redis.url).connection()) as line:
        redis.pause()
        begun = time.monotonic()
        with pytest.raises(BusError, match=r"(?i)timeout|timed out"):
            line.command("PING", timeout=0.2)
        assert 0.15 < time.monotonic() - begun < 1.5
        redis.go_on()
        assert not line.is_open
        with pytest.raises(BusError, match="is closed"):
            line.command("PING")


def test_there_is_no_redis() -> None:
    """Told at once, with its address."""
    port = free_port()
    with pytest.raises(BusError, match=f"127.0.0.1:{port}"):
        BusClient(f"redis://u:{ENCODED}@127.0.0.1:{port}").connection()


def test_who_accepts_and_says_nothing_costs_the_time_to_connect() -> None:
    """The log-in is within that limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://u:{ENCODED}@127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(BusError):
            BusClient(url, connect_seconds=0.3).connection()
        assert time.monotonic() - begun < 3


def asked(url: str) -> None:
    """Ask until an error ends it."""
    line = BusClient(url, connect_seconds=2).connection()
    while True:
        line.command("PING")


def answered(answer: bytes) -> BusError:
    """Return the error of a Redis that answers *answer*, and then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                for word in (b"LIB-NAME", b"LIB-VER"):
                    if word in peer.recv(4096):
                        peer.sendall(b"+OK\r\n")
                    else:
                        break
                peer.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"redis://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(BusError) as raised:
            asked(url)
        thread.join()
    return raised.value


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.0 400\r\n\r\n", b"*x\r\n", b":x\r\n", b"$5\r\nab"]
)
def test_what_is_no_redis_is_an_error_of_the_bus(answer: bytes) -> None:
    """Whatever it answers: nothing else is raised."""
    assert "127.0.0.1" in str(answered(answer))


def interrupted(url: str) -> None:
    """Interrupt a read that would last for a minute."""
    line = BusClient(url).connection()
    begun = time.monotonic()
    timer = threading.Timer(0.1, line.interrupt)
    timer.start()
    with pytest.raises(BusError):
        line.command("XREAD", "BLOCK", "60000", "STREAMS", "s", "$", timeout=70)
    assert time.monotonic() - begun < 10
    timer.join()
    line.interrupt()
    line.close()
    line.close()


def test_another_thread_ends_a_read_that_waits(redis: RedisServer) -> None:
    """So that who reads can be stopped at once."""
    interrupted(redis.url)
    interrupted(redis.unix_url)


def test_another_thread_ends_a_read_through_tls(start_redis: StartRedis, tmp_path: Path) -> None:
    """OpenSSL is not taken away from who reads."""
    tls, _ = make_tls(tmp_path)
    interrupted(f"{start_redis(tls=tls).url}?ssl_ca_certs={tls.authority}")


def test_no_repr_has_a_secret(redis: RedisServer) -> None:
    """Neither of the client nor of its connections."""
    client = BusClient(f"redis://:{ENCODED}@127.0.0.1:{redis.port}")

    assert SECRET not in repr(client)
    assert ENCODED not in repr(client)
    line: Line = BusClient(redis.url).connection()
    assert repr(line) == f"Line(redis://127.0.0.1:{redis.port}/0)"
    line.close()


def test_only_what_redis_py_has_since_long_is_imported() -> None:
    """Debian 12 has 4.3.4: there a name that came later would look as if there were no redis."""
    tree = ast.parse((ROOT / "amiproxy" / "threads" / "bus" / "client.py").read_text("utf-8"))
    found = {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("redis")
        for name in node.names
    }

    assert found == {"Connection", "SSLConnection", "UnixDomainSocketConnection"}
