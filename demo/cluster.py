# SPDX-License-Identifier: GPL-2.0-or-later
"""``make demo-cluster``: three proxies share four simulated Asterisks through Redis.

A load balancer is in front of them: HAProxy, or a few lines of Python.  Nothing is installed and
no file outside a temporary directory is written.  Ctrl-C ends it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if not __package__:  # started as a file: there demo.py would be found as "demo"
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from demo.demo import (
    CENTRE,
    PATIENCE,
    QUESTIONS,
    ROOT,
    WANTED,
    answers,
    asterisk,
    command,
    door,
    port_of,
    prepare,
    process,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from demo.demo import Running

CONFIG = """\
bus = redis://127.0.0.1:{redis}
busfailover = 1
{hosts}listenaddress = 127.0.0.1
listenport = {standard}
listen = 127.0.0.1, {http}, input=http
autofilter = unique
serverevents = yes
displayconnects = no
keepalive = 10
replay = 64MB
state = yes
proc_user = nobody
logfile = {directory}/proxy.log
pidfile = {directory}/run/proxy.pid
"""

HAPROXY = """\
defaults
    mode tcp
    option redispatch 1
    timeout connect 2s
    timeout client 24h
    timeout server 24h
    default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
frontend standard
    bind 127.0.0.1:{standard}
    default_backend standard
frontend http
    bind 127.0.0.1:{http}
    default_backend http
backend standard
    balance leastconn
    option httpchk GET /readyz
{standard_servers}backend http
    balance leastconn
    option httpchk GET /readyz
{http_servers}"""

HELP = """
Open this in a browser:  http://127.0.0.1:{http}/
  and for a screen on the wall:  http://127.0.0.1:{http}/wall

Four simulated Asterisk servers (pbx1 to pbx4) make calls.  Three proxies share them through Redis: each server has one
connection, and each proxy serves all four.  {balancer} gives manager clients on port {standard} and web clients
on port {http} to one of the proxies.

In a second terminal:

  Which proxy is connected to which server:
    {python} {root}/astmanproxy.py -c {directory}/proxy1/proxy.conf --control 'show cluster'

  Events of all four servers, through whichever proxy:
    nc 127.0.0.1 {standard}

  The calls that there are, on a wall board, which finds its place again at another proxy:
    {python} {root}/samples/wallboard.py 127.0.0.1:{standard}

  Now kill a proxy, and watch: its clients are at the next one, and its servers too, a second later.  It comes back in {again} s:
{kills}
  Or freeze one for a while:
    kill -STOP $(cat {directory}/proxy2/run/proxy.pid); sleep 10; kill -CONT $(cat {directory}/proxy2/run/proxy.pid)

  Or all of Redis: who is told what, and how it goes on:
    kill -STOP {redis_pid}; sleep 10; kill -CONT {redis_pid}

The console of each proxy itself: {consoles}
The logs: {directory}/proxy*/proxy.log
Ctrl-C ends the demo.
"""

#: The servers, as the configuration names them: version and technology.
SERVERS = {
    "pbx1": ("22", "PJSIP", *CENTRE),
    "pbx2": ("11", "SIP"),
    "pbx3": ("16", "PJSIP"),
    "pbx4": ("13", "SIP"),
}
PROXIES = ("proxy1", "proxy2", "proxy3")
#: Seconds until a proxy that has been killed is started again.
AGAIN = 10
MISSING = (
    "demo: redis-server is missing, and so is valkey-server: install one"
    " (Debian: apt install redis-server; Fedora: dnf install valkey)"
)


class Proxy(NamedTuple):
    """A proxy: its directory, and its ports."""

    directory: Path
    standard: int
    http: int

    def configure(self, hosts: str, redis: int) -> None:
        """Write its files."""
        self.directory.mkdir()
        prepare(self.directory)
        text = CONFIG.format(
            hosts=hosts, redis=redis, directory=self.directory,
            standard=self.standard, http=self.http,
        )  # fmt: skip
        write(self.directory / "proxy.conf", text)
        write(self.directory / "users", "")
        if os.geteuid() == 0:
            shutil.chown(self.directory, "nobody")  # for its log

    def run(self) -> contextlib.AbstractContextManager[Running]:
        """Run it, in the foreground."""
        files = ["-c", f"{self.directory}/proxy.conf", "-u", f"{self.directory}/users"]
        pidfile = ["-p", f"{self.directory}/run/proxy.pid"]
        return process(["astmanproxy.py", "-f", *files, *pidfile], silent=True)


def main() -> int:
    """Run the demo until it is interrupted; return the exit status."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: sys.exit(0))
    redis = shutil.which("redis-server") or shutil.which("valkey-server")
    if redis is None:
        print(MISSING, file=sys.stderr)
        return 1
    print("Starting Redis, four simulated Asterisk servers, three proxies", flush=True)
    with tempfile.TemporaryDirectory(prefix="astmanproxy-demo-") as directory:
        Path(directory).chmod(0o755)
        try:
            with contextlib.ExitStack() as running:
                run(running, Path(directory), redis)
        except KeyboardInterrupt:
            return 0
        except RuntimeError as error:
            print(f"demo: {error}", file=sys.stderr)
    return 1


