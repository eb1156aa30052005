# SPDX-License-Identifier: GPL-2.0-or-later
"""What a page of metrics says, by the parsers of prometheus-client."""

from __future__ import annotations

from typing import Any

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

#: Name of a sample and its labels, in order, -> its value.
Samples = dict[tuple[str, ...], float]


def read(body: bytes, *, is_openmetrics: bool = False) -> Samples:
    """Return the samples of *body*: ``(name, key, value, ...)`` and the number."""
    families: Any = (openmetrics if is_openmetrics else plain)(body.decode())
    found: Samples = {}
    for family in families:
        for sample in family.samples:
            key = (sample.name, *(word for pair in sorted(sample.labels.items()) for word in pair))
            assert key not in found
            found[key] = sample.value
    return found
