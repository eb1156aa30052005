# SPDX-License-Identifier: GPL-2.0-or-later
"""What a Config says, as lines of astmanproxy.conf: value and place of each key, no secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from amiproxy.access.acl import Acl
from amiproxy.settings.busurl import parse_bus
from amiproxy.settings.config import SETTINGS
from amiproxy.settings.readers import milliseconds
from amiproxy.settings.webparts import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.access.user import Users
    from amiproxy.settings.config import Config, ServerSpec, Setting
    from amiproxy.settings.listenerspec import ListenLine

#: What stands for a secret, and for the value of a key where there must be no line.
HIDDEN, NONE = "(hidden)", "none"
#: The place of a value that no line gives.
DEFAULT = "default"

_SECRET = frozenset({"proxykey"})
# What an unquoted value loses, or is cut or divided by.
_NEEDS_QUOTES = re.compile(r"[\s;#,A-Z]")
_NEEDS_QUOTES_IN_PATH = re.compile(r"[\s;#,]")
# Column at which places begin, where lines are shorter.
_COLUMN = 48


class InForce(NamedTuple):
    """A line ``key = value``, and its place: ``FILE:LINE`` or DEFAULT.

    *live*: SIGHUP changes it at once.
    """

    key: str
    value: str
    place: str
    live: bool

    def __str__(self) -> str:
        """Return the line, the place as a comment; it is one as a whole without a value."""
        line = f";{self.key} =" if self.value == NONE else f"{self.key} = {self.value}"
        return f"{line:{_COLUMN}} ; {self.place}"


def in_force(config: Config) -> Iterator[InForce]:
    """Yield what is in force: lines that add up in their order, then all keys by name."""
    for server, place in zip(config.servers, config.server_places):
        yield InForce("host", _host(server), place, live=True)
    for rule, place in zip(config.acl.rules, config.acl_places):
        yield InForce("permit" if rule.permit else "deny", rule.text, place, live=True)
    for line in config.listen:
        yield InForce("listen", _listen(line), line.place, live=True)
    for key, setting in sorted(SETTINGS.items()):
        place = config.where.get(setting.field, DEFAULT)
        yield InForce(key, _shown(key, config), place, setting.live)


def general_rows(users: Users) -> Iterator[str]:
    """Yield what ``[general]`` of the users file sets in the place of keys of the configuration."""
    general = users.general
    for key, value in (
        ("authtimeout", general.auth_timeout),
        ("authlimit", general.auth_limit),
        ("maxclients", general.max_clients),
        ("maxperaddress", general.max_per_address),
        ("displayconnects", general.display_connects),
    ):
        if value is not None:
            yield f"; {key} = {_plain(value)} in [general] of the users file takes precedence"


def written(setting: Setting, value: Any) -> str:
    """Return *value* of *setting* as a line of the file gives it, NONE: there must be none."""
    if isinstance(value, float) and setting.read is milliseconds:
        value = round(value * 1000, 6)
    text = _plain(value)
    needs = _NEEDS_QUOTES if setting.small else _NEEDS_QUOTES_IN_PATH
    quoted = setting.free and (needs.search(text) or text == NONE)
    return f'"{text}"' if quoted else text or NONE


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, Acl):
        return value.permitted
    return "" if value is None else str(getattr(value, "value", value))


def _shown(key: str, config: Config) -> str:
    """Return the value of *key*, without a secret."""
    setting = SETTINGS[key]
    value = getattr(config, setting.field)
    if key in _SECRET:
        return HIDDEN if value else NONE
    if key == "bus" and value:
        return f'"{parse_bus(value).shown}"'
    if value == () and config.where.get(setting.field):
        return "no"  # an empty list that a line says
    if value == PARTS:
        return "yes"
    if key == "listenport" and not value:
        return "no"  # there is no first listener
    return written(setting, value)


def _listen(line: ListenLine) -> str:
    """Return the fields of a ``listen`` line."""
    path = f'"unix:{line.path}"' if _NEEDS_QUOTES_IN_PATH.search(line.path) else f"unix:{line.path}"
    fields = [path, f"mode={line.mode:04o}"] if line.path else [line.address, str(line.port)]
    fields += [f"input={line.input}"] if line.input else []
    fields += [f"output={line.output}"] if line.output else []
    fields += [] if line.autofilter is None else [f"autofilter={line.autofilter.value}"]
    fields += [f"tls={line.tls}"] if line.tls else []
    fields += [] if line.auth is None else [f"auth={'yes' if line.auth else 'no'}"]
    fields += [] if line.web is None else [f"web={_web(line.web)}"]
    if line.proxy_protocol is not None:
        fields += [f"proxyprotocol={one.text}" for one in line.proxy_protocol.rules if one.permit]
    if line.acl is not None:
        fields += [f"{'permit' if one.permit else 'deny'}={one.text}" for one in line.acl.rules]
    return ", ".join(fields)


def _web(parts: tuple[str, ...]) -> str:
    return "yes" if parts == PARTS else f'"{", ".join(parts)}"' if parts else "no"


def _host(one: ServerSpec) -> str:
    """Return the fields of a host line, without the secret."""
    events = f'"{one.events}"' if "," in one.events else one.events
    user = f'"{one.user}"' if _NEEDS_QUOTES_IN_PATH.search(one.user) else one.user
    tls = "on" if one.tls else "off"
    options = [f"name={one.name}"] * bool(one.name) + ["proxy=yes"] * one.proxy
    return ", ".join([one.host, str(one.port), user, HIDDEN, events, tls, *options])
