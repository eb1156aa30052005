# SPDX-License-Identifier: GPL-2.0-or-later
"""The control server: what it answers, and what whoever holds its socket cannot do to it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from amiproxy import __version__
from amiproxy.basics.places import user_name
from amiproxy.settings.reloadreport import ReloadReport
from amiproxy.threads.control.client import Told, UnreachableError, ask
from amiproxy.threads.control.commands import DRAIN
from amiproxy.threads.control.server import LONGEST, MOST
from amiproxy.threads.control.socketfile import connect
from amiproxy.threads.control.table import COMMANDS
from tests.support import wait_until
from tests.threads.control.support import FakeProxy, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ME = user_name(os.geteuid())


def told(path: Path, command: str, *, as_json: bool = False) -> Told:
    """Return what the proxy at *path* says."""
    return ask(str(path), command, as_json=as_json, timeout=10)


def test_help_lists_every_command() -> None:
    """With its arguments and a word on it."""
    with served(FakeProxy()) as path:
        good, text = told(path, "help")
        one = told(path, "help VERSION")
        unknown = told(path, "help nosuch")

    lines = text.decode().splitlines()
    assert good
    assert [line.split("  ")[0] for line in lines] == [each.usage for each in COMMANDS.values()]
    assert all(each.help for each in COMMANDS.values())
    assert one.text.startswith(b"version  the version")
    assert unknown == Told(False, b"'nosuch' is no command; help lists them\n")


def test_the_version_in_words_and_as_json() -> None:
    """So a script need not take words apart."""
    with served(FakeProxy()) as path:
        assert told(path, " version ").text.startswith(f"astmanproxy {__version__}, pid ".encode())
        assert json.loads(told(path, "version", as_json=True).text) == {
            "version": __version__,
            "pid": os.getpid(),
            "started": "2026-01-31T08:15:00+00:00",
            "uptime": 60,
        }


def test_a_reload_tells_what_it_did() -> None:
    """It fails if anything could not be read; the log says who wanted it."""
    fake = FakeProxy()
    with served(fake) as path:
        fake.report = ReloadReport(("reread permissions",), ("user 'joe' added",), ("f:1: odd",))
        good = told(path, "reload")
        fake.report = ReloadReport(problems=("f:2: wrong", "the users stay as they were"))
        bad = told(path, "reload")
        bad_json = told(path, "reload", as_json=True)
        fake.report = None
        hangs = told(path, "reload")

    assert good == Told(True, b"reread permissions\nchanged: user 'joe' added\nwarning: f:1: odd\n")
    assert bad == Told(False, b"problem: f:2: wrong\nproblem: the users stay as they were\n")
    assert not bad_json.is_good
    assert json.loads(bad_json.text)["problems"] == ["f:2: wrong", "the users stay as they were"]
    assert not hangs.is_good
    assert fake.asked == [f"Reload by {_ME}"] * 4


def test_the_level_of_the_log_and_the_end() -> None:
    """The answer to ``shutdown`` comes before the end begins."""
    fake = FakeProxy()
    with served(fake) as path:
        assert told(path, "loglevel debug") == Told(True, b"logged is from: debug \n")
        assert told(path, "loglevel info client").is_good
        assert told(path, "shutdown") == Told(True, b"it ends now\n")
        wait_until(lambda: "stop 0" in fake.asked)
        assert told(path, "shutdown --drain").is_good
        wait_until(lambda: f"stop {DRAIN:g}" in fake.asked)
        assert told(path, "shutdown now") == Told(False, b"usage: shutdown [--drain]\n")

    assert fake.asked == ["debug ", "info client", "stop 0", "stop 60"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", "'' is no command; help lists them"),
        ("shwo clients", "'shwo clients' is no command; is show clients meant?; help lists them"),
        ("kik 12", "'kik 12' is no command; is kick meant?; help lists them"),
        ("nosuch 12", "'nosuch 12' is no command; help lists them"),
        ("version 2", "usage: version"),
        ("help a b", "usage: help [COMMAND]"),
        ("kick 'a", "a quote is not closed"),
        ("kick 7", "there is no client '7'"),
        ("kick x", "there is no client 'x'"),
        ("kick " + "9" * 500, f"there is no client '{'9' * 500}'"),
        ("kick user 'Joe Doe'", "no client is logged in as 'Joe Doe'"),
        ("loglevel loud", "no such level"),
        ("loglevel", "usage: loglevel LEVEL [MODULE]"),
        ("\x1b[2Jx", "'\\x1b[2jx' is no command; help lists them"),
        ("x" * LONGEST, f"a command is one line of at most {LONGEST} bytes"),
    ],
)
def test_what_it_cannot_do_it_says(line: str, expected: str) -> None:
    """In one line that harms no terminal."""
    with served(FakeProxy()) as path:
        found = told(path, line)

    assert (found.is_good, found.text.decode().lower()) == (False, f"{expected}\n".lower())


def test_a_line_without_end_is_no_command() -> None:
    """Half a command is not carried out."""
    fake = FakeProxy()
    with served(fake) as path, connect(str(path), 10) as sock:
        sock.sendall(b"reload")
        sock.shutdown(1)
        assert sock.recv(100).startswith(b"error\n")

    assert fake.asked == []


def test_who_says_nothing_is_let_go() -> None:
    """And those who come meanwhile are answered."""
    with served(FakeProxy(), patience=0.2) as path, connect(str(path), 10) as silent:
        assert told(path, "version").is_good
        assert silent.recv(100) == b""


def test_only_so_many_at_once() -> None:
    """The next one is told so, at once; when they have gone there is room again."""
    with served(FakeProxy()) as path:
        with contextlib.ExitStack() as stack:
            for _ in range(MOST):
                stack.enter_context(connect(str(path), 10))
            with connect(str(path), 10) as sock:
                assert (
                    sock.recv(100) == f"error\n{MOST} commands are under way; try again\n".encode()
                )

        def is_answered() -> bool:
            with contextlib.suppress(OSError, UnreachableError):
                return told(path, "version").is_good
            return False

        wait_until(is_answered)


def test_a_command_that_hangs_keeps_no_other() -> None:
    """As a reload of a file that hangs."""
    may_end = threading.Event()

    class Hanging(FakeProxy):
        def reload(self, because: str) -> ReloadReport | None:
            may_end.wait(10)
            return super().reload(because)

    fake = Hanging()
    with served(fake) as path, connect(str(path), 10) as sock:
        sock.sendall(b"reload\n")
        assert told(path, "version").is_good
        may_end.set()
        assert sock.recv(100) == b"ok\n"


def test_a_bug_is_told_and_not_the_end(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the rest."""

    class Broken(FakeProxy):
        def reload(self, because: str) -> ReloadReport | None:
            raise ValueError("oops")

    with served(Broken()) as path:
        assert told(path, "reload") == Told(False, b"bug in the proxy: see its log\n")
        assert told(path, "version").is_good
    assert "oops" in caplog.text


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (b"ok\na\x1b[2J\tb\r\n\xc3\xb6\n", b"a\\x1b[2J\tb\\x0d\n\xc3\xb6\n"),
        (b"ok\n\xc2\x9b2J\x9b2J\xf6", b"\\x9b2J\\x9b2J\\xf6"),
        (b"error\n", b""),
    ],
)
def test_what_another_program_says_there_does_not_reach_the_terminal(
    tmp_path: Path, said: bytes, text: bytes
) -> None:
    """Its socket may have been named by mistake."""
    with other_program(tmp_path, said) as path:
        assert told(path, "version") == Told(said.startswith(b"ok"), text)


