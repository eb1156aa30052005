# SPDX-License-Identifier: GPL-2.0-or-later
"""What bash and zsh complete, typed into the shells themselves."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shutil
import subprocess
import time
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.process.options import OPTIONS, Option
from docs import completion
from docs.completion import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = (
    *(each for each in OPTIONS if each.value != "COMMAND"),
    Option("", "ask", "COMMAND", ("Ask: it's [done]",), "ask"),
    Option("", "wait", "SECONDS", ("So long",)),
)
COMMANDS = (
    Command("show clients", (), "who is there: it's a table"),
    Command("show servers", (), "and who else"),
    Command("kick", ("N",), "end a client"),
    Command("loglevel", ("[LEVEL]",), "show or set it"),
    Command("help", (), "this list"),
)

#: Control-G prints the line as it stands.
_BASH = """
unset HISTFILE; PS1='ready> '
bind 'set bell-style none'; bind 'set completion-query-items 0'
bind -x '"\\C-g": printf "<<%s>>\\n" "$READLINE_LINE"'
source {there}/astmanproxy.bash
"""
_ZSH = """
PS1='ready> '; unsetopt beep auto_menu
fpath=({there} $fpath); autoload -U compinit; compinit -u -d {there}/dump
line() {{ print -r -- "<<$BUFFER>>" }}; zle -N line; bindkey '^G' line
"""


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, command: list[str], directory: Path) -> None:
        self._terminal, theirs = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(directory)}
        self._process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self._seen = ""

    def _read_until(self, pattern: str) -> str:
        """Return what the first group of *pattern* matches in what the shell prints."""
        end = time.monotonic() + 20
        while (found := re.search(pattern, self._seen)) is None:
            assert time.monotonic() < end, f"no {pattern} in {self._seen!r}"
            if select.select([self._terminal], [], [], 1)[0]:
                self._seen += os.read(self._terminal, 65536).decode()
        self._seen = self._seen[found.end() :]
        return found[1]

    def start(self, script: Path) -> None:
        """Run *script* and wait until the shell takes keys."""
        os.write(self._terminal, f". {script}; echo set''up\n".encode())
        self._read_until("(setup)")
        self._read_until("(ready> )")

    def complete(self, typed: str) -> str:
        """Return the line after *typed* and Tab, without the name of the program."""
        os.write(self._terminal, f"astmanproxy {typed}\t\x07".encode())
        line = self._read_until("<<astmanproxy (.*?)>>")
        os.write(self._terminal, b"\x15")  # away with it
        return line

    def close(self) -> None:
        """End the shell."""
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@contextlib.contextmanager
def shell(name: str, directory: Path) -> Iterator[Callable[[str], str]]:
    """Give what completes a line in the shell *name*, with the files written below *directory*."""
    if shutil.which(name) is None:
        pytest.skip(f"{name} is missing")
    there = directory / "completion"
    there.mkdir()
    (there / "astmanproxy.bash").write_text(completion.bash(ALL, COMMANDS))
    (there / "_astmanproxy").write_text(completion.zsh(ALL, COMMANDS))
    script = directory / "script"
    script.write_text((_BASH if name == "bash" else _ZSH).format(there=there))
    options = ["--norc", "--noprofile", "-i"] if name == "bash" else ["-f", "-i"]
    one = Shell([name, *options], directory)
    try:
        one.start(script)
        yield one.complete
    finally:
        one.close()


@pytest.mark.parametrize("name", ["bash", "zsh"])
def test_a_shell_completes_options_files_and_commands(name: str, tmp_path: Path) -> None:
    """What is begun is ended, as far as one thing alone can be meant."""
    (tmp_path / "own settings.conf").touch()
    with shell(name, tmp_path) as complete:
        assert complete("--hash") == "--hash-secret "
        assert complete("--nosuch") == "--nosuch"
        assert complete("-c own").rstrip() == r"-c own\ settings.conf"
        assert complete("--config own").rstrip() == r"--config own\ settings.conf"
        assert complete("--config=own").rstrip() == r"--config=own\ settings.conf"
        assert complete("--wait own") == "--wait own"
        assert complete("--ask he") == "--ask help "
        assert complete("--ask sh") == r"--ask show\ "
        assert complete(r"--ask show\ c") == r"--ask show\ clients "
        assert complete("--ask 'sho") == "--ask 'show "
        assert complete("--ask 'show c") == "--ask 'show clients' "
        assert complete("--ask ki") == r"--ask kick\ "
        assert complete("--ask 'ki") == "--ask 'kick "
        assert complete("--ask=logl") == "--ask=loglevel "


def test_bash_has_nothing_to_complain_of() -> None:
    """As shellcheck reads the script."""
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is missing")
    path = completion.DIRECTORY / "astmanproxy.bash"

    done = subprocess.run(
        ["shellcheck", "-s", "bash", path], capture_output=True, text=True, check=False
    )

    assert done.stdout == ""
