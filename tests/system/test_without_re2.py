# SPDX-License-Identifier: GPL-2.0-or-later
"""The program where google-re2 is not installed, and where it is."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from amiproxy.patterns import re2text
from simulator.server import SimulatedAsterisk
from tests.support import PROGRAM, free_port
from tests.system.peers import wait_connected
from tests.system.people import answer, closed, log_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import StartProxy

USERS = r"""
[watcher]
secret = secret
read = all
write = system
eventfilter = Channel: (PJ)?SIP/[0-9]{3}\>
eventfilter = !Cause: 1[67]
"""


@pytest.fixture(params=["re2", "none"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """An environment in which google-re2 can be imported, and one in which it cannot."""
    if request.param == "none":
        (tmp_path / "re2.py").write_text("raise ImportError('not here')\n")
    elif not re2text.AVAILABLE:
        pytest.skip("google-re2 is not installed")
    return {**os.environ, "PYTHONPATH": str(tmp_path), "ENGINE": request.param}


def test_the_check_says_which_engine_serves(environment: dict[str, str], tmp_path: Path) -> None:
    """In one line of -t; both accept the same users file."""
    (tmp_path / "users").write_text(USERS)
    settings = f"proc_user = nobody\nlogfile = {tmp_path}/log\nlistenport = {free_port()}\n"
    (tmp_path / "conf").write_text(settings)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "-t", "-c", f"{tmp_path}/conf", "-u", f"{tmp_path}/users"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    said = [line for line in done.stdout.splitlines() if "google-re2" in line]
    assert len(said) == 1
    assert ("not installed" in said[0]) is (environment["ENGINE"] == "none")


def test_filters_of_users_serve_and_those_of_clients_may_be_refused(
    proxy: StartProxy, environment: dict[str, str]
) -> None:
    """The same events are seen either way; a client learns which package is missing."""
    has_re2 = environment["ENGINE"] == "re2"
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk), USERS, env=environment)
        wait_connected(program)
        with program.client() as client:
            log_in(client, "watcher")
            for channel, cause in (("IAX2/1", 1), ("SIP/1011", 2), ("SIP/101-1", 16)):
                asterisk.event("Hangup", Channel=channel, Cause=cause)
            asterisk.event("Hangup", Channel="PJSIP/102-1", Cause=3)
            seen = client.read_until(lambda lines: "Event: Hangup" in lines)
            assert "Channel: PJSIP/102-1" in seen
            told = answer(client, "Action: Filter", "Operation: Add", "Filter: Channel: (SIP|X)")
            assert told[0] == f"Response: {'Success' if has_re2 else 'Error'}"
            assert any("google-re2" in line for line in told) is not has_re2
            told = answer(client, "Action: Filter", "Operation: Add", "Filter: SIP/101")
            assert told[0] == "Response: Success"
