# SPDX-License-Identifier: GPL-2.0-or-later
"""A stand-in for the proxy, for tests of the pages: it says what the test wants, when it wants it.

The files are the real ones, with the real headers; the documents of the WebSocket are those of
docs/live.md.  What is sent to it is kept.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Callable

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response
from websockets.sync.server import serve

from amiproxy.console.files import page
from amiproxy.errors import ProtocolError
from amiproxy.httpmessages import Request
from amiproxy.threads import pages
from tests.support import wait_until

if TYPE_CHECKING:
    from websockets.http11 import Request as WireRequest
    from websockets.sync.server import ServerConnection

Rows = dict[str, dict[str, dict[str, Any]]]

EVERYTHING = {
    "read": ["system", "call", "agent", "reporting", "dialplan"],
    "write": ["system", "call", "agent", "reporting", "originate", "command"],
    "proxyactions": ["ListServers", "ListSessions"],
    "servers": None,
    "operator": True,
}
#: What the WebSocket's own thread may raise when a page has left.
_GONE = (ConnectionClosed, OSError)


class Page:
    """One page that is connected."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.wants: dict[str, Any] = {}
        self.lock = threading.Lock()

    def tell(self, document: dict[str, Any]) -> None:
        """Send *document*, if it is still there."""
        with contextlib.suppress(*_GONE), self.lock:
            self.connection.send(json.dumps(document))


