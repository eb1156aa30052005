# SPDX-License-Identifier: GPL-2.0-or-later
"""``--status`` and ``show``: what they say is so, whatever load the proxy is under."""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.threads.control.client import ask
from tests import nursery
from tests.support import ProxyProcess, wait_until
from tests.system.peers import PATIENT, Collector, host_line, wait_connected

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk
    from tests.support import StartProxy
    from tests.system.peers import Stage

SOCKET = "controlsocket = {dir}/control.sock\n"
USERS = "all=secret\nphone=secret,SIP/1001\n[calls]\nsecret = secret\nread = call\nwrite = all\n"

pytestmark = [pytest.mark.stage(SOCKET + PATIENT + "autofilter = unique\n", users=USERS)]

MANY = 5_000
CALL = (
    b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/1001-00000001\r\n"
    b"ChannelState: 0\r\nUniqueid: 1700000000.1\r\n\r\n"
)
PEER = b"Event: PeerStatus\r\nPrivilege: system,all\r\nPeer: SIP/9\r\n\r\n"
END = b"Event: Shutdown\r\nPrivilege: call,all\r\nChannel: SIP/1001-00000001\r\nUniqueid: 1700000000.1\r\n\r\n"


def shown(program: ProxyProcess, command: str = "status") -> Any:
    """Return what the proxy says to *command*, as JSON."""
    told = ask(f"{program.dir}/control.sock", command, as_json=True, timeout=30)
    assert told.is_good, told.text
    return json.loads(told.text)


