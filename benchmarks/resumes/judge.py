# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge: what one client was told, against what one Asterisk has sent.

Each event that the client may see must come once and in its order, or be covered by a gap that
was told in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Union

from benchmarks.resumes.told import CONNECTED, LOST, NO_ID, Gap, Notice, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.resumes.asterisk import Connection
    from benchmarks.resumes.kinds import Kind
    from benchmarks.resumes.told import Item, Life, Place

Key = Union[int, tuple[str, int]]


class Step(NamedTuple):
    """One event that the proxy has numbered: on which connection, its number there, and which."""

    connection: int
    number: int
    key: Key


class Truth:
    """All events of one server, in order, as the proxy must have numbered them."""

    def __init__(self, connections: Sequence[Connection], lengths: Sequence[int]) -> None:
        """*lengths*: how many events of each connection have come to the proxy."""
        self._said = {}
        self.steps: list[Step] = []
        #: Epoch of the ids -> the connection that it is.
        self.epochs: dict[int, int] = {}
        for at, (connection, length) in enumerate(zip(connections, lengths)):
            keys: list[Key] = [(CONNECTED, at)]
            for said in connection.said[:length]:
                self._said[said.number] = said
                keys.append(said.number)
            if at + 1 < len(connections):
                keys.append((LOST, at))
            self.steps += [Step(at, number, key) for number, key in enumerate(keys, 1)]
        self.by_key = {step.key: step for step in self.steps}

    def learn(self, items: Sequence[Item]) -> None:
        """Learn which connections the epochs in *items* are."""
        for item in items:
            if isinstance(item, Run) and item.place != NO_ID and item.first in self.by_key:
                self.epochs.setdefault(item.place[0], self.by_key[item.first].connection)

    def visible(self, kind: Kind) -> list[Step]:
        """Return what clients of a *kind* are to see."""
        return [
            step
            for step in self.steps
            if isinstance(step.key, tuple) or kind.sees(self._said[step.key])
        ]


class Verdict:
    """What is wrong with what a client was told, and how much it was."""

    def __init__(self) -> None:
        self.seen = self.missed = self.gaps = 0
        self.faults: list[str] = []

    def fault(self, text: str) -> None:
        """Note that something is wrong."""
        self.faults.append(text)


