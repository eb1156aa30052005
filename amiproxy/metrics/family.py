# SPDX-License-Identifier: GPL-2.0-or-later
"""Family: one metric, with all values that its labels may have."""

from __future__ import annotations

from dataclasses import dataclass

#: The kinds of metrics, in Prometheus' words.
COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"

#: What the names of ours begin with; Asterisk's own module has ``asterisk_``.
PREFIX = "astmanproxy_"


@dataclass(frozen=True, eq=False)  # compared by identity: each is made once
class Family:
    """One metric: *name* without the prefix, *labels* in the order in which values give them.

    *text* says what it is, in one line that ends with a full stop; *bounds* are a histogram's.
    No label may have values without end: none is made of what a client or a caller chooses.
    """

    kind: str
    name: str
    text: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    prefix: str = PREFIX

    @property
    def full_name(self) -> str:
        """The name as it is told."""
        return self.prefix + self.name


def counter(name: str, text: str, *labels: str) -> Family:
    """Return the counter *name*, which only rises; its name ends with ``_total``."""
    return Family(COUNTER, name, text, labels)


def gauge(name: str, text: str, *labels: str) -> Family:
    """Return the gauge *name*, which rises and falls."""
    return Family(GAUGE, name, text, labels)


def histogram(name: str, text: str, bounds: tuple[float, ...], *labels: str) -> Family:
    """Return the histogram *name* with *bounds*, in seconds."""
    return Family(HISTOGRAM, name, text, labels, bounds)
