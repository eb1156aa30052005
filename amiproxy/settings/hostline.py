# SPDX-License-Identifier: GPL-2.0-or-later
"""The ``host`` line of astmanproxy.conf (spec section 3).

host = address, port, user, secret, events (on/off), use_ssl (on/off), option=value ...

The options, in any order and behind all six fields (spec section 14): ``name=``, ``proxy=``.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.basics.boolean import parse_bool
from amiproxy.routing.classes import read_classes
from amiproxy.settings.config import ServerSpec
from amiproxy.settings.readers import host, read_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from amiproxy.settings.confsyntax import Value

#: What the values of the options look like, and how that is said.
_OPTIONS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "name": re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?"),
        "proxy": re.compile("yes|no|on|off|true|false|1|0"),
    }
)
_MAY_BE: Mapping[str, str] = MappingProxyType(
    {
        "name": "write letters, digits, dots, - and _, 64 at the most, the first and the last of"
        " them a letter or a digit",
        "proxy": "write yes or no",
    }
)


def read_server(value: Value) -> ServerSpec:
    """Return the server of the host line *value*.

    Raises:
        ValueError: a field cannot be used.  The text quotes no field behind the
            port: where one is missing, the secret stands in the place of another.

    """
    found = _fields(value)
    name, port, user, secret, events, use_ssl = [*found[:6], "off"][:6]
    if not read_port(port):
        raise ValueError("the port (second field) is not a number between 1 and 65535")
    if not read_events(events):
        raise ValueError(
            "events (fifth field) is neither on nor off; a secret with a comma needs quotes"
        )
    tls = parse_bool(use_ssl)
    if tls is None:
        raise ValueError(
            "use_ssl (sixth field) is neither on nor off; a secret with a comma needs quotes, as do"
            " several classes of events"
        )
    options = _options(found[6:])
    return ServerSpec(
        host=host(name.lower()),
        port=read_port(port),
        user=user,
        secret=secret,
        events=read_events(events),
        tls=tls,
        name=options.get("name", ""),
        proxy=parse_bool(options.get("proxy", "no")) or False,
    )


def _options(fields: Iterable[str]) -> dict[str, str]:
    """Return the options in *fields*, behind the sixth, by name in lower case.

    Raises:
        ValueError: one is known and its value cannot be used, or is given twice.

    """
    found: dict[str, str] = {}
    for each in fields:
        key, equals, word = (part.strip() for part in each.lower().partition("="))
        if not equals or key not in _OPTIONS:
            continue  # the C program does not look at it either: see oddities
        if key in found:
            raise ValueError(f"{key}= is given twice")
        if not _OPTIONS[key].fullmatch(word):
            raise ValueError(f"{key}= (behind the sixth field): {_MAY_BE[key]}")
        found[key] = word
    return found


def _fields(value: Value) -> list[str]:
    """Return the fields of *value*: five at least, none of them empty.

    Raises:
        ValueError: there are fewer, or a blank makes one of two words.

    """
    found = value.split()
    while found and not found[-1]:
        del found[-1]
    if value.unclosed:
        raise ValueError(
            "a quote is open at the end of the line: put the whole secret in quotes; one that holds"
            ' a " cannot be written here'
        )
    if len(found) < 5 or not all(found[:5]):
        if value.commented:
            raise ValueError(
                "server spec incomplete before the comment; a secret with # or ; needs quotes"
            )
        raise ValueError(
            "server spec incomplete; give host, port, user, secret, events(on/off), use_ssl(on/off)"
        )
    if one := value.joined & {0, 1}:
        which = "port (second field)" if 1 in one else "host (first field)"
        raise ValueError(f"the {which} holds a blank; is a comma missing?")
    return found


def oddities(value: Value) -> Iterator[str]:
    """Yield what may not be meant as it is written in the host line *value*."""
    fields = [*value.split(), *[""] * 6]
    use_ssl = fields[5].lower()
    if use_ssl != "on" and parse_bool(use_ssl):
        # It will not connect where that was right.
        yield "use_ssl: TLS here, plain text in the C program; write on for TLS, off for plain text"
    if any(each and not _is_option(each) for each in fields[6:]):
        yield (
            "what is behind the sixth field does not count, but name= and proxy=; a secret with a"
            " comma needs quotes"
        )
    if value.joined & {2, 3}:
        yield "the blanks in user and secret do not count; put the field in quotes"


def _is_option(field: str) -> bool:
    """Return whether *field*, behind the sixth, counts."""
    key, equals, _ = field.lower().partition("=")
    return bool(equals) and key.strip() in _OPTIONS


def read_events(text: str) -> str:
    """Read on, off, or what Asterisk takes besides: classes, or their sum as a number.

    Returns it in lower case, or ``""`` if *text* is none of them.
    """
    text = text.lower()
    answer = parse_bool(text)
    if answer is not None:
        return "on" if answer else "off"
    return text if re.fullmatch("[0-9]{1,9}", text) or not read_classes(text)[1] else ""


def read_name(text: str) -> str:
    """Return *text*, what a server is to be called, in lower case; "" is by its host.

    Raises:
        ValueError: it is no name.

    """
    if text and not _OPTIONS["name"].fullmatch(text):
        raise ValueError(f"Name: {_MAY_BE['name']}")
    return text
