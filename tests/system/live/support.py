# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of /ws for the tests of the running program, made with the library websockets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Callable

import pytest

if TYPE_CHECKING:
    from types import TracebackType

    from tests.support import ProxyProcess

sync = pytest.importorskip("websockets.sync.client", reason="websockets before 11 has no client")
exceptions = pytest.importorskip("websockets.exceptions")

#: Seconds in which what is waited for comes, on a busy machine.
PATIENCE = 20.0
#: One comes every five.
_MOST_TICKS = 5


class Socket:
    """One WebSocket; *query* is behind ``/ws``."""

    def __init__(self, program: ProxyProcess, query: str = "", **options: Any) -> None:
        user = options.pop("user", "")
        if user:
            options["additional_headers"] = {
                **options.get("additional_headers", {}),
                "Authorization": basic(user),
            }
        options.setdefault("compression", None)
        options.setdefault("max_queue", None)  # else who closes waits for who reads
        # As a context manager: websockets 17 warns of any other use, and is entered here alone.
        self._connecting = sync.connect(
            f"ws://127.0.0.1:{program.port}/ws{query}", proxy=None, max_size=None, **options
        )
        self.socket = self._connecting.__enter__()

    def __enter__(self) -> Socket:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def say(self, **members: Any) -> None:
        """Send *members*."""
        self.socket.send(json.dumps(members))

    def ask(self, **headers: Any) -> dict[str, Any]:
        """Return the answer to an action of these headers."""
        self.say(type="action", id="ask", action=headers)
        return self.until("answer", lambda told: told["id"] == "ask")

    def hear(self) -> dict[str, Any]:
        """Return the next document but ticks."""
        for _ in range(_MOST_TICKS):
            found: dict[str, Any] = json.loads(self.socket.recv(timeout=PATIENCE))
            if found["type"] != "tick":
                return found
        raise AssertionError("nothing but ticks")

    def until(self, kind: str, accept: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
        """Return the next document of *kind* that is accepted; others are skipped."""
        while True:
            found = self.hear()
            if found["type"] == kind and accept(found):
                return found

    def closed(self) -> tuple[int, str]:
        """Return the code and the reason with which the proxy closes."""
        with pytest.raises(exceptions.ConnectionClosed) as caught:
            self._read_to_end()
        said = caught.value.rcvd
        assert said is not None, "closed without a close frame"
        return int(said.code), str(said.reason)

    def _read_to_end(self) -> None:
        while True:
            self.socket.recv(timeout=PATIENCE)


def basic(user: str) -> str:
    """Return the header Authorization of *user*, given as ``name:secret``."""
    import base64  # noqa: PLC0415 - of this alone

    return f"Basic {base64.b64encode(user.encode()).decode()}"
