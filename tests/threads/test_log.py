# SPDX-License-Identifier: GPL-2.0-or-later
"""The log: its lines, and that it never holds anybody up."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import threading
from typing import TYPE_CHECKING

import pytest

from amiproxy.logs.forms import TextForm
from amiproxy.threads.log import Copy, Log, install_root_handler
from amiproxy.threads.logsinks import FileSink, StreamSink
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.log"


@pytest.fixture
def log(path: Path) -> Iterator[Log]:
    handler = Log(FileSink(str(path)))
    yield handler
    handler.close()


def record(
    text: str, *args: object, level: int = logging.INFO, error: Exception | None = None
) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("amiproxy.x", level, "x.py", 1, text, args, info)


def test_lines_have_the_form_of_the_c_program(log: Log, path: Path) -> None:
    """``%b %e %T: message``."""
    log.handle(record("Received %s", "HUP"))
    log.start()
    log.stop()

    assert re.fullmatch(r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d: Received HUP\n", path.read_text())


def test_what_came_before_the_start_is_written_in_order(log: Log, path: Path) -> None:
    """And what comes after."""
    for number in range(900):
        log.handle(record("line %d", number))
        if number == 600:
            log.start()
    log.stop()

    numbers = [int(line.split()[-1]) for line in path.read_text().splitlines()]
    assert numbers == list(range(900))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nJan  1 00:00:00: forged", "a\\x0aJan  1 00:00:00: forged"),
        ("\x1b[2J\r\x00\x7f", "\\x1b[2J\\x0d\\x00\\x7f"),
        ("\x9b2J\x84\x85\x90\x9d\x80\xa0", "\\x9b2J\\x84\\x85\\x90\\x9d\\x80\xa0"),
        ("caf\xe9 \u20ac", "caf\xe9 \\u20ac"),
        ("tab\there", "tab\there"),
    ],
)
def test_nobody_can_forge_a_line(log: Log, path: Path, text: str, shown: str) -> None:
    """Nobody can send control characters to a terminal either; other bytes pass as they are."""
    log.handle(record("%s", text))
    log.start()
    log.stop()

    assert path.read_text("latin-1").partition(": ")[2] == f"{shown}\n"


def test_a_traceback_is_indented(log: Log, path: Path) -> None:
    """Also where the exception's own text has line ends."""
    try:
        raise ValueError("a\nb")
    except ValueError as error:
        log.handle(record("oops", error=error))
    log.start()
    log.stop()

    first, *rest = path.read_text().splitlines()
    assert first.endswith(": oops")
    assert rest[-2:] == ["    ValueError: a", "    b"]
    assert all(line.startswith("    ") for line in rest)


def test_debug_lines_are_for_stdout_only(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The file gets what an administrator reads."""
    shown = Copy(StreamSink(1), TextForm(origin=True), lambda _: True)
    log = Log(FileSink(str(path)), copies=[shown])
    log.handle(record("detail", level=logging.DEBUG))
    log.handle(record("news"))
    log.start()
    log.close()

    assert "detail" not in path.read_text()
    out = capfd.readouterr().out
    assert "MainThread amiproxy.x: detail\n" in out
    assert ": news\n" in out


def test_lines_too_many_for_the_disk_are_dropped_and_counted(path: Path) -> None:
    """Whoever logs does not wait."""
    log = Log(FileSink(str(path)), max_waiting=10)
    for number in range(25):
        log.handle(record("line %d", number))
    log.start()
    log.close()

    lines = path.read_text().splitlines()
    assert len(lines) == 11
    assert lines[0].endswith(": log: 15 lines lost")


def test_a_full_disk_loses_lines_and_nothing_else() -> None:
    """They are counted until there is room."""
    log = Log(FileSink("/dev/full"))
    log.start()
    log.handle(record("lost"))
    wait_until(lambda: log.lost == 1)
    log.handle(record("lost too"))
    wait_until(lambda: log.lost == 2)
    log.close()


def test_a_file_that_takes_nothing_holds_nobody_up(tmp_path: Path) -> None:
    """Neither those who log, nor reopen, nor the end."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = Log(FileSink(str(path)), patience=0.05)
    log.start()

    def stuck() -> bool:
        for _ in range(100):
            log.handle(record("x" * 100))
        with contextlib.suppress(TimeoutError):
            log.reopen()
            return False
        return True

    wait_until(stuck)
    with pytest.raises(OSError, match="takes no more lines"):
        log.reopen()
    log.stop()
    log.close()

    thread = next(one for one in threading.enumerate() if one.name == "log")

    def drained() -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 65536)
        return not thread.is_alive()

    wait_until(drained)
    os.close(reader)
    log.close()


