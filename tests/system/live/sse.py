# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of /events over a real socket, which reads blocks as HTML's standard says."""

from __future__ import annotations

import http.client
import json
import re
from typing import TYPE_CHECKING, Any, Callable, NamedTuple
from urllib.parse import urlencode

from tests.system.live.support import PATIENCE

if TYPE_CHECKING:
    from tests.support import ProxyProcess

_FIELD = re.compile(r"([^:]+)(?:: ?(.*))?", re.DOTALL)


class Block(NamedTuple):
    """One event: its name, "message" without one; its data; the last id that was told."""

    kind: str
    data: str
    id: str

    @property
    def document(self) -> dict[str, Any]:
        """The data, which is JSON."""
        found: dict[str, Any] = json.loads(self.data)
        return found


class EventSource:
    """One stream; *fields* are those of the URL.  Raises RefusedError where it is refused."""

    def __init__(
        self, program: ProxyProcess, headers: dict[str, str] | None = None, **fields: str
    ) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=PATIENCE)
        query = f"?{urlencode(fields)}" if fields else ""
        self._connection.request("GET", f"/events{query}", headers=headers or {})
        self._response = self._connection.getresponse()
        self.headers = dict(self._response.getheaders())
        if self._response.status != 200:
            body = self._response.read()
            self._connection.close()
            raise RefusedError(self._response.status, json.loads(body))
        #: What an EventSource would come back with.
        self.last_id = ""
        self.comments: list[str] = []
        self.retry = 0

    def __enter__(self) -> EventSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()
        self._connection.close()

    def hear(self) -> Block | None:
        """Return the next event, None at the end."""
        kind, data, place = "", list[str](), self.last_id
        while line := self._response.readline():
            text = line.rstrip(b"\n").decode()
            if not text:
                self.last_id = place  # it counts where the block is whole
                if data:
                    return Block(kind or "message", "\n".join(data), self.last_id)
                kind = ""
            elif text.startswith(":"):
                self.comments.append(text[1:].strip())
            else:
                found = _FIELD.fullmatch(text)
                assert found is not None, text
                name, value = found[1], found[2] or ""
                if name == "data":
                    data.append(value)
                elif name == "event":
                    kind = value
                elif name == "id":
                    place = value
                else:
                    assert name == "retry", text
                    self.retry = int(value)
        return None

    def until(self, kind: str, accept: Callable[[Block], object] = bool) -> Block:
        """Return the next event of *kind* that is accepted; others are skipped."""
        while (block := self.hear()) is not None:
            if block.kind == kind and accept(block):
                return block
        raise AssertionError(f"the stream has ended without {kind}")


class RefusedError(Exception):
    """The answer was no stream, but *status* and *problem*."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status}: {problem}")
        self.status, self.problem = status, problem
