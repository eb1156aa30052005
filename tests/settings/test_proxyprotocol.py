# SPDX-License-Identifier: GPL-2.0-or-later
"""proxyprotocol: the networks of load balancers."""

from __future__ import annotations

import pytest

from amiproxy.settings.config import Config
from amiproxy.settings.describe import describe_servers
from tests.settings.conf import problems_of, read, warnings_of


def test_load_balancers_are_networks_as_in_permit_lines() -> None:
    """Nobody is one by default."""
    config = read("proxyprotocol = 192.0.2.0/24, !192.0.2.9, 2001:db8::1 ; two\n")

    for address, is_one in (
        ("192.0.2.8", True),
        ("192.0.2.9", False),
        ("192.0.3.1", False),
        ("2001:db8::1", True),
        ("::1", False),
    ):
        assert config.proxy_protocol is not None
        assert config.proxy_protocol.allows(address) is is_one
    (_, line) = describe_servers(config)
    assert line == (
        "load balancers: 192.0.2.0/24, 2001:db8::1; they must send the PROXY protocol's header,"
        " whose address counts"
    )
    assert len(describe_servers(Config())) == 1


@pytest.mark.parametrize("text", ["", "yes", "192.0.2.1/33", "lb.example.com", "192.0.2.1,"])
def test_what_is_no_network_is_an_error(text: str) -> None:
    """With file and line."""
    (problem,) = problems_of(f"proxyprotocol = {text}\n")

    assert problem.startswith("x.conf:1: proxyprotocol: ")


@pytest.mark.parametrize("text", ["0.0.0.0/0", "10.0.0.1, ::/0"])
def test_that_everybody_may_claim_any_address_is_a_warning(text: str) -> None:
    """Who is no load balancer could come by every permit line."""
    (warning,) = warnings_of(f"proxyprotocol = {text}\n")
    assert warning == (
        "x.conf:1: proxyprotocol: who connects may say that it comes from any address; name the"
        " addresses of the load balancers alone"
    )
    assert warnings_of("proxyprotocol = 10.0.0.1\n") == []
