# SPDX-License-Identifier: GPL-2.0-or-later
"""The ``listen`` line of astmanproxy.conf (spec section 14).

listen = ADDRESS, PORT, option=value ...
listen = unix:PATH, option=value ...
"""

from __future__ import annotations

import os
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from amiproxy.access.acl import DENY_ALL, UNIX, Acl, Rule, read_rules
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings import typos
from amiproxy.settings.listenerspec import ListenLine
from amiproxy.settings.readers import address, boolean, choice, one_of, quote, read_port
from amiproxy.settings.webparts import web_parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.settings.confsyntax import Value

#: Bytes of a socket's path, without the NUL at its end (Linux, unix(7)).
LONGEST_PATH = 107


class _Word(NamedTuple):
    """The value of an option, as readers want it."""

    text: str


def _mode(word: _Word) -> int:
    """Read the mode of a file in octal."""
    if not re.fullmatch("0?[0-7]{3}", word.text):
        raise ValueError(f"{quote(word.text)} is no mode; write three octal digits, as in 0660")
    found = int(word.text, 8)
    if not found & 0o222:
        raise ValueError(f"nobody could connect with {quote(word.text)}: that takes a w, as 0660")
    return found


def _format(word: _Word) -> str:
    """Read the name of a format."""
    if not re.fullmatch("[a-z0-9_]{1,64}", word.text.lower()):
        raise ValueError(f"{quote(word.text)} is no name of a format")
    return word.text.lower()


_AUTOFILTER = choice(*(mode.value for mode in AutoFilter))

#: Options that are given once, in the order of the documentation, with their readers.
_ONCE: Mapping[str, Callable[[_Word], Any]] = MappingProxyType(
    {
        "input": _format,
        "output": _format,
        "autofilter": lambda word: AutoFilter(_AUTOFILTER(word)),
        "tls": one_of("no", "yes", "both"),
        "auth": boolean,
        "mode": _mode,
        "web": web_parts,
    }
)
#: Options that may be given several times: networks.
_NETWORKS = ("proxyprotocol", "permit", "deny")

#: All of them.
OPTIONS = (*_ONCE, *_NETWORKS)
_LIST = ", ".join(OPTIONS)


def read_listen(value: Value, place: str = "") -> ListenLine:
    """Return what the line *value*, which stands at *place*, says.

    Raises:
        ValueError: it cannot be used; says what to write.

    """
    if value.unclosed:
        raise ValueError("a quote is open at the end of the line; close it")
    fields = value.split()
    while fields and not fields[-1]:
        del fields[-1]
    if not fields:
        raise ValueError(
            "is empty; write ADDRESS, PORT or unix:PATH, and options as in input=json behind it"
        )
    if fields[0].lower().startswith(UNIX):
        options = fields[1:]
        if options and options[0].isdecimal():
            raise ValueError(f"a Unix socket has no port: remove {options[0]}")
        return ListenLine(path=_path(fields[0][len(UNIX) :]), place=place, **_read(options, True))
    if len(fields) < 2 or "=" in fields[1]:
        raise ValueError("the port is missing: write ADDRESS, PORT, or unix:PATH")
    if fields[0].startswith("/"):
        raise ValueError(f"{quote(fields[0])} is no address; for a Unix socket write {UNIX}PATH")
    return ListenLine(
        address=address(_Word(fields[0])),
        port=_port(fields[1]),
        place=place,
        **_read(fields[2:], False),
    )


def _port(text: str) -> int:
    port = read_port(text)
    if not port:
        raise ValueError(f"{quote(text)} is no port: write a number between 1 and 65535")
    return port


def _path(text: str) -> str:
    """Read the path of a Unix socket."""
    if not text.startswith("/"):
        raise ValueError(f"{quote(text)} is not an absolute path; write {UNIX}/run/...")
    found = os.path.normpath("/" + text.lstrip("/"))
    size = len(os.fsencode(found))
    if size > LONGEST_PATH:
        raise ValueError(
            f"{quote(text)} is too long for a Unix socket: {size} bytes, at most {LONGEST_PATH}"
        )
    if found == "/":
        raise ValueError(f"{quote(text)} is a directory; name the socket in it")
    return found


def _read(fields: Iterable[str], is_unix: bool) -> dict[str, Any]:
    """Return the fields of a ListenLine that the options in *fields* set.

    Raises:
        ValueError: one is unknown, cannot be used, or is of no use here.

    """
    found: dict[str, Any] = {}
    rules: list[Rule] = []
    balancers: list[Rule] = []
    for each in filter(None, fields):
        name, equals, text = (part.strip() for part in each.partition("="))
        name = name.lower()
        if not equals or name not in OPTIONS:
            raise ValueError(_unknown(name, bool(equals)))
        _check_place(name, text, is_unix)
        if name in found:
            raise ValueError(f"{name}= is given twice")
        try:
            if name in ("permit", "deny"):
                rules += read_rules(name, text.lower())
            elif name == "proxyprotocol":
                balancers += read_rules("permit", text.lower())
            else:
                found[name] = _ONCE[name](_Word(text))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if rules:
        found["acl"] = Acl(tuple(rules))
    if balancers:
        found["proxy_protocol"] = Acl((*DENY_ALL.rules, *balancers))
    return found


def _unknown(name: str, has_value: bool) -> str:
    """Return what to say of a field that is no option."""
    if name in OPTIONS:
        return f"{name} has no value: write {name}=..."
    if not has_value:
        return (
            f"{quote(name)} is no option; write option=value, several networks in quotes or in"
            f" several options; there is: {_LIST}"
        )
    similar = typos.question(name, OPTIONS)
    return f"unknown option {quote(name)}{similar or f'; there is: {_LIST}'}"


def _check_place(name: str, text: str, is_unix: bool) -> None:
    """Refuse an option that says nothing there; raises ValueError."""
    if is_unix and name in _NETWORKS:
        raise ValueError(
            f"{name}: who comes through a Unix socket has no address; mode= says who may connect"
        )
    if is_unix and name == "tls" and text.lower() != "no":
        raise ValueError("tls: a Unix socket is not encrypted; leave it out")
    if not is_unix and name == "mode":
        raise ValueError("mode: that is for a Unix socket; permit= and deny= are for a port")
