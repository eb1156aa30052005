# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal and syslog take the log, or it is counted what they do not take."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from typing import TYPE_CHECKING

import pytest

from amiproxy.logs.forms import SyslogForm, TextForm
from amiproxy.threads.log import Copy, Log
from amiproxy.threads.logsinks import FileSink, SocketSink, StreamSink, is_journal
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Take datagrams at *path*."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(path))
        one.settimeout(10)
        yield one
    path.unlink()


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("amiproxy.x", logging.WARNING, "x.py", 1, "%s", (text,), None)


def test_who_listens_anew_gets_what_comes_then(tmp_path: Path) -> None:
    """And is told how many lines nobody has got: syslog may be restarted, the proxy need not."""
    path = tmp_path / "log"
    with listening(path) as syslog:
        log = Log(SocketSink(str(path)), SyslogForm())
        log.start()
        log.handle(record("one"))
        assert syslog.recv(1000).startswith(b"<28>")
    log.handle(record("lost"))
    wait_until(lambda: log.lost == 1)
    with listening(path) as syslog:
        log.handle(record("two"))
        assert syslog.recv(1000).endswith(b": log: 1 lines lost")
        assert syslog.recv(1000).endswith(b": two")
    log.close()


def test_where_nobody_listens_there_is_no_log(tmp_path: Path) -> None:
    """The start fails, and no descriptor is left."""
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - names alone
    with pytest.raises(FileNotFoundError):
        SocketSink(str(tmp_path / "log"))
    with listening(tmp_path / "log"):
        pass
    with pytest.raises(OSError, match=r"No such file"):
        SocketSink(str(tmp_path / "log"))
    assert len(os.listdir("/proc/self/fd")) == len(before)  # noqa: PTH208


def test_what_is_too_long_is_lost_and_nothing_else(tmp_path: Path) -> None:
    """The entries around it arrive."""
    with listening(tmp_path / "log") as syslog:
        sink = SocketSink(str(tmp_path / "log"))
        assert sink.write([b"one", b"x" * 10_000_000, b"two"]) == 1
        assert [syslog.recv(1000) for _ in range(2)] == [b"one", b"two"]
        sink.close(1.0)


def test_who_takes_nothing_holds_it_up_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, not once an entry; what waits is lost."""
    monkeypatch.setattr("amiproxy.threads.logsinks._ENTRY_TIME", 0.05)
    with listening(tmp_path / "log"):
        sink = SocketSink(str(tmp_path / "log"))
        while not (lost := sink.write([b"x" * 1000] * 100)):
            pass
        assert 0 < lost <= 100
        assert sink.write([b"y"] * 100) == 100
        sink.close(1.0)


def test_the_journals_stream_is_told_by_its_number(tmp_path: Path) -> None:
    """Systemd says which it is, so that one that was redirected since is none."""
    with (tmp_path / "x").open("wb") as file:
        status = os.fstat(file.fileno())
        said = f"{status.st_dev}:{status.st_ino}"
        assert is_journal(file.fileno(), said)
        assert not is_journal(1, said)
        assert not is_journal(file.fileno(), "")
    assert not is_journal(9999, said)


def test_a_journal_that_takes_nothing_does_not_keep_lines_from_the_file(tmp_path: Path) -> None:
    """The copy on its stream is lost; what is taken later begins a line of its own."""
    ours, journal = socket.socketpair()
    with ours, journal:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        copy = Copy(StreamSink(ours.fileno(), 0.05), TextForm(), lambda _: True)
        log = Log(FileSink(str(tmp_path / "file")), copies=[copy])
        log.start()
        for _ in range(500):
            log.handle(record("x" * 1000))
        log.handle(record("last"))
        wait_until(lambda: b": last\n" in (tmp_path / "file").read_bytes())
        log.stop()
        journal.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                last = journal.recv(1 << 20)
        log.start()
        log.handle(record("later"))
        log.close()

        parts = last + journal.recv(1 << 20)
        assert parts.endswith(b": later\n")
        assert parts.splitlines()[-1].endswith(b": later")
        assert len(parts.splitlines()[-1]) < 100
