# SPDX-License-Identifier: GPL-2.0-or-later
"""Where: which rows somebody wants, by the values of their fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Where(NamedTuple):
    """Fields, and which values of each are wanted.  A value: equal ones choose the same rows.

    A row that has no such field passes: ``queue=support`` is about rows of queues.
    """

    wanted: tuple[tuple[str, frozenset[str]], ...] = ()
    #: Names of servers, in lower case; empty: all.
    servers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, wanted: Mapping[str, Collection[str]]) -> Where:
        """Return what *wanted* says; ``server`` is none of the fields, but where rows are from."""
        fields = {name: frozenset(values) for name, values in wanted.items() if values}
        servers = frozenset(name.lower() for name in fields.pop("server", ()))
        return cls(tuple(sorted(fields.items(), key=lambda field: field[0])), servers)

    def reaches(self, server: str) -> bool:
        """Return whether rows of the *server* are wanted."""
        return not self.servers or server.lower() in self.servers

    def passes(self, fields: Mapping[str, Any]) -> bool:
        """Return whether a row is wanted."""
        return all(
            name not in fields or _is_one_of(fields[name], values) for name, values in self.wanted
        )


def _is_one_of(value: Any, values: frozenset[str]) -> bool:
    if isinstance(value, (tuple, list)):
        return any(written(each) in values for each in value)
    return written(value) in values


def written(value: Any) -> str:
    """Return *value* as a filter names it, in the words of JSON; nothing known: ``null``."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    return str(value)
