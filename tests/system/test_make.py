# SPDX-License-Identifier: GPL-2.0-or-later
"""make cert, and what make says."""

from __future__ import annotations

import shutil
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support import ManagerClient, StartProxy
from tests.system.installations import make, run_make

if TYPE_CHECKING:
    from pathlib import Path

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")


@needs_openssl
def test_cert_makes_a_certificate_for_a_name_and_this_machine(tmp_path: Path) -> None:
    """Nobody else may read its key, and an existing one is not overwritten."""
    path = tmp_path / "c.pem"
    make("cert", f"CERT={path}", "NAME=pbx.example")

    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["c.pem"]
    found = x509.load_pem_x509_certificate(path.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "pbx.example" in names.get_values_for_type(x509.DNSName)
    assert "127.0.0.1" in map(str, names.get_values_for_type(x509.IPAddress))
    key = found.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    again = run_make("cert", f"CERT={path}")
    assert again.returncode != 0
    assert "is there already" in again.stderr


@needs_openssl
def test_the_certificate_serves_a_client_that_checks_it(proxy: StartProxy, tmp_path: Path) -> None:
    """TLS 1.3; name and chain are checked."""
    path = tmp_path / "c.pem"
    make("cert", f"CERT={path}", "NAME=pbx.example")
    started = proxy(f"acceptencryptedconnection = yes\ncertfile = {path}\n")
    context = ssl.create_default_context(cafile=str(path))

    with ManagerClient(started.port, tls=context, server_hostname="pbx.example") as client:
        assert isinstance(client.sock, ssl.SSLSocket)
        assert client.sock.version() == "TLSv1.3"
        assert client.read_line().startswith("Asterisk Call Manager Proxy/")


def test_install_without_python_says_what_to_install() -> None:
    """With the name of the missing program and of a package."""
    done = run_make("install", python="nosuchpython")

    assert done.returncode != 0
    assert "nosuchpython is missing: install Python 3.9" in done.stderr


def test_make_alone_lists_its_targets() -> None:
    """All that a user or a contributor needs."""
    text = make()

    for target in ("demo", "test", "style", "types", "coverage", "bench", "bench-compare",
                   "soak", "cert", "install", "uninstall", "clean"):  # fmt: skip
        assert f"make {target}" in text or f" {target} " in text, target
