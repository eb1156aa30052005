# SPDX-License-Identifier: GPL-2.0-or-later
"""Schemas of what requests bring and are answered with, as OpenAPI 3.1 has them (2020-12)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = MappingProxyType

_VALUE: Mapping[str, Any] = Schema({"type": ["string", "number", "boolean"]})

#: The headers of an action, as it is sent.
HEADERS: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "additionalProperties": {"anyOf": [_VALUE, {"type": "array", "items": _VALUE}]},
        "examples": [{"Queue": "support"}],
    }
)
#: A message of AMI.
MESSAGE: Mapping[str, Any] = Schema({"type": "object"})
#: What an action was answered.
ANSWERED: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {
            "server": {"type": "string"},
            "response": MESSAGE,
            "items": {"type": "array", "items": MESSAGE},
            "complete": {"anyOf": [MESSAGE, {"type": "null"}]},
        },
        "required": ["response", "items", "complete"],
    }
)
SECONDS: Mapping[str, Any] = Schema({"type": "number", "exclusiveMinimum": 0, "maximum": 600})
