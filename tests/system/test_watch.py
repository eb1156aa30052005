# SPDX-License-Identifier: GPL-2.0-or-later
"""``--status --watch`` at a real terminal: in place, and the terminal is given back as it was."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import PROGRAM, wait_until
from tests.system.peers import PATIENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ProxyProcess
    from tests.system.peers import Stage

pytestmark = [pytest.mark.stage("controlsocket = {dir}/control.sock\n" + PATIENT)]

ENTER, LEAVE, HOME = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[H"


class Terminal:
    """A terminal of 70 columns and 20 lines with ``--status --watch`` at it."""

    def __init__(self, program: ProxyProcess) -> None:
        self.ours, self.theirs = pty.openpty()
        os.set_blocking(self.ours, False)
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("4H", 20, 70, 0, 0))
        self.before = termios.tcgetattr(self.theirs)
        command = [sys.executable, str(PROGRAM), "--status", "--watch"]
        command += ["-c", str(program.config_file), "-u", str(program.users_file)]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "", "LINES": ""}
        environment.pop("NO_COLOR", None)
        ends: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), self.theirs)
        # What a shell starts in the background ignores SIGINT, and so do its children.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(command, env=environment, start_new_session=True, **ends)
        signal.signal(signal.SIGINT, before)
        self.data = b""

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def shown(self) -> bytes:
        """Return all that was written so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.data += os.read(self.ours, 65536)
        return self.data

    def ended(self) -> int | None:
        """Wait until the program has ended, as a terminal does: it goes on showing."""

        def is_over() -> bool:
            self.shown()
            return self.process.poll() is not None

        wait_until(is_over, 20, "the end")
        return self.process.returncode

    def wait_for(self, mark: bytes, count: int = 1) -> None:
        wait_until(lambda: self.shown().count(mark) >= count, 30, str(mark))


@pytest.fixture
def terminal(stage: Stage) -> Iterator[Terminal]:
    found = Terminal(stage.program)
    yield found
    found.close()


def test_it_is_shown_again_in_place_until_q(terminal: Terminal) -> None:
    """With colours, within the terminal; what is typed is not shown."""
    terminal.wait_for(HOME, 2)
    os.write(terminal.ours, b"q")

    assert terminal.ended() == 0
    data = terminal.shown()
    assert data.startswith(ENTER)
    assert data.endswith(LEAVE)
    assert b": 1 of 1 server up, 0 clients\x1b[0m" in data
    assert termios.tcgetattr(terminal.theirs) == terminal.before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_the_terminal_back(terminal: Terminal, number: signal.Signals) -> None:
    """Else the shell has no cursor, and shows nothing that is typed."""
    terminal.wait_for(HOME)

    terminal.process.send_signal(number)

    assert terminal.ended() == 0
    assert terminal.shown().endswith(LEAVE)
    assert termios.tcgetattr(terminal.theirs) == terminal.before


def test_it_goes_on_after_it_was_suspended(terminal: Terminal) -> None:
    """Ctrl-Z, and fg."""
    terminal.wait_for(HOME)

    terminal.process.send_signal(signal.SIGTSTP)
    terminal.wait_for(LEAVE)
    terminal.process.send_signal(signal.SIGCONT)

    terminal.wait_for(ENTER, 2)
    pages = terminal.shown().count(HOME)
    terminal.wait_for(HOME, pages + 1)
