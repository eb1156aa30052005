# SPDX-License-Identifier: GPL-2.0-or-later
"""A cluster that runs: one Asterisk, one Redis, some proxies of which the first is the holder."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bus.redis import Redis, redis
from benchmarks.processes import PATIENCE, Child, Failed
from benchmarks.subjects import ROOT, Running, free_port, wait_listening, write_files
from benchmarks.upstream import Upstream

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator, Mapping

NAME = "bench"  # busname
COMMAND = [sys.executable, "-m", "benchmarks.bus.named", str(ROOT / "astmanproxy.py")]


@dataclass(frozen=True)
class Plan:
    """What is started: so many *proxies*, the first of which holds the servers."""

    proxies: int
    #: Without one there is no cluster, but one proxy.
    has_bus: bool = True
    #: Asterisks: so many connections to one process, each of which brings all events.
    servers: int = 1
    users: str = ""
    #: What a client says to be let in.
    login: bytes = b""
    settings: Mapping[str, str] = field(default_factory=dict)


class Proxy:
    """One proxy of a cluster, which may be stopped and started again."""

    def __init__(
        self, directory: Path, upstream: Upstream, settings: Mapping[str, str], users: str
    ) -> None:
        self._directory = directory
        self._upstream = upstream
        self._child: Child | None = None
        self.port = free_port()
        self.address = ("127.0.0.1", self.port)
        directory.mkdir()
        files = {"controlsocket": "no", **settings}
        write_files(directory, upstream.port, self.port, files, users)

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        assert self._child is not None
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self._child is not None and self._child.process.poll() is None

    def start(self) -> None:
        """Start it; return when it listens."""
        files = ["-f", "-c", str(self._directory / "conf"), "-u", str(self._directory / "users")]
        with open(self._directory / "stderr", "wb") as stderr:
            self._child = Child([*COMMAND, *files], stderr=stderr, cwd=ROOT)
        self._upstream.order("guard", self._child.pid)
        wait_listening(self._child.process, self.port, self._directory)

    def end(self, signum: signal.Signals) -> None:
        """Send *signum*, and return at once."""
        assert self._child is not None
        self._child.process.send_signal(signum)

    def stop(self) -> None:
        """End it, if it runs, and wait for that."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def running(self) -> Running:
        """Return it as a subject of the other benchmarks."""
        return Running("proxy", self._upstream, self.address, self.pid)


class Cluster:
    """What :func:`cluster` starts."""

    def __init__(self, plan: Plan, upstream: Upstream, redis: Redis, proxies: list[Proxy]) -> None:
        self._plan = plan
        self.upstream = upstream
        self.redis = redis
        #: The first one holds the server, until it is stopped.
        self.proxies = proxies

    @property
    def edges(self) -> list[Proxy]:
        """All but the first."""
        return self.proxies[1:]

    def pids(self) -> dict[str, int]:
        """Return the processes that are measured, by title: ``edge`` is the first of them."""
        found = {"holder": self.proxies[0].pid}
        return found | self.bus() | ({"edge": self.edges[0].pid} if self.edges else {})

    def bus(self) -> dict[str, int]:
        """Return the process of Redis, by its title, if there is a bus."""
        return {"redis": self.redis.pid} if self._plan.has_bus else {}

    def wait_followed(self) -> None:
        """Wait until each proxy passes actions on: then it follows the stream, too."""
        for proxy in self.proxies:
            wait_served(proxy.address, self._plan.login)

    def holder(self) -> Proxy | None:
        """Return who holds the server now; None while nobody does, or its presence is over."""
        leases = self.redis.ask("KEYS", f"{NAME}:lease:*").split(b"\r\n")[2::2]
        lease = self.redis.get(leases[0].decode()) if leases else None
        if lease is None:
            return None
        presence = self.redis.get(f"{NAME}:proxy:{lease.partition(b'.')[0].decode()}")
        pid = json.loads(presence)["pid"] if presence else 0
        return next((each for each in self.proxies if each.is_running and each.pid == pid), None)

    def wait_holder(self) -> Proxy:
        """Return who holds the server; wait until somebody does.

        Raises:
            Failed: nobody does within PATIENCE.

        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self.holder()
            if found is not None:
                return found
            time.sleep(0.02)
        raise Failed("nobody holds the server")


@contextlib.contextmanager
def cluster(plan: Plan) -> Iterator[Cluster]:
    """Start what *plan* says; all is stopped at the end.

    The first proxy is connected to every Asterisk before the others come, which may be later.
    """
    with contextlib.ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="astmanproxy-bus-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        directory.chmod(0o755)
        upstream: Upstream = stack.enter_context(Upstream("benchmarks.upstream", "0.0.0.0"))
        stack.callback(upstream.order, "guard", 0)
        server = stack.enter_context(redis(directory))
        upstream.order("guard", server.pid)
        proxies = []
        for number in range(plan.proxies):
            files = directory / str(number)
            proxy = Proxy(files, upstream, _settings(plan, server, upstream), plan.users)
            stack.callback(proxy.stop)
            proxy.start()
            proxies.append(proxy)
            if number == 0:
                upstream.wait_logins(plan.servers)
        found = Cluster(plan, upstream, server, proxies)
        found.wait_followed()
        yield found


def _settings(plan: Plan, server: Redis, upstream: Upstream) -> dict[str, str]:
    """Return the keys of one proxy."""
    lines = [
        f"127.0.0.{number + 1}, {upstream.port}, bench, bench, on, off"
        for number in range(plan.servers)
    ]
    # A key stands once in a dict, and as often as it likes in the file.
    keys = {"host": "\nhost = ".join(lines)}
    if plan.has_bus:
        keys |= {"bus": server.url, "busname": NAME, "busjoin": "0"}
    return {**keys, **plan.settings}


def wait_served(address: tuple[str, int], login: bytes = b"") -> None:
    """Wait until a Ping is answered by Asterisk at *address*, behind *login*.

    Raises:
        Failed: it is not within PATIENCE.

    """
    deadline = time.monotonic() + PATIENCE
    heard = b""
    while time.monotonic() < deadline:
        heard = b""
        with contextlib.suppress(OSError), socket.create_connection(address, 5) as sock:
            sock.sendall(login + b"Action: Ping\r\n\r\n")
            while b"Response: Error" not in heard and (data := sock.recv(65536)):
                heard += data
                if b"\r\nPing: Pong\r\n" in heard:
                    return
        time.sleep(0.02)
    raise Failed(f"no answer to a first Ping, but {heard[-300:]!r}")