def test_reopen_follows_the_name(log: Log, path: Path, tmp_path: Path) -> None:
    """The old file gets what came before."""
    log.start()
    log.handle(record("one"))
    wait_until(lambda: "one" in path.read_text())
    path.rename(tmp_path / "old")
    log.reopen()
    log.handle(record("two"))
    log.stop()

    assert path.read_text().endswith(": two\n")
    assert "two" not in (tmp_path / "old").read_text()


def test_reopen_that_fails_keeps_the_file(tmp_path: Path) -> None:
    """It goes on there."""
    directory = tmp_path / "d"
    directory.mkdir()
    log = Log(FileSink(str(directory / "x.log")))
    log.start()
    directory.rename(tmp_path / "e")

    with pytest.raises(FileNotFoundError):
        log.reopen()

    log.handle(record("still"))
    log.close()
    assert "still" in (tmp_path / "e" / "x.log").read_text()


def test_everything_logged_goes_to_the_root_handler(log: Log, path: Path) -> None:
    """An exception that ends a thread, too: nobody reads stderr."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, threading.excepthook, logging.raiseExceptions
    try:
        install_root_handler(log)
        log.start()
        logging.getLogger("amiproxy.x").info("news")
        logging.getLogger("amiproxy.x").debug("detail")
        thread = threading.Thread(target=lambda: 1 / 0, name="unlucky")
        thread.start()
        thread.join()
    finally:
        root.handlers[:], root.level, threading.excepthook, logging.raiseExceptions = before
    log.stop()

    text = path.read_text()
    assert ": news\n" in text
    assert "detail" not in text
    assert ": thread unlucky: bug in the proxy\n    Traceback" in text


def test_it_survives_a_shortage_of_memory(
    log: Log, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines of that moment are lost, not those that follow."""
    failures = [MemoryError(), MemoryError()]
    write = Log._write  # noqa: SLF001 - whatever fails in there

    def fail(self: Log, data: Sequence[bytes]) -> None:
        if failures:
            raise failures.pop()
        write(self, data)

    monkeypatch.setattr(Log, "_write", fail)
    log.start()
    log.handle(record("lost"))
    wait_until(lambda: len(failures) == 1)
    log.handle(record("lost too"))
    wait_until(lambda: not failures)

    log.handle(record("written"))

    wait_until(lambda: "written" in path.read_text())


def test_what_is_left_out_is_said_in_time(path: Path) -> None:
    """Though nothing is logged any more; what comes before the end is said at the end."""
    log = Log(FileSink(str(path)), report_interval=0.05)
    log.start()
    flood = record("%s: noise", "client 192.0.2.1:4711")
    for _ in range(250):
        log.handle(flood)

    wait_until(lambda: "further lines about clients at 192.0.2.1 left out" in path.read_text())
    for _ in range(50):
        log.handle(flood)
    log.close()

    lines = path.read_text().splitlines()
    left_out = sum(int(line.split()[4]) for line in lines if "left out" in line)
    noise = sum(line.endswith(": noise") for line in lines)
    assert noise + left_out == 300
    assert noise < 110


class Disk:
    """A disk with room for so many bytes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self._write = os.write
        monkeypatch.setattr("amiproxy.threads.logsinks.os.write", self.write)

    def write(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = self._write(fd, data[: self.room])
        self.room -= count
        return count


def test_a_line_torn_by_a_full_disk_stays_alone(
    log: Log, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written next begins a line; the torn one counts as lost."""
    disk = Disk(monkeypatch, 40)
    for number in range(3):
        log.handle(record("line %d", number))
    log.start()
    wait_until(lambda: log.lost == 2)
    disk.room = 1000

    log.handle(record("again"))
    log.stop()

    lines = [line.partition(": ")[2] for line in path.read_text().splitlines()]
    assert lines[0] == "line 0"
    assert lines[2:] == ["log: 2 lines lost", "again"]


def test_a_line_torn_before_the_start_stays_alone(path: Path) -> None:
    """The process before had no room to end it; a reopened file may end so, too."""
    path.write_text("Jan  1 00:00:00: to")
    log = Log(FileSink(str(path)))
    log.start()
    log.handle(record("one"))
    wait_until(lambda: "one" in path.read_text())
    path.write_text("Jan  1 00:00:00: torn")
    log.reopen()
    log.handle(record("two"))
    log.close()

    lines = path.read_text().splitlines()
    assert lines[0] == "Jan  1 00:00:00: torn"
    assert lines[1].endswith(": two")


def test_no_record_is_longer_than_somebody_reads(log: Log, path: Path) -> None:
    """Whatever a peer or a handler said, and however deep it was."""

    def deep(number: int) -> None:
        if number:
            deep(number - 1)
        raise ValueError("a\n" * 10_000 + "z" * 10_000_000)

    try:
        deep(300)
    except ValueError as error:
        log.handle(record("%s", "y" * 10_000_000, error=error))
    log.start()
    log.stop()

    lines = path.read_text().splitlines()
    assert len(lines) == 201
    assert max(map(len, lines)) < 2100
