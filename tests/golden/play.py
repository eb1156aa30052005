# SPDX-License-Identifier: GPL-2.0-or-later
"""Replays a golden session: starts our program, and repeats the recorded steps."""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from amiproxy import __version__
from tests import nursery
from tests.golden.peers import Asterisk, Client
from tests.support import free_port, is_listening, wait_until

if TYPE_CHECKING:
    from tests.golden.peers import Peer

#: Seconds to wait for the recorded output.
PATIENCE = 15.0
#: Seconds of silence after the recorded output, and where none is recorded.
SHORT_SILENCE = 0.05
SILENCE = 0.2

TLS_VERSIONS = {"TLS": ssl.TLSVersion.MAXIMUM_SUPPORTED, "TLSv1.2": ssl.TLSVersion.TLSv1_2}

#: The result of a step without any output.
NOTHING: dict[str, Any] = {"got": {}, "eof": [], "exit": None}


class Play:
    """Replays one recorded *session*; a context manager."""

    def __init__(self, session: dict[str, Any], certificate: Path) -> None:
        self._dir = Path(tempfile.mkdtemp(prefix="astmanproxy-golden-"))
        # The program drops privileges, and reopens its log after that.
        self._dir.chmod(0o777)
        self._log = self._dir / "amp.log"
        self._pidfile = self._dir / "amp.pid"
        self._session = session
        # An address of its own, because the recordings contain it.
        self._address = (own_address(), free_port())
        self._servers = {name: Asterisk(**kind) for name, kind in session["servers"].items()}
        self._clients: dict[str, Client] = {}
        self._reported: set[str] = set()  # the clients whose end was reported, and "exit"
        self._process: subprocess.Popen[bytes] | nursery.Child | None = None
        self._names = {
            "@LISTEN@": str(self._address[1]),
            "@LOG@": str(self._log),
            "@CERT@": str(certificate),
            "@VERSION@": __version__,
        }
        for name, server in self._servers.items():
            self._names[f"@{name.upper()}@"] = server.host
            self._names[f"@P{name[1:]}@"] = str(server.port)

    def __enter__(self) -> Play:
        return self

    def __exit__(self, *_: object) -> None:
        for peer in self._peers().values():
            peer.close()
        try:
            if self._process is not None:
                self._stop(self._process)
        finally:
            shutil.rmtree(self._dir)

    def step(self, recorded: dict[str, Any]) -> dict[str, Any]:
        """Repeat a *recorded* step; return its result, and the recorded result."""
        wanted = {**NOTHING, **recorded}
        name, *arguments = wanted.pop("do")
        wanted["got"] = {who: self._filled(text) for who, text in wanted["got"].items()}
        seen = getattr(self, f"_do_{name}")(*arguments) or {}
        self._watch({key: wanted[key] for key in NOTHING})
        if name == "startup":
            self._wait_connected(wanted["got"])
        return {"seen": {**self._now(reported=True), **seen}, "wanted": wanted}

    def rest(self) -> dict[str, Any]:
        """Return what has been received after the last step."""
        self._watch(NOTHING)
        return self._now(reported=True)

    # -- results ---------------------------------------------------------------------

    def _watch(self, wanted: dict[str, Any]) -> None:
        """Serve all peers until *wanted* has been received, and then for a short time."""
        end = time.monotonic() + PATIENCE
        while self._now() != wanted and time.monotonic() < end:
            self._serve(0.02)
        self._serve_for(SHORT_SILENCE if wanted["got"] else SILENCE)

    def _serve_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._serve(left)

    def _serve(self, timeout: float) -> None:
        """Let the peers read what arrives within *timeout* seconds."""
        readers = {}
        for peer in self._peers().values():
            readers.update(peer.readers())
        for sock in select.select(list(readers), [], [], timeout)[0]:
            readers[sock]()

    def _now(self, *, reported: bool = False) -> dict[str, Any]:
        """Return what has been received since that was last *reported*."""
        peers = self._peers()
        got = {name: readable(peer.heard) for name, peer in peers.items() if peer.heard}
        eof = [n for n, one in self._clients.items() if one.ended and n not in self._reported]
        status = None if self._process is None else self._process.poll()
        news = {"got": got, "eof": eof, "exit": None if "exit" in self._reported else status}
        if reported:
            for peer in peers.values():
                peer.heard = b""
            self._reported.update(eof, [] if status is None else ["exit"])
        return news

    def _peers(self) -> dict[str, Peer]:
        return {**self._clients, **self._servers}

    def _filled(self, text: str) -> str:
        for name, value in self._names.items():
            text = text.replace(name, value)
        return text

    # -- steps ---------------------------------------------------------------------------

    def _do_startup(self) -> None:
        conf = self._session["conf"].replace(
            "listenaddress = 127.0.0.1\n", f"listenaddress = {self._address[0]}\n"
        )
        self._do_write_conf(conf)
        self._do_write_users(self._session["users"])
        arguments = self._session["args"].split()
        if not arguments:  # becomes a daemon
            arguments = ["-p", str(self._pidfile)]
        files = ["-c", str(self._dir / "amp.conf"), "-u", str(self._dir / "amp.users")]
        output = self._dir / "output"
        self._process = nursery.start(
            [*files, *arguments], stdout=output, stderr=output, cwd=self._dir
        )
        wait_until(lambda: is_listening(self._address[1]), PATIENCE, "the proxy listens")

    def _wait_connected(self, got: dict[str, str]) -> None:
        """Wait until the proxy knows that all servers have logged it in."""
        logins = sum(text.startswith("Action: Login") for text in got.values())
        wait_until(lambda: self._log.read_text("latin-1").count(": connected (") >= logins)

    def _do_connect(self, name: str, tls: str = "") -> None:
        self._clients[name] = Client(self._address, TLS_VERSIONS[tls] if tls else None)

    def _do_send(self, name: str, text: str) -> None:
        self._clients[name].send(self._filled(text))

    def _do_req(self, name: str, text: str) -> None:
        self._do_connect(name)
        self._do_send(name, text)

    def _do_tls_part(self, name: str, text: str) -> None:
        self._clients[name].send_half(text)

    def _do_close(self, name: str) -> None:
        self._clients[name].close()

    def _do_emit(self, name: str, text: str) -> None:
        self._servers[name].emit(text)

    def _do_start(self, name: str) -> None:
        self._servers[name].start()

    def _do_write_conf(self, text: str) -> None:
        (self._dir / "amp.conf").write_bytes(self._filled(text).encode("latin-1"))

    def _do_write_users(self, text: str) -> None:
        (self._dir / "amp.users").write_bytes(text.encode("latin-1"))

    def _do_rename_log(self) -> None:
        self._log.rename(self._dir / "amp.log.old")

    def _do_signal(self, name: str) -> None:
        assert self._process is not None
        assert name == "HUP"
        self._process.send_signal(signal.SIGHUP)
        done = "reread permissions"
        wait_until(lambda: self._log.exists() and done in self._log.read_text("latin-1"), PATIENCE)

    def _do_log_exists(self) -> dict[str, Any]:
        return {"log_exists": self._log.exists()}

    def _do_sleep(self, seconds: float) -> None:
        self._serve_for(seconds)

    def _do_cpu(self, seconds: float) -> dict[str, Any]:
        assert self._process is not None
        process = psutil.Process(self._process.pid)
        before = process.cpu_times()
        self._serve_for(seconds)
        after = process.cpu_times()
        used = after.user + after.system - before.user - before.system
        return {"cpu": "spinning" if used > 0.4 * seconds else "idle"}

    def _stop(self, process: subprocess.Popen[bytes] | nursery.Child) -> None:
        """End the program, and its daemon if there is one."""
        if self._pidfile.exists():
            daemon = psutil.Process(int(self._pidfile.read_text()))
            daemon.terminate()
            try:
                daemon.wait(PATIENCE)
            except psutil.TimeoutExpired:
                daemon.kill()
                raise
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def own_address() -> str:
    """Return a loopback address that no other test process uses."""
    number = os.getpid()
    return f"127.{128 + (number >> 16) % 64}.{(number >> 8) % 256}.{number % 256}"


def readable(heard: bytes) -> str:
    """Return *heard* as text, without what differs from run to run."""
    if heard.startswith(b"\x16\x03\x01"):
        return "<TLS ClientHello>"
    text = re.sub(r"(?m)^(Challenge: )\d+", r"\1<CHALLENGE>", heard.decode("latin-1"))
    # Upstream each action has an ActionID of the proxy's own (spec 12.25).
    text = re.sub(r"(?mi)^ActionID: amp\d+-[\w.]{18}\r\n", "", text)
    return re.sub(r"(?mi)^(ActionID: )amp\d+-[\w.]{18}-", r"\1", text)
