# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that read and change Asterisk's database (main/db.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.replies import error, id_line, listing, success

if TYPE_CHECKING:
    from simulator.pbx import Pbx
    from simulator.protocol import Action

_MISSING = "Database entry not found"


def put(pbx: Pbx, action: Action) -> bytes:
    """Store a value."""
    key = _key(action)
    if isinstance(key, bytes):
        return key
    pbx.database[key] = action.get("Val")
    return success(action, "Updated database successfully")


def get(pbx: Pbx, action: Action) -> bytes:
    """Return a value, as a list of one."""
    key = _key(action)
    if isinstance(key, bytes):
        return key
    value = pbx.database.get(key)
    if value is None:
        return error(action, _MISSING)
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
        return error(action, _MISSING)
    return listing(action, "Result will follow", items, "DBGetTreeComplete")


def delete(pbx: Pbx, action: Action) -> bytes:
    """Delete a value."""
    key = _key(action)
    if isinstance(key, bytes):
        return key
    if pbx.database.pop(key, None) is None:
        return error(action, _MISSING)
    return success(action, "Key deleted successfully")


def delete_tree(pbx: Pbx, action: Action) -> bytes:
    """Delete all that is stored under a family."""
    family = action.get("Family")
    if not family:
        return error(action, "No family specified.")
    doomed = [key for key in list(pbx.database) if key[0] == family]
    for key in doomed:
        pbx.database.pop(key, None)
    return success(action, "Key tree deleted successfully") if doomed else error(action, _MISSING)


def _key(action: Action) -> tuple[str, str] | bytes:
    """Return family and key of *action*, or the error about what is missing."""
    family, key = action.get("Family"), action.get("Key")
    if not family:
        return error(action, "No family specified.")
    if not key:
        return error(action, "No key specified.")
    return family, key
