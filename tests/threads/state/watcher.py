# SPDX-License-Identifier: GPL-2.0-or-later
"""Watcher: a client that watches, and keeps what it is told as a page would."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from amiproxy.formats import load_formats
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.state.watching import watch
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from amiproxy.access.user import User
    from amiproxy.live.told import Told
    from amiproxy.threads.sessions.context import ProxyContext

FORMATS = load_formats(ROOT / "handlers")

Rows = dict[str, dict[str, Any]]


class Copy:
    """What documents tell, put together; by kind and id."""

    def __init__(self) -> None:
        self.rows: dict[str, Rows] = {}
        #: Servers whose snapshot is whole; "" for that of the servers themselves.
        self.whole: set[str] = set()
        self.documents: list[dict[str, Any]] = []

    def take(self, document: dict[str, Any]) -> None:
        """Take a document, as docs/live.md says."""
        self.documents.append(document)
        if document["type"] == "snapshot":
            self._take_part(document, document.get("server", ""))
        for kind, found in document.get("set", {}).items():
            self.rows[kind].update(found)
        for kind, found in document.get("del", {}).items():
            for key in found:
                del self.rows[kind][key]

    def _take_part(self, document: dict[str, Any], server: str) -> None:
        if document["part"] == 1:
            self.whole.discard(server)
            for kind in document["of"]:
                found = self.rows.setdefault(kind, {})
                for key in [
                    each for each in found if found[each]["server"] == server or not server
                ]:
                    del found[key]
        for kind, rows in document["rows"].items():
            self.rows[kind].update(rows)
        if document["last"]:
            self.whole.add(server)


class Watcher:
    """A client of *context* that watches *kinds* as *user*."""

    def __init__(
        self,
        context: ProxyContext,
        kinds: Collection[str],
        user: User | None = None,
        where: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self.session = session(context, user)
        self.copy = Copy()
        self.told: list[Told] = []
        self.takes = True
        self._lock = threading.Lock()
        self.watch = watch(context, self.session, kinds, where or {}, self)

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.watch.end()

    def tell(self, told: Told) -> bool:
        """Take *told*, if it takes anything."""
        with self._lock:
            if self.takes:
                self.told.append(told)
                self.copy.take(json.loads(told.json))
            return self.takes

    def rows(self, kind: str) -> Rows:
        """Return the rows of *kind* that there are."""
        with self._lock:
            return dict(self.copy.rows.get(kind, {}))

    def row(self, kind: str, key: str) -> dict[str, Any]:
        """Return one row."""
        return self.rows(kind)[key]

    def documents(self, kind: str) -> list[dict[str, Any]]:
        """Return the documents of *kind* so far."""
        with self._lock:
            return [each for each in self.copy.documents if each["type"] == kind]


def session(context: ProxyContext, user: User | None = None) -> Collector:
    """Return a session that has logged in as *user*."""
    found = Collector(
        "test", "127.0.0.1", guarded=user is not None, output=FORMATS["json"],
        filter_local="off",
    )  # fmt: skip
    context.registry.log_in(found, user, None)
    return found
