# SPDX-License-Identifier: GPL-2.0-or-later
"""permit/deny lists: which addresses may connect.

The rules are Asterisk's (main/acl.c): they are tried in order, the last one that
matches counts, and an address that matches none is permitted.  An IPv4 rule says
nothing about IPv6 and vice versa; an IPv4 address written as IPv6
(``::ffff:10.0.0.1``) is taken for IPv4.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: What the address of a client at a Unix socket begins with; its user's number follows.
UNIX = "unix:"

#: What it counts as.
THIS_MACHINE = "127.0.0.1"

_EVERYTHING = {4: "0.0.0.0/0", 6: "::/0"}


class Rule(NamedTuple):
    """One permit or deny: addresses of *version* whose bits under *mask* are *network*."""

    permit: bool
    version: int
    network: int
    mask: int
    text: str


class NamedList(NamedTuple):
    """A list of acl.conf, as a user names it."""

    name: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Acl:
    """The addresses of one user, or of everyone.  A value; an empty one permits every address.

    An address must be permitted by ``rules`` and by each of ``lists`` for itself.
    """

    rules: tuple[Rule, ...] = ()
    lists: tuple[NamedList, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything that could restrict."""
        return bool(self.rules or self.lists)

    def allows(self, address: str) -> bool:
        """Return whether a client at *address* may connect.

        *address* is an IPv4 or IPv6 address as a socket names it, even with a zone
        (``fe80::1%eth0``).  Who comes through a Unix socket (``unix:1000``) counts as
        THIS_MACHINE, which it is on.  Other text that is not an address is permitted by the empty
        list only.
        """
        if not self:
            return True
        if address.startswith(UNIX):
            address = THIS_MACHINE
        try:
            version, number = _number(address)
        except ValueError:
            return False
        return all(_permits(rules, version, number) for rules in self._each())

    def _each(self) -> list[tuple[Rule, ...]]:
        """Return the rules of each list: all must permit."""
        return [self.rules, *(one.rules for one in self.lists)]

    @property
    def permitted(self) -> str:
        """The networks of the permit rules, as they were written."""
        return ", ".join(rule.text for rule in self.rules if rule.permit)

    @property
    def covers_everything(self) -> bool:
        """Whether a permit is for all addresses of a version of IP."""
        return any(rule.permit and not rule.mask for rule in self.rules)

    def describe(self) -> str:
        """Return the list in words, for ``astmanproxy -t``."""
        named = [f"list {one.name} ({_described(one.rules)})" for one in self.lists]
        own = [_described(self.rules)] if self.rules or not named else []
        return "; and ".join([*own, *named])

    def weakness(self) -> str:
        """Return what an administrator hardly means by this list, and what to do; else ``""``.

        That is a permit that nothing has denied before, so that it permits everybody, and
        a list that restricts one version of IP and forgets the other.
        """
        restricting = [rules for rules in self._each() if rules]
        if not restricting:
            return ""
        left = set.intersection(*map(_left_open, restricting))
        if not left:
            return ""
        everything = " and ".join(f"deny = {_EVERYTHING[version]}" for version in sorted(left))
        who = " and ".join(f"IPv{version}" for version in sorted(left))
        begin = "begin"
        if self.lists:
            begin += " list " if len(self.lists) == 1 else " one of the lists "
            begin += ", ".join(one.name for one in self.lists)
        return f"an {who} address that no line is about is permitted: {begin} with {everything}"


def _permits(rules: Iterable[Rule], version: int, number: int) -> bool:
    """Return whether *rules* permit the address *number* of IP *version*."""
    allowed = True
    for rule in rules:
        if rule.version == version and number & rule.mask == rule.network:
            allowed = rule.permit
    return allowed


def _described(rules: Sequence[Rule]) -> str:
    """Return *rules* in words."""
    if not rules:
        return "any address"
    listed = ", ".join(f"{'permit' if r.permit else 'deny'} {r.text}" for r in rules)
    left = [_left(rules, version) for version in (4, 6)]
    if left == ["any", "any"]:
        return f"any address, in spite of {listed}"
    named = [f"{word} IPv{version} address" for version, word in zip((4, 6), left) if word]
    return ", ".join([listed, *named])