def run(program: ProxyProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program with *arguments*, for the proxy *program*."""
    files = ["-c", str(program.config_file), "-u", str(program.users_file)]
    return nursery.run([*files, *arguments], "", 30)


@contextlib.contextmanager
def logged_in(stage: Stage, user: str, form: str = "") -> Iterator[Collector]:
    """Give what *user* is sent after its log-in, in the format *form*."""
    with stage.program.client() as client:
        client.send("Action: Login", f"Username: {user}", "Secret: secret")
        client.read_until("Response: Success")
        if form:
            client.send("ProxyAction: SetOutputFormat", f"OutputFormat: {form}")
        with Collector(client) as collector:
            yield collector


@contextlib.contextmanager
def watched(program: ProxyProcess) -> Iterator[list[Any]]:
    """Look at the status all the time; give what was seen."""
    looks: list[Any] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            looks.append(shown(program))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield looks
    finally:
        over.set()
        watcher.join()


def test_each_client_had_the_events_that_are_counted(stage: Stage) -> None:
    """All, some, in any format: under full load, while somebody looks at it all the time."""
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(logged_in(stage, *who))
            for who in (("all",), ("phone",), ("calls",), ("all", "json"))
        ]
        with watched(stage.program) as looks:
            stage.asterisk.send(CALL + PEER, times=MANY)
            stage.asterisk.send(END)
            for each in clients:
                each.wait_for(b"Shutdown", timeout=60)
        found = shown(stage.program)
        received = [each.data.count(b"Event: ") + each.data.count(b'"Event":') for each in clients]

    by_number = sorted(found["clients"], key=lambda each: each["number"])
    assert [each["events"] for each in by_number] == [
        2 * MANY + 1,
        MANY + 1,
        MANY + 1,
        2 * MANY + 1,
    ]
    # FullyBooted is the proxy's own, and so counts as none.
    assert received == [each["events"] + own for each, own in zip(by_number, [1, 1, 0, 1])]
    assert found["servers"][0]["events"] >= 2 * MANY + 1
    assert found["servers"][0]["version"]
    counts = [each["totals"]["events_sent"] for each in looks]
    assert counts == sorted(counts)
    assert any(each["servers"][0]["events_per_second"] > 0 for each in looks)
    assert [each["user"] for each in by_number] == ["all", "phone", "calls", "all"]
    assert by_number[1]["filter"] == "channel sip/1001"
    assert by_number[3]["output"] == "json"
    assert {each["listener"] for each in by_number} == {f"127.0.0.1:{stage.program.port}"}


def test_what_clients_had_that_have_left_stays_in_the_totals(stage: Stage) -> None:
    """Else a restart of a wallboard would take it away."""
    before = shown(stage.program)["totals"]
    with logged_in(stage, "all") as one:
        stage.asterisk.send(PEER, times=100)
        one.wait_count(b"PeerStatus", 100)
    wait_until(lambda: not shown(stage.program)["clients"], what="the client's end")

    after = shown(stage.program)["totals"]

    assert after["events_sent"] - before["events_sent"] == 100
    assert after["bytes_sent"] - before["bytes_sent"] >= 100 * len(PEER)
    assert after["connections"] - before["connections"] == 1
    assert after["logins"] - before["logins"] == 1


def test_bytes_are_those_of_the_connection(stage: Stage) -> None:
    """As the kernel has counted them: what has come, and what has been given to it."""
    with stage.program.client(banner=False) as client:
        login = "Action: Login\r\nUsername: all\r\nSecret: secret\r\n\r\n"
        greeting = len(client.read_line()) + 2
        client.send_raw(login)
        answer = client.read_until("Response: Success"), client.read_until("Event: FullyBooted")
        stage.asterisk.send(PEER)
        event = client.read_until("Event: PeerStatus")

        (found,) = shown(stage.program, "show clients")

    messages = ["\r\n".join([*each, "", ""]) for each in (*answer, event)]
    assert found["bytes_received"] == len(login)
    assert found["bytes_sent"] == greeting + sum(map(len, messages))
    assert found["backlog"] == 0


@pytest.mark.parametrize(
    "command", ["show users", "show config", "show threads", "show memory", "show stats"]
)
def test_other_commands_answer(stage: Stage, command: str) -> None:
    """As text, and as JSON."""
    text = ask(f"{stage.program.dir}/control.sock", command, timeout=30)

    assert text.is_good
    assert text.text.count(b"\n") > 2
    assert shown(stage.program, command)


def test_a_page_fits_the_terminal(stage: Stage) -> None:
    """The command line says how wide that is."""
    wide = ask(f"{stage.program.dir}/control.sock", "show servers", timeout=30)
    narrow = ask(f"{stage.program.dir}/control.sock", "show servers", width=60, timeout=30)

    assert max(map(len, wide.text.splitlines())) > 100
    assert max(map(len, narrow.text.splitlines())) <= 60


def test_how_it_is_told_by_the_exit_status(proxy: StartProxy, asterisk: SimulatedAsterisk) -> None:
    """0 all is well, 1 something is wrong, 3 none runs: for monitoring and health checks."""
    program = proxy(SOCKET + PATIENT + host_line(asterisk))
    wait_connected(program)
    well = run(program, "--status")
    asterisk.stop()
    wait_until(lambda: shown(program, "show servers")[0]["state"] != "up")
    unwell = run(program, "--status")
    program.stop()
    gone = run(program, "--status", "--json")
    asterisk.start()

    assert (well.returncode, well.stderr) == (0, "")
    assert ": 1 of 1 server up, 0 clients\n" in well.stdout
    assert unwell.returncode == 1
    assert unwell.stdout.splitlines()[1].startswith(f"error: server 127.0.0.1:{asterisk.port} has")
    assert (gone.returncode, gone.stdout) == (3, "")
    assert "no proxy runs" in gone.stderr


def test_a_reload_that_failed_stays_in_sight(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """Until one succeeds."""
    program = proxy(SOCKET + PATIENT + host_line(asterisk))
    wait_connected(program)
    good = program.config_file.read_text()
    program.config_file.write_text(f"{good}maxclients = x\n")
    ask(f"{program.dir}/control.sock", "reload", timeout=30)

    (alarm,) = shown(program)["warnings"]

    assert alarm["severity"] == "error"
    assert f"the last reload failed: {program.config_file}:" in alarm["text"]
    program.config_file.write_text(good)
    ask(f"{program.dir}/control.sock", "reload", timeout=30)
    assert shown(program)["warnings"] == []
