# SPDX-License-Identifier: GPL-2.0-or-later
"""One run: a proxy, two Asterisks, a client of each kind; what the judge says of each."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import ssl
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.connecting import make_certificate
from benchmarks.processes import PATIENCE, Child, Failed
from benchmarks.resumes.asterisk import EACH_KIND, NumberedAsterisk
from benchmarks.resumes.clients import Client, Proxy
from benchmarks.resumes.judge import Judge, Truth, Verdict
from benchmarks.resumes.kinds import KINDS, USERS, WITNESS
from benchmarks.resumes.told import Run
from benchmarks.subjects import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.resumes.kinds import Kind

RATE = 500  # events a second, of both Asterisks together
_TICK = 0.02


class Scale(NamedTuple):
    """What is done: so many times clients are cut off and Asterisks restart, with such a ring."""

    name: str
    cuts: int
    restarts: int
    replay: str = "64MB"
    seed: int = 1
    state: bool = True
    #: How often the ring is switched off for a while.
    reloads: int = 0


class Result(NamedTuple):
    """What came out of a run."""

    scale: Scale
    seconds: float
    sent: int
    ways: Mapping[str, int]
    verdicts: Sequence[tuple[Kind, Client, Verdict]]

    @property
    def faults(self) -> list[str]:
        """What is wrong."""
        return [fault for _, _, verdict in self.verdicts for fault in verdict.faults]


class Ledger:
    """Counts how often clients were cut off.  Any thread may use it."""

    def __init__(self) -> None:
        self.ways: Counter[str] = Counter()
        self._lock = threading.Lock()  # Guards ways.

    def count(self, way: str) -> None:
        """Count one more."""
        with self._lock:
            self.ways[way] += 1

    @property
    def total(self) -> int:
        """How many there were."""
        with self._lock:
            return sum(self.ways.values())


def measure(scale: Scale, command: Sequence[str]) -> Result:
    """Run what *scale* says with the proxy that *command* starts.

    Raises:
        Failed: it cannot be done.

    """
    with contextlib.ExitStack() as stack:
        asterisks = {
            name: stack.enter_context(NumberedAsterisk(name)) for name in ("one", "two")
        }  # fmt: skip
        proxy = stack.enter_context(_proxy(command, scale, asterisks))
        _wait(lambda: all(each.is_connected for each in asterisks.values()), "a log-in")
        ledger, began = Ledger(), time.monotonic()
        clients = [
            Client(kind, proxy, asterisks, ledger.count, scale.seed * 100 + number)
            for number, kind in enumerate((WITNESS, *KINDS))
        ]
        _start(clients)
        load = Load(asterisks, scale.seed)
        _trouble(scale, load, ledger, clients, proxy)
        proxy.reload(scale.replay)
        _finish(load, asterisks, clients)
        seconds = time.monotonic() - began
        sent = sum(len(each.said) for one in asterisks.values() for each in one.connections)
        return Result(scale, seconds, sent, ledger.ways, _verdicts(asterisks, clients))


def _start(clients: Sequence[Client]) -> None:
    for client in clients:
        client.start()
    for client in clients:
        client.ready.wait(PATIENCE)
    time.sleep(0.3)  # the log-in of the one without ids


class Load:
    """Events at a fixed rate, in pieces of several, of one Asterisk or another."""

    def __init__(self, asterisks: Mapping[str, NumberedAsterisk], seed: int) -> None:
        self.asterisks, self._chance = list(asterisks.values()), random.Random(seed)
        self._start, self._sent = time.monotonic(), 0

    def go_on(self) -> None:
        """Have those sent that are due."""
        due = int((time.monotonic() - self._start) * RATE)
        while self._sent < due:
            count = min(self._chance.choice((1, 1, 2, 5, 20)), due - self._sent)
            self._chance.choice(self.asterisks).say(count)
            self._sent += count
        time.sleep(_TICK)


def _trouble(
    scale: Scale, load: Load, ledger: Ledger, clients: Sequence[Client], proxy: Proxy
) -> None:
    """Have events sent, and Asterisks restart, until there were enough cuts."""
    chance = random.Random(scale.seed)
    done = reloaded = 0
    restarting: list[threading.Thread] = []
    while ledger.total < scale.cuts and not any(client.faults for client in clients):
        load.go_on()
        if reloaded < scale.reloads * 2 * ledger.total // scale.cuts:
            proxy.reload("0" if reloaded % 2 == 0 else scale.replay)
            reloaded += 1
        busy = any(thread.is_alive() for thread in restarting)
        if done < scale.restarts * ledger.total // scale.cuts and not busy:
            one = chance.choice(load.asterisks)
            if one.has_said > EACH_KIND:
                done += 1
                way, pause = chance.choice(("closed", "half", "reset")), chance.random()
                restarting.append(threading.Thread(target=one.restart, args=(way, pause)))
                restarting[-1].start()
    for thread in restarting:
        thread.join()


def _finish(
    load: Load, asterisks: Mapping[str, NumberedAsterisk], clients: Sequence[Client]
) -> None:
    """Send the last events, and wait until each client has them."""
    _wait(lambda: all(one.is_connected for one in asterisks.values()), "a log-in")
    for client in clients:
        client.closing.set()
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        load.go_on()
    time.sleep(0.2)
    for one in asterisks.values():
        one.say(EACH_KIND)
    for client in clients:
        kind = client.kind
        goals = {}
        for name in kind.servers:
            said = asterisks[name].connections[-1].said
            goals[name] = max(each.number for each in said if kind.sees(each))
        client.goals = goals
    for client in clients:
        client.join(PATIENCE * 4)
        if client.is_alive():
            raise Failed(f"the client {client.name!r} does not end")


def _verdicts(
    asterisks: Mapping[str, NumberedAsterisk], clients: Sequence[Client]
) -> list[tuple[Kind, Client, Verdict]]:
    verdicts = [(client.kind, client, Verdict()) for client in clients]
    for client, verdict in ((client, verdict) for _, client, verdict in verdicts):
        verdict.faults += [f"{client.name}: {fault}" for fault in client.faults]
    for name, one in asterisks.items():
        truth = _truth(one, clients[0])
        for client in clients:
            for life in client.lives:
                truth.learn(life.items.get(name, []))
        for kind, client, verdict in verdicts:
            if name in kind.servers:
                Judge(truth, kind, name, verdict).follow(client.lives)
            elif any(name in life.items for life in client.lives):
                verdict.fault(f"{kind.name}: was told of server {name}")
    return verdicts


def _truth(one: NumberedAsterisk, witness: Client) -> Truth:
    """Return what *one* has sent, as far as the proxy has had it."""
    last = 0
    seen = {
        number
        for life in witness.lives
        for item in life.early.get(one.name, [])
        if isinstance(item, Run)
        for number in range(item.first, item.last + 1)
    }
    lengths = []
    for at, connection in enumerate(one.connections):
        last = len(connection.said)
        if not connection.is_whole:
            while last and connection.said[last - 1].number not in seen:
                last -= 1
        lengths.append(max(last, 1) if at else last)
    return Truth(one.connections, lengths)


@contextlib.contextmanager
def _proxy(
    command: Sequence[str], scale: Scale, asterisks: Mapping[str, NumberedAsterisk]
) -> Iterator[Proxy]:
    """Run the proxy; give where it listens."""
    ports = {(form, tls): free_port() for form in ("standard", "json") for tls in (False, True)}
    with tempfile.TemporaryDirectory(prefix="astmanproxy-resumes-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        certificate = directory / "proxy.pem"
        make_certificate(certificate)
        lines = [*_configuration(scale, asterisks, ports), f"certfile = {certificate}"]
        lines.append(f"logfile = {directory}/log")
        conf = directory / "conf"

        def configure(replay: str) -> None:
            conf.write_text("".join(f"{line}\n" for line in (*lines, f"replay = {replay}")))

        def reload(replay: str) -> None:
            configure(replay)
            child.process.send_signal(signal.SIGHUP)

        configure(scale.replay)
        (directory / "users").write_text(USERS)
        files = ["-f", "-c", str(conf), "-u", str(directory / "users")]
        log = directory / "log"
        log.touch()
        log.chmod(0o666)
        with (
            open(directory / "stderr", "wb") as stderr,
            Child([*command, *files], stderr=stderr) as child,
        ):
            _wait(lambda: child.process.poll() is not None or _listens(directory), "the proxy")
            yield Proxy(ports, _trusting(), reload)
            if child.process.poll() is not None:
                raise Failed(f"the proxy has ended: {log.read_text('latin-1')[-2000:]}")


def _configuration(
    scale: Scale,
    asterisks: Mapping[str, NumberedAsterisk],
    ports: Mapping[tuple[str, bool], int],
) -> Iterator[str]:
    """Yield the lines of the configuration, but for its files."""
    for one in asterisks.values():
        yield f"host = 127.0.0.1, {one.port}, ampuser, AmpSecret, on, off, name={one.name}"
    yield "listenaddress = 127.0.0.1"
    for (form, tls), port in ports.items():
        if (form, tls) == ("standard", False):
            yield f"listenport = {port}"
        else:
            yield f"listen = 127.0.0.1, {port}, input={form}, tls={'yes' if tls else 'no'}"
    yield f"state = {'yes' if scale.state else 'no'}"
    yield from _SETTINGS
    if os.geteuid() == 0:
        yield "proc_user = nobody"


_SETTINGS = (
    "acceptencryptedconnection = no",
    "authrequired = yes",
    "autofilter = unique",
    "serverevents = yes",
    "retryinterval = 0.1",
    "retrylongest = 0.1",
    # The clients are in one process, which may wait for a processor.
    "clientwritetimeout = 20000",
    "sslclienthellotimeout = 20000",
    "authlimit = 0",
)


def _listens(directory: Path) -> bool:
    return "Proxy Started" in (directory / "log").read_text("latin-1")


def _trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _wait(condition: object, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    assert callable(condition)
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"waited {PATIENCE:g} s for {what}")
        time.sleep(0.02)
