# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxies of the trial: processes with a configuration each, killed, stopped, started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.cluster.asterisk import SECRET
from benchmarks.processes import PATIENCE, Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.cluster.asterisk import ClusterAsterisk
    from benchmarks.faultyrelay import FaultyRelay

USERS = "board=secret\nactor=secret\n"
#: Seconds that Asterisk has for an answer, and that a proxy may take to end.
ACTION_TIMEOUT, ENDS = 5, 15.0
_SETTINGS = (
    "acceptencryptedconnection = no",
    "authrequired = yes",
    "autofilter = unique",
    "serverevents = yes",
    "retryinterval = 0.1",
    "retrylongest = 0.5",
    "replay = 32MB",
    f"actiontimeout = {ACTION_TIMEOUT}",
    # The clients are in one process, which may wait for a processor.
    "clientwritetimeout = 20000",
    "sslclienthellotimeout = 20000",
    "authlimit = 0",
)


class Setup(NamedTuple):
    """What all proxies of a trial have in common."""

    command: Sequence[str]
    directory: Path
    asterisks: Sequence[ClusterAsterisk]
    failover: float
    further: Sequence[str] = ()


class Spot(NamedTuple):
    """Where a proxy runs: its own address, that of Asterisks there, words before its command."""

    own: str = "127.0.0.1"
    asterisks: str = "127.0.0.1"
    before: Sequence[str] = ()


HERE = Spot()


class ClusterProxy:
    """One proxy, which reaches Redis at *bus*, or by way of *relay*; without both it has no bus.

    Its name is the user it logs in with at Asterisks.
    """

    def __init__(
        self,
        name: str,
        port: int,
        setup: Setup,
        relay: FaultyRelay | None = None,
        environment: Mapping[str, str] | None = None,
        *,
        bus: str = "",
        spot: Spot = HERE,
    ) -> None:
        self.name, self.port, self.relay = name, port, relay
        self._bus = f"redis://127.0.0.1:{relay.port}" if relay is not None else bus
        self._spot = spot
        #: When its process was stopped, by time.monotonic().
        self.stopped: list[tuple[float, float]] = []
        self.faults: list[str] = []
        #: How long its log was when it was started.
        self._seen = 0
        #: Guards against two faults at once: who does something to it holds it all the time.
        self.gate = threading.Lock()
        self._setup, self._directory = setup, setup.directory / name
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped_at = 0.0
        self._directory.mkdir()
        self._directory.chmod(0o777)  # for its log, whoever it becomes
        (self._directory / "users").write_text(USERS)
        (self._directory / "conf").write_text("".join(f"{line}\n" for line in self._lines()))

    def _lines(self) -> Iterator[str]:
        yield from _SETTINGS
        for one in self._setup.asterisks:
            place = f"{self._spot.asterisks}, {one.port}"
            yield f"host = {place}, {self.name}, {SECRET}, on, off, name={one.name}"
        yield f"listenaddress = {self._spot.own}"
        yield f"listenport = {self.port}"
        yield f"logfile = {self._directory}/log"
        if self._bus:
            yield f"bus = {self._bus}"
            yield f"busfailover = {self._setup.failover:g}"
        if os.geteuid() == 0:
            yield "proc_user = nobody"
        yield from self._setup.further

    @property
    def is_running(self) -> bool:
        """Whether there is a process, stopped or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has written, into its log and elsewhere."""
        return self._said("output") + self._said()

    def _said(self, name: str = "log") -> str:
        path = self._directory / name
        return path.read_text("latin-1") if path.exists() else ""

    def start(self) -> None:
        """Start its process; it may take a while until it listens."""
        self._seen = len(self._said())
        files = ["-f", "-c", f"{self._directory}/conf", "-u", f"{self._directory}/users"]
        with open(self._directory / "output", "ab") as output:
            self._process = subprocess.Popen(
                [*self._spot.before, *self._setup.command, *files], stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, env=self._environment,
            )  # fmt: skip

    def wait_started(self) -> None:
        """Wait until it listens.

        Raises:
            Failed: it does not.

        """
        deadline = time.monotonic() + PATIENCE
        while "Proxy Started" not in self._said()[self._seen :]:
            if not self.is_running or time.monotonic() > deadline:
                raise Failed(f"{self.name} does not start: {self.log[-1000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._note_end()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it with SIGTERM; that it does not end, or with a status, is a fault."""
        self._note_end()
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(ENDS)
        except subprocess.TimeoutExpired:
            self.faults.append(f"{self.name}: does not end within {ENDS:g} s")
            self.kill()
            return
        if status:
            self.faults.append(f"{self.name}: ended with status {status}")

    def pause(self) -> None:
        """Stop its process: its connections stay, and it does nothing."""
        if self._process is not None and self.is_running:
            self._stopped_at = time.monotonic()
            self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Have its process go on."""
        if self._process is not None and self._stopped_at:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
            self.stopped.append((self._stopped_at, time.monotonic()))
            self._stopped_at = 0.0

    def _note_end(self) -> None:
        """Note that it has ended by itself, if it has."""
        self.go_on()
        if self._process is not None and self._process.poll() not in (None, -signal.SIGKILL):
            self.faults.append(f"{self.name}: has ended by itself: {self.log[-500:]}")
            self._process = None

    def judge_log(self) -> list[str]:
        """Return what its log says of faults of its own."""
        return [
            f"{self.name}: its log says {line}"
            for line in self.log.splitlines()
            if line.startswith("Traceback") or "a fault in the proxy" in line
        ][:3]
