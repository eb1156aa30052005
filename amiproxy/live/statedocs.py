# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents that tell what there is: snapshot, change, server, gap.

Rows are whole, so that a later one takes the place of an earlier one, and nothing else.  They are
handed over as entries (rows.entry): each row is written once, whoever is told of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amiproxy.live import rows
from amiproxy.live.told import Told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

#: Bytes of rows in one part of a snapshot, about.
PART = 64 * 1024


class Head(NamedTuple):
    """What documents begin with: the server, "" for all; its last event; the time.

    It is not called ``at``: that says where the client goes on, whose events may be behind that,
    and come from other servers, too.
    """

    server: str
    upto: str
    now: float

    def written(self, kind: str, **more: Any) -> bytes:
        """Return the beginning of a document of *kind*, an object without its end."""
        found = {"type": kind, "upto": self.upto, "now": self.now}
        if self.server:
            found["server"] = self.server
        return rows.document({**found, **more})[:-1]


def _object(entries: Iterable[bytes]) -> bytes:
    return b"{%b}" % b",".join(entries)


def _by_kind(found: Mapping[str, Iterable[bytes]]) -> bytes:
    return _object(b'"%b":%b' % (kind.encode(), _object(some)) for kind, some in found.items())


def _portions(found: Mapping[str, Collection[bytes]]) -> Iterator[dict[str, list[bytes]]]:
    """Yield the entries in portions of about PART bytes; at least one, each kind in the first."""
    portion: dict[str, list[bytes]] = {kind: [] for kind in found}
    size = 0
    for kind, entries in found.items():
        for each in entries:
            if size > PART:
                yield portion
                portion, size = {}, 0
            portion.setdefault(kind, []).append(each)
            size += len(each)
    yield portion


def snapshot(head: Head, found: Mapping[str, Collection[bytes]]) -> Iterator[Told]:
    """Yield the parts of a snapshot: the entries *found*, by kind."""
    kinds = [*found]
    before: dict[str, list[bytes]] | None = None
    number = 0
    for portion in _portions(found):
        if before is not None:
            yield _part(head, kinds, number, before, is_last=False)
        before, number = portion, number + 1
    yield _part(head, kinds, number, before or {}, is_last=True)


def _part(
    head: Head, kinds: list[str], number: int, found: Mapping[str, list[bytes]], *, is_last: bool
) -> Told:
    begin = head.written("snapshot", of=kinds, part=number, last=is_last)
    return Told("snapshot", b'%b,"rows":%b}' % (begin, _by_kind(found)))


def change(
    head: Head, changed: Mapping[str, Iterable[bytes]], gone: Mapping[str, Iterable[bytes]]
) -> Told:
    """Return what tells rows as they are now, *changed*, and of those that are *gone*."""
    found = head.written("change")
    if changed:
        found += b',"set":' + _by_kind(changed)
    if gone:
        found += b',"del":' + _by_kind(gone)
    return Told("change", found + b"}")


def gone(server: str, key: str, facts: Mapping[str, Any]) -> bytes:
    """Return the entry of a row that is gone, with what is said of that."""
    return rows.document({rows.id_of(server, key): facts})[1:-1]


def server(head: Head, fields: Mapping[str, Any]) -> Told:
    """Return what tells how a server is, as soon as that changes."""
    return Told("server", head.written("server", **fields) + b"}")


def gap(head: Head, reason: str) -> Told:
    """Return what tells that what was known is told anew, for *reason*."""
    return Told("gap", head.written("gap", reason=reason, missed=None) + b"}")
