# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever has a proxy restarted learns when it is back, or that it will not be."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.control.comeback import Comeback

if TYPE_CHECKING:
    from pathlib import Path


def listen(path: Path) -> socket.socket:
    """Put a control socket at *path*, in the place of what is there."""
    sock = socket.socket(socket.AF_UNIX)
    fresh = path.with_suffix(".new")
    sock.bind(str(fresh))
    sock.listen()
    fresh.rename(path)
    return sock


def answering(sock: socket.socket, pid: int) -> threading.Thread:
    """Answer the next command with a version of the process *pid*."""

    def answer() -> None:
        one, _ = sock.accept()
        with one:
            one.recv(1024)
            one.sendall(b"ok\n" + json.dumps({"pid": pid}).encode())

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


def test_another_socket_that_answers_is_the_restarted_proxy(tmp_path: Path) -> None:
    """The old one does not count, however long it answers."""
    path = tmp_path / "x.sock"
    with listen(path) as old:
        thread = answering(old, os.getpid())
        comeback = Comeback(str(path))
        thread.join()
        assert not comeback.wait(Deadline(0.05))
    path.unlink()
    assert not comeback.wait(Deadline(0.05))
    with listen(path):
        assert comeback.wait(Deadline(10))


def test_a_process_that_has_ended_does_not_come_back(tmp_path: Path) -> None:
    """Nobody waits for it."""
    path = tmp_path / "x.sock"
    with subprocess.Popen(["sleep", "60"]) as process, listen(path) as old:
        thread = answering(old, process.pid)
        comeback = Comeback(str(path))
        thread.join()
        process.kill()
        process.wait()

        assert not comeback.wait(Deadline(60))


def test_where_nobody_says_who_it_is_the_socket_alone_counts(tmp_path: Path) -> None:
    """There may be no way to see its process."""
    path = tmp_path / "x.sock"
    comeback = Comeback(str(path))

    with listen(path):
        assert comeback.wait(Deadline(10))
