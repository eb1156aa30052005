# SPDX-License-Identifier: GPL-2.0-or-later
"""Page: what one scrape is told, and the text that Prometheus reads.

That is its text format 0.0.4, or OpenMetrics 1.0 for who asks for that:
https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Union

from amiproxy.metrics.family import COUNTER, GAUGE
from amiproxy.metrics.histogram import HistogramValue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.metrics.family import Family

#: The media types of both formats.
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Value = Union[float, HistogramValue]

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


class Page:
    """The samples of one scrape.  Belongs to the thread that makes it.

    A page never holds the same labels twice, which would make Prometheus refuse all of it.
    """

    def __init__(self) -> None:
        self._samples: dict[Family, dict[tuple[str, ...], Value]] = {}

    def add(self, family: Family, value: Value | None, *labels: str) -> None:
        """Add the *value* of *family* with *labels*; None: it is not known, and absent.

        Where there is one already, both are counted together; of a gauge the last one stands.
        """
        assert len(labels) == len(family.labels), family.name
        if value is None:
            return
        samples = self._samples.setdefault(family, {})
        before = samples.get(labels)
        if before is not None and family.kind != GAUGE:
            value = before + value  # type: ignore[operator]  # both are of the family's kind
        samples[labels] = value

    def text(self, *, openmetrics: bool = False) -> bytes:
        """Return all of it, in the order in which the families came."""
        lines = [
            line
            for family, samples in self._samples.items()
            for line in _family(family, samples, openmetrics=openmetrics)
        ]
        if openmetrics:
            lines.append("# EOF\n")
        # A name of a queue may hold any byte; what is no UTF-8 would spoil the whole page.
        return "".join(lines).encode("utf-8", "replace")


def _family(
    family: Family, samples: dict[tuple[str, ...], Value], *, openmetrics: bool
) -> Iterator[str]:
    """Yield the lines of *family*."""
    name = family.full_name
    titled, escapes = name, _HELP_ESCAPES
    if openmetrics:
        titled, escapes = (name[: -len("_total")] if family.kind == COUNTER else name), _ESCAPES
    yield f"# HELP {titled} {family.text.translate(escapes)}\n"
    yield f"# TYPE {titled} {family.kind}\n"
    for labels, value in samples.items():
        pairs = [f'{key}="{text.translate(_ESCAPES)}"' for key, text in zip(family.labels, labels)]
        if isinstance(value, HistogramValue):
            yield from _buckets(name, pairs, value)
        else:
            yield f"{name}{_braces(pairs)} {_number(value)}\n"


def _buckets(name: str, pairs: list[str], value: HistogramValue) -> Iterator[str]:
    """Yield the lines of a histogram."""
    for bound, count in zip((*value.bounds, math.inf), value.counts):
        upto = f'le="{_number(float(bound))}"'
        yield f"{name}_bucket{_braces([*pairs, upto])} {count}\n"
    yield f"{name}_sum{_braces(pairs)} {_number(value.sum)}\n"
    yield f"{name}_count{_braces(pairs)} {value.counts[-1]}\n"


def _braces(pairs: list[str]) -> str:
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _number(value: float) -> str:
    """Return *value* as both formats read it."""
    if value == math.inf:
        return "+Inf"
    return repr(value) if math.isfinite(value) else "NaN"
