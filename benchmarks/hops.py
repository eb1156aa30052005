# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.hops``: how many functions of ours each flow runs through.

A proxy and a simulated Asterisk in this process, one client, one thing asked at a time.
Counted are distinct functions of amiproxy/, handlers/ and astmanproxy.py, and the modules
they are in, by thread; comprehensions count as part of the function they stand in.  Who
changes a flow sees here whether it got longer: the figures do not depend on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

import astmanproxy
from amiproxy.process.again import Start
from amiproxy.process.options import parse_options
from amiproxy.threads.proxy import Proxy
from amiproxy.threads.supervisor import Supervisor
from benchmarks.subjects import ROOT, free_port
from simulator.server import SimulatedAsterisk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, FrameType

_OURS = (f"{ROOT}/amiproxy/", f"{ROOT}/handlers/", f"{ROOT}/astmanproxy.py")
_INNER = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<module>"})

#: Seconds without a function of ours being called, after which a flow counts as over.
_QUIET = 0.15

_EVERYTHING = "watcher=secret\n"
_ONE_CHANNEL = "agent=secret,SIP/1001\n"
_EVENT = (
    b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: SIP/9\r\nPeerStatus: Registered\r\n\r\n"
)
_CALL = (
    b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/1001-00000001\r\n"
    b"ChannelState: 0\r\nChannelStateDesc: Down\r\nUniqueid: 1700000000.1\r\n\r\n"
)
_PING = b"Action: Ping\r\nActionID: 1\r\n\r\n"
_ORIGINATE = (
    b"Action: Originate\r\nActionID: 2\r\nChannel: SIP/1001\r\nContext: default\r\n"
    b"Exten: 100\r\nPriority: 1\r\nAsync: true\r\n\r\n"
)


class Hop(NamedTuple):
    """One function that ran, and the thread it ran in."""

    thread: str
    module: str
    line: int
    function: str


class Flow(NamedTuple):
    """What was done, and what ran for it."""

    name: str
    hops: set[Hop]


class Recorder:
    """Notes which functions of ours run, in any thread that is started after it."""

    def __init__(self) -> None:
        self._found: set[tuple[str, CodeType]] = set()
        self._last = 0.0
        self._recording = False

    def install(self) -> None:
        """Look at every call from now on, in this thread and in those to come."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code.co_filename.startswith(_OURS) and code.co_name not in _INNER:
            self._last = time.monotonic()
            if self._recording:
                self._found.add((_kind(threading.current_thread().name), code))

    def record(self, flow: Callable[[], object], *, again: bool = True) -> set[Hop]:
        """Run *flow*, wait until all is quiet, and return what ran.

        With *again* it ran before, so that what is done once for a client, or once for a
        format, does not count.
        """
        if again:
            flow()
        self._wait_quiet()
        self._found = set()
        self._recording = True
        flow()
        self._wait_quiet()
        self._recording = False
        return {
            Hop(thread, str(Path(code.co_filename).relative_to(ROOT)), code.co_firstlineno, name)
            for thread, code in self._found
            for name in [getattr(code, "co_qualname", code.co_name)]
        }

    def _wait_quiet(self) -> None:
        self._last = time.monotonic()
        while time.monotonic() < self._last + _QUIET:
            time.sleep(_QUIET / 10)


def _kind(name: str) -> str:
    """Return what kind of thread has that name: ``client`` for ``client-127.0.0.1:4711``."""
    return {"MainThread": "main"}.get(name, name.partition("-")[0])


class Peer:
    """A manager client on a real socket."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), 10)
        self._data = b""

    def ask(self, data: bytes, mark: bytes) -> bytes:
        """Send *data*; return everything up to and with *mark*."""
        self._sock.sendall(data)
        while mark not in self._data:
            more = self._sock.recv(65536)
            if not more:
                raise EOFError(self._data)
            self._data += more
        found, _, self._data = self._data.partition(mark)
        return found + mark

    def hear(self, asterisk: SimulatedAsterisk, event: bytes, mark: bytes) -> None:
        """Let *asterisk* send *event*; wait until *mark*, which is in it, has come."""
        asterisk.publish(event)
        self.ask(b"", mark)

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()


