# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyContext: a reload replaces the settings, and the users file takes precedence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access.user import Users
from amiproxy.settings.config import Config
from amiproxy.settings.listeners import listeners, of_keys
from amiproxy.settings.listenerspec import ListenLine
from amiproxy.settings.usersfile import read_users
from tests.threads.actions.support import FORMATS, Client

if TYPE_CHECKING:
    from amiproxy.threads.sessions.context import ProxyContext


def context(**settings: Any) -> ProxyContext:
    """Return the context of a proxy with these settings."""
    return Client(**settings).context


@pytest.mark.parametrize(
    ("settings", "guarded"),
    [({}, False), ({"auth_required": True}, True), ({"proxy_key": "x"}, True)],
)
def test_clients_are_guarded_where_something_is_asked_of_them(
    settings: dict[str, Any], guarded: bool
) -> None:
    """A log-in or the proxy key."""
    assert of_keys(Config(**settings)).guarded is guarded


def test_a_reload_replaces_everything_at_once() -> None:
    """Limits of messages and of clients follow."""
    proxy = context(max_clients=0)
    assert not isinstance(proxy.admission.enter("192.0.2.1", guarded=False), str)
    assert not isinstance(proxy.admission.enter("192.0.2.1", guarded=False), str)

    proxy.renew(Config(max_clients=2, max_line=77), Users(), None)

    assert proxy.limits.line == 77
    reason = proxy.admission.enter("192.0.2.1", guarded=False)
    assert reason == "2 clients are connected (maxclients)"


def test_limits_of_the_users_file_take_precedence() -> None:
    """Those of its section [general]."""
    users, _ = read_users("[general]\nmaxperaddress = 1\n[u]\nsecret=s\nread=\nwrite=\n", "users")
    proxy = context()
    proxy.renew(Config(max_per_address=5), users, None)

    proxy.admission.enter("192.0.2.1", guarded=False)

    reason = proxy.admission.enter("192.0.2.1", guarded=False)
    assert reason == "1 clients of this address are connected (maxperaddress)"


def test_default_formats_are_those_of_the_configuration() -> None:
    """For input and output."""
    proxy = context(input_format="json", output_format="xml")
    spec = of_keys(proxy.config)

    assert proxy.input_format(spec) is FORMATS["json"]
    assert proxy.output_format(spec) is FORMATS["xml"]


@pytest.mark.parametrize(("written", "output"), [("json", "json"), ("http", "xml"), ("", "xml")])
def test_who_writes_in_the_format_of_a_line_is_answered_in_it(written: str, output: str) -> None:
    """As far as it can be written to; else, and where the line says none, as the key says."""
    proxy = context(output_format="xml", listen=(ListenLine("*", 1, input=written),))

    assert proxy.output_format(listeners(proxy.config)[1]) is FORMATS[output]
