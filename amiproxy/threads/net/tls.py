# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS: our certificate towards clients, and how we speak it to an Asterisk."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError

if TYPE_CHECKING:
    from amiproxy.settings.config import Config


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
    # Who closes its side without TLS's goodbye still gets its answers, as over plain
    # text; a block cut off by it is dropped anyway.  Early Pythons 3.9 lack the name.
    context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    try:
        text = Path(config.certfile).read_bytes()
        # An empty password: else OpenSSL asks the terminal for one.
        context.load_cert_chain(config.certfile, password="")
    except ssl.SSLError as error:
        problems.append(f"{place}certfile {config.certfile}: {_why(text, error)}")
    except OSError as error:
        problems.append(f"{place}certfile {config.certfile}: {error.strerror}")
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
    """Return how we speak TLS to an Asterisk; it is checked only if asked for.

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
    """Trust the authorities in the file that *key* names, the *field* of *config*."""
    path = getattr(config, field)
    what = f"{config.place(field)}{key} {path}"
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise ConfigError(f"{what}: holds no certificate in PEM form") from error
    except OSError as error:
        raise ConfigError(f"{what}: {error.strerror}") from error


def _why(text: bytes, error: ssl.SSLError) -> str:
    """Return what an administrator can do about a file OpenSSL refused."""
    if b"-----BEGIN CERTIFICATE" not in text:
        return "holds no certificate in PEM form"
    if b"PRIVATE KEY-----" not in text:
        return "holds no private key; put the key into the same file"
    if b"ENCRYPTED" in text:
        return "the private key has a password; remove it (openssl pkey)"
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the private key does not belong to the first certificate"
    return f"cannot be used: {error.reason or error}"
