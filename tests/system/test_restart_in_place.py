# SPDX-License-Identifier: GPL-2.0-or-later
"""``--control restart``: the process starts anew, and nobody is refused meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from amiproxy.threads.control.client import ask
from simulator.server import SimulatedAsterisk
from tests.support import ManagerClient, ProxyProcess, free_port, wait_until
from tests.system.daemons import Daemon
from tests.system.interpreters import interpreter
from tests.system.peers import QUICK, host_line
from tests.system.sockets import Inheriting, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

GOODBYE = b"ProxyMessage: Proxy Shutting Down\r\n\r\n"


class Anew(Daemon):
    """A daemon that its own user may start."""

    @property
    def command(self) -> list[str]:
        """The command that starts it."""
        return [*interpreter(), *super().command[1:]]


class Restartable(Inheriting):
    """A proxy with sockets that its own user may start."""

    def _python(self) -> tuple[str, ...]:
        return interpreter()


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    """A daemon that is not started yet."""
    with Anew() as prepared:
        yield prepared


def restart(daemon: Daemon, *options: str) -> tuple[int, str, str]:
    """Return exit status, output and errors of ``--control restart``."""
    done = daemon.run("--control", "restart", *options)
    return done.returncode, done.stdout, done.stderr


def starts(daemon: Daemon) -> int:
    """Return how often the daemon has started."""
    return daemon.log.read_text().count("Proxy Started")


def test_it_goes_on_as_the_same_process_with_new_files(daemon: Daemon) -> None:
    """The pid file stays, clients are told, settings that need a start are in force."""
    pid = daemon.start()
    before = daemon.pidfile.stat().st_ino
    with daemon.client() as client:
        daemon.configure("forcebanner = another\n")

        assert restart(daemon) == (0, "it starts anew\n", "")

        assert client.read_to_end() == GOODBYE
        with ManagerClient(daemon.port) as other:
            assert other.read_line() == "another"
    assert (daemon.read_pid(), daemon.pidfile.stat().st_ino) == (pid, before)
    process = psutil.Process(pid)
    assert process.name() == "astmanproxy"
    assert process.cwd() == "/"
    assert process.terminal() is None
    for number in range(3):
        assert Path(f"/proc/{pid}/fd/{number}").readlink() == Path("/dev/null")
    wait_until(lambda: starts(daemon) == 2)
    # Twice, since what is inherited must not pile up.
    fds = process.num_fds()
    assert restart(daemon)[0] == 0
    wait_until(lambda: process.num_fds() <= fds, what="no more descriptors")
    assert daemon.run("--control", "reload").returncode == 0
    os.kill(pid, signal.SIGTERM)
    daemon.wait_end(pid)
    assert not daemon.pidfile.exists()


def test_a_configuration_that_would_not_start_is_refused(daemon: Daemon) -> None:
    """With the problems; clients notice nothing, and the log has them, too."""
    daemon.start()
    with daemon.client() as client:
        daemon.configure("maxclients = many\n")

        status, said, errors = restart(daemon)

        assert (status, said) == (1, "")
        assert errors.startswith("it goes on as it is; it would not start:\n")
        assert f"{daemon.config}:6: maxclients" in errors
        assert client.ask("ProxyAction: ListServers")[0] == "ProxyResponse: Success"
    daemon.wait_log(f"cannot restart -- {daemon.config}:6: maxclients")
    assert starts(daemon) == 1


def test_clients_that_come_meanwhile_wait_and_are_served(daemon: Daemon) -> None:
    """A connection every few milliseconds: none is refused, none is cut short."""
    with SimulatedAsterisk() as asterisk:
        daemon.configure("autofilter = unique\n" + QUICK + host_line(asterisk))
        daemon.start()
        daemon.wait_log(": connected (")
        over = threading.Event()
        answers: list[bytes] = []

        def come() -> None:
            while not over.wait(0.004):
                with socket.create_connection(("127.0.0.1", daemon.port), 10) as sock:
                    sock.sendall(b"Action: Ping\r\nActionID: x\r\n\r\n")
                    sock.shutdown(socket.SHUT_WR)
                    answers.append(b"".join(iter(lambda: sock.recv(65536), b"")))

        callers = [threading.Thread(target=come) for _ in range(4)]
        for caller in callers:
            caller.start()
        try:
            for _ in range(2):
                assert restart(daemon)[0] == 0
        finally:
            over.set()
            for caller in callers:
                caller.join()
    assert len(answers) > 20
    # Asterisk is there before the first client is accepted.
    assert [each for each in answers if b"Ping: Pong\r\n" not in each] == []


def test_a_new_port_is_bound_and_the_old_one_given_up(daemon: Daemon) -> None:
    """As at any start: what the proxy has bound itself is what the file says."""
    daemon.start()
    old, daemon.port = daemon.port, free_port()
    daemon.configure()

    assert restart(daemon)[0] == 0

    daemon.client().close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", old), 5)


def test_a_port_can_be_shared_from_then_on(daemon: Daemon) -> None:
    """The socket that it hands on to itself: another process may listen there as well."""
    daemon.start()
    daemon.configure("reuseport = yes\n")

    assert restart(daemon)[0] == 0

    with ProxyProcess("reuseport = yes\n", port=daemon.port) as program:

        def has_a_client() -> bool:
            daemon.client().close()
            return "Connection received" in program.log()

        wait_until(has_a_client)


@contextlib.contextmanager
def waiting_for_an_answer(daemon: Daemon) -> Iterator[int]:
    """Start *daemon*, with a client whose action is not answered: to end takes it a second."""
    with SimulatedAsterisk() as asterisk:
        asterisk.answer("CoreStatus", lambda _: b"")
        daemon.configure("drainseconds = 1\n" + QUICK + host_line(asterisk))
        pid = daemon.start()
        daemon.wait_log(": connected (")
        with daemon.client() as client:
            client.send("Action: CoreStatus")
            asterisk.wait_for_action("CoreStatus")
            yield pid


def test_a_stop_while_it_restarts_wins(daemon: Daemon) -> None:
    """SIGTERM is for the process, whatever it is about to become."""
    with waiting_for_an_answer(daemon) as pid:
        asker = threading.Thread(target=restart, args=(daemon,))
        asker.start()
        daemon.wait_log("-- stopping")
        os.kill(pid, signal.SIGTERM)
        daemon.wait_end(pid)
        asker.join()
    assert starts(daemon) == 1
    assert not daemon.pidfile.exists()


def test_a_file_that_breaks_when_it_was_checked_is_named_in_the_log(daemon: Daemon) -> None:
    """The clients are gone by then, and so is the proxy; whoever asked is told where to look."""
    with waiting_for_an_answer(daemon) as pid:
        done: list[tuple[int, str, str]] = []
        asker = threading.Thread(target=lambda: done.append(restart(daemon)))
        asker.start()
        daemon.wait_log("-- stopping")
        daemon.configure("maxclients = many\n")
        daemon.wait_end(pid)
        asker.join()

    assert done == [(4, "it starts anew\n", "it has not come back: see its log\n")]
    daemon.wait_log(f"cannot restart -- {daemon.config}:6: maxclients")


def test_several_who_restart_it_at_once_all_have_it_restarted(daemon: Daemon) -> None:
    """Whoever is cut off by the restart of another waits for that."""
    pid = daemon.start()
    done: list[tuple[int, str, str]] = []
    askers = [threading.Thread(target=lambda: done.append(restart(daemon))) for _ in range(3)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert [status for status, _, errors in done if status or errors] == []
    assert psutil.pid_exists(pid)
    daemon.client().close()


def test_sockets_of_a_supervisor_are_handed_on() -> None:
    """Also in the foreground, where no pid file is needed; and they stay open at the end."""
    with listening("127.0.0.1", free_port()) as kept:
        config = "controlsocket = {dir}/amp.sock\n"
        with Restartable([kept], config, names="astmanproxy") as program:
            told = ask(str(program.dir / "amp.sock"), "restart", timeout=20)
            assert told.is_good, told.text
            wait_until(lambda: program.log().count("Proxy Started") == 2)
            program.client().close()
            assert program.stop() == 0
            assert "clients are accepted at" not in program.log()
        socket.create_connection(kept.getsockname()).close()