class Judge:
    """Follows what one client of a *kind* was told of one server."""

    def __init__(self, truth: Truth, kind: Kind, name: str, verdict: Verdict) -> None:
        self._truth, self._kind, self._name, self._verdict = truth, kind, name, verdict
        self._steps = truth.visible(kind)
        self._at = {step.key: index for index, step in enumerate(self._steps)}
        #: How many of the steps are behind the client: it began behind FullyBooted.
        first = [step for step in self._steps if step.connection == 0 and step.number <= 2]
        self._next = len(first)
        self._gaps: list[Gap] = []

    def follow(self, lives: Sequence[Life]) -> None:
        """Judge all *lives*, and that nothing is missing at the end."""
        for life in lives:
            for item in self._joined(life):
                self._take(item)
        if self._next != len(self._steps):
            self._fault(f"the last {len(self._steps) - self._next} events are missing")
        if self._gaps:
            self._fault(f"gaps at the end: {self._gaps}")

    def _fault(self, text: str) -> None:
        self._verdict.fault(f"{self._kind.name}, server {self._name}: {text}")

    # -- one life -------------------------------------------------------------------------------

    def _joined(self, life: Life) -> list[Item]:
        """Return what *life* tells in the order of the events.

        What came before the client had resumed belongs behind what it has missed.
        """
        early, items = life.early.get(self._name, []), life.items.get(self._name, [])
        if not early:
            return items
        if not life.has_resumed:
            # Without ids it knows nothing of them; all that has ids comes before.
            return early if not self._kind.has_ids else []
        end = self._places(early)
        for at, item in enumerate(items):
            if not isinstance(item, Gap) and self._index(item, self._next) > end:
                here = self._behind(items, at, end)
                return [*items[:here], *early, *items[here:]]
        step = self._steps[end]
        epochs = [epoch for epoch, here in self._truth.epochs.items() if here == step.connection]
        if any(life.places.get(epoch, 0) >= step.number for epoch in epochs):
            return [*items, *early]
        return items  # it comes back before them, and is sent them again

    def _places(self, early: Sequence[Item]) -> int:
        """Return the index of the last of *early*, which have no ids."""
        last = 0
        for item in early:
            if not isinstance(item, Gap):
                last = self._index(item, last)
        return last

    def _behind(self, items: Sequence[Item], at: int, end: int) -> int:
        """Return where in *items* begins what comes behind the step *end*: gaps, and item *at*.

        The gaps are those that are needed to get there from that step.
        """
        item = items[at]
        assert not isinstance(item, Gap)
        index = self._index(item, end)
        first = index if isinstance(item, Notice) else index - item.last + item.first
        step, last = self._steps[first], self._steps[end]
        is_same = step.connection == last.connection
        missing = step.number - 1 - (last.number if is_same else 0)
        while at and missing > 0 and isinstance(gap := items[at - 1], Gap) and gap.missed:
            at, missing = at - 1, missing - gap.missed
        if is_same or not at or items[at - 1] != Gap(None, "server_lost"):
            return at
        at, missing = at - 1, self._length(last.connection) - last.number
        while at and missing > 0 and isinstance(gap := items[at - 1], Gap) and gap.missed:
            at, missing = at - 1, missing - gap.missed
        return at

    def _index(self, item: Run | Notice, start: int) -> int:
        """Return the index of the step that *item* tells, or its last; -1: there is none."""
        if isinstance(item, Run):
            return self._at.get(item.last, -1)
        if item.place != NO_ID and item.place[0] in self._truth.epochs:
            return self._at.get((item.what, self._truth.epochs[item.place[0]]), -1)
        for at in range(start, len(self._steps)):
            key = self._steps[at].key
            if isinstance(key, tuple) and key[0] == item.what:
                return at
        return -1

    # -- one item -------------------------------------------------------------------------------

    def _take(self, item: Item) -> None:
        verdict = self._verdict
        if isinstance(item, Gap):
            verdict.gaps += 1
            verdict.missed += item.missed or 0
            self._gaps.append(item)
            return
        last = self._index(item, self._next)
        count = item.last - item.first + 1 if isinstance(item, Run) else 1
        first = self._at.get(item.first, -1) if isinstance(item, Run) else last
        if first < 0 or last < 0 or last - first != count - 1:
            self._fault(f"not for this client, or never sent: {_text(item)}")
            return
        verdict.seen += count
        if first < self._next:
            self._fault(f"twice, or out of order: {_text(item)}; {self._steps[self._next - 1].key}"
                        " was there already")  # fmt: skip
        else:
            self._check_gaps(first)
        self._check_id(item, self._steps[first])
        self._next, self._gaps = max(self._next, last + 1), []

    def _check_id(self, item: Run | Notice, step: Step) -> None:
        place: Place = item.place
        if place == NO_ID:
            return
        if (self._truth.epochs.get(place[0]), place[1]) != (step.connection, step.number):
            self._fault(f"the id of {_text(item)} is {place}, and not {step}")

    def _check_gaps(self, index: int) -> None:
        """Check the gaps that were told between the last step and the one at *index*."""
        step, gaps = self._steps[index], self._gaps
        skipped = index - self._next
        before = self._steps[self._next - 1] if self._next else Step(0, 0, 0)
        crossings = [at for at, gap in enumerate(gaps) if gap.reason == "server_lost"]
        what = f"before {step.key} of connection {step.connection}, behind {before.key}: {gaps}"
        if not self._kind.has_ids:
            if skipped or gaps:
                self._fault(f"{skipped} events lost {what}")
            return
        if self._kind.is_early and Gap(None, "ring") in gaps:
            return  # there was no ring, and nobody has noted what it was shown since the log-in
        if step.connection != before.connection:
            if len(crossings) != 1 and not self._is_early(before, step):
                self._fault(f"{len(crossings)} gaps tell that the server was lost {what}")
                return
        elif crossings:
            self._fault(f"the server was not lost {what}")
        if not self._kind.is_told_numbers:
            if skipped and not gaps:
                self._fault(f"{skipped} events lost silently {what}")
            if any(gap.missed is not None for gap in gaps):
                self._fault(f"a number to who sees a part {what}")
            return
        self._check_numbers(before, step, crossings, what)

    def _is_early(self, before: Step, step: Step) -> bool:
        """Return whether the client may have seen how the server was lost before it had ids."""
        following = (before.connection + 1, 1)
        return self._kind.is_early and (step.connection, step.number) == following

    def _check_numbers(self, before: Step, step: Step, crossings: list[int], what: str) -> None:
        """Check that the numbers in the gaps are those of the events that are missing."""
        gaps = self._gaps
        if any(gap.missed is None and gap.reason != "server_lost" for gap in gaps):
            self._fault(f"no number {what}")
            return
        if step.connection == before.connection:
            wanted, told = step.number - before.number - 1, gaps
        else:
            ended = self._length(before.connection) - before.number
            at = crossings[0] if crossings else len(gaps)
            first = _sum(gaps[:at])
            is_next = step.connection == before.connection + 1
            if first != ended and (first or is_next):
                self._fault(f"{ended} events were lost of the old connection {what}")
            wanted, told = step.number - 1, gaps[at + 1 :]
        if _sum(told) != wanted or any(not gap.missed for gap in told):
            self._fault(f"{wanted} events were lost {what}")

    def _length(self, connection: int) -> int:
        """Return how many events *connection* had; the client sees all of them."""
        key = (LOST, connection)
        return self._truth.by_key[key].number


def _sum(gaps: Sequence[Gap]) -> int:
    return sum(gap.missed or 0 for gap in gaps)


def _text(item: Run | Notice) -> str:
    if isinstance(item, Run):
        return f"{item.first} to {item.last}" if item.first != item.last else str(item.first)
    return item.what
