# SPDX-License-Identifier: GPL-2.0-or-later
"""The certificates of the proxy and of its clients: bad ones, new ones, made ones."""

from __future__ import annotations

import re
import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT, ManagerClient, ProxyProcess, StartProxy, tls_context, wait_until
from tests.system.tls.support import (
    MIXED,
    ONLY_TLS,
    Certificates,
    checked,
    needs_openssl,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("certfile", "ca", "why"),
    [
        ("expired", "ca", "certificate has expired"),
        ("elsewhere", "ca", "not valid for '127.0.0.1'"),
        ("unknown", "ca", "unable to get local issuer certificate"),
        ("good", "other_ca", "unable to get local issuer certificate"),
    ],
)
def test_clients_see_what_is_wrong_with_our_certificate(
    proxy: StartProxy, pki: Certificates, certfile: str, ca: str, why: str
) -> None:
    """They refuse; the log says that a handshake failed; others are served."""
    program = proxy(MIXED + f"certfile = {getattr(pki, certfile)}\n")
    context = tls_context(str(getattr(pki, ca)))
    with pytest.raises(ssl.SSLCertVerificationError, match=re.escape(why)):
        ManagerClient(program.port, tls=context)

    program.wait_log("TLS handshake: ")
    assert "bug in the proxy" not in program.log()
    with program.client(tls=True) as careless:
        careless.send("ProxyAction: ListServers")
        assert careless.read_message() == ["ProxyResponse: Success"]


@needs_openssl
def test_make_cert_makes_one_that_clients_accept(proxy: StartProxy, tmp_path: Path) -> None:
    """Checked as strictly as Python can, by each name it is made for."""
    made = tmp_path / "made.pem"
    subprocess.run(
        ["make", "-s", "cert", f"CERT={made}", "NAME=pbx.example"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    program = proxy(MIXED + f"certfile = {made}\n")
    for name in ("pbx.example", "localhost", "127.0.0.1"):
        context = ssl.create_default_context(cafile=made)
        with program.client(tls=context, server_hostname=name) as client:
            client.send("ProxyAction: ListServers")
            assert client.read_message() == ["ProxyResponse: Success"]
    done = subprocess.run(
        ["openssl", "x509", "-in", made, "-noout", "-text"], capture_output=True, check=True
    )
    assert b"id-ecPublicKey" in done.stdout
    assert b"DNS:pbx.example" in done.stdout
    assert made.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("key", ["certfile", "clientcafile", "sslcafile"])
@pytest.mark.parametrize(
    ("text", "why"), [("nonsense", "holds no certificate in PEM form"), (None, "No such file")]
)
def test_an_unusable_file_fails_the_start(
    proxy: StartProxy, pki: Certificates, tmp_path: Path, key: str, text: str | None, why: str
) -> None:
    """With the file, the line, the key, and why."""
    path = tmp_path / "bad.pem"
    if text is not None:
        path.write_text(text)
    lines = {"certfile": str(pki.good), "sslverify": "yes", key: str(path)}
    config = ONLY_TLS + "".join(f"{name} = {value}\n" for name, value in lines.items())
    with pytest.raises(AssertionError, match="exit status 1") as failed:
        proxy(config)

    assert re.search(
        rf"astmanproxy\.conf:\d+: {key} {re.escape(str(path))}: {why}", str(failed.value)
    )


def test_a_renewed_certificate_is_loaded_by_sighup_and_drops_nobody(
    proxy: StartProxy, pki: Certificates
) -> None:
    """Who connects then sees the new one; a broken one is reported and changes nothing."""
    path = pki.dir / "renewed.pem"
    first, second = (pki.authority.sign("127.0.0.1") for _ in range(2))
    first.write(path)
    program = proxy(MIXED + f"certfile = {path}\n")

    def serial() -> int:
        with program.client(tls=checked(pki)) as client:
            assert isinstance(client.sock, ssl.SSLSocket)
            certificate = client.sock.getpeercert()
            assert certificate is not None
            return int(str(certificate["serialNumber"]), 16)

    assert serial() == first.serial
    with program.client(tls=checked(pki)) as old, program.client() as plain:
        second.write(path)
        program.send_signal(1)
        wait_until(lambda: serial() == second.serial, what="the new certificate")
        path.write_text("broken")
        program.send_signal(1)
        log = program.wait_log("the certificate stays as it was")
        assert f"certfile {path}: holds no certificate" in log
        assert serial() == second.serial
        for client in (old, plain):
            client.send("ProxyAction: ListServers")
            assert client.read_message() == ["ProxyResponse: Success"]


def first_line(program: ProxyProcess, context: ssl.SSLContext) -> str:
    """Return what the proxy greets with."""
    with ManagerClient(program.port, tls=context) as client:
        client.send("ProxyAction: ListServers")
        return client.read_line()


def test_client_certificates(proxy: StartProxy, pki: Certificates) -> None:
    """With clientcafile only who shows one that its authority signed gets in."""
    program = proxy(ONLY_TLS + f"certfile = {pki.good}\nclientcafile = {pki.ca}\n")

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        allowed = checked(pki, maximum_version=version)
        allowed.load_cert_chain(pki.client)
        with program.client(tls=allowed) as client:
            client.send("ProxyAction: ListServers")
            assert client.read_message() == ["ProxyResponse: Success"]

        for certificate, alert in [(None, "ALERT"), (pki.false_client, "ALERT_UNKNOWN_CA")]:
            refused = checked(pki, maximum_version=version)
            if certificate:
                refused.load_cert_chain(certificate)
            # In TLS 1.3 the client is done first, and hears of it when it reads.
            with pytest.raises(ssl.SSLError, match=alert):
                first_line(program, refused)
    log = program.log()
    assert "TLS handshake: peer did not return a certificate" in log
    assert "TLS handshake: certificate not accepted: " in log
    assert "bug in the proxy" not in log
