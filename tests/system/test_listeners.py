# SPDX-License-Identifier: GPL-2.0-or-later
"""``listen`` lines: one process, one connection to Asterisk, and each listener its own rules."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import stat
import tempfile
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from amiproxy.threads.control.client import ask
from simulator.server import SimulatedAsterisk
from tests.support import ManagerClient, ProxyProcess, free_port, is_listening, wait_until
from tests.system.interpreters import interpreter
from tests.system.peers import QUICK, certificate, host_line, value, wait_connected
from tests.system.sockets import Inheriting, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A user that may do everything.
USERS = "joe=secret\n"
PONG = "Ping: Pong"


class Restartable(Inheriting):
    """A proxy with inherited sockets that its own user may start."""

    def _python(self) -> tuple[str, ...]:
        return interpreter()


class Doors(NamedTuple):
    """A proxy with four listeners: the first one is for JSON with TLS alone."""

    program: ProxyProcess
    asterisk: SimulatedAsterisk
    plain: int  # AMI, with a log-in
    web: int  # HTTP, with a log-in
    path: str  # AMI, without one

    @property
    def lines(self) -> list[str]:
        """The ``listen`` lines."""
        return [
            f"listen = 127.0.0.1, {self.plain}, tls=no, input=standard, output=standard",
            f"listen = 127.0.0.1, {self.web}, input=http, output=standard, tls=no, autofilter=off",
            f"listen = unix:{self.path}, auth=no, input=standard, output=standard, mode=0600",
        ]

    def config(self, *lines: str) -> str:
        """Return the configuration with *lines*."""
        return (
            QUICK + host_line(self.asterisk) + "authrequired = yes\ninputformat = json\n"
            "outputformat = json\nacceptencryptedconnection = yes\n"
            "acceptunencryptedconnection = no\nautofilter = unique\n"
            f"certfile = {self.program_dir}/proxy.pem\ncontrolsocket = {self.program_dir}/control\n"
            + "".join(f"{line}\n" for line in lines)
        )

    @property
    def program_dir(self) -> str:
        return os.path.dirname(self.path)  # noqa: PTH120

    def reload(self, *lines: str) -> str:
        """Write the configuration with *lines*, reload it; return what is said."""
        self.program.write_config(self.config(*lines))
        return ask(f"{self.program_dir}/control", "reload", timeout=30).text.decode()

    def show(self, what: str) -> Any:
        """Return what is shown of *what*."""
        told = ask(f"{self.program_dir}/control", f"show {what}", as_json=True, timeout=30)
        return json.loads(told.text)

    def at_socket(self) -> ManagerClient:
        """Return a client at the Unix socket."""
        client = ManagerClient(0, self.path)
        client.read_line()
        return client

    def get(self, target: str, secret: str = "secret") -> str:
        """Return the answer to a GET of user joe, or the status of an error."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.web}{target}")
        request.add_header("Authorization", "Basic " + b64encode(f"joe:{secret}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return str(answer.read(), "latin-1")
        except urllib.error.HTTPError as error:
            return str(error.code)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory that the proxy's user may write to, with a certificate."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-test-") as name:
        top = Path(name)
        top.chmod(0o777)
        certificate(top).rename(top / "proxy.pem")
        (top / "proxy.pem").chmod(0o644)
        yield top


@pytest.fixture(scope="module")
def doors(place: Path) -> Iterator[Doors]:
    """All of them, at one process."""
    with SimulatedAsterisk() as asterisk:
        made = Doors(None, asterisk, free_port(), free_port(), f"{place}/ami.sock")  # type: ignore[arg-type]
        with ProxyProcess(made.config(*made.lines), USERS) as program:
            wait_connected(program)
            yield made._replace(program=program)
            assert program.stop() == 0
            assert not Path(made.path).exists()


def log_in(client: ManagerClient) -> ManagerClient:
    """Log *client* in; return it."""
    client.send("Action: Login", "Username: joe", "Secret: secret")
    client.read_until("Response: Success")
    return client


def test_each_listener_has_clients_of_its_kind_and_asterisk_one_connection(doors: Doors) -> None:
    """JSON with TLS, AMI, HTTP, a Unix socket: all at once, and each in its own format."""
    program = doors.program
    with (
        program.client(tls=True, banner=False) as secure,
        ManagerClient(doors.plain) as plain,
        doors.at_socket() as local,
    ):
        secure.send_raw('{"Action": "Login", "Username": "joe", "Secret": "secret"}\n')
        assert json.loads(secure.read_to(b"\n"))["Response"] == "Success"
        plain.read_line()
        assert "Message: Action Filtered" in plain.ask("Action: Ping")
        log_in(plain)
        assert PONG in local.ask("Action: Ping")  # nobody logs in there
        assert PONG in doors.get("/?Action=Ping")
        assert doors.get("/?Action=Ping", "wrong") == "401"

        doors.asterisk.event("PeerStatus", "system,all", Peer="SIP/9")
        local.read_until("Peer: SIP/9")
        plain.read_until("Peer: SIP/9")
        secure.read_to(b'"Peer":"SIP/9"')

        # Who need not log in is no stranger, for whom there is a limit, and a time to log in.
        wait_until(lambda: doors.show("stats")["not_logged_in"] == 0, what="no strangers")
        shown = {each["name"]: each for each in doors.show("listeners")}
        assert [each["clients"] for each in shown.values()][::2] == [1, 0]  # HTTP's may linger
        first = shown[f"127.0.0.1:{program.port}"]
        assert (first["tls"], first["auth"], first["input"]) == ("yes", "yes", "json")
        unix = shown[f"unix:{doors.path}"]
        assert (unix["tls"], unix["auth"], unix["clients"]) == ("no", "no", 1)
        (here,) = [
            each for each in doors.show("clients") if each["listener"] == f"unix:{doors.path}"
        ]
        assert str(here["address"]) == f"unix:{os.getuid()}:{os.getpid()}"
    assert len(doors.asterisk.connections) == 1
    log = program.log()
    assert f"Connection received from unix:{os.getuid()}" in log
    assert f"listens on the Unix socket {doors.path}: mode 0600; input standard" in log


def test_plain_text_is_refused_where_tls_alone_is_accepted(doors: Doors) -> None:
    """And accepted at the listener beside it."""
    with ManagerClient(doors.program.port) as client:
        client.send("Action: Ping")
        assert client.read_to_end() == b""


def test_a_session_of_the_open_listener_opens_no_other(doors: Doors) -> None:
    """Neither by its cookie; nor does a wrong secret count for less there."""
    port = free_port()
    said = doors.reload(*doors.lines, f"listen = 127.0.0.1, {port}, input=http, auth=no, tls=no")
    assert f"listener 127.0.0.1:{port} added" in said
    url = f"http://127.0.0.1:{port}/rawman?action=challenge&authtype=md5"
    with urllib.request.urlopen(url, timeout=10) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    for where, expected in ((port, PONG), (doors.web, "Permission denied")):
        request = urllib.request.Request(f"http://127.0.0.1:{where}/rawman?action=ping")
        request.add_header("Cookie", cookie)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert expected in answer.read().decode(), where


def test_sighup_adds_and_removes_and_touches_no_client(doors: Doors) -> None:
    """Events stream to one through all of it; another stays, whose listener is gone."""
    over = threading.Event()

    def stream() -> None:
        for number in itertools.count():
            doors.asterisk.event("PeerStatus", "system,all", Number=number)
            if over.wait(0.002):
                doors.asterisk.event("PeerStatus", "system,all", Number="last")
                return

    with doors.at_socket() as local, log_in(ManagerClient(doors.plain)) as plain:
        local.send("Action: Ping")
        local.read_until(PONG)
        streaming = threading.Thread(target=stream)
        streaming.start()
        try:
            reload_often(doors, plain)
        finally:
            over.set()
            streaming.join()
        for number in itertools.count():
            found = local.read_until(lambda lines: value(lines, "Number") is not None)
            if "Number: last" in found:
                break
            assert f"Number: {number}" in found
        assert number  # some came
        gone = [each["name"] for each in doors.show("listeners") if each["input"] == "removed"]
        assert gone == [f"unix:{doors.path}"]
    doors.reload(*doors.lines)
    doors.at_socket().close()


def test_a_unix_socket_whose_file_was_removed_is_made_anew_by_a_reload(doors: Doors) -> None:
    """Nobody could connect to it any more; what took its place and is no socket stays."""
    path = Path(doors.path)
    path.unlink()
    doors.reload(*doors.lines)
    doors.at_socket().close()
    path.unlink()
    path.touch(mode=0o644)
    assert "there is a file of that name, and no socket" in doors.reload(*doors.lines)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.unlink()
    doors.reload(*doors.lines)
    doors.at_socket().close()


def reload_often(doors: Doors, plain: ManagerClient) -> None:
    """Add, change and remove listeners, that of *plain* too, in the end the Unix socket."""
    added = free_port()
    more = f"listen = 127.0.0.1, {added}, tls=no, input=standard, output=json, auth=no"
    said = doors.reload(doors.lines[1], doors.lines[2], more)
    assert f"listener 127.0.0.1:{doors.plain} removed" in said
    assert not is_listening(doors.plain)
    with ManagerClient(added) as client:
        client.send("Action: Ping")
        client.read_to(b'"Ping":"Pong"')
    plain.send("Action: Ping")
    plain.read_until(PONG)

    reload_what_cannot_be(doors, added, more)

    doors.reload(doors.lines[2], more.replace("output=json", "output=standard"))
    with ManagerClient(added) as client:
        client.send("Action: Ping")
        client.read_to(b"Ping: Pong")

    doors.reload(doors.lines[0])
    assert not Path(doors.path).exists()
    plain.send("Action: Ping")
    plain.read_until(PONG)


def reload_what_cannot_be(doors: Doors, added: int, more: str) -> None:
    """A changed option is for who comes from now on; what cannot be done is told, and stays."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        said = doors.reload(
            doors.lines[2].replace("mode=0600", "mode=0660, autofilter=off"),
            more.replace("output=json", "output=jsonn"),
            f"listen = 127.0.0.1, {taken}, tls=no",
            "listen = unix:/nosuch/x.sock",
        )
    assert f"{taken}: Address already in use" in said
    assert "there is no directory /nosuch" in said
    assert "there is no output handler 'jsonn'" in said
    # Nor is it told as done.
    assert f"listener unix:{doors.path} changed" in said
    for name in (f"127.0.0.1:{added}", f"127.0.0.1:{taken}", "unix:/nosuch/x.sock"):
        assert f"listener {name} " not in said
    assert stat.S_IMODE(Path(doors.path).stat().st_mode) == 0o660
    with ManagerClient(added) as client:
        client.send("Action: Ping")
        client.read_to(b'"Ping":"Pong"')  # as it was


def test_networks_are_those_of_the_listener(doors: Doors) -> None:
    """permit, deny, and load balancers, each where a line says so."""
    one, two = free_port(), free_port()
    rest = "tls=no, input=standard, output=standard, auth=no"
    doors.reload(
        *doors.lines,
        f"listen = 127.0.0.1, {one}, {rest}, deny=0.0.0.0/0, deny=::/0, permit=127.0.0.9",
        f"listen = 127.0.0.1, {two}, {rest}, proxyprotocol=127.0.0.9",
    )
    with ManagerClient(one) as client:
        assert client.read_to_end() == b""
    with ManagerClient(one, source="127.0.0.9") as client:
        client.read_line()
    with ManagerClient(two, source="127.0.0.9") as client:
        client.send_raw(b"PROXY TCP4 198.51.100.7 192.0.2.1 51000 1234\r\n")
        client.read_line()
        assert PONG in client.ask("Action: Ping")
    assert "198.51.100.7 through 127.0.0.9" in doors.program.log()
    with ManagerClient(two) as client:
        client.read_line()
    doors.reload(*doors.lines)


def test_a_restart_in_place_and_systemd_keep_them(place: Path) -> None:
    """A supervisor's port is the first listener, its path that of a line; the rest is our own."""
    given, path, own = f"{place}/given.sock", f"{place}/own.sock", free_port()
    with (
        contextlib.closing(listening("127.0.0.1", free_port())) as first,
        contextlib.closing(socket.socket(socket.AF_UNIX)) as unix,
    ):
        unix.bind(given)
        os.chmod(given, 0o666)  # noqa: PTH101
        unix.listen()
        config = (
            f"listen = unix:{given}\nlisten = unix:{path}\nlisten = 127.0.0.1, {own}, input=json\n"
            f"controlsocket = {place}/again\n"
        )
        with Restartable([first, unix], config, names="astmanproxy:astmanproxy") as program:
            hosts = (("127.0.0.1", program.port), (given, 0), (path, 0), ("127.0.0.1", own))
            before = Path(path).stat().st_ino
            for count in (1, 2):
                for host, port in hosts:
                    with ManagerClient(port, host) as client:
                        is_json = port == own
                        client.send_raw('{"Action":"x"}\n' if is_json else "Action: x\r\n\r\n")
                        client.read_to(b"No Asterisk server connected")
                if count == 1:
                    assert ask(f"{place}/again", "restart", timeout=60).is_good
                    wait_until(lambda: program.log().count("Proxy Started") == 2)
            assert Path(path).stat().st_ino == before
            # Now one of our own and one of the supervisor's are named no more.
            program.write_config(f"controlsocket = {place}/again\nlisten = unix:{given}\n")
            assert ask(f"{place}/again", "restart", timeout=60).is_good
            wait_until(lambda: program.log().count("Proxy Started") == 3)
            assert not Path(path).exists()
            assert not is_listening(own)
        assert Path(given).exists()
