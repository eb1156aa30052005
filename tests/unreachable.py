# SPDX-License-Identifier: GPL-2.0-or-later
"""Names with several addresses, and addresses where nobody answers, for tests of connecting."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@contextlib.contextmanager
def swallowing(host: str, port: int = 0) -> Iterator[int]:
    """Have whoever connects to *host* wait for an answer that never comes; yield the port.

    A listener whose backlog is full: the kernel drops what arrives.
    """
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server((host, port), backlog=0))
        for _ in range(3):
            sock = stack.enter_context(socket.socket(full.family))
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        yield full.getsockname()[1]


def name(monkeypatch: pytest.MonkeyPatch, host: str, *addresses: str) -> None:
    """Give the name *host* these *addresses*, IPv4 or IPv6, in this order."""
    real = socket.getaddrinfo

    def lookup(asked: Any, port: Any, *arguments: Any, **options: Any) -> list[Any]:
        wanted = addresses if asked == host else (asked,)
        return [found for each in wanted for found in real(each, port, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