class Stage:
    """Use it as a context manager; *rows* is what is there, by kind and id."""

    def __init__(self, rows: Rows | None = None, **me: Any) -> None:
        self.rows: Rows = rows if rows is not None else {}
        self.rights = {**EVERYTHING, **me.pop("rights", {})}
        self.me = {"user": "anna", "login_required": True, "encrypted": True, "state": True, **me}
        self.page = page()
        self.pages: list[Page] = []
        #: All that pages have sent.
        self.heard: list[dict[str, Any]] = []
        #: Answers an action; None: never.
        self.answer: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda _: {
            "response": {"Response": "Success", "Message": "Done"}
        }
        #: Further answers to GET by path: status and document.
        self.documents: dict[str, tuple[int, Any]] = {}
        #: Whether it is as if the proxy were not there; and one from which nothing comes any more.
        self.is_down = self.is_silent = False
        self._at = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Stage:
        self._server = serve(
            self._serve, "127.0.0.1", 0, process_request=self._request, compression=None,
            subprotocols=["astmanproxy.json"], ping_interval=None,  # type: ignore[list-item]
        )  # fmt: skip
        self.port = self._server.socket.getsockname()[1]
        self._run(self._server.serve_forever)
        self._run(self._tick)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.drop()
        self._server.shutdown()
        for thread in self._threads:
            thread.join(10)

    def _run(self, body: Callable[[], None]) -> None:
        thread = threading.Thread(target=body, daemon=True)
        self._threads.append(thread)
        thread.start()

    @property
    def url(self) -> str:
        """Where the console is."""
        return f"http://127.0.0.1:{self.port}/"

    # -- what is there ---------------------------------------------------------------------

    def set(self, kind: str, key: str, **row: Any) -> None:
        """Put a row, and tell it."""
        self.tell_rows({kind: {key: row}})

    def tell_rows(self, rows: Rows) -> None:
        """Put *rows*, and tell them."""
        for kind, found in rows.items():
            self.rows.setdefault(kind, {}).update(found)
        self._change(set=rows)

    def take(self, kind: str, key: str, **why: Any) -> None:
        """Take a row out, and tell it."""
        self.rows[kind].pop(key, None)
        self._change(**{"del": {kind: {key: why or None}}})

    def event(self, server: str = "pbx1", **headers: str) -> None:
        """Tell an event."""
        told = {"type": "event", "id": self._next(), "server": server, "time": time.time()}
        for each in list(self.pages):
            if each.wants.get("events"):
                each.tell({**told, "event": headers})

    def tell(self, document: dict[str, Any]) -> None:
        """Tell all pages *document*."""
        for each in list(self.pages):
            each.tell(document)

    def drop(self, code: int = 1012) -> None:
        """End all connections."""
        for each in list(self.pages):
            with contextlib.suppress(*_GONE):
                each.connection.close(code)

    def wait_for_page(self, kind: str = "servers") -> None:
        """Wait until a page has asked for *kind*."""
        wait_until(
            lambda: any(kind in each.wants.get("state", ()) for each in self.pages), 20, kind
        )

    @property
    def told(self) -> int:
        """The number of the last id."""
        return self._at

    def _next(self) -> str:
        self._at += 1
        return f"s.{self._at}"

    def _change(self, **what: Any) -> None:
        if self.is_silent:
            return
        told = {"type": "change", "upto": self._next(), "now": time.time()}
        for each in list(self.pages):
            wanted = {
                name: {kind: found for kind, found in rows.items() if kind in each.wants["state"]}
                for name, rows in what.items()
                if "state" in each.wants
            }
            if any(wanted.values()):
                each.tell({**told, **wanted})

    # -- threads ---------------------------------------------------------------------------

    def _tick(self) -> None:
        while not self._stopping.wait(1):
            if not self.is_silent:
                self.tell({"type": "tick", "now": time.time(), "at": f"s.{self._at}"})

    def _serve(self, connection: ServerConnection) -> None:
        told = Page(connection)
        told.tell({
            "type": "hello", "at": self._next(), "now": time.time(), "version": "2.1.0",
            "page": self.page, "user": self.me["user"], "rights": self.rights,
            "servers": list(self.rows.get("servers", {}).values()),
        })  # fmt: skip
        self.pages.append(told)
        try:
            for text in connection:
                document = json.loads(text)
                with self._lock:
                    self.heard.append(document)
                self._hear(told, document)
        except _GONE:
            pass
        finally:
            self.pages.remove(told)

    def _hear(self, told: Page, document: dict[str, Any]) -> None:
        kind = document.get("type")
        if kind == "subscribe":
            kinds = document.get("state", [])
            rows = {name: dict(self.rows.get(name, {})) for name in kinds}
            snapshot = {"type": "snapshot", "upto": self._next(), "now": time.time(), "of": kinds}
            told.wants = document
            told.tell({**snapshot, "part": 1, "last": True, "rows": rows})
        elif kind == "action":
            answer = self.answer(document)
            if answer is not None:
                begin = {"type": "answer", "id": document["id"], "server": document["server"]}
                told.tell({**begin, **answer})
        elif kind == "ping" and not self.is_silent:
            told.tell({"type": "pong", "id": document["id"], "now": time.time()})

    # -- files -----------------------------------------------------------------------------

    def _request(self, connection: ServerConnection, wire: WireRequest) -> Response | None:
        if self.is_down:
            connection.socket.shutdown(socket.SHUT_RDWR)
            raise ConnectionClosed(None, None)
        path = wire.path.partition("?")[0]
        if path == "/ws":
            return None
        if path in self.documents:
            return _json(*self.documents[path])
        if path == "/v1/me":
            return _json(200, {**self.me, "rights": self.rights, "now": time.time()})
        return _file(path, wire)


def _json(status: int, document: Any) -> Response:
    headers = Headers({"Content-Type": "application/json"})
    body = json.dumps(document).encode()
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status, HTTPStatus(status).phrase, headers, body)


def _file(path: str, wire: WireRequest) -> Response:
    """Return what the proxy would answer for *path*."""
    headers = tuple((name.lower(), value) for name, value in wire.headers.raw_items())
    visit: Any = SimpleNamespace(
        request=Request("GET", path, "1.1", headers),
        path=path,
        context=SimpleNamespace(config=SimpleNamespace(http_cors=())),
    )
    resource = {"/": pages.console, "/wall": pages.wall}.get(path, pages.file)
    try:
        if resource is pages.file and not path.startswith(pages.BELOW):
            return _json(404, {"title": "There is no such thing"})
        found = resource(visit)
    except ProtocolError as error:
        return _json(404, {"title": str(error)})
    told = Headers(found.headers)
    told["Content-Type"] = found.content_type
    told["Content-Length"] = str(len(found.body))
    told["X-Content-Type-Options"] = "nosniff"
    if resource is pages.file:
        # A page is loaded for each test: with what the test before it had fetched.
        del told["Cache-Control"]
        told["Cache-Control"] = "max-age=3600"
    told["Connection"] = "close"
    return Response(found.status, HTTPStatus(found.status).phrase, told, found.body)
