# SPDX-License-Identifier: GPL-2.0-or-later
"""Seen: the rows that a client may see, as JSON has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amiproxy.basics.characters import text_of
from amiproxy.live.rows import SERVERS, TOTALS, id_of
from amiproxy.live.totals import COUNTED, Totals
from amiproxy.threads.rest.serverrows import rows_of, unknown_server
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.state import looking, rights
from amiproxy.threads.state.followers import followers_of
from amiproxy.threads.state.picture import PORTION
from amiproxy.threads.state.rights import Reader
from amiproxy.threads.state.serverrows import TRUE_STATES, state_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.state.table import Row, Value
    from amiproxy.threads.rest.asking import Asking
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.state.looking import Looked


class Seen(NamedTuple):
    """Rows by kind, the id of the last event in them, and of which servers they are not all."""

    at: str
    standing: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]


def look(asking: Asking, kinds: Sequence[str], servers: Sequence[str], wait: float) -> Seen:
    """Return the rows of *kinds* of *servers*, by name; empty: of all.

    Waits, *wait* seconds at most, for models that are being built.

    Raises:
        Problem: 404, there is no such server.

    """
    context, session = asking.context, asking.session
    links = _links(asking, servers)
    wanted = [kind for kind in kinds if kind not in (SERVERS, TOTALS)]
    if TOTALS in kinds:
        wanted = [*dict.fromkeys((*wanted, *COUNTED))]
    looked = [looking.Looked(link, None) for link in links]
    if wanted:
        with context.turnstile.outside():
            looked = looking.followed(followers_of(context), links, wait)
            looked = looking.pictures(looked, looking.needed(session, wanted))
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in (*kinds, *wanted)}
    totals = []
    for one in looked:
        found = _found(asking, one, wanted)
        for kind, several in found.items():
            rows[kind] += several
        if TOTALS in kinds and one.picture is not None:
            totals.append(_total(one, found))
    rows[TOTALS] = totals
    if SERVERS in kinds:
        rows[SERVERS] = rows_of(context, links)
    at = looking.event_id(context, session, looked)
    return Seen(at, _standing(looked, wanted), {kind: rows[kind] for kind in kinds})


def _links(asking: Asking, names: Sequence[str]) -> list[AsteriskLink]:
    """Return the servers called *names*, or all, that the client may see."""
    router, session = asking.context.router, asking.session
    if not names:
        return looking.reached(session, router.servers)
    found: dict[AsteriskLink, None] = {}
    for name in names:
        there = looking.reached(session, router.named(name))
        if not there:
            raise unknown_server(name)
        found.update(dict.fromkeys(there))
    return [*found]


def _is_true(server: Looked) -> bool:
    """Return whether the rows of *server* are what there is."""
    state = state_of(server.link, server.follower)["state"]
    picture = server.picture
    return state in TRUE_STATES and picture is not None and picture.state in TRUE_STATES


def _found(asking: Asking, server: Looked, kinds: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of *kinds* of *server* that the client may see."""
    picture = server.picture
    if picture is None:
        return {}
    reader = Reader.of(asking.session, server.link.scope)
    shows = rights.judge(reader, (each.row for each in picture.rows.get("calls", ())))
    is_true = _is_true(server)
    return {
        kind: [
            _told(server.link.name, each.row, is_true=is_true)
            for each in paced(picture.rows.get(kind, ()), PORTION)
            if shows(kind, each.row)
        ]
        for kind in kinds
    }


def _told(server: str, row: Row, *, is_true: bool) -> dict[str, Any]:
    """Return *row* of the *server* as JSON has it."""
    name = text_of(server)
    told: dict[str, Any] = {"id": id_of(name, text_of(row.key)), "server": name}
    if not is_true:
        told["stale"] = True
    # A bridge has a field of this name: its key.
    told.update((field, _json(each)) for field, each in row.fields.items() if field != "id")
    return told


def _json(value: Value) -> Any:
    if isinstance(value, str):
        return text_of(value)
    return [*map(text_of, value)] if isinstance(value, tuple) else value


def _total(server: Looked, found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return how many of the rows *found* at *server* there are."""
    assert server.picture is not None
    totals = Totals()
    for kind in COUNTED:
        for row in found[kind]:
            totals.set(kind, row["id"], row)
    name = text_of(server.link.name)
    stale = {} if _is_true(server) else {"stale": True}
    return {"id": name, "server": name, **stale, **totals.fields(server.picture.unknown)}


def _standing(looked: Sequence[Looked], kinds: Sequence[str]) -> dict[str, Any]:
    """Return of which servers the rows of *kinds* are old, or not all, or not known."""
    if not kinds:
        return {"stale": [], "building": [], "unknown": {}}
    return {
        "stale": [text_of(one.link.name) for one in looked if not _is_true(one)],
        "building": [
            text_of(one.link.name)
            for one in looked
            if one.picture is not None and one.picture.state == "building"
        ],
        "unknown": {
            text_of(one.link.name): unknown for one in looked if (unknown := _unknown(one, kinds))
        },
    }


def _unknown(server: Looked, kinds: Sequence[str]) -> dict[str, str]:
    if server.picture is None:
        return {}
    unknown = server.picture.unknown
    return {kind: text_of(why) for kind, why in unknown.items() if kind in kinds}
