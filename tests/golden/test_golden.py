# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions of the C program 1.30, replayed against our program; see README.md."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.certificates import Authority
from tests.conftest import needs_root
from tests.golden.play import NOTHING, Play

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).parent / "golden.json"
SESSIONS: list[dict[str, Any]] = json.loads(RECORDED.read_text())["sessions"]

# Deliberate differences from the C program: by session and step (startup is 0), what we
# expect in place of the recording.
DIFFERENT: dict[str, dict[int, dict[str, Any]]] = {
    # Replies in AMI's words have Asterisk's order, whatever the format: Response, ActionID, the
    # rest.  The C program's login puts the ActionID first.
    "csv_config": {
        2: {
            "got": {
                "c1": '"Response: Success", "ActionID: 1", "Message: Authentication accepted"'
                '\r\n\r\n"Event: FullyBooted", "Privilege: system,all",'
                ' "Status: Fully Booted"\r\n\r\n'
            }
        }
    },
    # After the failed TLS handshake the C program reconnects without a socket, so nothing
    # arrives; after maxretries it exits, because its last session has ended.  We do try again
    # and keep running: clients are served and servers can be added with none reachable.
    "tls_to_plain_asterisk": {1: {"got": {"a1": "<TLS ClientHello>"}, "exit": None}},
}


@pytest.fixture(scope="module")
def certificate() -> Iterator[Path]:
    """Give a file with certificate and key for the sessions that need one."""
    directory = Path(tempfile.mkdtemp(prefix="astmanproxy-golden-"))
    directory.chmod(0o755)
    yield Authority().sign("localhost").write(directory / "proxy.pem")
    shutil.rmtree(directory)


@needs_root
@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session["name"])
def test_peers_receive_what_they_did_from_the_c_program(
    session: dict[str, Any], certificate: Path
) -> None:
    """After each step of a session, all peers have received exactly the recorded bytes."""
    different = DIFFERENT.get(session["name"], {})

    with Play(session, certificate) as play:
        for number, step in enumerate(session["steps"]):
            result = play.step({**step, **different.get(number, {})})

            assert result["seen"] == result["wanted"], f"step {number}: {str(step['do'])[:200]}"

        assert play.rest() == NOTHING


def test_every_deliberate_difference_is_a_difference() -> None:
    """Each difference has a recorded step, and the recording differs from it."""
    sessions = {session["name"]: session["steps"] for session in SESSIONS}

    for name, steps in DIFFERENT.items():
        for number, instead in steps.items():
            assert {**sessions[name][number], **instead} != sessions[name][number]
