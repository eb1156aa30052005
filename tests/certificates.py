# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates for tests: authorities, and good certificates and bad ones they sign."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

DAY = dt.timedelta(days=1)
PEM = serialization.Encoding.PEM


#: The key usage of a certificate that signs others.
_SIGNS = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Certificate:
    """A certificate, its key, and the intermediate certificates between it and the root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: bytes = b""

    @property
    def public(self) -> bytes:
        """The certificate alone, as PEM."""
        return self.certificate.public_bytes(PEM)

    @property
    def secret(self) -> bytes:
        """The key alone, as PEM."""
        return self.key.private_bytes(
            PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def locked(self, password: str) -> bytes:
        """Return the key as PEM, encrypted with *password*."""
        lock = serialization.BestAvailableEncryption(password.encode())
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, lock)

    @property
    def serial(self) -> int:
        """The serial number."""
        return self.certificate.serial_number

    def write(self, path: Path) -> Path:
        """Write certificate, chain and key into *path*, readable for all; return it."""
        path.write_bytes(self.public + self.chain + self.secret)
        path.chmod(0o644)
        return path


class Authority:
    """Signs certificates; *parent* makes it an intermediate one."""

    def __init__(self, name: str = "Test CA", parent: Authority | None = None) -> None:
        """Make the authority's own certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = parent.own.key if parent else key
        issuer = parent.own.certificate.subject if parent else _name(name)
        builder = _builder(_name(name), issuer, key, -DAY, 30 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        builder = builder.add_extension(_SIGNS, True)
        builder = _identified(builder, key, signer)
        self.own: Certificate = Certificate(builder.sign(signer, hashes.SHA256()), key)
        # The root is not part of the chain: the peer that checks has to have it.
        self.chain: bytes = self.own.public + parent.chain if parent else b""

    def write(self, path: Path) -> Path:
        """Write the authority's certificate into *path*; return it."""
        path.write_bytes(self.own.public)
        path.chmod(0o644)
        return path

    def sign(
        self,
        *hosts: str,
        begins: dt.timedelta = -DAY,
        ends: dt.timedelta = 30 * DAY,
        client: bool = False,
    ) -> Certificate:
        """Sign a certificate for *hosts*, names or addresses; times are from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self.own.certificate.subject
        builder = _builder(_name(hosts[0] if hosts else "nobody"), issuer, key, begins, ends)
        if hosts:
            names = x509.SubjectAlternativeName([_general(host) for host in hosts])
            builder = builder.add_extension(names, False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
        builder = _identified(builder, key, self.own.key)
        signed = builder.sign(self.own.key, hashes.SHA256())
        return Certificate(signed, key, self.chain)

    def revoke(self, *certificates: Certificate, ends: dt.timedelta = DAY) -> bytes:
        """Return a list, as PEM, that revokes *certificates*; it is good until *ends* from now."""
        now = dt.datetime.now(dt.timezone.utc)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.own.certificate.subject)
        builder = builder.last_update(now - 2 * DAY).next_update(now + ends)
        for one in certificates:
            revoked = x509.RevokedCertificateBuilder().serial_number(one.serial)
            builder = builder.add_revoked_certificate(revoked.revocation_date(now - DAY).build())
        return builder.sign(self.own.key, hashes.SHA256()).public_bytes(PEM)

    def expired(self, *hosts: str) -> Certificate:
        """Sign a certificate that was valid until yesterday."""
        return self.sign(*hosts, begins=-10 * DAY, ends=-DAY)


def self_signed(*hosts: str) -> Certificate:
    """Make a certificate for *hosts* that is its own authority, as ``make cert`` does."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(hosts[0])
    builder = _builder(name, name, key, -DAY, 30 * DAY)
    names = x509.SubjectAlternativeName([_general(host) for host in hosts])
    builder = builder.add_extension(names, False).add_extension(_SIGNS, True)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    return Certificate(_identified(builder, key, key).sign(key, hashes.SHA256()), key)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begins: dt.timedelta,
    ends: dt.timedelta,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
    )


def _identified(
    builder: x509.CertificateBuilder,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    """Add the identifiers that VERIFY_X509_STRICT demands."""
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(own, False).add_extension(above, False)
