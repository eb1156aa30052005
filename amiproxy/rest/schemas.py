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
#: What is wrong with a request (RFC 9457).
PROBLEM: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string", "description": "what to do about it"},
            "user": {"type": "string"},
            "needs": {
                "type": "array",
                "items": {"type": "string"},
                "description": "what the user lacks: one of these",
            },
            "server": {"type": "string"},
            "response": {"type": "object", "description": "what Asterisk has answered"},
            "carried_out": {"enum": ["no", "unknown"]},
        },
        "required": ["type", "title", "status", "detail"],
    }
)
SECONDS: Mapping[str, Any] = Schema({"type": "number", "exclusiveMinimum": 0, "maximum": 600})

_NAMES: Mapping[str, Any] = Schema({"type": "array", "items": {"type": "string"}})
#: What each answer about rows says.
_STANDING: Mapping[str, Any] = Schema(
    {
        "at": {"type": "string", "description": "id of the last event in it, for ?since="},
        "now": {"type": "number", "description": "Unix time by the proxy's clock"},
        "stale": {**_NAMES, "description": "servers whose rows are those of before"},
        "building": {**_NAMES, "description": "servers whose rows are not all there yet"},
        "unknown": {
            "type": "object",
            "description": "by server: kinds that it does not tell, and why",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {"type": "string"},
            },
        },
    }
)
ANY_ROW: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "server": {"type": "string"},
            "stale": {"const": True},
        },
        "required": ["id", "server"],
    }
)
ROWS: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {
            **_STANDING,
            "total": {"type": "integer", "description": "rows that are wanted, on all pages"},
            "rows": {"type": "array", "items": ANY_ROW},
            "next": {"type": ["string", "null"], "description": "for `after`; null: that is all"},
        },
        "required": [*_STANDING, "total", "rows", "next"],
    }
)
ROW: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {"at": _STANDING["at"], "now": _STANDING["now"], "row": ANY_ROW},
        "required": ["at", "now", "row"],
    }
)
SNAPSHOT: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {
            **_STANDING,
            "type": {"const": "snapshot"},
            "of": _NAMES,
            "part": {"const": 1},
            "last": {"const": True},
            "total": {"type": "object", "additionalProperties": {"type": "integer"}},
            "rows": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "additionalProperties": {"type": "object"},
                },
            },
        },
        "required": [*_STANDING, "type", "of", "part", "last", "total", "rows"],
    }
)
SERVERS: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {"now": _STANDING["now"], "servers": {"type": "array", "items": ANY_ROW}},
        "required": ["now", "servers"],
    }
)
SERVER: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {
            "now": _STANDING["now"],
            "server": {"anyOf": [ANY_ROW, {"type": "null"}]},
        },
        "required": ["now", "server"],
    }
)
NEW_SERVER: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {
            "host": {"type": "string", "minLength": 1},
            "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 5038},
            "username": {"type": "string", "minLength": 1},
            "secret": {"type": "string", "minLength": 1},
            "events": {"type": "boolean", "default": True},
            "tls": {"type": "boolean", "default": False},
            "name": {"type": "string"},
        },
        "required": ["host", "username", "secret"],
        "additionalProperties": False,
    }
)
#: The cluster of a proxy that has a bus.
CLUSTER: Mapping[str, Any] = Schema(
    {
        "type": "object",
        "properties": {
            "now": _STANDING["now"],
            "cluster": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "slot": {"type": "string"},
                    "proxy": {"type": "string"},
                    "state": {"enum": ["joined", "cut off", "alone"]},
                    "problem": {"type": "string"},
                    "members": {"type": "array", "items": {"type": "object"}},
                    "servers": {"type": "array", "items": {"type": "object"}},
                    "clients": {"type": "integer", "description": "of all its proxies"},
                    "queued": {"type": "integer", "description": "bytes that wait for the bus"},
                    "sent": {"type": "integer"},
                    "dropped": {"type": "integer"},
                    "overruns": {"type": "integer"},
                    "trouble_ago": {"type": ["number", "null"]},
                },
                "required": ["name", "slot", "proxy", "state", "members", "servers"],
            },
        },
        "required": ["now", "cluster"],
    }
)


def several(member: str) -> Mapping[str, Any]:
    """Return the schema of a document whose *member* is an array of objects."""
    return Schema(
        {
            "type": "object",
            "properties": {
                "now": _STANDING["now"],
                member: {"type": "array", "items": {"type": "object"}},
            },
            "required": ["now", member],
        }
    )
