# SPDX-License-Identifier: GPL-2.0-or-later
"""What a Config holds, as lines of a file would say it, without secrets."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

from amiproxy.settings.config import SETTINGS, Config
from amiproxy.settings.readers import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.settings.config import ServerSpec, Setting

#: What stands for a secret, and for the value of a key that no line gives.
HIDDEN, NONE = "(hidden)", "none"

#: Where a value comes from that no line sets.
DEFAULT = "default"

#: Fields whose values must not be shown.
_SECRET = frozenset(
    field.name for field in fields(Config) if not field.repr and field.name != "where"
)


class InForce(NamedTuple):
    """One line: *place* is ``FILE:LINE``, or ``default``; *live*: SIGHUP changes it at once."""

    key: str
    value: str
    place: str
    live: bool


def in_force(config: Config) -> Iterator[InForce]:
    """Yield each key with its value: those that add up first, all others by name."""
    for server in config.servers:
        yield InForce("host", _host(server), config.where.get("servers", ""), live=True)
    if config.acl:
        yield InForce("permit, deny", config.acl.describe(), config.where.get("acl", ""), live=True)
    for key, setting in sorted(SETTINGS.items()):
        value = getattr(config, setting.field)
        shown = HIDDEN if setting.field in _SECRET and value else written(setting, value)
        place = config.where.get(setting.field, DEFAULT)
        yield InForce(key, shown, place, setting.live)


def written(setting: Setting, value: Any) -> str:
    """Return *value* as a line that sets it would say it, ``none``: no line sets it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value * 1000 if setting.read is milliseconds else value:g}"
    if isinstance(value, tuple):
        return ", ".join(value) or NONE
    if value is None or value == "":
        return NONE
    describe = getattr(value, "describe", None)
    return str(describe()) if describe else str(getattr(value, "value", value))


def _host(server: ServerSpec) -> str:
    tls = "on" if server.tls else "off"
    return f"{server.host}, {server.port}, {server.user}, {HIDDEN}, {server.events}, {tls}"
