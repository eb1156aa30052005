# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificate of the listener: what is told about one that will not do."""

from __future__ import annotations

import contextlib
import datetime as dt
import ssl
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from amiproxy.errors import ConfigError
from amiproxy.settings.config import Config
from amiproxy.threads.net.tls import client_context, rsa_bits, server_context
from tests.certificates import Authority, self_signed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def pems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of two names, and a key behind a password."""
    directory = tmp_path_factory.mktemp("pem")
    for name in ("a", "b"):
        made = self_signed(name)
        (directory / f"{name}.key").write_bytes(made.secret)
        (directory / f"{name}.crt").write_bytes(made.public)
        (directory / f"{name}.locked").write_bytes(made.locked("x"))
    return directory


def complaint(path: object, **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        client_context(Config(certfile=str(path), where={"certfile": "x.conf:3"}, **more))
    return str(caught.value)


def test_no_certificate_no_context() -> None:
    """TLS clients are then refused."""
    assert client_context(Config()) is None


def test_a_good_file_gives_a_context_for_todays_tls(pems: Path, tmp_path: Path) -> None:
    """TLS 1.2 and later; a certificate of the client is asked for with clientcafile only."""
    path = tmp_path / "both.pem"
    path.write_text((pems / "a.key").read_text() + (pems / "a.crt").read_text())

    context = client_context(Config(certfile=str(path)))
    guarded = client_context(Config(certfile=str(path), client_ca_file=str(pems / "b.crt")))

    assert context is not None
    assert guarded is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_NONE
    assert guarded.verify_mode == ssl.CERT_REQUIRED


def test_what_is_wrong_is_told_with_file_and_line(pems: Path, tmp_path: Path) -> None:
    """In words an administrator can act on."""
    key, cert = (pems / "a.key").read_text(), (pems / "a.crt").read_text()
    cases = {
        "holds no private key": cert,
        "holds no certificate": key,
        "does not belong to": key + (pems / "b.crt").read_text(),
        "has a password": (pems / "a.locked").read_text() + cert,
        "is damaged: copy it anew": key + cert.replace("MII", "MIJ", 1),
    }
    for words, text in cases.items():
        path = tmp_path / "x.pem"
        path.write_text(text)
        found = complaint(path)
        assert found.startswith(f"x.conf:3: certfile {path}: ")
        assert words in found

    assert "No such file or directory; make cert makes one" in complaint(tmp_path / "none")


def test_a_file_in_another_form_is_told_how_to_make_pem_of_it(pems: Path, tmp_path: Path) -> None:
    """DER and PKCS #12 are what other systems export; a damaged authority is told as such."""
    pem = (pems / "a.crt").read_text()
    path = tmp_path / "x.der"
    path.write_bytes(ssl.PEM_cert_to_DER_cert(pem))
    assert "openssl x509 -inform DER, or openssl pkcs12, makes that of it" in complaint(path)

    path.write_text(pem.replace("MII", "MIJ", 1))
    with pytest.raises(ConfigError, match=r"sslcafile .*: a certificate in it is damaged"):
        server_context(Config(ssl_verify=True, ssl_ca_file=str(path)))
    assert "Is a directory" in complaint(tmp_path)


def too_short(path: Path, bits: int = 1024) -> Path:
    """Write a certificate and its key as the C program's makefile made them; return *path*."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pbx")])
    now = dt.datetime.now(dt.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    signed = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    path.write_bytes(key_pem + signed)
    return path


def test_a_key_that_is_too_short_is_told_with_its_length(tmp_path: Path) -> None:
    """As the C program's own makefile made them; where OpenSSL takes no such key any more."""
    path = too_short(tmp_path / "short.pem")
    with contextlib.suppress(ssl.SSLError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)
        pytest.skip("this system's OpenSSL takes a key of 1024 bits")

    assert complaint(path) == (
        f"x.conf:3: certfile {path}: its key is too short (1024 bits) for this system's OpenSSL;"
        " make a new one (make cert)"
    )


def test_the_length_of_a_key_is_read_from_the_first_certificate(tmp_path: Path) -> None:
    """Of an RSA key; of others nothing is said, nor of what is no certificate."""
    for bits in (1024, 2048, 4096):
        assert rsa_bits(too_short(tmp_path / "x.pem", bits).read_bytes()) == bits
    assert rsa_bits(self_signed("x").public) == 0
    for junk in (b"", b"-----BEGIN CERTIFICATE-----", b"-----BEGIN CERTIFICATE-----\n\xff\n"):
        assert rsa_bits(junk) == 0


def test_a_bad_list_of_authorities_is_told(pems: Path, tmp_path: Path) -> None:
    """Missing, or no certificates in it."""
    path = tmp_path / "both.pem"
    path.write_text((pems / "a.key").read_text() + (pems / "a.crt").read_text())

    assert "No such file" in complaint(path, client_ca_file="/nonexistent")
    assert "no certificate" in complaint(path, client_ca_file=str(pems / "a.key"))
    (tmp_path / "crl.pem").write_bytes(Authority().revoke())
    assert "only revocation lists" in complaint(path, client_ca_file=str(tmp_path / "crl.pem"))