def test_an_answer_without_end_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is half a line."""
    monkeypatch.setattr("amiproxy.threads.control.client.LONGEST", 1000)
    long, half = b"ok\n" + b"x" * 2000, b"o"
    with other_program(tmp_path, long) as path, pytest.raises(UnreachableError, match="no end"):
        told(path, "version")
    with other_program(tmp_path, half) as path, pytest.raises(UnreachableError, match="before it"):
        told(path, "version")


@contextlib.contextmanager
def other_program(tmp_path: Path, said: bytes) -> Iterator[Path]:
    """Give the path of a socket where somebody takes one line and says *said*."""
    path = tmp_path / "other.sock"

    def serve() -> None:
        sock, _ = listener.accept()
        with sock:
            sock.recv(1000)
            sock.sendall(said)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield path
        thread.join()
    path.unlink()


def test_who_asks_and_hears_nothing_gets_words(tmp_path: Path) -> None:
    """No socket, one that was left behind, no answer."""
    with pytest.raises(UnreachableError, match="no proxy runs with this configuration") as none:
        told(tmp_path / "none", "version")
    with served(FakeProxy()) as path:
        left = path.parent / "left"
        path.rename(left)
        left.rename(tmp_path / "left")
    with pytest.raises(UnreachableError, match="no proxy runs: it has left the control") as behind:
        told(tmp_path / "left", "version")

    assert [none.value.is_running, behind.value.is_running] == [False, False]


def test_a_command_that_is_much_too_long_is_told_so() -> None:
    """The proxy leaves most of it unread, which resets the connection."""
    with served(FakeProxy()) as path:
        for length in (5000, 1 << 20):
            answer = told(path, "x" * length)

            assert answer == Told(
                False, f"a command is one line of at most {LONGEST} bytes\n".encode()
            )


def test_a_name_is_taken_as_it_is_in_the_file() -> None:
    """The file of users holds the bytes that the terminal sends, UTF-8 or not."""
    with served(FakeProxy()) as path:
        for raw in ("jörg\N{SNOWMAN}".encode(), b"j\xf6rg"):
            answer = told(path, f"kick user {os.fsdecode(raw)}")

            name = ascii(raw.decode("latin-1"))
            assert answer == Told(False, f"no client is logged in as {name}\n".encode())
