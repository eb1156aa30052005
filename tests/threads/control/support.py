# SPDX-License-Identifier: GPL-2.0-or-later
"""A control server on a socket of its own, and a context without a proxy."""

from __future__ import annotations

import contextlib
import os
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, cast

from amiproxy.basics.places import user_name
from amiproxy.process.identity import Identity
from amiproxy.settings.reloadreport import ReloadReport
from amiproxy.threads.control.server import ControlServer
from amiproxy.threads.control.socketfile import open_socket
from amiproxy.threads.sessions.registry import SessionRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.sessions.context import ProxyContext

MYSELF = Identity(user_name(os.geteuid()), os.geteuid(), os.getegid(), switch=False)


class FakeProxy:
    """What the commands ask of a ProxyContext; *report* is what a reload comes to."""

    started = datetime(2026, 1, 31, 8, 15, tzinfo=timezone.utc)
    uptime = 60.0
    bus = None

    def __init__(self) -> None:
        self.program = self
        self.registry = SessionRegistry()
        self.report: ReloadReport | None = ReloadReport()
        self.asked: list[str] = []

    def reload(self, because: str) -> ReloadReport | None:
        self.asked.append(because)
        return self.report

    def set_log_level(self, word: str, module: str = "") -> str:
        if word == "loud":
            raise ValueError("no such level")
        self.asked.append(f"{word} {module}")
        return f"{word} {module}"

    def stop(self, drain: float = 0.0) -> None:
        self.asked.append(f"stop {drain:g}")

    @property
    def context(self) -> ProxyContext:
        return cast("ProxyContext", self)


@contextlib.contextmanager
def served(fake: FakeProxy, patience: float = 10.0) -> Iterator[Path]:
    """Give the path of a control socket that asks *fake*."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-control-") as name:
        path = Path(name, "c.sock")
        server = ControlServer(fake.context, open_socket(str(path), MYSELF), patience=patience)
        server.start()
        try:
            yield path
        finally:
            server.stop()
