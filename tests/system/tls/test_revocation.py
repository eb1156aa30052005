# SPDX-License-Identifier: GPL-2.0-or-later
"""Revoked certificates: of clients, of the authority that signed them, and of Asterisk."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.certificates import DAY, Authority, Certificate
from tests.support import ProxyProcess, StartProxy, wait_until
from tests.system.peers import host_line
from tests.system.tls.support import ONLY_TLS, Certificates, checked, verifying

if TYPE_CHECKING:
    from pathlib import Path


class Guarded:
    """A file of authorities and revocation lists, and a proxy that asks clients by it."""

    def __init__(self, pki: Certificates, path: Path) -> None:
        self.pki, self.path = pki, path
        self.config = ONLY_TLS + f"certfile = {pki.good}\nclientcafile = {path}\n"

    def write(self, *parts: bytes) -> None:
        """Write the file."""
        self.path.write_bytes(b"".join(parts))
        self.path.chmod(0o644)

    def lets_in(self, program: ProxyProcess, certificate: Certificate | Path) -> bool:
        """Return whether a client with *certificate* is served."""
        if isinstance(certificate, Certificate):
            certificate = certificate.write(self.pki.dir / "tried.pem")
        context = checked(self.pki)
        context.load_cert_chain(certificate)
        try:
            with program.client(tls=context) as client:
                client.send("ProxyAction: ListServers")
                return client.read_message() == ["ProxyResponse: Success"]
        except ssl.SSLError:
            return False


@pytest.fixture
def guarded(pki: Certificates) -> Guarded:
    return Guarded(pki, pki.dir / "clients.pem")


def test_a_revoked_client_is_refused(proxy: StartProxy, guarded: Guarded) -> None:
    """By a list in clientcafile; others get in.  SIGHUP reads a new one."""
    pki = guarded.pki
    root = pki.authority
    revoked, late = (root.sign(name, client=True) for name in ("revoked", "late"))
    guarded.write(root.own.public, root.revoke(revoked))
    program = proxy(guarded.config)

    assert guarded.lets_in(program, pki.client)
    assert not guarded.lets_in(program, revoked)
    program.wait_log("certificate not accepted: certificate revoked")
    assert guarded.lets_in(program, late)

    guarded.write(root.revoke(revoked, late), root.own.public)
    program.send_signal(1)
    wait_until(lambda: not guarded.lets_in(program, late), what="the new list")
    assert guarded.lets_in(program, pki.client)


def test_a_revoked_authority_in_between_is_refused(proxy: StartProxy, guarded: Guarded) -> None:
    """All of the chain is looked at, whichever certificates the client sends."""
    root = guarded.pki.authority
    good, bad = Authority("Good", root), Authority("Bad", root)
    lists = [good.revoke(), bad.revoke()]
    guarded.write(root.own.public, root.revoke(bad.own), *lists)
    program = proxy(guarded.config)

    assert guarded.lets_in(program, good.sign("joe", client=True))
    assert not guarded.lets_in(program, bad.sign("joe", client=True))


@pytest.mark.parametrize("kind", ["expired", "of another"])
def test_without_a_good_list_nobody_gets_in(proxy: StartProxy, guarded: Guarded, kind: str) -> None:
    """A list that is too old, or that another authority made, does not open the door."""
    root = guarded.pki.authority
    if kind == "expired":
        guarded.write(root.own.public, root.revoke(ends=-DAY))
    else:
        guarded.write(root.own.public, guarded.pki.other.own.public, guarded.pki.other.revoke())
    program = proxy(guarded.config)

    assert not guarded.lets_in(program, guarded.pki.client)


def test_a_revoked_certificate_of_asterisk_is_refused(proxy: StartProxy, pki: Certificates) -> None:
    """By a list in sslcafile: no secret goes there."""
    path = pki.dir / "servers.pem"
    bad = pki.authority.sign("localhost")
    path.write_bytes(pki.authority.own.public + pki.authority.revoke(bad))
    path.chmod(0o644)
    with SimulatedAsterisk(tls=bad.write(pki.dir / "bad.pem")) as server:
        config = verifying(pki).replace(str(pki.ca), str(path))
        program = proxy(config + host_line(server, host="localhost", tls="on"))

        program.wait_log("certificate not accepted: certificate revoked")
        assert not server.received
