# SPDX-License-Identifier: GPL-2.0-or-later
"""A redis-server of the benchmarks' own: nothing on disk, gone at the end."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from benchmarks.processes import PATIENCE, Child, Failed
from benchmarks.subjects import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: What it is called; Valkey's understands the same.
PROGRAMS = ("redis-server", "valkey-server")


class Redis:
    """A server that runs."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self.pid = pid
        #: The value of the key ``bus``.
        self.url = f"redis://127.0.0.1:{port}/0"

    def ask(self, *words: str) -> bytes:
        """Return the answer to one command, as its bytes on the wire, without the last CR LF."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as sock:
            told = [b"$%d\r\n%s\r\n" % (len(each), each) for each in map(str.encode, words)]
            sock.sendall(b"*%d\r\n%sQUIT\r\n" % (len(told), b"".join(told)))
            heard = b""
            while data := sock.recv(65536):
                heard += data
        return heard.removesuffix(b"+OK\r\n").removesuffix(b"\r\n")

    def get(self, key: str) -> bytes | None:
        """Return the value of *key*, None without one."""
        head, _, value = self.ask("GET", key).partition(b"\r\n")
        return None if head == b"$-1" else value

    def counted(self, name: str) -> int:
        """Return a counter of ``INFO stats``, such as ``total_net_input_bytes``."""
        for line in self.ask("INFO", "stats").split(b"\r\n"):
            if line.startswith(name.encode() + b":"):
                return int(line.partition(b":")[2])
        raise Failed(f"Redis does not tell {name}")


def version() -> str:
    """Return which version the server is, as it says itself."""
    said = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"v=(\S+)", said.stdout)
    return found[1] if found else said.stdout.strip()


def program() -> str:
    """Return the path of a server.

    Raises:
        Failed: none is installed.

    """
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise Failed("no redis-server and no valkey-server (Debian: apt install redis-server)")
    return found


@contextlib.contextmanager
def redis(directory: Path) -> Iterator[Redis]:
    """Start a server, whose files are in *directory*; stop it at the end."""
    port = free_port()
    options = {"--bind": "127.0.0.1", "--port": str(port), "--save": "", "--appendonly": "no"}
    options |= {"--dir": str(directory), "--logfile": str(directory / "redis.log")}
    command = [program(), *(word for option in options.items() for word in option)]
    with Child(command) as child:
        started = Redis(port, child.pid)
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if started.ask("PING") == b"+PONG":
                    break
            if time.monotonic() > deadline or child.process.poll() is not None:
                raise Failed(f"{command[0]} does not answer; see {directory}/redis.log")
            time.sleep(0.02)
        yield started
