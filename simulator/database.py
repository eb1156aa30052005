# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that read and change Asterisk's database (main/db.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.replies import error, id_line, listing, success

if TYPE_CHECKING:
    from simulator.pbx import Pbx
    from simulator.protocol import Action

_NOT_FOUND = "Database entry not found"


def put(pbx: Pbx, action: Action) -> bytes:
    """Store a value."""
    if missing := _missing(action):
        return error(action, missing)
    pbx.database[_key(action)] = action.get("Val")
    return success(action, "Updated database successfully")


def get(pbx: Pbx, action: Action) -> bytes:
    """Return a value, as a list of one."""
    if missing := _missing(action):
        return error(action, missing)
    key = _key(action)
    value = pbx.database.get(key)
    if value is None:
        return error(action, _NOT_FOUND)
    item = [
        "Event: DBGetResponse",
        f"Family: {key[0]}",
        f"Key: {key[1]}",
        f"Val: {value}",
        *id_line(action),
    ]
    return listing(action, "Result will follow", [item], "DBGetComplete")


def get_tree(pbx: Pbx, action: Action) -> bytes:
    """List what is stored under a family, or all there is."""
    family = action.get("Family")
    items = [
        ["Event: DBGetTreeResponse", f"Key: /{one}/{key}", f"Val: {value}", *id_line(action)]
        for (one, key), value in sorted(pbx.database.items())
        if not family or one == family
    ]
    if not items:
        return error(action, _NOT_FOUND)
    return listing(action, "Result will follow", items, "DBGetTreeComplete")


def delete(pbx: Pbx, action: Action) -> bytes:
    """Delete a value."""
    if missing := _missing(action):
        return error(action, missing)
    if pbx.database.pop(_key(action), None) is None:
        return error(action, _NOT_FOUND)
    return success(action, "Key deleted successfully")


def delete_tree(pbx: Pbx, action: Action) -> bytes:
    """Delete all that is stored under a family."""
    family = action.get("Family")
    if not family:
        return error(action, "No family specified.")
    doomed = [key for key in list(pbx.database) if key[0] == family]
    for key in doomed:
        pbx.database.pop(key, None)
    if not doomed:
        return error(action, _NOT_FOUND)
    return success(action, "Key tree deleted successfully")


def _key(action: Action) -> tuple[str, str]:
    """Return family and key of *action*."""
    return action.get("Family"), action.get("Key")


def _missing(action: Action) -> str:
    """Return which of family and key is missing; empty: none."""
    if not action.get("Family"):
        return "No family specified."
    return "" if action.get("Key") else "No key specified."