def _left(rules: Iterable[Rule], version: int) -> str:
    """Return which addresses of *version* no rule is about, and so are permitted, in a word."""
    rules = [rule for rule in rules if rule.version == version]
    if any(rule.mask == 0 for rule in rules):
        return ""
    return "any other" if any(not rule.permit for rule in rules) else "any"


def _left_open(rules: Sequence[Rule]) -> set[int]:
    """Return the versions of IP whose addresses *rules* hardly leave open on purpose."""
    left = {version for version in (4, 6) if _permits_in_vain(rules, version)}
    denies_ipv4 = any(r.version == 4 and r.mask == 0 and not r.permit for r in rules)
    permits_ipv6 = any(rule.version == 6 and rule.permit for rule in rules)
    if 4 in left or denies_ipv4 or permits_ipv6:
        left |= {4, 6} - {rule.version for rule in rules}
    return left


def _permits_in_vain(rules: Iterable[Rule], version: int) -> bool:
    """Return whether a rule permits what no rule before it, nor one for all, has denied."""
    denied: dict[int, set[int]] = {}  # mask -> networks
    rules = [rule for rule in rules if rule.version == version]
    if any(rule.mask == 0 for rule in rules):
        return False
    for rule in rules:
        if not rule.permit:
            denied.setdefault(rule.mask, set()).add(rule.network)
        elif not any(
            mask & rule.mask == mask and rule.network & mask in networks
            for mask, networks in denied.items()
        ):
            return True
    return False


#: The list that permits every address.
ANYBODY = Acl()
#: For whom every address is denied.
DENY_ALL = Acl(
    tuple(
        Rule(permit=False, version=version, network=0, mask=0, text=text)
        for version, text in _EVERYTHING.items()
    )
)


def read_rules(key: str, value: str) -> list[Rule]:
    """Return the rules of the line ``key = value``.

    *key* is ``permit`` or ``deny``.  *value* is one network, or several separated by
    commas: ``10.0.0.0/8``, ``10.0.0.0/255.0.0.0``, ``2001:db8::/32``, a single address;
    ``!`` before one reverses its sense.

    Raises:
        ValueError: *value* is malformed; the text says which part.

    """
    permit = key.lower() == "permit"
    return [_rule(part.strip(" \t"), permit=permit) for part in value.split(",")]


def is_address(text: str) -> bool:
    """Return whether *text* is an IP address of either version, as opposed to a name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _rule(text: str, *, permit: bool) -> Rule:
    """Read one network."""
    bare = text
    if bare.startswith("!"):
        permit = not permit
        bare = bare[1:].lstrip(" \t")
    host, slash, mask_text = bare.partition("/")
    try:
        version, number = _number(host)
        mask = _mask(mask_text, version) if slash else _all_ones(version)
    except ValueError:
        raise ValueError(f"'{text}' is not an address, network/bits or network/mask") from None
    return Rule(permit, version, number & mask, mask, bare)


def _number(address: str) -> tuple[int, int]:
    """Return (version, value) of *address*; raise ValueError if it is not one."""
    parsed = ipaddress.ip_address(address.partition("%")[0].strip("[]"))
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed.version, int(parsed)


def _all_ones(version: int) -> int:
    return (1 << (32 if version == 4 else 128)) - 1


def _mask(text: str, version: int) -> int:
    """Read a mask, a number of bits or written as an address; raise ValueError otherwise."""
    ones = _all_ones(version)
    if text.isascii() and text.isdigit():
        width = ones.bit_length()
        if len(text) > 3 or int(text) > width:
            raise ValueError(text)
        return ones ^ (ones >> int(text))
    # Not ipaddress.ip_network: it reads 0.0.0.255 as its complement and rejects masks
    # with holes.  Asterisk takes both as they are.
    parsed = ipaddress.ip_address(text)
    if parsed.version != version:
        raise ValueError(text)
    return int(parsed)
