# SPDX-License-Identifier: GPL-2.0-or-later
"""Many calls at once, by sipp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.asterisk.flows.flow import flow
from tests.asterisk.instance import free_udp_port

if TYPE_CHECKING:
    from tests.asterisk.world import World

_CALLS = 300
_PER_SECOND = 40


@flow
def load(w: World) -> None:
    """Three hundred calls of sipp, 40 a second, taken at the other end by another."""
    ports = w.asterisk.ports
    common = ("-i", "127.0.0.1", "-nostdin", "-m", str(_CALLS))
    taking = w.asterisk.run("sipp", "-sn", "uas", "-p", str(ports.uas), *common)
    try:
        calling = w.asterisk.run(
            "sipp", "-sn", "uac", "-p", str(free_udp_port()), "-s", "3000", "-d", "1500",
            "-r", str(_PER_SECOND), "-l", "150", *common, f"127.0.0.1:{ports.sip}",
        )  # fmt: skip
        said, _ = calling.communicate(timeout=60)
        assert calling.returncode == 0, said[-2000:]
    finally:
        taking.kill()
        taking.communicate()
