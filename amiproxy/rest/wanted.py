# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rows somebody wants, in which order, and how much of them.  Pure."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from amiproxy.live.where import Where
from amiproxy.rest.fields import searched
from amiproxy.rest.parameters import unknown_parameter, whole_number
from amiproxy.rest.textof import fold
from amiproxy.settings.typos import question
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    Row = dict[str, Any]

#: Rows that are told at once, where the request does not say, and the most that it may say.
USUAL, MOST = 1_000, 10_000

#: What a query may say beside the names of fields.
WORDS = ("server", "q", "sort", "fields", "limit", "after", "wait")
#: Words of ``q`` and fields of ``sort`` at the most: all rows are looked at for each.
MOST_WORDS, MOST_SORTED = 16, 8
#: Members that each row has, whatever its kind.
ALWAYS = ("id", "server")


class Page(NamedTuple):
    """Some of the rows, how many there are, and what to ask for the next ones."""

    rows: Sequence[Row]
    total: int
    next: Optional[str]


class Wanted(NamedTuple):
    """What a query says of rows.  A value."""

    where: Where
    words: tuple[str, ...]  #: folded; each must be in a row
    order: tuple[tuple[str, bool], ...]  #: fields, and whether the greatest comes first
    shown: tuple[str, ...]  #: fields; empty: all
    limit: int
    after: str

    @classmethod
    def of(cls, query: Mapping[str, Sequence[str]], fields: Collection[str]) -> Wanted:
        """Return what *query* says of rows that have *fields*.

        Raises:
            Problem: 400, it says what cannot be understood.

        """
        names = [*ALWAYS, *fields]
        for name in query:
            if name not in WORDS and name not in names:
                raise unknown_parameter(name, [*dict.fromkeys((*WORDS, *names))])
        order = tuple(
            (_field(part.removeprefix("-"), names, "sort"), part.startswith("-"))
            for part in _few("sort", _parts(query.get("sort", ())), MOST_SORTED)
        )
        return cls(
            Where.of({name: query[name] for name in query if name in names and name != "server"}),
            tuple(_few("q", fold(" ".join(query.get("q", ()))).split(), MOST_WORDS)),
            order,
            tuple(_field(part, names, "fields") for part in _parts(query.get("fields", ()))),
            whole_number("limit", next(iter(query.get("limit", ())), ""), USUAL, MOST),
            next(iter(query.get("after", ())), ""),
        )

    def passes(self, row: Row) -> bool:
        """Return whether *row* is wanted; one that lacks a field that is asked for is."""
        if not self.where.passes(row):
            return False
        if not self.words:
            return True
        texts = [fold(text) for name in searched(row) for text in _texts(row[name])]
        return all(any(word in text for text in texts) for word in self.words)

    def page(self, rows: Iterable[Row]) -> Page:
        """Return the rows that are wanted, as many as are told at once.

        Raises:
            Problem: 400, ``after`` is not what an answer has said.

        """
        found = sorted((row for row in rows if self.passes(row)), key=lambda row: row["id"])
        for name, is_reversed in reversed(self.order):
            found = _sorted(found, name, is_reversed=is_reversed)
        begin = self._begin(found) if self.after else 0
        end = begin + self.limit
        more = self._mark(found[end - 1]) if end < len(found) else None
        return Page([*map(self._cut, found[begin:end])], len(found), more)

    def _cut(self, row: Row) -> Row:
        if not self.shown:
            return row
        names = {*ALWAYS, "stale", *self.shown}
        return {name: value for name, value in row.items() if name in names}

    def _mark(self, row: Row) -> str:
        """Return what says that *row* was the last one."""
        said = [row.get(name) for name, _ in self.order] + [row["id"]]
        text = json.dumps(said, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _begin(self, found: Sequence[Row]) -> int:
        """Return where those of *found* begin that come behind what ``after`` says.

        The row itself may be gone by now, or be another one.
        """
        last = self._last()
        if last is None:
            text = "after is what the member next of an answer to the same query has said"
            raise Problem("bad-request", text, parameter="after")
        return sum(not self._is_behind(row, last) for row in found)

    def _last(self) -> Row | None:
        """Return the row that ``after`` names, as far as it is sorted by; None: it names none."""
        try:
            padded = self.after + "=" * (-len(self.after) % 4)
            said = json.loads(base64.b64decode(padded, b"-_", validate=True))
        except (binascii.Error, ValueError, RecursionError):
            return None
        names = [*(name for name, _ in self.order), "id"]
        if not isinstance(said, list) or len(said) != len(names) or not isinstance(said[-1], str):
            return None
        if not all(map(_is_value, said)):
            return None
        return dict(zip(names, said))

    def _is_behind(self, row: Row, last: Row) -> bool:
        for name, is_reversed in self.order:
            ours, theirs = row.get(name), last.get(name)
            if ours is None or theirs is None:
                if ours is not theirs:
                    return ours is None
            elif _rank(ours) != _rank(theirs):
                return (_rank(ours) > _rank(theirs)) is not is_reversed
        return bool(row["id"] > last["id"])


def _sorted(rows: list[Row], name: str, *, is_reversed: bool) -> list[Row]:
    """Return *rows* by the field *name*; those in which it is not known come last."""
    known = [row for row in rows if row.get(name) is not None]
    known.sort(key=lambda row: _rank(row[name]), reverse=is_reversed)
    return known + [row for row in rows if row.get(name) is None]


def _rank(value: Any) -> tuple[int, Any]:
    """Return what *value*, which is known, is sorted by: numbers, then text."""
    if isinstance(value, (int, float)):
        return 0, value
    return 1, fold(value) if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _is_value(said: Any) -> bool:
    """Return whether *said* may be the value of a field; what is nested deeper is none."""
    return not isinstance(said, dict) and not (
        isinstance(said, list) and any(isinstance(each, (list, dict)) for each in said)
    )


def _few(parameter: str, found: Sequence[str], most: int) -> Sequence[str]:
    """Return *found*, what *parameter* has said, each once.

    Raises:
        Problem: 400, there are more than *most*: each costs a look at all rows.

    """
    once = [*dict.fromkeys(found)]
    if len(once) > most:
        raise Problem("bad-request", f"{parameter} names at most {most}", parameter=parameter)
    return once


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else ()


def _parts(said: Sequence[str]) -> list[str]:
    """Return the words of *said*, which commas part."""
    return [part.strip() for text in said for part in text.split(",") if part.strip()]


def _field(name: str, names: Collection[str], parameter: str) -> str:
    if name not in names:
        nearest = question(name[:40], names)
        text = f"{name[:40]!a} in {parameter} is no field of these rows{nearest}"
        known = ", ".join(dict.fromkeys(names))
        raise Problem("bad-request", f"{text}; there are {known}", parameter=parameter)
    return name