@contextlib.contextmanager
def running(
    asterisk: SimulatedAsterisk, settings: str = "", users: str = ""
) -> Iterator[tuple[Proxy, int, astmanproxy.Prepared]]:
    """Run a proxy in this process; give it, its port and what it was prepared from."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="astmanproxy-hops-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        (directory / "conf").write_text(
            f"host = 127.0.0.1, {asterisk.port}, ampuser, AmpSecret, on, off\n"
            f"listenaddress = 127.0.0.1\nlistenport = {port}\nlogfile = {directory}/log\n"
            "autofilter = unique\n"
            + ("proc_user = nobody\n" if os.geteuid() == 0 else "")
            + settings
        )
        (directory / "users").write_text(users)
        files = ["-f", "-c", str(directory / "conf"), "-u", str(directory / "users")]
        prepared = astmanproxy.prepare(parse_options(files), Start.of_process(""), Supervisor())
        prepared.log.start()
        proxy = Proxy(
            prepared.config,
            prepared.users,
            prepared.formats,
            prepared.doors,
            prepared.tls,
        )
        proxy.start()
        try:
            asterisk.wait_for_session()
            while not all(server.connected for server in proxy.router.servers):
                time.sleep(0.01)
            yield proxy, port, prepared
        finally:
            proxy.stop()
            prepared.log.close()


def _log_in(peer: Peer, name: str) -> None:
    peer.ask(
        f"Action: Login\r\nUsername: {name}\r\nSecret: secret\r\n\r\n".encode(),
        b"Fully Booted\r\n\r\n",
    )


def _log_in_md5(peer: Peer, name: str) -> None:
    found = peer.ask(b"Action: Challenge\r\nAuthType: MD5\r\n\r\n", b"\r\n\r\n")
    challenge = found.partition(b"Challenge: ")[2].split(b"\r\n")[0]
    key = hashlib.md5(challenge + b"secret").hexdigest()
    peer.ask(
        f"Action: Login\r\nAuthType: MD5\r\nUsername: {name}\r\nKey: {key}\r\n\r\n".encode(),
        b"Fully Booted\r\n\r\n",
    )


def manager_flows(recorder: Recorder, asterisk: SimulatedAsterisk) -> Iterator[Flow]:
    """Yield what each flow of a manager client who sees everything runs through."""
    with running(asterisk, users=_EVERYTHING) as (proxy, port, prepared):
        peer = Peer(port)
        yield Flow(
            "Challenge + MD5 login",
            recorder.record(lambda: _log_in_md5(peer, "watcher"), again=False),
        )
        yield Flow(
            "event -> unfiltered client",
            recorder.record(lambda: peer.hear(asterisk, _EVENT, b"SIP/9")),
        )
        yield Flow("Ping", recorder.record(lambda: peer.ask(_PING, b"Pong")))
        peer.close()
        yield Flow(
            "SIGHUP", recorder.record(lambda: astmanproxy.reread(prepared, proxy, "Received HUP"))
        )


def channel_flows(recorder: Recorder, asterisk: SimulatedAsterisk) -> Iterator[Flow]:
    """Yield what each flow of a manager client who sees one channel runs through."""
    with running(asterisk, users=_ONE_CHANNEL) as (_, port, _prepared):
        peer = Peer(port)
        _log_in(peer, "agent")
        yield Flow(
            "event -> client with a channel filter",
            recorder.record(lambda: peer.hear(asterisk, _CALL, b"Down")),
        )
        yield Flow(
            "Originate of a channel user",
            recorder.record(lambda: peer.ask(_ORIGINATE, b"OriginateResponse")),
        )
        peer.close()


def xml_flows(recorder: Recorder, asterisk: SimulatedAsterisk) -> Iterator[Flow]:
    """Yield what one block of a client that speaks XML runs through."""
    settings = "inputformat = xml\noutputformat = xml\n"
    with running(asterisk, settings, _EVERYTHING) as (_, port, _prepared):
        peer = Peer(port)
        ask = b"<AsteriskManagerInput><Action Value='%s'/>%s</AsteriskManagerInput>"
        login = ask % (b"Login", b"<Username Value='watcher'/><Secret Value='secret'/>")
        peer.ask(login, b"Booted")
        yield Flow("XML block", recorder.record(lambda: peer.ask(ask % (b"Ping", b""), b"Pong")))
        peer.close()


def http_flows(recorder: Recorder, asterisk: SimulatedAsterisk) -> Iterator[Flow]:
    """Yield what one GET runs through, connecting and leaving included."""
    with running(asterisk, "inputformat = http\nauthrequired = no\n") as (_, port, _prepared):

        def get() -> None:
            peer = Peer(port)
            peer.ask(b"GET /?Action=Ping&ActionID=1 HTTP/1.1\r\nHost: x\r\n\r\n", b"Pong")
            peer.close()

        yield Flow("HTTP GET", recorder.record(get))


def table(flows: Sequence[Flow]) -> Iterator[str]:
    """Yield the lines of a table: functions / modules of each flow, by thread."""
    yield "| flow | thread | functions | modules |"
    yield "|---|---|---|---|"
    for flow, hops in flows:
        for thread in sorted({hop.thread for hop in hops} - {"log", "flusher", "watchdog"}):
            there = [hop for hop in hops if hop.thread == thread]
            modules = {hop.module for hop in there}
            yield f"| {flow} | {thread} | {len(there)} | {len(modules)} |"


def main(argv: list[str] | None = None) -> int:
    """Count, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hops", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the functions, too")
    options = parser.parse_args(argv)
    recorder = Recorder()
    recorder.install()
    flows: list[Flow] = []
    for some in (manager_flows, channel_flows, xml_flows, http_flows):
        with SimulatedAsterisk() as asterisk:
            flows += some(recorder, asterisk)
    print("\n".join(table(flows)))
    if options.list:
        for flow, hops in flows:
            print(f"\n{flow}")
            for hop in sorted(hops):
                print(f"  {hop.thread:10} {hop.module}:{hop.line} {hop.function}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
