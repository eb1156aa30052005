# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of TLS share: certificates of every kind, checking clients, openssl."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.certificates import Authority, Certificate
from tests.support import ManagerClient, tls_context
from tests.system.peers import QUICK

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")

MIXED = QUICK + "acceptencryptedconnection = yes\nclientwritetimeout = 20000\n"
ONLY_TLS = MIXED + "acceptunencryptedconnection = no\n"
REFUSED = "Unencrypted connections are not accepted"
ONLY_PLAIN = QUICK + "acceptencryptedconnection = no\n"


class Certificates:
    """Files of one authority and its certificates, where anybody may read them."""

    def __init__(self) -> None:
        # The proxy reads some of them when it has dropped its privileges.
        self.dir = Path(tempfile.mkdtemp(prefix="astmanproxy-tls-"))
        self.dir.chmod(0o755)
        self.authority = Authority("Test root")
        self.middle = Authority("Test intermediate", self.authority)
        self.other = Authority("Another root")
        hosts = ("localhost", "127.0.0.1")
        self.ca = self.authority.write(self.dir / "ca.pem")
        self.other_ca = self.other.write(self.dir / "other-ca.pem")
        self.good = self._put("good", self.authority.sign(*hosts))
        self.chained = self._put("chained", self.middle.sign(*hosts))
        self.expired = self._put("expired", self.authority.expired(*hosts))
        self.elsewhere = self._put("elsewhere", self.authority.sign("pbx.example", "192.0.2.1"))
        self.unknown = self._put("unknown", self.other.sign(*hosts))
        self.client = self._put("client", self.authority.sign("joe", client=True))
        self.false_client = self._put("false-client", self.other.sign("joe", client=True))

    def _put(self, name: str, certificate: Certificate) -> Path:
        return certificate.write(self.dir / f"{name}.pem")


def checked(pki: Certificates, **versions: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a client's context that checks everything."""
    context = tls_context(str(pki.ca))
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def ping(client: ManagerClient, action_id: str = "1") -> None:
    """Have a Ping answered."""
    client.send("Action: Ping", f"ActionID: {action_id}")
    client.read_until(f"ActionID: {action_id}")


def s_client(port: int, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run openssl s_client until the other side closes."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", *arguments]
    return subprocess.run(
        command, input=text, capture_output=True, timeout=20, encoding="latin-1", check=False
    )


def tls_version(client: ManagerClient) -> str | None:
    """Return the version of TLS that *client* speaks."""
    assert isinstance(client.sock, ssl.SSLSocket)
    return client.sock.version()


def verifying(pki: Certificates, *, ca: str = "ca") -> str:
    """Return the lines that make the proxy check its servers."""
    return QUICK + f"sslverify = yes\nsslcafile = {getattr(pki, ca)}\n"
