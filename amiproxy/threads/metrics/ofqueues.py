# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of queues: the first of them by name, the rest together."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from amiproxy.metrics import pbxfamilies as families
from amiproxy.state.queues import counts as place
from amiproxy.state.queues.member import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.metrics.page import Page
    from amiproxy.state.queues.counts import Counts
    from amiproxy.state.table import Row
    from amiproxy.threads.metrics.scrape import Scrape

#: The label of all queues that have none of their own.
OTHER = "other"

#: Outcomes as they are told.
_OUTCOMES = {
    place.ANSWERED: "answered", place.HUNG_UP: "hung_up", place.TIMED_OUT: "timeout",
    place.OTHER: "other",
}  # fmt: skip


class Labels:
    """Which queues have a label of their own: those that came first keep it.

    Else a counter would go from one label to another, and seem to have begun anew.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._known: set[tuple[str, str]] = set()

    def has(self, server: str, queue: str) -> bool:
        """Return whether *queue* has one: it gets one, if there is any left."""
        if (server, queue) in self._known:
            return True
        if len(self._known) >= self.most:
            return False
        self._known.add((server, queue))
        return True


def collect(scrape: Scrape) -> None:
    """Add it."""
    context = scrape.context
    most = context.config.metrics_queues
    labels = context.made.get("metrics.queues")
    if not isinstance(labels, Labels) or labels.most != most:
        labels = context.made["metrics.queues"] = Labels(most)
    is_truncated = False
    for model in scrape.models:
        totals = model.follower.kept.numbers.totals()
        shown = {row.key: row for row in scrape.rows(model, "queues")}
        names = {*totals, *shown} if scrape.sees_all(model.link) else {*shown}
        told = {name: labels.has(model.server, name) for name in sorted(names)}
        is_truncated = is_truncated or not all(told.values())
        together: defaultdict[str, list[Row]] = defaultdict(list)
        for name, has_label in told.items():
            label = name if has_label else OTHER
            if name in totals:
                _so_far(scrape.page, model.server, label, totals[name])
            if name in shown:
                together[label].append(shown[name])
        for label, rows in together.items():
            _now(scrape.page, model.server, label, rows)
    if scrape.models:
        scrape.page.add(families.TRUNCATED, int(is_truncated))


def _now(page: Page, server: str, label: str, rows: Sequence[Row]) -> None:
    """Add who waits, and for whom, in the queues of one *label*."""
    page.add(families.QUEUE_CALLERS, _sum(rows, "waiting"), server, label)
    page.add(families.QUEUE_LONGEST, max(map(_wait, rows)), server, label)
    for state in STATES:
        page.add(families.QUEUE_MEMBERS, _sum(rows, f"members_{state}"), server, label, state)
    level = rows[0].fields["level_seconds"]
    if label != OTHER and isinstance(level, int) and level:
        page.add(families.QUEUE_LEVEL, level, server, label)


def _sum(rows: Sequence[Row], field: str) -> int:
    values = [row.fields[field] for row in rows]
    return sum(value for value in values if isinstance(value, int))


def _wait(row: Row) -> float:
    """Return for how long the first of a queue has waited, 0 if nobody does."""
    since = row.fields["longest_since"]
    return max(time.time() - since, 0.0) if isinstance(since, float) else 0.0


def _so_far(page: Page, server: str, label: str, counts: Counts) -> None:
    """Add who has come and gone."""
    total = counts.total
    page.add(families.QUEUE_OFFERED, total[place.OFFERED], server, label)
    page.add(families.QUEUE_IN_LEVEL, total[place.IN_LEVEL], server, label)
    short = total[place.HUNG_UP_SHORT]
    page.add(families.QUEUE_CALLS, short, server, label, "hung_up_short")
    for outcome, word in _OUTCOMES.items():
        count = total[outcome] - (short if outcome == place.HUNG_UP else 0)
        page.add(families.QUEUE_CALLS, count, server, label, word)
        waits = counts.waits[outcome].snapshot()
        page.add(families.QUEUE_WAIT, waits, server, label, word)
    page.add(families.QUEUE_TALK, counts.talks.snapshot(), server, label)
