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
    if not re.fullmatch("[0-9]{1,5}", port) or not 1 <= int(port) <= 65535:
        raise ValueError("the port (second field) is not a number between 1 and 65535")
    tls = parse_bool(use_ssl)
    if tls is None:
        raise ValueError("use_ssl (sixth field) is neither on nor off")
    return ServerSpec(
        host=host(name.lower()),
        port=int(port),
        user=user,
        secret=secret,
        events=_events(events.lower()),
        tls=tls,
    )


def _events(text: str) -> str:
    """Read on, off, or what Asterisk takes besides: classes, or their sum as a number."""
    answer = parse_bool(text)
    if answer is not None:
        return "on" if answer else "off"
    if not re.fullmatch("[0-9]+", text) and read_classes(text)[1]:
        raise ValueError("events (fifth field) is neither on nor off")
    return text
