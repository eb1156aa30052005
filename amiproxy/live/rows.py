# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of the model as JSON: flat objects with the names of the model's fields.

``{"server":"pbx1","queue":"support","waiting":2,...}``: what is not known is null, several values
are an array.  A row's id is ``server/key``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from amiproxy.basics.characters import text_of
from amiproxy.state.tables import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Kinds that are made of the servers themselves, and of what is counted.  One row a server each,
#: whose id is the server's name.
SERVERS, TOTALS = "servers", "totals"

#: All kinds that may be watched, in the order in which they are told.
WATCHED = (SERVERS, TOTALS, *KINDS)

_PLAIN = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode

#: What stands between id and row; nowhere else, as quotes in an id are escaped.
_BETWEEN = b'":{"server":'
_STALE = b'":{"stale":true,"server":'


def document(members: Mapping[str, Any]) -> bytes:
    """Return *members* as one JSON object in UTF-8.

    Text of Asterisk has a character for each byte: bytes that are UTF-8 are read so.  Others
    are latin-1, as in the format json.
    """
    text = _PLAIN(members)
    if text.isascii():
        return text.encode()
    try:
        raw = text.encode("latin-1")
        raw.decode()
    except UnicodeError:
        return _PLAIN(_readable(members)).encode("utf-8", "replace")
    return raw


def _readable(value: Any) -> Any:
    """Return *value* with each text in it as it is to be read."""
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, dict):
        return {_readable(name): _readable(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [*map(_readable, value)]
    return value


def id_of(server: str, key: str) -> str:
    """Return the id of the row *key* of the *server*; without a key, the server's name."""
    return f"{server}/{key}" if key else server


def row(server: str, fields: Mapping[str, Any], *, stale: bool = False) -> bytes:
    """Return a row of the *server* as JSON; *stale*: the server is lost."""
    found = {"server": server, **fields}
    return document({"stale": True, **found} if stale else found)


def entry(server: str, key: str, fields: Mapping[str, Any]) -> bytes:
    """Return a member of an object of rows: the id, and the row *key* of the *server*."""
    return document({id_of(server, key): {"server": server, **fields}})[1:-1]


def staled(found: bytes) -> bytes:
    """Return the entry *found* as it is while the server is lost."""
    return found.replace(_BETWEEN, _STALE, 1)
