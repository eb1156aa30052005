# SPDX-License-Identifier: GPL-2.0-or-later
"""RuleSet: classes, a choice of names and event filters, as two bit masks over marks.

What it says of an event is what ``may_see``, ``Selection.has`` and ``EventFilters.passes`` say
together.  Clients with equal rules have the same one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Optional
from weakref import WeakValueDictionary

from amiproxy.routing.marks import ANSWER, ANY, IN_FORCE, Head, Mark, Marks, Text, Unwanted, What

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.message import Message
    from amiproxy.routing.eventfilter import EventFilters, Test
    from amiproxy.routing.marks import Names
    from amiproxy.wire.routed import Routed


class _Guarded(NamedTuple):
    """A test that is asked only where an event has all bits of *all_of* and one of *some_of*.

    *some_of* 0: no matter; *asks* None: that is all there is to it.
    """

    all_of: int
    some_of: int
    asks: Optional[Callable[[Message], bool]]

    @property
    def needs(self) -> int:
        """Bits of which an event for which it holds has one."""
        return self.some_of or self.all_of or ANY

    def holds(self, key: int, message: Message) -> bool:
        """Return whether *message*, whose key is *key*, has it."""
        if key & self.all_of != self.all_of or (self.some_of and not key & self.some_of):
            return False
        return self.asks is None or self.asks(message)


class _Settled(NamedTuple):
    """What to make of the keys of marks with this *identity*.

    An event with any bit of *hidden* is not seen, nor one without any of *wanted*, unless that
    is 0 or one of *includes* holds; nor one for which one of *excludes* holds.  Without any
    bit of *possible* it is not seen either; with one, and without any of *doubtful*, it is.
    """

    identity: object
    hidden: int
    wanted: int
    possible: int
    doubtful: int
    includes: tuple[_Guarded, ...]
    excludes: tuple[_Guarded, ...]


class RuleSet:
    """Rules of files, and those that a client has added.  A value."""

    __slots__ = ("__weakref__", "_added", "_files", "_hides", "_marks", "_settled", "_unwanted")

    def __init__(
        self, hides: int, choices: Iterable[Names], filters: tuple[EventFilters, ...]
    ) -> None:
        """Hide what has any of the bits *hides*, and what one of *choices* or *filters* does."""
        of_files = [each for each in filters if each.of_files and each]
        self._hides = hides
        self._files = of_files[0].tests if of_files else ((), ())
        self._added = tuple([each for each in filters if each and each not in of_files[:1]])
        self._unwanted = [Unwanted(choice) for choice in choices]
        wanted: list[What] = [
            what for tests in self._files for test in tests for what in _marks_of(test)
        ]
        wanted += self._unwanted
        # They are in force as long as this is there.
        self._marks: tuple[Mark, ...] = IN_FORCE.take(wanted)
        self._settled: _Settled | None = None

    @classmethod
    def of(
        cls, hides: int, choices: tuple[Names | None, ...], filters: tuple[EventFilters, ...]
    ) -> RuleSet:
        """Return the rule set that equal rules share; a choice that is None is of all."""
        key = (hides, choices, filters, tuple([each.of_files for each in filters]))
        found = _RULE_SETS.get(key)
        if found is None:
            # Threads may make the same one at once; then their clients share less.
            given = [choice for choice in choices if choice is not None]
            found = _RULE_SETS[key] = cls(hides, given, filters)
        return found

    def picks(self, items: Sequence[Routed]) -> list[bool]:
        """Return for each of *items* whether it is seen."""
        marks, settled = self._now()
        keys, union = marks.keys(items)
        hidden, possible, doubtful = settled.hidden, settled.possible, settled.doubtful
        if not union & possible:
            return [False] * len(keys)
        if doubtful:
            judge = self._judge
            return [
                not key & hidden
                and key & possible != 0
                and (not key & doubtful or judge(settled, key, item.message))
                for key, item in zip(keys, items)
            ]
        if possible == ANY:
            return [not key & hidden for key in keys]
        return [not key & hidden and key & possible != 0 for key in keys]

    def passes(self, message: Message) -> bool:
        """Return whether *message* is seen, if it is for everybody."""
        marks, settled = self._now()
        key = marks.key(message)
        return not key & settled.hidden and self._judge(settled, key, message)

    def _judge(self, settled: _Settled, key: int, message: Message) -> bool:
        """Return whether *message* is seen, which has no hidden bit."""
        if key & ANSWER:
            return True
        if settled.wanted and not key & settled.wanted:
            for test in settled.includes:
                if test.holds(key, message):
                    break
            else:
                return False
        for test in settled.excludes:
            if test.holds(key, message):
                return False
        return all(filters.passes(message) for filters in self._added)

    def _now(self) -> tuple[Marks, _Settled]:
        """Return the marks that are found now, and what to make of their keys."""
        marks, settled = IN_FORCE.marks, self._settled
        if settled is None or settled.identity is not marks.identity:
            marks = IN_FORCE.finding(self._marks)
            settled = self._settled = self._settle(marks)
        if marks.due:
            IN_FORCE.gather()
        return marks, settled

    def _settle(self, marks: Marks) -> _Settled:
        """Return what to make of the keys of *marks*."""
        hidden = self._hides
        for unwanted in self._unwanted:
            hidden |= marks.bits[unwanted]
        includes, excludes = [[_guarded(test, marks) for test in tests] for tests in self._files]
        wanted = ANSWER if includes else 0
        for test in includes:
            wanted |= _alone(test)
        for test in excludes:
            hidden |= _alone(test)
        includes = [test for test in includes if not _alone(test)]
        excludes = [test for test in excludes if not _alone(test)]
        possible, doubtful = wanted or ANY, ANY if self._added else 0
        for test in includes:
            possible |= test.needs
        for test in (*includes, *excludes):
            doubtful |= test.needs
        return _Settled(
            marks.identity, hidden, wanted, possible, doubtful, tuple(includes), tuple(excludes)
        )


_RULE_SETS: WeakValueDictionary[object, RuleSet] = WeakValueDictionary()


def _marks_of(test: Test) -> Iterable[What]:
    """Yield the marks that *test* needs."""
    if _is_line(test.head):
        yield Head(test.head)
    for text in test.look.texts:
        yield Text(text)


def _is_line(head: bytes) -> bool:
    """Return whether *head* is one line."""
    return head.find(b"\n") == len(head) - 1 > 0


def _guarded(test: Test, marks: Marks) -> _Guarded:
    """Return *test* for the keys of *marks*."""
    head, look = test
    all_of, some_of = marks.bits[Head(head)] if _is_line(head) else 0, 0
    for text in look.texts:
        some_of |= marks.bits[Text(text)]
    if head and not all_of:
        return _Guarded(0, some_of, test.holds)
    return _Guarded(all_of, some_of, None if look.decided else look.found)


def _alone(test: _Guarded) -> int:
    """Return the bits of which one is enough for *test* to hold; 0: there is more to it."""
    if test.asks is not None or (test.all_of and test.some_of):
        return 0
    return test.all_of or test.some_of
