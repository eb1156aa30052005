# SPDX-License-Identifier: GPL-2.0-or-later
"""Looks: what event filters look for in an event, each once, whoever wants to know."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Callable
from weakref import WeakValueDictionary

from amiproxy.patterns import engine
from amiproxy.patterns.engine import Search
from amiproxy.routing.facts import noted_of

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.patterns.automaton import Budget
    from amiproxy.patterns.tree import Node

#: What it costs at most to find all values of headers in one event, in microseconds.
VALUES = 7.0
# What one look costs beside that: the question, and whether the header is there.
_ASK, _HEADER = 0.2, 0.6


class Look:
    """Something to look for in an event, or in the values of one of its headers.

    *search* does; without, any value will do.  *header* is a header's name with its colon,
    *framed* says whether *search* wants a line feed before and behind each value.  One of *texts*
    is in each event that has what is looked for, unless there are none.  Equal looks are one
    object, as long as any filter has it.
    """

    __slots__ = (
        "__weakref__",
        "_framed",
        "_line",
        "_search",
        "cost",
        "decided",
        "header",
        "shared",
        "texts",
    )

    def __init__(
        self,
        header: bytes,
        search: Search | None,
        texts: tuple[bytes, ...] = (),
        *,
        framed: bool = True,
        decided: bool = False,
    ) -> None:
        self.header = header
        self._line = b"\n" + header
        self._search = None if search is None else search.occurs_in
        self._framed = framed
        self.texts = texts
        #: Whether each event with one of the texts has it; without texts, whether each event has.
        self.decided = decided
        #: Microseconds that an event of 400 bytes costs at most, beside VALUES.
        self.cost = _ASK + (_HEADER if header else 0) + (0 if search is None else search.cost)
        #: Whether several wanted it: what was found in an event is kept with that.
        self.shared = False

    def found(self, message: Message) -> bool:
        """Return whether *message* has it."""
        if not self.shared:
            return self._found(message)
        kept = _kept(message)
        found: bool | None = kept.get(self)
        if found is None:
            found = kept[self] = self._found(message)
        return found

    def _found(self, message: Message) -> bool:
        """As ``found``, but it looks."""
        raw, search = message.raw, self._search
        if not self.header:
            return search is None or search(raw)
        if self._line not in raw and not raw.startswith(self.header):
            return False
        kept = _kept(message)
        text: bytes | None = kept.get(self.header)
        if text is None:
            text = kept[self.header] = _values(raw, self.header)
        if not text or search is None:
            return bool(text)
        return search(text if self._framed else text[1:-1])


def _kept(message: Message) -> dict[object, Any]:
    """Return what was found in *message*: by look, and the values of headers."""
    noted = noted_of(message)
    kept = noted.looks
    if kept is None:
        kept = noted.looks = {}
    return kept


def _values(raw: bytes, header: bytes) -> bytes:
    """Return the values of *header* that are not empty, a line feed before and behind each.

    As Asterisk takes an event apart (filter_cmp_fn of main/manager.c): the case of the
    name counts, and so does every header of that name.
    """
    values = _finder(header).findall(b"\n" + raw if raw.startswith(header) else raw)
    if not values:
        return b""
    # A carriage return before the line feed belongs to the line's end.
    return b"\n%b\n" % b"\n".join(values).replace(b"\r\n", b"\n").removesuffix(b"\r")


@lru_cache(maxsize=256)
def _finder(header: bytes) -> re.Pattern[bytes]:
    """Return what finds the values of *header*: no blank first, as Asterisk skips them."""
    return re.compile(b"\n" + re.escape(header) + rb"[\x01-\x09\x0b-\x20]*([^\x01-\x20][^\n]*)")


# The looks that any filter has.  Threads may make the same one at once: then it is
# looked for twice.
_LOOKS: WeakValueDictionary[tuple[object, ...], Look] = WeakValueDictionary()


def for_texts(texts: tuple[bytes, ...], header: bytes) -> Look:
    """Return the look for any of *texts*; in values of *header* line feeds stand around each."""

    def make() -> Look:
        search = engine.search_for_any(texts)
        if not header:
            return Look(header, search, texts, decided=True)
        return Look(header, search, tuple(dict.fromkeys([text.strip(b"\n") for text in texts])))

    return _shared((texts, header), make)


def for_pattern(node: Node, header: bytes, budget: Budget) -> Look:
    """Return the look for the expression *node*.

    Raises:
        PatternError: it cannot be searched for.

    """

    def make() -> Look:
        search = engine.search_for(node, budget, lines=bool(header))
        texts, decides = search.needed
        return Look(header, search, texts, framed=False, decided=decides and not header)

    return _shared((node, header, budget), make)


def for_anything(header: bytes) -> Look:
    """Return the look for any value of *header*; without one it is in every event."""
    return _shared((header,), lambda: Look(header, None, decided=not header))


def for_edge(text: bytes, *, begins: bool, ends: bool) -> Look:
    """Return the look for an event that begins or ends with *text*, or is that text."""
    compare = bytes.__eq__ if begins and ends else bytes.startswith if begins else bytes.endswith
    search = Search(lambda data: bool(compare(data, text)), engine.LITERAL)
    return _shared((text, compare), lambda: Look(b"", search))


def _shared(key: tuple[object, ...], make: Callable[[], Look]) -> Look:
    """Return the look that is there already, or the one that *make* makes."""
    found = _LOOKS.get(key)
    if found is None:
        found = _LOOKS[key] = make()
    else:
        found.shared = True
    return found
