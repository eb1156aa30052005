# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows about connecting: many clients at once, in plain text and with TLS."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import subprocess
import time
from typing import TYPE_CHECKING

from benchmarks.ends import Ends, close
from benchmarks.figures import Figures, Meter, latency
from benchmarks.processes import PATIENCE, Child, Failed, status
from benchmarks.subjects import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.subjects import Running


def connect(running: Running, clients: int, *, tls: bool = False) -> Figures:
    """Connect *clients* at once; ``all_s`` is the time until the last has its banner."""
    context = trusting() if tls else None
    with Ends() as ends:
        before = status(running.pid)["rss"]
        meter = Meter(running.pid)
        started = time.monotonic()
        ends.connect(running.address, clients, at_once=clients, tls=context)
        elapsed = time.monotonic() - started
        cpu, _ = meter.read()
        return {
            "clients": clients,
            "all_s": elapsed,
            "rate": clients / elapsed,
            "cpu_us": cpu / clients * 1e6,
            "rss_kb_per_client": (status(running.pid)["rss"] - before) / clients,
            **latency([end.greeted for end in ends.all]),
        }


def trusting() -> ssl.SSLContext:
    """Return a client's side of TLS that trusts any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def make_certificate(path: Path) -> None:
    """Write a self-signed certificate and its key (EC, P-256) to *path*."""
    key = path.with_suffix(".key")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    subprocess.run(
        [*command.split(), "-subj", "/CN=localhost", "-keyout", str(key), "-out", str(path)],
        check=True,
        capture_output=True,
        timeout=PATIENCE,
    )
    path.write_bytes(path.read_bytes() + key.read_bytes())
    key.unlink()
    path.chmod(0o644)


def openssl_rate(certificate: Path, seconds: int) -> float:
    """Return the connections a second that ``openssl s_time`` makes to ``s_server``."""
    server, port = _openssl_server(certificate)
    with server:
        started = time.monotonic()
        result = subprocess.run(
            ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-time", str(seconds)],
            capture_output=True,
            timeout=PATIENCE + seconds,
            check=False,
        )
        elapsed = time.monotonic() - started
    found = re.search(rb"(\d+) connections in \d+ real seconds", result.stdout)
    if not found:
        raise Failed(f"openssl s_time said {result.stdout[-300:]!r} {result.stderr[-300:]!r}")
    return int(found[1]) / elapsed


def _openssl_server(certificate: Path) -> tuple[Child, int]:
    """Start ``openssl s_server``; return it and its port."""
    for _ in range(5):  # it listens on all addresses, one of which may have the port in use
        port = free_port()
        command = f"openssl s_server -quiet -www -accept {port} -cert"
        server = Child(
            [*command.split(), str(certificate)],
            stderr=subprocess.DEVNULL,
            stdin=subprocess.PIPE,
        )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and server.process.poll() is None:
            with contextlib.suppress(OSError):
                close(socket.create_connection(("127.0.0.1", port), 1))
                return server, port
            time.sleep(0.02)
        server.stop()
    raise Failed("openssl s_server does not listen")
