# SPDX-License-Identifier: GPL-2.0-or-later
"""ReloadReport: what a reload has read, what changed by it, and what is wrong, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from amiproxy.settings.config import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.access.user import Users
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.settings.listenerspec import ListenerSpec


@dataclass(frozen=True)
class ReloadReport:
    """What a reload did.  Each text is one line, without a secret."""

    #: What was done, as ``reread permissions``.
    read: tuple[str, ...] = ()
    #: What is another thing since, as ``clientbacklog`` or ``server 192.0.2.1:5038 added``.
    changed: tuple[str, ...] = ()
    #: What the operator should know, as ``FILE:LINE: ...``.
    warnings: tuple[str, ...] = ()
    #: What could not be read, as ``FILE:LINE: ...``, each time with what stays in force.
    problems: tuple[str, ...] = ()
    #: Keys that say something else in the file than what is in force until the next start.
    waiting: tuple[str, ...] = ()


def changes(old: Config, new: Config) -> list[str]:
    """Return what differs between two Configs in force: keys, ``host`` lines as servers."""
    found = [
        key for key, setting in SETTINGS.items()
        if getattr(old, setting.field) != getattr(new, setting.field)
    ]  # fmt: skip
    if old.acl != new.acl:
        found.append("permit and deny")
    # Two users at one Asterisk are two servers.
    return sorted(found) + _differences("server", _by_name(old.servers), _by_name(new.servers))


def listener_changes(
    old: Iterable[ListenerSpec], new: Iterable[ListenerSpec], *, of_lines: bool
) -> list[str]:
    """Return which listeners differ between the two.

    What changed of one that stays is told for changes *of_lines*: that of a key for them all is
    told by its name.
    """
    before, after = ({each.name: each for each in one} for one in (old, new))
    if not of_lines:
        before = {name: after.get(name, spec) for name, spec in before.items()}
    return _differences("listener", before, after)


def user_changes(old: Users, new: Users) -> list[str]:
    """Return which users differ between the two, by name."""
    general = ["[general] of the users"] if old.general != new.general else []
    return general + _differences("user", old, new, ascii)


def _by_name(servers: Iterable[ServerSpec]) -> dict[str, list[ServerSpec]]:
    """Return *servers* by what they are called."""
    found: dict[str, list[ServerSpec]] = {}
    for spec in servers:
        found.setdefault(spec.scope, []).append(spec)
    return found


def _differences(
    kind: str,
    old: Mapping[str, object],
    new: Mapping[str, object],
    shown: Callable[[str], str] = str,
) -> list[str]:
    """Return a line for each name that was added, changed or removed."""
    lines = [f"{kind} {shown(name)} removed" for name in old if name not in new]
    for name, value in new.items():
        if name not in old:
            lines.append(f"{kind} {shown(name)} added")
        elif old[name] != value:
            lines.append(f"{kind} {shown(name)} changed")
    return lines
