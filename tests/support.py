# SPDX-License-Identifier: GPL-2.0-or-later
"""Helpers of the tests: waiting for a condition, a manager client, the proxy as a process."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from tests import nursery
from tests.listening import listening_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "astmanproxy.py"

_NAMES_LOG = re.compile(r"^\s*logfile\s*=", re.MULTILINE | re.IGNORECASE)
_NAMES_USER = re.compile(r"^\s*proc_user\s*=", re.MULTILINE | re.IGNORECASE)


def wait_until(condition: Callable[[], Any], timeout: float = 10.0, what: str = "") -> Any:
    """Return the first true value of *condition*, or fail after *timeout* seconds."""
    began = time.monotonic()
    while not (value := condition()):
        waited = time.monotonic() - began
        if waited > timeout:
            raise AssertionError(f"not within {timeout:g} s: {what or condition}")
        # Rarer and rarer: what is waited for wants the processor as well.
        time.sleep(min(0.05, 0.01 + waited / 20))
    return value


def _ports() -> Iterator[int]:
    """Yield ports outside the ephemeral range of the system, different ones for each worker."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8
    ports = range(10_000 + 2_500 * worker, 12_500 + 2_500 * worker)
    return itertools.cycle([*ports[(start := os.getpid() % 2_500) :], *ports[:start]])


_PORTS = _ports()


def free_port() -> int:
    """Return a TCP port that is free on all addresses and is not in the ephemeral range."""
    for port in itertools.islice(_PORTS, 2_500):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return port
    raise AssertionError("no free port")


def is_listening(port: int) -> bool:
    """Return whether any process listens on *port*, without connecting to it."""
    return port in listening_ports()


