# SPDX-License-Identifier: GPL-2.0-or-later
"""permit/deny lists permit the addresses that Asterisk would permit."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access.acl import ANYBODY, DENY_ALL, Acl, read_rules

if TYPE_CHECKING:
    from collections.abc import Iterable

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


OFFICE = ("deny=0.0.0.0/0.0.0.0", "permit=10.1.0.0/16", "deny=10.1.2.0/255.255.255.0")


def acl_of(lines: Iterable[str]) -> Acl:
    """Return the list of *lines*, each ``permit=value`` or ``deny=value``."""
    acl = ANYBODY
    for line in lines:
        key, _, value = line.partition("=")
        acl = Acl((*acl.rules, *read_rules(key, value)))
    return acl


@pytest.mark.parametrize(
    ("lines", "address", "allowed"),
    [
        ((), "192.0.2.1", True),
        (OFFICE, "10.1.1.1", True),
        (OFFICE, "10.1.2.3", False),
        (OFFICE, "192.0.2.1", False),
        (("permit=10.0.0.0/8",), "192.0.2.1", True),  # nothing matches: let in
        (("permit=10.0.0.0/8", "deny=0.0.0.0/0"), "10.0.0.1", False),  # the last match counts
        (("deny=192.0.2.1",), "192.0.2.1", False),
        (("deny=192.0.2.1",), "192.0.2.2", True),
        (("deny=10.1.2.3/8",), "10.9.9.9", False),  # bits beyond the mask do not count
        (("deny=0.0.0.0/0",), "2001:db8::1", True),  # IPv4 rules say nothing about IPv6
        (("deny=::/0",), "10.0.0.1", True),
        (("deny=::/0", "permit=2001:db8::/32"), "2001:db8::7", True),
        (("deny=::/0", "permit=2001:db8::/ffff:ffff::"), "2001:db8::7", True),
        (("deny=::/0",), "fe80::1%eth0", False),
        (("deny=10.0.0.0/8",), "::ffff:10.0.0.1", False),  # IPv4 written as IPv6
        (("deny=::ffff:10.0.0.1",), "10.0.0.1", False),
        (("deny=0.0.0.0/0,::/0", "permit=10.0.0.0/8,192.0.2.0/24"), "192.0.2.9", True),
        (("deny=!10.0.0.0/8",), "10.0.0.1", True),
        (("deny=0.0.0.0/0", "permit=10.0.0.0/8,!10.5.0.0/16"), "10.5.1.1", False),
        (("deny=10.0.0.7/255.0.0.255",), "10.9.9.7", False),  # a mask with holes
        (("deny=10.0.0.7/0.0.0.255",), "192.0.2.7", False),
        (("deny=0.0.0.0/0",), "no address", False),
        ((), "no address", True),
    ],
)
def test_last_match_decides(lines: tuple[str, ...], address: str, allowed: bool) -> None:
    """An address that matches no rule is permitted."""
    assert acl_of(lines).allows(address) is allowed


@pytest.mark.parametrize(
    "value", ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "x/8", "10.0.0.0/::", "1.2.3", "10.0.0.0/-1", "10.0.0.0/8,", "10.0.0.0/²", "10.0.0.0/00008"]
)  # fmt: skip
def test_a_malformed_network_is_rejected(value: str) -> None:
    """Such a value never lets everybody in."""
    with pytest.raises(ValueError, match="is not an address"):
        Acl(tuple(read_rules("permit", value)))


def test_deny_all_permits_no_address() -> None:
    """Of either family."""
    assert not DENY_ALL.allows("127.0.0.1")
    assert not DENY_ALL.allows("::1")


def test_description_names_each_rule() -> None:
    """The list is shown as it was written, for astmanproxy -t."""
    assert acl_of(OFFICE).describe() == (
        "deny 0.0.0.0/0.0.0.0, permit 10.1.0.0/16, deny 10.1.2.0/255.255.255.0, any IPv6 address"
    )
    assert ANYBODY.describe() == "any address"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("permit=10.0.0.0/8",), "any address, in spite of permit 10.0.0.0/8"),
        (("deny=!10.0.0.0/8", "permit=::1"), "any address, in spite of permit 10.0.0.0/8, permit ::1"),
        (("deny=10.0.0.0/8",), "deny 10.0.0.0/8, any other IPv4 address, any IPv6 address"),
        (("deny=::/0",), "deny ::/0, any IPv4 address"),
        (("deny=0.0.0.0/0,::/0",), "deny 0.0.0.0/0, deny ::/0"),
    ],
)  # fmt: skip
def test_description_says_who_is_let_in_besides(lines: tuple[str, ...], words: str) -> None:
    """An address that no rule is about is permitted."""
    assert acl_of(lines).describe() == words


@pytest.mark.parametrize(
    ("lines", "weakness"),
    [
        (("permit=10.0.0.0/8",), "IPv4 and IPv6"),
        (("permit=::1", "deny=10.0.0.0/8"), "IPv6"),
        (("deny=!10.0.0.0/8",), "IPv4 and IPv6"),
        (("deny=192.168.0.0/16", "permit=10.0.0.0/8"), "IPv4 and IPv6"),
        (("permit=10.0.0.0/8", "deny=10.0.0.0/8"), "IPv4 and IPv6"),
        (OFFICE, "IPv6"),
        (("deny=0.0.0.0/0",), "IPv6"),
        (("deny=::/0", "permit=2001:db8::/32"), "IPv4"),
        ((*OFFICE, "permit=2001:db8::/32"), "IPv6"),
        ((*OFFICE, "deny=::/0"), ""),
        (("permit=10.0.0.0/8", "deny=0.0.0.0/0,::/0"), ""),
        (("deny=192.0.2.1",), ""),
        (("deny=10.0.0.0/8", "permit=10.1.0.0/16"), ""),
        (("deny=::/0",), ""),
        ((), ""),
    ],
)
def test_a_list_that_restricts_less_than_it_seems_to_says_so(
    lines: tuple[str, ...], weakness: str
) -> None:
    """And what to put before it; lists that only keep some addresses out are as meant."""
    found = acl_of(lines).weakness()

    assert found.partition(" address ")[0].removeprefix("an ") == weakness
    assert ("deny = 0.0.0.0/0" in found, "deny = ::/0" in found) == (
        "IPv4" in weakness,
        "IPv6" in weakness,
    )


@given(
    rules=st.lists(st.tuples(st.booleans(), st.ip_addresses(), st.integers(0, 128)), max_size=8),
    address=st.ip_addresses(),
)
def test_agrees_with_the_standard_library(
    rules: list[tuple[bool, Address, int]], address: Address
) -> None:
    """For any rules and any address the answer is that of ipaddress' networks."""
    lines = []
    expected = True
    mapped = getattr(address, "ipv4_mapped", None) or address
    for permit, network, bits in rules:
        width = min(bits, network.max_prefixlen)
        if getattr(network, "ipv4_mapped", None):
            continue
        lines.append(f"{'permit' if permit else 'deny'}={network}/{width}")
        if mapped in ipaddress.ip_network(f"{network}/{width}", strict=False):
            expected = permit

    assert acl_of(lines).allows(str(address)) is expected


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_text_is_read_or_rejected(value: str, address: str) -> None:
    """Noise is a list that has an answer for every address, or ValueError."""
    try:
        acl = Acl(tuple(read_rules("deny", value)))
    except ValueError:
        return
    assert acl.allows(address) in (True, False)
