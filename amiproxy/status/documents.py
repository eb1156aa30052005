# SPDX-License-Identifier: GPL-2.0-or-later
"""Documents: values as JSON has them, and back.

``document`` is for any program; ``status_of`` for ``astmanproxy --status``, which may be newer or
older than the proxy that it asks: what it does not know it leaves out, what is missing is
unknown.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from amiproxy.status.clustervalues import (
    ClusterStatus,
    HoldingStatus,
    MemberStatus,
    ReaderStatus,
)
from amiproxy.status.values import (
    TOLD_IF_THERE,
    Alarm,
    ClientStatus,
    ListenerStatus,
    MemoryStatus,
    ServerStatus,
    Status,
    Totals,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Value = TypeVar("Value", bound=DataclassInstance)

#: Digits behind the point: microseconds.
_DIGITS = 6

#: No number is as large: NaN is none either.
_MOST = 2.0**63


def document(value: object) -> Any:
    """Return *value* as what ``json.dumps`` takes."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((each, getattr(value, each.name)) for each in dataclasses.fields(value))
        return {
            field.name: document(found)
            for field, found in fields
            if found is not None or TOLD_IF_THERE not in field.metadata
        }
    if isinstance(value, (list, tuple)):
        return [document(each) for each in value]
    return round(value, _DIGITS) if isinstance(value, float) else value


def status_of(found: dict[str, Any]) -> Status:
    """Return the status that ``document`` has made *found* of."""
    parts: dict[str, Any] = {
        "warnings": tuple(made(Alarm, each) for each in found.get("warnings", ())),
        "servers": tuple(made(ServerStatus, each) for each in found.get("servers", ())),
        "clients": tuple(made(ClientStatus, each) for each in found.get("clients", ())),
        "listening": tuple(made(ListenerStatus, each) for each in found.get("listening", ())),
        "listeners": tuple(found.get("listeners", ())),
        "totals": made(Totals, found.get("totals", {})),
        "memory": made(MemoryStatus, found.get("memory", {})),
        "cluster": cluster_of(found["cluster"]) if found.get("cluster") else None,
    }
    return made(Status, {**found, **parts})


def cluster_of(found: dict[str, Any]) -> ClusterStatus:
    """Return the cluster that ``document`` has made *found* of."""
    servers = tuple(
        made(
            HoldingStatus,
            {**each, "readers": tuple(made(ReaderStatus, one) for one in each.get("readers", ()))},
        )
        for each in found.get("servers", ())
    )
    members = tuple(made(MemberStatus, each) for each in found.get("members", ()))
    return made(ClusterStatus, {**found, "servers": servers, "members": members})


def made(kind: type[Value], found: dict[str, Any]) -> Value:
    """Return a *kind* with the fields of *found*."""
    return kind(**{field.name: _field(field, found) for field in dataclasses.fields(kind)})


def checked(kind: type[Value], found: Any) -> Value:
    """Return as ``made``, of what somebody else has said.

    Raises:
        ValueError: *found* is no object, or a field of it is of another type.

    """
    if not isinstance(found, dict):
        raise ValueError("a row is no object")  # noqa: TRY004 - it is what came, not its type
    for field in dataclasses.fields(kind):
        value = found.get(field.name)
        if value is not None and not _fits(str(field.type), value):
            raise ValueError(f"{field.name} is of another type")
    return made(kind, found)


def _fits(kind: str, value: Any) -> bool:
    """Return whether *value* is of the type *kind*, as fields of values.py write that."""
    inner = kind.removeprefix("Optional[").removesuffix("]")
    if inner.startswith("tuple[str"):
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if inner in ("int", "float"):
        fits = isinstance(value, int) if inner == "int" else isinstance(value, (int, float))
        return fits and not isinstance(value, bool) and abs(value) < _MOST
    return isinstance(value, {"str": str, "bool": bool}[inner])


def _field(field: dataclasses.Field[Any], found: dict[str, Any]) -> Any:
    value = found.get(field.name)
    if str(field.type).startswith("tuple[str"):
        return tuple(value or ())
    if value is None and not str(field.type).startswith("Optional"):
        return "" if field.type == "str" else 0
    return value
