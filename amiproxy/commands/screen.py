# SPDX-License-Identifier: GPL-2.0-or-later
"""Screen: a terminal for oneself, for what is shown again and again; given back as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

# ECMA-48, and a screen of one's own as xterm has it: without a cursor, and back; to the upper left
# corner; the rest of a line, and of the screen, is empty.
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _LINE_END, _END = "\x1b[H", "\x1b[K\n", "\x1b[J"

#: Keys that end it, besides Ctrl-C.
_QUIT = (b"q", b"Q")

#: Seconds that a terminal takes to say that nothing was typed, at the least: else it is gone.
_LEAST = 0.05

# Fields of what tcgetattr returns (termios(3)).
_LOCAL, _CHARACTERS = 3, 6


class Screen:
    """The terminal at stdout; keys are read from stdin, if that is one, too.

    A context manager.  Ctrl-Z and SIGTERM give the terminal back as well.
    """

    def __init__(self, interval: float) -> None:
        """*interval* is how long ``wait`` waits, in seconds, 25 at the most."""
        self._interval = interval
        self._before: list[Any] | None = None  # the settings of stdin

    def __enter__(self) -> Screen:  # noqa: PYI034 - Self is not in 3.9
        """Take the terminal."""
        signal.signal(signal.SIGTERM, _interrupt)
        signal.signal(signal.SIGTSTP, self._suspend)
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self._give_back()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines that can be shown.

        The last line stays empty: what ends it would move all others up.
        """
        columns, lines = shutil.get_terminal_size()
        return columns, lines - 1

    def show(self, lines: Sequence[str]) -> None:
        """Show *lines*, in the place of what was shown before."""
        shown = "".join(f"{line}{_LINE_END}" for line in lines[: self.size[1]])
        _write(f"{_HOME}{shown}{_END}")

    def wait(self) -> bool:
        """Wait for a key, or for the interval; return False if the user has seen enough."""
        if self._before is None:
            time.sleep(self._interval)
            return True
        began = time.monotonic()
        key = os.read(sys.stdin.fileno(), 1)  # waits as _take has told the terminal
        if not key and time.monotonic() - began < _LEAST:
            time.sleep(self._interval)
        return key not in _QUIT

    def _take(self) -> None:
        with contextlib.suppress(termios.error, ValueError, OSError):
            settings = termios.tcgetattr(sys.stdin)
            self._before = termios.tcgetattr(sys.stdin)
            settings[_LOCAL] &= ~(termios.ICANON | termios.ECHO)
            characters = settings[_CHARACTERS]
            characters[termios.VMIN], characters[termios.VTIME] = 0, round(self._interval * 10)
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)
        _write(_ENTER)

    def _give_back(self) -> None:
        _write(_LEAVE)
        if self._before is not None:
            with contextlib.suppress(termios.error, ValueError, OSError):
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def _suspend(self, _number: int, _frame: FrameType | None) -> None:
        """Stop, as Ctrl-Z wants it, and go on when the shell says so."""
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._suspend)
        self._take()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
