# SPDX-License-Identifier: GPL-2.0-or-later
"""SIP messages as values (RFC 3261), and the credentials of a request (RFC 7616, MD5)."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Short forms of headers.
_SHORT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "o": "event",
          "l": "content-length", "c": "content-type"}  # fmt: skip
_EVENT_HEADERS = "INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,REFER,UPDATE,INFO,MESSAGE"

ALLOW = f"Allow: {_EVENT_HEADERS}"
SDP = "application/sdp"


def token(size: int = 8) -> str:
    """Return an identifier that nobody else has."""
    return os.urandom(size).hex()


class SipMessage(NamedTuple):
    """A request or an answer."""

    first: str
    #: Names in lower case.
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def parse(cls, data: bytes) -> SipMessage:
        """Read a datagram; raises ValueError if there is no such message in it."""
        head, _, body = data.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            headers.append((_SHORT.get(name, name), value.strip()))
        return cls(first, tuple(headers), body)

    def get(self, name: str) -> str:
        """Return the first value of the header *name*, "" if there is none."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Return all values of the header *name*."""
        return [value for key, value in self.headers if key == name]

    @property
    def code(self) -> int:
        """The status of an answer; 0: it is a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """What is asked, or what was."""
        return self.get("cseq").split()[1]

    @property
    def number(self) -> int:
        """The number in CSeq."""
        return int(self.get("cseq").split()[0])

    @property
    def branch(self) -> str:
        """The branch of the topmost Via: which request it is, or answers."""
        return parameter(self.get("via"), "branch")


def parameter(value: str, name: str) -> str:
    """Return the parameter *name* of a header's *value*, "" if there is none."""
    found = re.search(rf";{name}=([^;>,\s]+)", value)
    return found[1] if found else ""


def tag(value: str) -> str:
    """Return the tag of a From or To."""
    return parameter(value, "tag")


def uri(value: str) -> str:
    """Return the URI in a From, To or Contact."""
    found = re.search(r"<([^>]+)>", value)
    return found[1] if found else value.partition(";")[0]


def written(first: str, lines: Iterable[str], body: str = "", content_type: str = SDP) -> bytes:
    """Return the datagram with the headers *lines* and *body*."""
    typed = [f"Content-Type: {content_type}"] if body else []
    head = [first, *lines, *typed, f"Content-Length: {len(body.encode())}"]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode("utf-8", "surrogateescape")


def credentials(challenge: SipMessage, user: str, secret: str, method: str, target: str) -> str:
    """Return the header that answers the *challenge* (status 401 or 407) to a request."""
    asked = challenge.get("www-authenticate" if challenge.code == 401 else "proxy-authenticate")

    def word(name: str) -> str:
        found = re.search(rf'{name}="?([^",]+)"?', asked)
        return found[1] if found else ""

    realm, nonce, opaque = word("realm"), word("nonce"), word("opaque")
    mine, theirs = _md5(f"{user}:{realm}:{secret}"), _md5(f"{method}:{target}")
    if word("qop"):
        own = token(4)
        proof = _md5(f"{mine}:{nonce}:00000001:{own}:auth:{theirs}")
        rest = f',qop=auth,nc=00000001,cnonce="{own}"'
    else:
        proof, rest = _md5(f"{mine}:{nonce}:{theirs}"), ""
    if opaque:
        rest += f',opaque="{opaque}"'
    name = "Authorization" if challenge.code == 401 else "Proxy-Authorization"
    return (
        f'{name}: Digest username="{user}",realm="{realm}",nonce="{nonce}",uri="{target}",'
        f'response="{proof}",algorithm=MD5{rest}'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
