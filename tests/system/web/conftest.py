# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies that speak HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.certificates import self_signed
from tests.support import ProxyProcess
from tests.system.peers import wait_connected
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.server import SimulatedAsterisk


@pytest.fixture(scope="module")
def certfile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate with its key, as ``make cert`` makes them."""
    path = self_signed("localhost").write(tmp_path_factory.mktemp("cert") / "proxy.pem")
    for parent in (path, path.parent, path.parent.parent):
        parent.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def web(asterisk: SimulatedAsterisk, certfile: Path) -> Iterator[ProxyProcess]:
    """A proxy that speaks HTTP and HTTPS, and requires no log-in."""
    more = f"acceptencryptedconnection = yes\ncertfile = {certfile}\n"
    with ProxyProcess(config(asterisk, more=more)) as process:
        wait_connected(process)
        yield process


@pytest.fixture(scope="module")
def guarded(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy that requires a log-in: joe sees everything, ann one channel."""
    users = "joe=secret1\nann=secret2,sip/100\n"
    with ProxyProcess(config(asterisk, more="authrequired = yes\n"), users) as process:
        wait_connected(process)
        yield process
