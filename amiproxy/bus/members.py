# SPDX-License-Identifier: GPL-2.0-or-later
"""Member: what a proxy of the cluster says of itself, as bytes that are kept in Redis.

The bytes come from others: they are JSON of known fields, bounded, or :class:`Malformed`.
"""

from __future__ import annotations

import json
import secrets
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, TypeVar

from amiproxy.basics.base36 import DIGITS, last_digits
from amiproxy.bus.fields import MOST_SLOT, Malformed, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_T = TypeVar("_T")

#: Bytes of one presence.
MOST_BYTES = 2**20
_MOST_TEXT = 300
#: Servers that one member tells of.
_MOST_SERVERS = 4096


class PublicSpec(NamedTuple):
    """A server as all proxies may know it: without user and secret.

    *name*: what it is called, ``""``: by its host; *events*: as in its ``host`` line.
    """

    host: str
    port: int
    name: str
    events: str

    @property
    def scope(self) -> str:
        """What tells it from all others, as ``ServerSpec.scope``."""
        return self.name or f"{self.host}:{self.port}"


class Member(NamedTuple):
    """A live proxy of the cluster.

    *slot*: its identity on the bus; *started*: seconds since 1970; *state*: ``joined``,
    ``cut off`` or ``alone``; *holds*: scopes of the servers that it is connected to; *servers*:
    those of its host lines, by scope; *lags*: how many ms behind it is, by scope; *stopping*: it
    takes no server any more; *able*: scopes of those that it can connect to; *beat*: goes up each
    time that it is written.
    """

    slot: int
    name: str
    host: str = ""
    pid: int = 0
    version: str = ""
    started: int = 0
    clients: int = 0
    state: str = "joined"
    holds: tuple[str, ...] = ()
    servers: Mapping[str, PublicSpec] = MappingProxyType({})
    lags: Mapping[str, int] = MappingProxyType({})
    stopping: bool = False
    able: tuple[str, ...] = ()
    beat: int = 0


def new_slot() -> int:
    """Return a slot for a process that begins: by chance, since nobody gives them out."""
    return secrets.randbelow(MOST_SLOT) + 1


def slot_text(slot: int) -> str:
    """Return *slot* as it stands in keys: five digits of base 36."""
    return last_digits(slot, 5)


def read_slot(text: str) -> int:
    """Return the slot that *text* stands for; 0 if it is none."""
    if len(text) != 5 or not set(text) <= set(DIGITS):
        return 0
    slot = int(text, 36)
    return slot if 0 < slot <= MOST_SLOT else 0


def encode_member(member: Member) -> bytes:
    """Return *member* as bytes for Redis."""
    values = member._asdict()
    values["servers"] = [list(spec) for spec in member.servers.values()]
    values["lags"] = dict(member.lags)
    return json.dumps(values, separators=(",", ":")).encode()


class MemberReader:
    """Reads what one proxy says again and again: only what has changed is looked at."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._fields: dict[str, Any] = {}

    def read(self, body: bytes) -> Member:
        """Return the member that *body* describes; raises Malformed."""
        values = _object(body)
        # A field that a later release has added is not looked at.
        fields = {name: self._field(name, values[name]) for name in _READERS if name in values}
        if "slot" not in fields or "name" not in fields:
            raise Malformed("has no slot, or no name")
        self._values, self._fields = values, fields
        return Member(**fields)

    def _field(self, name: str, value: Any) -> Any:
        if name in self._fields and value == self._values[name]:
            return self._fields[name]
        return _READERS[name](value)


def _object(body: bytes) -> dict[str, Any]:
    values = read_json(body, MOST_BYTES)
    if not isinstance(values, dict):
        raise Malformed("no object")
    return values


def _number(least: int, most: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise Malformed("a number is none, or out of bounds")
        return value

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MOST_TEXT or not value.isprintable():
        raise Malformed("a text is none, too long, or holds a control character")
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Malformed("neither true nor false")
    return value


def _list(value: Any, read: Callable[[Any], _T]) -> tuple[_T, ...]:
    if not isinstance(value, list) or len(value) > _MOST_SERVERS:
        raise Malformed("no list, or too long")
    return tuple(read(each) for each in value)


def _spec(value: Any) -> PublicSpec:
    if not isinstance(value, list) or len(value) != 4:
        raise Malformed("no server")
    host, port, name, events = value
    return PublicSpec(_text(host), _number(1, 65535)(port), _text(name), _text(events))


def _servers(value: Any) -> Mapping[str, PublicSpec]:
    return MappingProxyType({spec.scope: spec for spec in _list(value, _spec)})


def _lags(value: Any) -> Mapping[str, int]:
    if not isinstance(value, dict) or len(value) > _MOST_SERVERS:
        raise Malformed("no object, or too long")
    return MappingProxyType({_text(key): _number(0, 2**53)(each) for key, each in value.items()})


#: Field of Member -> its reader.
_READERS: Mapping[str, Callable[[Any], Any]] = MappingProxyType({
    "slot": _number(1, MOST_SLOT),
    "name": _text,
    "host": _text,
    "pid": _number(0, 2**31),
    "version": _text,
    "started": _number(0, 2**53),
    "clients": _number(0, 2**31),
    "state": _text,
    "holds": lambda value: _list(value, _text),
    "servers": _servers,
    "lags": _lags,
    "stopping": _truth,
    "able": lambda value: _list(value, _text),
    "beat": _number(0, 2**53),
})  # fmt: skip
