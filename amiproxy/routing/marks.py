# SPDX-License-Identifier: GPL-2.0-or-later
"""Marks: all that the rules of users look for in an event, found once for all of them.

Each thing that the rules in force look for is a *mark*, and has a bit: a text anywhere in the
event, its first line, a choice of names.  What an event has of these, and its classes, is one
number, its *key*: what a rule set makes of the event is then a matter of two bit masks.

Only rules of the users file and manager.conf have marks.  What a client has added with
Action: Filter is looked for when it is asked for: others do not pay for it.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple, Protocol, Union
from weakref import WeakValueDictionary

from amiproxy.routing.classes import privilege_mask
from amiproxy.routing.facts import Noted, facts_of
from amiproxy.routing.texts import Texts
from amiproxy.wire.routed import BROADCAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.message import Message
    from amiproxy.wire.routed import Routed

#: The bit of what is no event: no class or event filter hides it.  Those below it are the classes.
ANSWER = 1 << 31
#: Of what is for one client, or of no client here, and of what only that client may see.
OWNED, PRIVATE = 1 << 32, 1 << 33
#: Of every message.
ANY = 1 << 34
_FIRST = 35

# How many ways to begin are remembered, and how long they may be: an event's name and its classes
# are of few kinds, but a few are made up by whoever sends them.
_MOST_HEADS, _LONGEST_HEAD = 1024, 200
# So many marks that nobody needs any more do no harm.
_DEAD = 64


class Names(Hashable, Protocol):
    """A choice of events by name."""

    def has(self, name: str) -> bool:
        """Return whether it chooses events called *name*, in lower case."""


class Text(NamedTuple):
    """The events with *text* in them."""

    text: bytes


class Head(NamedTuple):
    """The events whose first line, with its end, is *line*; their name may be spelt oddly."""

    line: bytes
    what: str = "head"  # else it would equal a Text of the same bytes


class Unwanted(NamedTuple):
    """The events that *names* does not choose."""

    names: Names
    what: str = "names"  # as in Head


What = Union[Text, Head, Unwanted]


class Mark:
    """One mark.  It is in force as long as anybody has it."""

    __slots__ = ("__weakref__", "what")

    def __init__(self, what: What) -> None:
        self.what = what


class Keys(NamedTuple):
    """The keys of several messages, and all bits that any of them has."""

    each: list[int]
    union: int


class _Begun(NamedTuple):
    """What the first two lines of events mean.

    *key* is theirs but for texts, *name* that of the event in lower case, *asked* how many choices
    it was compared with; then there were *begins* first lines and choices.
    """

    key: int
    name: str
    asked: int
    begins: int


class Marks:
    """Finds the marks of events.  One thread may add to them while others look."""

    def __init__(self, wanted: Iterable[What] = ()) -> None:
        #: The bit of each mark.
        self.bits: dict[What, int] = {}
        #: Stands for these marks where a reference to them would keep them in memory.
        self.identity = object()
        #: Whether it is worth it to ``gather``.
        self.due = False
        self._texts = Texts()
        self._heads: dict[bytes, int] = {}
        self._names: list[tuple[Names, int]] = []
        # Another object with each change: keys made before it lack what was added.
        self._state = object()
        # How many first lines and choices there are; by an event's first two lines what they mean.
        self._begins = 0
        self._known: dict[bytes, _Begun] = {}
        # What was looked at last, and its keys: one rule set after the other wants the same.
        self._last: tuple[Sequence[Routed], object, Keys] = ((), self._state, Keys([], 0))
        self.add(wanted)

    def add(self, wanted: Iterable[What]) -> None:
        """Look for *wanted*, too."""
        bits = self.bits
        for what in wanted:
            if what in bits:
                continue
            bit = 1 << (_FIRST + len(bits))
            if isinstance(what, Text):
                self._texts.add(what.text, bit)
            elif isinstance(what, Head):
                self._heads[what.line] = bit
            else:
                self._names.append((what.names, bit))
            bits[what] = bit
        # In this order: who sees the new number or state finds the new marks.
        self._begins = len(self._heads) + len(self._names)
        self._state = object()

    def keys(self, items: Sequence[Routed]) -> Keys:
        """Return the keys of *items*, which nobody changes."""
        last, state = self._last, self._state
        if last[0] is items and last[1] is state:
            return last[2]
        found = [
            self.key(item.message)
            if item.owner == BROADCAST and not item.private
            else self.key(item.message) | OWNED | PRIVATE * item.private
            for item in items
        ]
        union = 0
        for key in found:
            union |= key
        keys = Keys(found, union)
        self._last = (items, state, keys)
        if self._texts.looked(len(items)):
            self.due = True
        return keys

    def gather(self) -> None:
        """Look for texts that have become many in one pass, from now on."""
        self._texts.gather()
        self.due = False

    def key(self, message: Message) -> int:
        """Return the key of *message*."""
        noted, state = message.facts, self._state
        if isinstance(noted, Noted):
            marks = noted.marks
            if marks is not None and marks[0] is state:
                return marks[1]
        raw = message.raw
        # Nearly always the name and the classes are the first two lines.
        head = raw[: raw.find(b"\r\n", raw.find(b"\r\n") + 2)]
        begun = self._known.get(head)
        if begun is None or begun.begins != self._begins:
            begun = self._begin(message, head, begun)
        key = begun.key
        if not key & ANSWER:
            key |= self._texts.found(raw)
        if isinstance(noted, Noted):
            noted.marks = (state, key)
        return key

    def _begin(self, message: Message, head: bytes, before: _Begun | None) -> _Begun:
        """Return what the beginning of *message* means; note it if *head*, its two lines, tells.

        *before* is what they meant when there were fewer marks: only choices that have come
        since are asked, so that a thousand that come one by one do not each have all asked anew.
        """
        begins, count, known = self._begins, len(self._names), self._known
        usual = _usual(head)
        if before is not None:
            name, key, asked = before.name, before.key, before.asked
        else:
            facts = facts_of(message) if usual is None else None
            name, privilege = usual or ("", "") if facts is None else (facts.name, facts.privilege)
            key, asked = ANY | privilege_mask(privilege), 0
        if not name:
            return _Begun(ANSWER | ANY, name, 0, begins)
        key |= self._heads.get(_first_line(message), 0)
        for names, bit in self._names[asked:count]:
            if not names.has(name):
                key |= bit
        begun = _Begun(key, name, count, begins)
        if usual is not None:
            if len(known) >= _MOST_HEADS:
                known.clear()
            known[head] = begun
        return begun


def _usual(head: bytes) -> tuple[str, str] | None:
    """Return name and classes of an event that begins with *head*, as facts has them.

    None: what follows may matter, or it is too long to be worth noting.
    """
    if len(head) > _LONGEST_HEAD:
        return None
    first, _, second = head.decode("latin-1").partition("\r\n")
    if not first.startswith("Event: ") or not second.startswith("Privilege: "):
        return None
    name, privilege = first[7:].lstrip(" ").lower(), second[11:].lstrip(" ")
    return (name, privilege) if privilege else None


def _first_line(message: Message) -> bytes:
    """Return what stands for the name of *message* when a filter compares it."""
    raw = message.raw
    if raw.startswith(b"Event: "):
        return raw[: raw.find(b"\r\n") + 2]
    return b"Event: %b\r\n" % message.get("Event").encode("latin-1")


class InForce:
    """The marks of all rules in force.  Any thread may use it."""

    def __init__(self) -> None:
        #: Those that are found, for all.
        self.marks = Marks()
        # Guards marks, what is added to them, and _alive; held for as long as adding takes.
        self._lock = threading.Lock()
        self._alive: WeakValueDictionary[What, Mark] = WeakValueDictionary()

    def take(self, wanted: Iterable[What]) -> tuple[Mark, ...]:
        """Return the marks *wanted*, which are in force from now on, while they are kept."""
        found: list[Mark] = []
        with self._lock:
            for what in wanted:
                mark = self._alive.get(what)
                if mark is None:
                    mark = self._alive[what] = Mark(what)
                found.append(mark)
        return tuple(found)

    def finding(self, marks: Iterable[Mark]) -> Marks:
        """Return what finds *marks*, and all others in force."""
        with self._lock:
            if len(self.marks.bits) > 2 * len(self._alive) + _DEAD:
                self.marks = Marks([mark.what for mark in self._alive.values()])
            missing = [mark.what for mark in marks if mark.what not in self.marks.bits]
            if missing:
                self.marks.add(missing)
            return self.marks

    def gather(self) -> None:
        """Have the marks gather, if it is worth it: it takes up to 7 ms."""
        with self._lock:
            if self.marks.due:
                self.marks.gather()


#: Of this process.
IN_FORCE = InForce()
