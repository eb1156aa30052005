# SPDX-License-Identifier: GPL-2.0-or-later
"""The cookie of the console's log-in: how it is called, set, read and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.threads.web.logins import LIFE
from amiproxy.web import urls

if TYPE_CHECKING:
    from amiproxy.threads.web.visit import Visit

NAME = "astmanproxy_session"
#: Under TLS no other host, and no connection without TLS, can set one of this name.
SECURE_NAME = f"__Host-{NAME}"
NAMES = (NAME, SECURE_NAME)


def cookie_of(visit: Visit) -> str:
    """Return the cookie that came with the request of *visit*, or ""."""
    return urls.cookie(visit.request, _name(visit))


def setting(visit: Visit, value: str) -> tuple[tuple[str, str], ...]:
    """Return the header that gives the client of *visit* the cookie *value*; "": takes it back."""
    age = int(LIFE) if value else 0
    secure = "; Secure" if visit.is_tls else ""
    text = f"{_name(visit)}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}"
    return (("Set-Cookie", text),)


def _name(visit: Visit) -> str:
    return SECURE_NAME if visit.is_tls else NAME
