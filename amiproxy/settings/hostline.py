# SPDX-License-Identifier: GPL-2.0-or-later
"""The ``host`` line of astmanproxy.conf (spec section 3).

host = address, port, user, secret, events (on/off), use_ssl (on/off)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.basics.boolean import parse_bool
from amiproxy.routing.classes import read_classes
from amiproxy.settings.config import ServerSpec
from amiproxy.settings.readers import host

if TYPE_CHECKING:
    from amiproxy.settings.confsyntax import Value


def read_server(value: Value) -> ServerSpec:
    """Return the server of the host line *value*.

    Raises:
        ValueError: a field cannot be used.  The text quotes no field behind the
            port: where one is missing, the secret stands in the place of another.

    """
    found = value.split()
    while found and not found[-1]:
        del found[-1]
    if len(found) < 5 or not all(found[:5]):
        raise ValueError(
            "server spec incomplete; give host, port, user, secret, events(on/off), use_ssl(on/off)"
        )
    name, port, user, secret, events, use_ssl, *_ = [*found, "off"]
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
    return ServerSpec(
        host=host(name.lower()),
        port=read_port(port),
        user=user,
        secret=secret,
        events=read_events(events),
        tls=tls,
    )


def misread_by_c(value: Value) -> str:
    """Return what the C program understood otherwise in the host line *value*, or ``""``."""
    use_ssl = [*value.split(), *[""] * 6][5].lower()
    if use_ssl != "on" and parse_bool(use_ssl):
        # It will not connect where that was right.
        return (
            "use_ssl: TLS here, plain text in the C program; write on for TLS, off for plain text"
        )
    return ""


def read_events(text: str) -> str:
    """Read on, off, or what Asterisk takes besides: classes, or their sum as a number.

    Returns it in lower case, or ``""`` if *text* is none of them.
    """
    text = text.lower()
    answer = parse_bool(text)
    if answer is not None:
        return "on" if answer else "off"
    return text if re.fullmatch("[0-9]{1,9}", text) or not read_classes(text)[1] else ""


def read_port(text: str) -> int:
    """Read the number of a port; return 0 if *text* is none."""
    return int(text) if re.fullmatch("[0-9]{1,5}", text) and int(text) <= 65535 else 0
