# SPDX-License-Identifier: GPL-2.0-or-later
"""The subjects of measurement: no proxy, the bare relay, the proxy."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import PATIENCE, Child, Failed
from benchmarks.upstream import Upstream

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
SUBJECTS = ("direct", "relay", "proxy")
_LOGIN = b"Action: Login\r\nUsername: bench\r\nSecret: bench\r\nEvents: on\r\n\r\n"


class Running:
    """A subject that runs."""

    def __init__(self, name: str, upstream: Upstream, address: tuple[str, int], pid: int) -> None:
        self.name = name
        self.upstream = upstream
        self.address = address
        #: The process whose CPU time and memory are measured; with "direct", the upstream.
        self.pid = pid

    @property
    def adds_server(self) -> bool:
        """Whether events get a ``Server:`` header."""
        return self.name != "direct"

    @property
    def login(self) -> bytes:
        """What a client must send to get events; empty if nothing."""
        return _LOGIN if self.name == "direct" else b""


@contextlib.contextmanager
def running(
    name: str,
    command: list[str],
    settings: Mapping[str, str] | None = None,
    users: str = "",
    make_upstream: Callable[[], Upstream] = Upstream,
) -> Iterator[Running]:
    """Start the subject *name* with an upstream of its own; stop both at the end.

    *command* starts the proxy, *settings* and *users* are its two files, *make_upstream*
    starts the Asterisk.
    """
    with contextlib.ExitStack() as stack:
        upstream: Upstream = stack.enter_context(make_upstream())
        if name == "direct":
            yield Running(name, upstream, upstream.address, upstream.pid)
            return
        stack.callback(upstream.order, "guard", 0)
        if name == "relay":
            relay = stack.enter_context(
                Child([sys.executable, "-m", "benchmarks.relay", str(upstream.port)], cwd=ROOT)
            )
            port = int(relay.wait_line(b"port").split()[1])
            pid = relay.pid
            upstream.order("guard", pid)
        else:
            directory = Path(tempfile.mkdtemp(prefix="astmanproxy-bench-"))
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            port = free_port()
            write_files(directory, upstream.port, port, settings or {}, users)
            files = ["-f", "-c", str(directory / "conf"), "-u", str(directory / "users")]
            with open(directory / "stderr", "wb") as stderr:
                proxy = stack.enter_context(Child([*command, *files], stderr=stderr))
            pid = proxy.pid
            upstream.order("guard", pid)
            wait_listening(proxy.process, port, directory)
        upstream.wait_logins(1)
        yield Running(name, upstream, ("127.0.0.1", port), pid)


def write_files(
    directory: Path, upstream_port: int, port: int, settings: Mapping[str, str], users: str
) -> None:
    """Write the two files of a proxy, which listens at *port*, to *directory*."""
    lines = {
        "host": f"127.0.0.1, {upstream_port}, bench, bench, on, off",
        "listenaddress": "127.0.0.1",
        "listenport": str(port),
        "acceptunencryptedconnection": "yes",
        "acceptencryptedconnection": "no",
        "logfile": str(directory / "log"),
        # The client process shares the processors with the proxy: when it does not
        # run for a moment, the proxy must not drop it as stuck.
        "clientwritetimeout": "20000",
        "authlimit": "0",
        **settings,
    }
    if os.geteuid() == 0:
        lines.update(proc_user="nobody", proc_group=_group_of_nobody())
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    (directory / "conf").write_text(text)
    (directory / "users").write_text(users)
    # The proxy drops privileges, and reads some of this again after that.
    directory.chmod(0o755)


def _group_of_nobody() -> str:
    import grp  # noqa: PLC0415 - only root needs it
    import pwd  # noqa: PLC0415

    return grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name


def free_port() -> int:
    """Return an unused TCP port of 127.0.0.1."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_listening(process: subprocess.Popen[bytes], port: int, directory: Path) -> None:
    """Wait until the proxy listens.

    Raises:
        Failed: it has ended, or does not listen within PATIENCE.

    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = (directory / "stderr").read_text("utf-8", "replace").strip()
            raise Failed(f"the proxy exited with status {process.returncode}: {said[-500:]}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.02)
    raise Failed(f"the proxy does not listen after {PATIENCE:g} s")
