# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Redis, or Valkey, in a directory of its own: started, killed, stopped, started again."""

from __future__ import annotations

import functools
import os
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from benchmarks.processes import PATIENCE, Failed
from benchmarks.subjects import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OWN_USER = "stage"


@functools.cache
def find_redis() -> str:
    """Return the path of redis-server or valkey-server, "" if this machine has neither."""
    return shutil.which("redis-server") or shutil.which("valkey-server") or ""


class Tls(NamedTuple):
    """Files in PEM: the server's certificate and key in one, and the authority that signed it."""

    certificate: Path
    authority: Path
    #: Whether clients must show a certificate of that authority, too.
    asks_clients: bool = False


class RedisError(Exception):
    """Redis has answered with an error."""


class RedisServer:
    """One server; use it as a context manager, or call start() and close().

    *users* are names and their ACL rules, such as ``{"proxy": ">secret ~astmanproxy:* &* +@all"}``;
    with any, nobody else may do anything.  *password* is the one of the default user.  It
    listens on *port* of 127.0.0.1 (with *tls* for TLS only) and on the socket ``unix_path``.
    It keeps data on disk, so that they survive kill() and start().  *before* are words before its
    command, such as ``faketime -f +2d``; *settings* are further lines of its configuration.
    """

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        password: str = "",
        tls: Tls | None = None,
        port: int = 0,
        before: Sequence[str] = (),
        settings: Sequence[str] = (),
    ) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="astmanproxy-redis-"))
        self.port = port or free_port()
        self.unix_path = self.directory / "redis.sock"
        self.before = list(before)
        self.process: subprocess.Popen[bytes] | None = None
        self._tls, self._users, self._password = tls, dict(users or {}), password
        self._secret = secrets.token_hex(16)
        self._settings = list(settings)

    @property
    def url(self) -> str:
        """Where it is, as a value of the key ``bus``; without user and password."""
        return f"{'rediss' if self._tls else 'redis'}://127.0.0.1:{self.port}"

    @property
    def unix_url(self) -> str:
        """Its socket, as a value of the key ``bus``."""
        return f"unix://{self.unix_path}"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """What it has written into its log."""
        path = self.directory / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def __enter__(self) -> RedisServer:  # noqa: PYI034 - Self is not in 3.9
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what is done to it ---------------------------------------------------------------------

    def start(self, *, keep: bool = True) -> None:
        """Start it and wait until it answers; without *keep* it has forgotten all data.

        Raises:
            Failed: it does not start, or there is no such program.

        """
        if not find_redis():
            raise Failed("there is neither redis-server nor valkey-server here")
        if not keep:
            shutil.rmtree(self.directory / "appendonlydir", ignore_errors=True)
        configuration = self.directory / "redis.conf"
        configuration.write_text("".join(f"{line}\n" for line in self._lines()))
        configuration.chmod(0o600)
        with open(self.directory / "output", "wb") as output:
            self.process = subprocess.Popen(
                [*self.before, find_redis(), str(configuration)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while not self.is_ready:
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.directory / "output").read_text("utf-8", "replace") + self.log
                raise Failed(f"redis does not start: {said[-1000:]}")
            time.sleep(0.01)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it with SIGTERM: it writes what it has, and leaves."""
        self.go_on()
        self._end(signal.SIGTERM)

    def restart(self, *, keep: bool = True) -> None:
        """Kill it and start it; without *keep* it has forgotten all data."""
        self.kill()
        self.start(keep=keep)

    def pause(self) -> None:
        """Stop its process: connections stay, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Have its process go on."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it, and remove all that it has written."""
        self._end(signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _end(self, signum: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signum)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    # -- what it is asked -----------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """Whether it answers, and has read its data."""
        try:
            return bool(self.command("PING", timeout=1.0) == b"PONG")
        except (OSError, RedisError):
            return False

    def command(self, *words: str | bytes | int, timeout: float = 10.0) -> Any:
        """Return the answer to one command, sent through its socket as a user who may do anything.

        Raises:
            RedisError: it is an error.
            OSError: there is none within *timeout* seconds.

        """
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(timeout)
            sock.connect(str(self.unix_path))
            with sock.makefile("rb") as stream:
                for each in (("AUTH", _OWN_USER, self._secret), words):
                    sock.sendall(packed(*each))
                    answer = read_answer(stream)
                    if isinstance(answer, RedisError):
                        raise answer
                return answer

    def client_context(self) -> ssl.SSLContext:
        """Return a context that trusts its certificate."""
        assert self._tls is not None
        return ssl.create_default_context(cafile=str(self._tls.authority))

    def _lines(self) -> list[str]:
        """Return the lines of its configuration."""
        lines = [
            f"dir {self.directory}", f"logfile {self.directory}/log", "bind 127.0.0.1",
            f"unixsocket {self.unix_path}", "unixsocketperm 777", 'save ""', "appendonly yes",
            f"user {_OWN_USER} on >{self._secret} ~* &* +@all",
        ]  # fmt: skip
        if self._users:
            lines.append("user default off")
        elif self._password:
            lines.append(f"user default on >{self._password} ~* &* +@all")
        lines += [f"user {name} on {rules}" for name, rules in self._users.items()]
        # A proxy that is started as root is nobody soon, and is to reach the socket.
        self.directory.chmod(0o755)
        return [*lines, *self._places(), *self._settings]

    def _places(self) -> list[str]:
        """Return the lines that say where it listens."""
        if self._tls is None:
            return [f"port {self.port}"]
        certificate, authority, asks_clients = self._tls
        return [
            "port 0", f"tls-port {self.port}", f"tls-cert-file {certificate}",
            f"tls-key-file {certificate}", f"tls-ca-cert-file {authority}",
            f"tls-auth-clients {'yes' if asks_clients else 'no'}",
        ]  # fmt: skip


def packed(*words: str | bytes | int) -> bytes:
    """Return a command as Redis reads it."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def read_answer(stream: BinaryIO) -> Any:
    """Return the next answer in *stream*; an error is a RedisError, and is returned.

    Raises:
        OSError: the connection has ended.

    """
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionResetError("Redis has closed the connection")
    kind, rest = line[:1], line[1:-2]
    if kind == b"-":
        return RedisError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return None if rest == b"-1" else [read_answer(stream) for _ in range(int(rest))]
    return rest
