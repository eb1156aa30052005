# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m simulator`` as a process."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT, ManagerClient, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Start the simulator; give the process and its port."""
    with subprocess.Popen(
        [sys.executable, "-m", "simulator", "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "listens on 127.0.0.1:" in line
            yield process, int(line.rpartition(":")[2])
        finally:
            process.kill()


def failing(*arguments: str) -> str:
    """Start the simulator, which cannot start: return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "simulator", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_calls_until_a_signal_and_shuts_down(number: signal.Signals) -> None:
    """Calls go on; at the signal it sends Event Shutdown and exits with status 0."""
    with running("--user", "joe", "--secret", "x", "--calls", "50") as (process, port):
        with ManagerClient(port) as client:
            assert client.read_line() == "Asterisk Call Manager/11.0.0"
            client.send("Action: Login", "Username: joe", "Secret: x")
            client.read_until("Event: Newchannel")
            process.send_signal(number)
            client.read_until("Event: Shutdown")
        assert process.wait(10) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_it_replays_a_recording_to_its_clients() -> None:
    """The recording begins when the first client is logged in."""
    recording = "tests/data/e1_queue_complete.s2c.ami"
    with running("--replay", recording, "--rate", "5000", "--speak", "13") as (process, port):
        with ManagerClient(port) as client:
            assert client.read_line() == "Asterisk Call Manager/2.8.0"
            client.send("Action: Login", "Username: ampuser", "Secret: AmpSecret")
            client.read_until("Event: QueueCallerJoin")
            client.read_until("Event: AgentComplete")
        process.terminate()
        assert process.wait(10) == 0


def test_it_has_phones_of_another_technology() -> None:
    """All calls are between PJSIP phones, and these register."""
    options = ("--technology", "PJSIP", "--speak", "16", "--calls", "50")
    with running(*options) as (_, port), ManagerClient(port) as client:
        assert client.read_line() == "Asterisk Call Manager/5.0.1"
        client.send("Action: Login", "Username: ampuser", "Secret: AmpSecret")
        begun = client.read_until("Event: Newchannel")
        assert begun[2].startswith("Channel: PJSIP/")
        client.read_until("Event: ContactStatus")


def test_a_recording_without_times_has_no_speed() -> None:
    """One line says what to do instead."""
    recording = "tests/data/pjsip_basic.s2c.ami.gz"
    said = failing("--port", "0", "--replay", recording, "--speed", "2")

    assert said.endswith("choose a rate instead of a speed\n")
    assert said.count("\n") == 1


def test_a_port_in_use_is_reported_in_one_line() -> None:
    """And the exit status is 1."""
    with running() as (_, port):
        assert failing("--port", str(port)).count("\n") == 1


def connect(port: int) -> ManagerClient:
    """Return a client as soon as the simulator, which may be restarting, accepts it."""

    def tried() -> ManagerClient | None:
        with suppress(ConnectionRefusedError):
            return ManagerClient(port)
        return None

    client: ManagerClient = wait_until(tried)
    return client


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("silent", None),
        ("garbage", b"\x16\x03"),
        ("refuse-login", b"Message: Authentication failed\r\n\r\n"),
        ("half-message", b"\r\n\r\nEvent: Newchannel\r\nChannel: SIP/1"),
        ("reset", b"\r\n\r\n"),
        ("restart", b"Event: Shutdown\r\n"),
    ],
)
def test_faults_can_be_asked_for(fault: str, said: bytes | None) -> None:
    """Each fault occurs, the second time too, and the process goes on."""
    with running("--fault", fault, "--every", "0.2") as (process, port):
        for _ in range(1 if fault == "refuse-login" else 2):
            with connect(port) as client:
                if said is None:
                    assert client.is_silent(0.2)
                else:
                    client.send("Action: Login", "Username: ampuser", "Secret: AmpSecret")
                    if fault == "garbage":
                        client.half_close()
                    assert said in client.read_to_end()
        process.terminate()
        assert process.wait(10) == 0
