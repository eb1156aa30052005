# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS contexts: with our certificate for clients, with authorities for Asterisks."""

from __future__ import annotations

import errno
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError

if TYPE_CHECKING:
    from amiproxy.settings.config import Config


#: What OpenSSL's security level refuses, and what the administrator is told of it.
_TOO_WEAK = {
    "EE_KEY_TOO_SMALL": "its key is too short{bits}",
    "CA_KEY_TOO_SMALL": "the key of an authority in its chain is too short",
    "EE_MD_TOO_WEAK": "its signature is too weak",
    "CA_MD_TOO_WEAK": "the signature of an authority in its chain is too weak",
}

#: Where a certificate begins.
_BEGIN = re.compile(rb"-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----")

#: A certificate's RSA key as DER, up to the modulus (RFC 8017, A.1.1): its length, first byte.
_RSA_KEY = re.compile(
    rb"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03(?:[\0-\x7f]|\x81.|\x82..)\0"
    rb"\x30(?:[\0-\x7f]|\x81.|\x82..)\x02(?:\x81(?P<byte>.)|\x82(?P<two>..)|(?P<short>.))(?P<first>.)",
    re.DOTALL,
)


def client_context(config: Config) -> ssl.SSLContext | None:
    """Return the context for encrypted clients, or None where no certificate is set.

    TLS 1.2 and later.  With ``clientcafile`` a client must show a certificate that
    one of its authorities signed.

    Raises:
        ConfigError: ``certfile`` or ``clientcafile`` cannot be used, and why.

    """
    if not config.certfile:
        return None
    place, problems = config.place("certfile"), []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A client that half-closes without TLS's close_notify still gets its answers, as
    # over plain text; a block cut off by that is dropped anyway.  Early releases of
    # Python 3.9 lack the name.
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    try:
        text = Path(config.certfile).read_bytes()
        # With an empty password OpenSSL does not ask the terminal for one.
        context.load_cert_chain(config.certfile, password="")
    except ssl.SSLError as error:
        problems.append(f"{place}certfile {config.certfile}: {_why(text, error)}")
    except OSError as error:
        way = "; make cert makes one, and without TLS leave the line out"
        missing = way * (error.errno == errno.ENOENT)
        problems.append(f"{place}certfile {config.certfile}: {error.strerror}{missing}")
    if config.client_ca_file:
        try:
            _trust(context, config, "clientcafile", "client_ca_file")
        except ConfigError as error:
            problems += error.problems
        context.verify_mode = ssl.CERT_REQUIRED
    if problems:
        raise ConfigError(*problems)
    return context


def server_context(config: Config) -> ssl.SSLContext:
    """Return the context for servers; it checks their certificates with ``sslverify`` only.

    Raises:
        ConfigError: ``sslcafile`` cannot be used, and why.

    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.ssl_verify:
        if config.ssl_ca_file:
            _trust(context, config, "sslcafile", "ssl_ca_file")
        else:
            context.load_default_certs()
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _trust(context: ssl.SSLContext, config: Config, key: str, field: str) -> None:
    """Trust the authorities in the file that *key* names, the *field* of *config*.

    Where it holds a revocation list too, each authority of a chain must have one there.
    """
    path = getattr(config, field)
    what = f"{config.place(field)}{key} {path}"
    try:
        text = Path(path).read_bytes()
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise ConfigError(f"{what}: {_no_authority(text)}") from error
    except OSError as error:
        raise ConfigError(f"{what}: {error.strerror}") from error
    stored = context.cert_store_stats()
    if not stored["x509"]:
        raise ConfigError(f"{what}: holds no certificate, only revocation lists")
    if stored["crl"]:
        # OpenSSL looks at a list only if it is told to.
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _no_authority(text: bytes) -> str:
    """Return what is wrong with *text*, a file of authorities that OpenSSL refused."""
    damaged = "a certificate in it is damaged: copy it anew, lines and all"
    return damaged if _BEGIN.search(text) else _no_certificate(text)


def _why(text: bytes, error: ssl.SSLError) -> str:
    """Return what is wrong with a file OpenSSL refused, in words for an administrator."""
    reason = error.reason or "PEM"  # OpenSSL's "PEM lib" names none
    for is_so, words in (
        (not _BEGIN.search(text), _no_certificate(text)),
        (b"PRIVATE KEY-----" not in text, "holds no private key; put the key into the same file"),
        (b"ENCRYPTED" in text, "the private key has a password; remove it (openssl pkey)"),
        (reason == "KEY_VALUES_MISMATCH",
         "the private key does not belong to the first certificate"),
        ("PEM" in reason.upper(),
         "a certificate or key in it is damaged: copy it anew, lines and all"),
    ):  # fmt: skip
        if is_so:
            return words
    if reason in _TOO_WEAK:
        bits = rsa_bits(text)
        what = _TOO_WEAK[reason].format(bits=f" ({bits} bits)" if bits else "")
        return f"{what} for this system's OpenSSL; make a new one (make cert)"
    return f"cannot be used: {reason.replace('_', ' ').lower()} (as OpenSSL says)"


def _no_certificate(text: bytes) -> str:
    """Return what is told of a file with the contents *text* that holds none."""
    # A SEQUENCE of DER: a bare certificate, or PKCS #12.
    way = "; openssl x509 -inform DER, or openssl pkcs12, makes that of it"
    return "holds no certificate in PEM form" + way * text.startswith((b"\x30\x82", b"\x30\x83"))


def rsa_bits(pem: bytes) -> int:
    """Return the length of the RSA key of the first certificate in *pem*; 0 if it has none."""
    _, begin, rest = pem.partition(b"-----BEGIN CERTIFICATE-----")
    try:
        der = ssl.PEM_cert_to_DER_cert(
            (begin + rest.partition(b"-----END")[0]).decode("ascii") + "-----END CERTIFICATE-----\n"
        )
    except ValueError:
        return 0
    found = _RSA_KEY.search(der)
    if not found:
        return 0
    size = int.from_bytes(found["two"] or found["byte"] or found["short"], "big")
    return 8 * (size - (found["first"] == b"\0"))  # 0 keeps the number positive
