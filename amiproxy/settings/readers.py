# SPDX-License-Identifier: GPL-2.0-or-later
"""Readers of values, for both files: what a line says in, the value of the field out.

Each raises ValueError for a value that cannot be used.  The text of the error names
neither file, line nor key: the caller does.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Callable, Protocol

from amiproxy.access import digest
from amiproxy.access.acl import DENY_ALL, Acl, read_rules
from amiproxy.basics.boolean import parse_bool
from amiproxy.basics.days import zone_of

# poll(2) takes a timeout in ms as a 31-bit number.
LONGEST_WAIT = 2_000_000  # seconds
#: More than anything is counted to.
_ANY = 2**40


class Written(Protocol):
    """A value as it is written in a file."""

    @property
    def text(self) -> str:
        """The value without comment and quotes, in the case it is written in."""


def boolean(value: Written) -> bool:
    """Read yes or no, in the words of :func:`~amiproxy.basics.boolean.parse_bool`."""
    answer = parse_bool(value.text)
    if answer is None:
        what = f"{quote(value.text)} is neither yes nor no" if value.text else "is empty"
        raise ValueError(f"{what}; write yes or no")
    return answer


def choice(*choices: str) -> Callable[[Written], str]:
    """Return a reader of one of *choices*; ``no`` and its like mean the first."""
    given = one_of(*choices)
    return lambda value: choices[0] if parse_bool(value.text) is False else given(value)


def one_of(*choices: str) -> Callable[[Written], str]:
    """Return a reader of one of *choices*."""

    def read(value: Written) -> str:
        text = value.text.lower()
        if text not in choices:
            raise ValueError(
                f"{quote(value.text)} is not one of {', '.join(choices)}; write one of them"
            )
        return text

    return read


def count(least: int, most: int = _ANY) -> Callable[[Written], int]:
    """Return a reader of whole numbers from *least* to *most*."""

    def read(value: Written) -> int:
        unlimited = "; write 0 for no limit" if least == 0 else ""
        if not re.fullmatch("-?[0-9]{1,40}", value.text):
            raise ValueError(f"{quote(value.text)} is not a whole number{unlimited}")
        number = int(value.text)
        if number < least and most == _ANY:
            raise ValueError(f"{number} is too small{unlimited or f'; the least is {least}'}")
        if not least <= number <= most:
            raise ValueError(f"{number} is not between {least} and {most}")
        return number

    return read


def port_or_no(value: Written) -> int:
    """Read the number of a port; ``no`` is 0."""
    return 0 if parse_bool(value.text) is False and value.text != "0" else _port(value)


_port = count(1, 65535)


def read_port(text: str) -> int:
    """Read the number of a port; return 0 if *text* is none."""
    return int(text) if re.fullmatch("[0-9]{1,5}", text) and int(text) <= 65535 else 0


def seconds(value: Written) -> float:
    """Read a number of seconds, with decimals or without."""
    return _time(value, "seconds", LONGEST_WAIT)


def _time(value: Written, unit: str, most: int) -> float:
    """Read a number of *unit*, which is not written, up to *most*."""
    if re.fullmatch(r"-[0-9]+(\.[0-9]+)?", value.text):
        raise ValueError(f"{quote(value.text)} is negative; write {unit} from 0 on")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value.text):
        number = re.match(r"[0-9]{1,9}", value.text)
        example = f", as in {number[0]}" if number and value.text[number.end() :].isalpha() else ""
        raise ValueError(
            f"{quote(value.text)} is not a number; write {unit}, without a unit{example}"
        )
    found = float(value.text)
    if found > most:
        raise ValueError(f"{quote(value.text)} is too long; at most {most} {unit} can be waited")
    return found


def positive_seconds(value: Written) -> float:
    """Read a number of seconds greater than 0."""
    number = seconds(value)
    if not number:
        raise ValueError("must be more than 0")
    return number


def time_zone(value: Written) -> str:
    """Read the name of a time zone, as ``Europe/Berlin``; nothing: the one of this machine."""
    if value.text:
        zone_of(value.text)
    return value.text


def milliseconds(value: Written) -> float:
    """Read a number of milliseconds; return seconds."""
    return _time(value, "milliseconds", LONGEST_WAIT * 1000) / 1000


def lower(value: Written) -> str:
    """Read any text; its case does not count."""
    return value.text.lower()


def format_name(value: Written) -> str:
    """Read the name of a format."""
    return value.text.lower() or "standard"


def address(value: Written) -> str:
    """Read ``*`` for all addresses, an address of either family, or a host name."""
    text = value.text.lower()
    if not text:
        raise ValueError("is empty; * stands for all addresses")
    return text if text == "*" else host(text, "write listenport = {}")


def host(text: str, port: str = "write {} as the field behind it") -> str:
    """Read a host name or an address, in lower case; an IPv6 address loses its brackets.

    *port* says where to write a port that stands behind it.
    """
    if found := re.fullmatch(r"([a-z0-9_.-]+|\[[0-9a-f:.]+\]):([0-9]{1,5})", text):
        raise ValueError(
            f"{quote(text)} holds a port: {port.format(found[2])}, and {found[1]} here"
        )
    if "://" in text:
        # Not quoted: a URL may hold a secret.
        raise ValueError("a URL does not belong here; write the name of the host alone")
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if ":" in text:
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            raise ValueError(f"{quote(text)} is not an IPv6 address") from None
    elif not re.fullmatch(r"[a-z0-9_.-]{1,253}", text) or _is_bad_ipv4(text):
        raise ValueError(f"{quote(text)} is neither an address nor a host name")
    return text


def is_loopback(address: str) -> bool:
    """Return whether *address*, as :func:`address` reads it, is out of reach of other machines."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _is_bad_ipv4(text: str) -> bool:
    """Return whether *text* looks like an IPv4 address but is not one."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)\.(\d+)", text)
    return match is not None and any(int(part) > 255 for part in match.groups())


def networks(value: Written) -> Acl | None:
    """Read networks separated by commas, as in a permit line; the list allows these alone."""
    return _networks(value, "the load balancers")


def scrapers(value: Written) -> Acl | None:
    """As ``networks``, of who reads metrics."""
    return _networks(value, "who may read /metrics without a log-in")


def _networks(value: Written, whose: str) -> Acl:
    if not value.text:
        raise ValueError(f"is empty; name the addresses of {whose}")
    return Acl((*DENY_ALL.rules, *read_rules("permit", value.text)))


def origins(value: Written) -> tuple[str, ...]:
    """Read web origins separated by commas (RFC 6454); a host without scheme has two.

    Browsers leave the usual port of a scheme out.
    """
    found: list[str] = []
    for origin in filter(None, value.text.lower().split(",")):
        parts = re.fullmatch(r"(https?://)?([a-z0-9_.:\[\]-]+)/?", origin)
        if parts is None:
            raise ValueError(
                f"{quote(origin)} is not an origin; write http://host, https://host, "
                "either with :port, or host for both"
            )
        for scheme, port in (("http://", ":80"), ("https://", ":443")):
            if parts[1] in (None, scheme):
                found.append(scheme + re.sub(f"{port}$", "", parts[2]))
    return tuple(found)


def algorithms(value: Written) -> tuple[str, ...]:
    """Read algorithms of HTTP Digest, separated by commas; ``no`` is none."""
    if parse_bool(value.text) is False:
        return ()
    found = tuple(filter(None, value.text.upper().split(",")))
    for name in found:
        if name not in digest.ALGORITHMS:
            raise ValueError(f"{quote(name)} is not one of {', '.join(digest.ALGORITHMS)}, no")
    if not found or len(set(found)) < len(found):
        raise ValueError(f"write each of {', '.join(digest.ALGORITHMS)} once at the most, or no")
    return found


def quote(text: str) -> str:
    """Return *text* for an error message: in quotes, cut to 60 characters and printable."""
    shown = text if len(text) <= 60 else f"{text[:60]}..."
    return '"' + shown.encode("ascii", "backslashreplace").decode() + '"'