def tls_context(cafile: str = "") -> ssl.SSLContext:
    """Return a client's context that trusts *cafile*; without one it checks nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if cafile:
        context.load_verify_locations(cafile)
        context.check_hostname = True
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class ManagerClient:
    """A manager client on a real socket: sends blocks, reads messages.

    All methods wait at most *timeout* seconds.  Text is latin-1.  *tls* is True, or
    a context.  *source* is the address to connect from.  A *host* that begins with a slash
    is a Unix socket.  Use it as a context manager.
    """

    def __init__(
        self,
        port: int,
        host: str = "127.0.0.1",
        *,
        tls: bool | ssl.SSLContext = False,
        timeout: float = 10.0,
        server_hostname: str | None = None,
        source: str = "",
    ) -> None:
        self.timeout = timeout
        self._pending = b""
        self.sock: socket.socket
        if host.startswith("/"):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(host)
        else:
            self.sock = socket.create_connection((host, port), timeout, (source, 0))
        if tls:
            context = tls_context() if tls is True else tls
            try:
                self.sock = context.wrap_socket(self.sock, server_hostname=server_hostname or host)
            except BaseException:
                self.sock.close()
                raise

    def __enter__(self) -> ManagerClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.sock.close()

    def half_close(self) -> None:
        """Send the end of the stream; answers can still be read."""
        self.sock.shutdown(socket.SHUT_WR)

    def send(self, *lines: str) -> None:
        """Send *lines* as one block."""
        self.send_raw("".join(f"{line}\r\n" for line in lines) + "\r\n")

    def send_raw(self, data: str | bytes) -> None:
        """Send *data* unchanged."""
        self.sock.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def _more(self, end: float) -> None:
        """Wait for further bytes until the moment *end*."""
        self.sock.settimeout(max(0.001, end - time.monotonic()))
        try:
            data = self.sock.recv(65536)
        except socket.timeout as error:  # in Python 3.9 no TimeoutError yet
            raise TimeoutError(f"nothing came after {self._pending[-200:]!r}") from error
        if not data:
            raise EOFError(f"connection closed after {self._pending[-200:]!r}")
        self._pending += data

    def read_to(self, mark: bytes, timeout: float | None = None) -> bytes:
        """Return all bytes before *mark* and drop it; raise as read_line does."""
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while mark not in self._pending:
            self._more(end)
        found, _, self._pending = self._pending.partition(mark)
        return found

    def read_line(self, timeout: float | None = None) -> str:
        """Return the next line without its end; the first one is the banner.

        Raises TimeoutError when nothing comes, EOFError when the connection closed.
        """
        return self.read_to(b"\r\n", timeout).decode("latin-1")

    def read_message(self, timeout: float | None = None) -> list[str]:
        """Return the lines of the next message; raise as read_line does."""
        return self.read_to(b"\r\n\r\n", timeout).decode("latin-1").split("\r\n")

    def read_until(
        self, wanted: str | Callable[[list[str]], bool], timeout: float | None = None
    ) -> list[str]:
        """Return the first message with the line *wanted*, or for which *wanted* is true."""
        seconds = self.timeout if timeout is None else timeout
        end = time.monotonic() + seconds
        while True:
            message = self.read_message(max(0.0, end - time.monotonic()))
            if wanted in message if isinstance(wanted, str) else wanted(message):
                return message

    def read_to_end(self, timeout: float | None = None) -> bytes:
        """Return all bytes up to the end of the stream."""
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                self._more(end)
        found, self._pending = self._pending, b""
        return found

    def take(self) -> bytes:
        """Return and drop what was received but not read yet."""
        taken, self._pending = self._pending, b""
        return taken

    def is_silent(self, seconds: float = 0.2) -> bool:
        """Return whether nothing is received for *seconds*."""
        if self._pending:
            return False
        try:
            self._more(time.monotonic() + seconds)
        except TimeoutError:
            return True
        except EOFError:
            return False
        return False

    def ask(self, *lines: str) -> list[str]:
        """Send *lines* and return the next message."""
        self.send(*lines)
        return self.read_message()


class ProxyProcess:
    """The real program in a directory of its own, in the foreground on a free port.

    *config* follows lines that make it listen on 127.0.0.1 and log into the directory,
    so it may overrule them; ``{dir}`` in it is the directory.  *users* is the text of
    the users file; None: there is no such file.  *open_files* limits how many
    descriptors it may have.  *port*: instead of a free one.  *fresh*: a Python of its own, as
    where *args*, *env* or *open_files* are given, not the nursery's.  Returns when it serves.
    """

    def __init__(
        self,
        config: str = "",
        users: str | None = "",
        *,
        args: Sequence[str] = ("-f",),
        env: dict[str, str] | None = None,
        open_files: int = 0,
        port: int = 0,
        timeout: float = 20.0,
        fresh: bool = False,
    ) -> None:
        self.port = port or free_port()
        self.dir = Path(tempfile.mkdtemp(prefix="astmanproxy-test-"))
        # The program reads its files again after it has dropped its privileges.
        self.dir.chmod(0o777)
        self.config_file = self.dir / "astmanproxy.conf"
        self.users_file = self.dir / "astmanproxy.users"
        self.log_file = self.dir / "astmanproxy.log"
        self.write_config(config)
        if users is not None:
            self.write_users(users)
        arguments = ["-c", str(self.config_file), "-u", str(self.users_file), *args]
        self.process: subprocess.Popen[bytes] | nursery.Child
        if fresh or env or open_files or tuple(args) != ("-f",):
            command = [sys.executable, str(PROGRAM), *arguments]
            if open_files:
                command = ["sh", "-c", 'ulimit -n "$0" && exec "$@"', str(open_files), *command]
            self._start(command, env)
        else:
            output, errors = self.dir / "stdout", self.dir / "stderr"
            self.process = nursery.start(arguments, stdout=output, stderr=errors)
        try:
            wait_until(lambda: self.process.poll() is not None or self._has_started(), timeout)
            if (status := self.process.poll()) is not None:
                raise AssertionError(f"exit status {status}: {self.stdout()}{self.stderr()}")
        except BaseException:
            self.kill()
            raise

    def _start(self, command: list[str], env: dict[str, str] | None) -> None:
        with (self.dir / "stdout").open("wb") as out, (self.dir / "stderr").open("wb") as err:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env
            )

    def _has_started(self) -> bool:
        """Return whether clients are served and signals handled, not just the port bound."""
        started = "Proxy Started" in self.log() or self._logs_elsewhere
        return started and is_listening(self.port)

    def __enter__(self) -> ProxyProcess:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.kill()

    @property
    def pid(self) -> int:
        """The process id of the proxy."""
        return self.process.pid

    def write_config(self, config: str) -> None:
        """Write the configuration file: the lines that every test needs, then *config*.

        If *config* does not set proc_user, without which root cannot start the program,
        it is nobody.
        """
        ours = f"listenaddress = 127.0.0.1\nlistenport = {self.port}\nlogfile = {self.log_file}\n"
        self._logs_elsewhere = _NAMES_LOG.search(config) is not None
        if os.geteuid() == 0 and not _NAMES_USER.search(config):
            ours += "proc_user = nobody\n"
        text = ours + config.replace("{dir}", str(self.dir))
        self.config_file.write_bytes(text.encode("latin-1"))

    def write_users(self, users: str) -> None:
        """Write the users file."""
        self.users_file.write_bytes(users.encode("latin-1"))

    def log(self) -> str:
        """Return the contents of the log file."""
        return self.log_file.read_text("latin-1") if self.log_file.exists() else ""

    def stdout(self) -> str:
        """Return what the program wrote to stdout."""
        return (self.dir / "stdout").read_text("latin-1")

    def stderr(self) -> str:
        """Return what the program wrote to stderr."""
        return (self.dir / "stderr").read_text("latin-1")

    def wait_log(self, text: str, timeout: float = 10.0) -> str:
        """Wait until *text* stands in the log; return the log."""
        wait_until(lambda: text in self.log(), timeout, f"{text!r} in the log")
        return self.log()

    def client(self, *, banner: bool = True, **options: Any) -> ManagerClient:
        """Return a new client; it has read the banner unless *banner* is false."""
        client = ManagerClient(self.port, **options)
        if banner:
            try:
                client.read_line()
            except BaseException:
                client.close()
                raise
        return client

    def send_signal(self, number: int) -> None:
        """Send a signal to the proxy."""
        self.process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM, timeout: float = 15.0) -> int:
        """Send signal *number*, wait for the end and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """Kill the proxy and remove its directory."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


#: The fixture "proxy": a function with the arguments of ProxyProcess.
StartProxy = Callable[..., ProxyProcess]
