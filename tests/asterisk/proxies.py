# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies before a real Asterisk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.certificates import self_signed
from tests.support import ProxyProcess
from tests.system.peers import PATIENT, wait_connected

if TYPE_CHECKING:
    from tests.asterisk.instance import Asterisk

#: What ``Server:`` says.
SERVER = "127.0.0.1"


def certificate(directory: Path) -> Path:
    """Return a new certificate with its key, for proxies that offer TLS."""
    return self_signed("127.0.0.1").write(directory / "proxy.pem")


def start_proxy(
    asterisk: Asterisk,
    config: str = "",
    users: str = "",
    *,
    login: str = "proxy",
    secret: str = "proxysecret",
    tls: Path | None = None,
    upstream_tls: bool = False,
) -> ProxyProcess:
    """Start a proxy that is connected to *asterisk* as *login*, by TLS if *upstream_tls*.

    *tls* is a certificate: it takes TLS from clients, too.
    """
    lines = PATIENT + asterisk.host_line(login, secret, tls=upstream_tls) + config
    if tls:
        lines += f"acceptencryptedconnection = yes\ncertfile = {tls}\n"
    if upstream_tls:
        # It is read as another user, who may not enter the directory of that Asterisk.
        authority = Path(os.environ["ASTMANPROXY_TEST_RUN"], f"asterisk-{asterisk.ports.ami}.pem")
        shutil.copy(asterisk.certificate, authority)
        lines += f"sslverify = yes\nsslcafile = {authority}\n"
    proxy = ProxyProcess(lines, users)
    try:
        wait_connected(proxy)
    except BaseException:
        proxy.kill()
        raise
    return proxy
