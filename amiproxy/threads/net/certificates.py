# SPDX-License-Identifier: GPL-2.0-or-later
"""Until when the certificates in a file are valid: a little of X.509 (RFC 5280, 4.1)."""

from __future__ import annotations

import ssl
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.settings.config import Config

#: Seconds before its end from which on a certificate is called old: time to make a new one.
_SOON = 14 * 86400

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# Tags of DER (X.690): what a certificate has up to its Validity, and the two kinds of time.
_SEQUENCE, _INTEGER, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x02, 0xA0, 0x17, 0x18
_TIMES = (_UTC_TIME, _GENERALIZED_TIME)
# Of the key of Config: what those who check the certificates do when they are too old.
_EFFECT = {
    "certfile": "clients that check it refuse it",
    "clientcafile": "clients with a certificate of it are refused",
    "sslcafile": "servers with a certificate of it are refused",
}


class Validity(NamedTuple):
    """When a certificate is valid, in seconds since 1970."""

    begin: float
    end: float


def dated(config: Config, now: float | None = None) -> list[str]:
    """Return warnings, as ``FILE:LINE: ...``, about certificates that are old or soon will be.

    Those in the files of ``certfile``, ``clientcafile`` and ``sslcafile`` at *now*, seconds
    since 1970.
    """
    now = time.time() if now is None else now
    found = []
    for key, field in (
        ("certfile", "certfile"),
        ("clientcafile", "client_ca_file"),
        ("sslcafile", "ssl_ca_file"),
    ):
        path = getattr(config, field)
        for number, validity in enumerate(_of_file(path) if path else (), 1):
            state = _state(validity, now)
            which = f"certificate {number} in it" if number > 1 else "its certificate"
            if state:
                place = config.place(field)
                found.append(f"{place}{key} {path}: {which} {state}{_EFFECT[key]}")
    return found


def first_end(path: str) -> float | None:
    """Return when the first certificate in *path* ends, in seconds since 1970; None: there is none.

    It is the file as it is now: what is in use was read at the last reload.
    """
    return min((each.end for each in (_of_file(path) if path else ())), default=None)


def _state(validity: Validity, now: float) -> str:
    """Return what is wrong with *validity* at *now*, ``""`` if it is good for some time."""
    if now < validity.begin:
        return f"is not valid before {_day(validity.begin)}: "
    if now > validity.end:
        return f"has expired on {_day(validity.end)}: "
    return f"expires on {_day(validity.end)}, after which " if validity.end - now < _SOON else ""


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d")


def _of_file(path: str) -> list[Validity]:
    """Return the validities of the certificates in *path*, of those that can be read."""
    try:
        return list(validities(Path(path).read_bytes().decode("latin-1")))
    except OSError:
        return []


def validities(pem: str) -> Iterator[Validity]:
    """Yield when the certificates in *pem* are valid; what cannot be read is left out."""
    for part in pem.split(_BEGIN)[1:]:
        try:
            der = ssl.PEM_cert_to_DER_cert(f"{_BEGIN}{part.partition(_END)[0]}{_END}\n")
            yield _validity(der)
        except (ValueError, IndexError):
            continue


class _Element(NamedTuple):
    """One element of DER: its tag, what is in it, and what follows it."""

    tag: int
    body: bytes
    rest: bytes

    @classmethod
    def of(cls, der: bytes, *tags: int) -> _Element:
        """Return the first element of *der*; ValueError: its tag is none of *tags*."""
        tag, length, start = der[0], der[1], 2
        if length > 0x80:
            start += length - 0x80
            length = int.from_bytes(der[2:start], "big")
        if tag not in tags:
            raise ValueError(f"tag {tag:#x}")
        return cls(tag, der[start : start + length], der[start + length :])

    def seconds(self) -> float:
        """Return the time that this is, in seconds since 1970 (RFC 5280, 4.1.2.5)."""
        text = self.body.decode("ascii")
        if self.tag == _UTC_TIME:
            text = ("19" if text >= "50" else "20") + text
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


def _validity(der: bytes) -> Validity:
    """Return the Validity of the certificate *der*; raises ValueError or IndexError."""
    left = _Element.of(_Element.of(der, _SEQUENCE).body, _SEQUENCE).body
    if left[0] == _VERSION:
        left = _Element.of(left, _VERSION).rest
    for tag in (_INTEGER, _SEQUENCE, _SEQUENCE):  # serialNumber, signature, issuer
        left = _Element.of(left, tag).rest
    begin = _Element.of(_Element.of(left, _SEQUENCE).body, *_TIMES)
    end = _Element.of(begin.rest, *_TIMES)
    return Validity(begin.seconds(), end.seconds())
