# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP Digest (RFC 7616): what a client has sent in, whether it knows the secret out.

With ``qop=auth`` only: without a count of requests (RFC 2069) whoever listens could send one again.
Of libraries that do this none is alive and stands outside of a web framework.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amiproxy.access.auth import plain_secret
from amiproxy.access.hashes import wire_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.access.user import User

#: Programs that are written for Asterisk may know its realm.
REALM = "asterisk"

#: The algorithms there are, by the names that RFC 7616 gives them.
ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256"}

#: Characters of the header: it repeats the URL.
_LONGEST = 65536

_PARAMETER = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*"
    r'(?:"((?:[^"\\]|\\.)*)"|([^ \t,"]+))[ \t]*(?:,|$)'
)
_COUNT = re.compile(r"[0-9a-fA-F]{8}")


@dataclass(frozen=True, repr=False)
class Credentials:
    """What a client has sent.  Text is latin-1: one byte, one character."""

    method: str
    username: str
    nonce: str
    uri: str
    response: str
    cnonce: str
    count: str  #: how often the nonce was used, in eight hexadecimal digits
    algorithm: str = "MD5"

    def proves_secret_of(self, user: User | None) -> bool:
        """Return whether who has sent this knows the secret of *user*; nobody knows None's.

        A secret that is a hash cannot be compared: the digest is one of the secret itself.
        """
        plain = plain_secret(user)
        wanted = self.response_with(plain).encode()
        return hmac.compare_digest(wanted, wire_bytes(self.response.lower())) and bool(plain)

    def response_with(self, secret: str) -> str:
        """Return the response of who knows *secret*, and sends the rest of this."""
        key = self._hash(f"{self.username}:{REALM}:{secret}")
        request = self._hash(f"{self.method}:{self.uri}")
        return self._hash(f"{key}:{self.nonce}:{self.count}:{self.cnonce}:auth:{request}")

    def _hash(self, text: str) -> str:
        # usedforsecurity: the protocol demands MD5, also where policy forbids it.
        name = ALGORITHMS[self.algorithm]
        return hashlib.new(name, wire_bytes(text), usedforsecurity=False).hexdigest()


def parse(header: str, method: str, target: str, algorithms: Sequence[str]) -> Credentials:
    """Return the credentials in *header*, an Authorization of a request by *method* for *target*.

    Raises:
        ValueError: they are none, or for another request; the text tells the client why.

    """
    if len(header) > _LONGEST:
        raise ValueError("The Authorization header is too long")
    given = dict(_parameters(header.partition(" ")[2]))
    missing = {"username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce"} - set(given)
    if missing:
        raise ValueError(f"Digest lacks {', '.join(sorted(missing))}; qop=auth is needed")
    algorithm = given.get("algorithm", "MD5").upper()
    if algorithm not in algorithms:
        raise ValueError(f"Digest is spoken with {' and '.join(algorithms)}")
    if given["qop"].lower() != "auth" or not _COUNT.fullmatch(given["nc"]):
        raise ValueError("Digest needs qop=auth and nc of eight digits")
    if given["realm"] != REALM or given["uri"] != target:
        raise ValueError("The uri or realm of Digest is not that of this request")
    return Credentials(
        method,
        given["username"],
        given["nonce"],
        given["uri"],
        given["response"],
        given["cnonce"],
        given["nc"],
        algorithm,
    )


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    """Yield names, in lower case, and values of *text*."""
    at, seen = 0, set()
    while at < len(text):
        found = _PARAMETER.match(text, at)
        if found is None:
            raise ValueError('Digest is not name="value" and so on, with commas between')
        name, quoted, token = found.groups()
        name = name.lower()
        if name in seen:
            raise ValueError("Digest says something twice")
        seen.add(name)
        yield name, token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = found.end()


def challenges(
    nonce: str, algorithms: Sequence[str], *, stale: bool
) -> tuple[tuple[str, str], ...]:
    """Return the headers of an answer 401 that offer *algorithms*, the preferred one first.

    *stale*: the nonce that the client has used is over, so it need not ask for the secret anew.
    """
    end = ", stale=true" if stale else ""
    return tuple(
        (
            "WWW-Authenticate",
            f'Digest realm="{REALM}", qop="auth", algorithm={name}, nonce="{nonce}"{end}',
        )
        for name in algorithms
    )