def run(running: contextlib.ExitStack, directory: Path, redis: str) -> None:
    """Start everything, say what to do with it, and have it run; *running* ends it.

    Raises:
        RuntimeError: something does not run, or no more.

    """
    port, *ports_of_proxies = free_ports(1 + 2 * len(PROXIES))
    store = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    bus = running.enter_context(command([redis, *store, "--dir", str(directory)], silent=True))
    hosts = ""
    others = {"Redis": bus}
    for number, (name, how) in enumerate(SERVERS.items(), 1):
        address = f"127.0.0.{number}"
        others[name] = running.enter_context(asterisk(address, *how))
        hosts += (
            f"host = {address}, {port_of(others[name])}, ampuser, AmpSecret, on, off, name={name}\n"
        )
    pairs = zip(PROXIES, ports_of_proxies[::2], ports_of_proxies[1::2])
    proxies = [Proxy(directory / name, *two) for name, *two in pairs]
    until(lambda: is_open(port), others)
    alive: dict[Proxy, tuple[contextlib.ExitStack, Running]] = {}
    for proxy in proxies:
        proxy.configure(hosts, port)
        start(running, alive, proxy)
    name, ports = balance(running, others, directory, proxies)
    everything = {**others, **{each.directory.name: own for each, (_, own) in alive.items()}}
    for proxy in proxies:
        for server in SERVERS:
            asked = (proxy.standard, QUESTIONS["standard"].format(server))
            until(lambda asked=asked: answers(*asked), everything)  # type: ignore[misc]
    print(told(directory, proxies, name, bus.pid, ports), flush=True)
    watch(running, alive, others)


def start(
    running: contextlib.ExitStack,
    alive: dict[Proxy, tuple[contextlib.ExitStack, Running]],
    proxy: Proxy,
) -> None:
    """Start *proxy*, and note it as *alive*."""
    own = running.enter_context(contextlib.ExitStack())
    alive[proxy] = own, own.enter_context(proxy.run())


def watch(
    running: contextlib.ExitStack,
    alive: dict[Proxy, tuple[contextlib.ExitStack, Running]],
    others: dict[str, Running],
) -> None:
    """Start proxies that have ended anew; raises RuntimeError if one of the *others* ends."""
    due: dict[Proxy, float] = {}
    while True:
        time.sleep(0.1)
        check(others)
        for proxy in [each for each, (_, process_) in alive.items() if process_.poll() is not None]:
            own, _ = alive.pop(proxy)
            own.close()
            due[proxy] = time.monotonic() + AGAIN
            print(f"{proxy.directory.name} has ended; it comes back in {AGAIN} s", flush=True)
        for proxy in [each for each, when in due.items() if time.monotonic() > when]:
            del due[proxy]
            start(running, alive, proxy)
            print(f"{proxy.directory.name} is started anew", flush=True)


def balance(
    running: contextlib.ExitStack,
    others: dict[str, Running],
    directory: Path,
    proxies: Sequence[Proxy],
) -> tuple[str, dict[str, int]]:
    """Start a load balancer; return what it is, and its ports."""
    with contextlib.ExitStack() as doors:
        socks = {name: doors.enter_context(door(port)) for name, port in WANTED.items()}
        ports = {name: sock.getsockname()[1] for name, sock in socks.items()}
    haproxy = shutil.which("haproxy")
    if haproxy is None:
        rules = [
            f"{ports[name]}={','.join(str(getattr(each, name)) for each in proxies)}"
            for name in ports
        ]
        balancer = process(["demo/balancer.py", *rules], silent=True)
        name = "A balancer of a few lines (demo/balancer.py: there is no HAProxy here)"
    else:
        file = directory / "haproxy.cfg"
        lines = {f"{name}_servers": "".join(servers(proxies, name)) for name in ports}
        file.write_text(HAPROXY.format(**lines, **ports), encoding="utf-8")
        balancer = command([haproxy, "-db", "-q", "-f", str(file)], silent=True)
        name = f"HAProxy ({file})"
    others["the load balancer"] = running.enter_context(balancer)
    for port in ports.values():
        until(lambda port=port: is_open(port), others)  # type: ignore[misc]
    return name, ports


def servers(proxies: Sequence[Proxy], name: str) -> Iterator[str]:
    """Yield the lines of HAProxy's file for the port *name* of each proxy."""
    for proxy in proxies:
        where = f"127.0.0.1:{getattr(proxy, name)} check port {proxy.http}"
        yield f"    server {proxy.directory.name} {where}\n"


def told(
    directory: Path, proxies: Sequence[Proxy], balancer: str, redis_pid: int, ports: dict[str, int]
) -> str:
    """Return what the demo prints."""
    kill = "    kill -9 $(cat {}/run/proxy.pid)\n"
    return HELP.format(
        directory=directory, python=sys.executable, root=ROOT, balancer=balancer, again=AGAIN,
        redis_pid=redis_pid, kills="".join(kill.format(each.directory) for each in proxies),
        consoles="  ".join(f"http://127.0.0.1:{each.http}/" for each in proxies), **ports,
    )  # fmt: skip


def free_ports(count: int) -> list[int]:
    """Return *count* ports that are free now, each another one."""
    with contextlib.ExitStack() as held:
        socks = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [sock.getsockname()[1] for sock in socks]


def is_open(port: int) -> bool:
    """Return whether somebody listens on *port*."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def until(is_so: Callable[[], bool], others: dict[str, Running]) -> None:
    """Wait until *is_so*; raises RuntimeError after PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        check(others)
        if time.monotonic() > end:
            raise RuntimeError(f"it does not run after {PATIENCE} s")
        time.sleep(0.05)


def check(others: dict[str, Running]) -> None:
    """Raise RuntimeError if one of *others* has ended."""
    for name, each in others.items():
        if each.poll() is not None:
            raise RuntimeError(f"{name} has ended with status {each.returncode}")


if __name__ == "__main__":
    sys.exit(main())
