# SPDX-License-Identifier: GPL-2.0-or-later
"""``pause``, ``resume`` and ``reconnect``: an Asterisk goes away, and no client gets an error."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.threads.control.client import Told, ask
from tests.support import ProxyProcess, wait_until
from tests.system.peers import PATIENT, QUICK, host_line, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.protocol import Action
    from simulator.server import SimulatedAsterisk
    from tests.system.peers import Stage

CONTROL = "controlsocket = {dir}/c.sock\n"
pytestmark = pytest.mark.stage(PATIENT + CONTROL)


def told(program: ProxyProcess, command: str) -> Told:
    """Return what the proxy says to *command*."""
    return ask(str(program.dir / "c.sock"), command, timeout=20)


def shown(program: ProxyProcess) -> dict[str, Any]:
    """Return what ``show servers`` tells of the only one."""
    told = ask(str(program.dir / "c.sock"), "show servers", as_json=True, timeout=20)
    (server,) = json.loads(told.text)
    return dict(server)


@pytest.fixture
def program(stage: Stage) -> Iterator[ProxyProcess]:
    """The proxy of *stage*, with nothing paused before and after."""
    stage.asterisk.received.clear()
    yield stage.program
    told(stage.program, "resume")
    stage.asterisk.wait_for_session()


def connections(program: ProxyProcess) -> int:
    """Return how often the proxy has connected."""
    return program.log().count(": connected (")


def test_asterisk_is_restarted_and_nobody_gets_an_error(
    program: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """Actions of the time without it are answered, in order, when it is back."""
    before = connections(program)
    with program.client() as client:
        assert told(program, f"pause {asterisk.host}").text.startswith(
            f"asterisk@{asterisk.host}:{asterisk.port}: paused\n".encode()
        )
        client.send("Action: Ping", "ActionID: 1")
        asterisk.stop()
        wait_until(lambda: "; trying again in " in program.log())
        client.send("Action: Ping", "ActionID: 2")
        wait_until(lambda: shown(program)["actions_waiting"] == 2)
        assert shown(program)["state"] == "paused"
        assert shown(program)["problem"]
        assert client.is_silent()
        done = told(program, "resume")
        assert (done.is_good, b"when it is connected" in done.text) == (True, True)
        client.send("Action: Ping", "ActionID: 3")

        asterisk.start()

        for number in "123":
            answer = client.read_until(f"ActionID: {number}")
            assert answer[0] == "Response: Success"
    wait_until(lambda: connections(program) > before)  # the log has a thread of its own
    assert connections(program) == before + 1


def test_a_pause_waits_for_what_went_before(
    program: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """When the command returns Asterisk may go."""
    may_answer = threading.Event()
    before = program.log().count(": paused by ")

    def answer(action: Action) -> bytes:
        may_answer.wait(10)
        return f"Response: Success\r\nActionID: {action.get('ActionID')}\r\n\r\n".encode()

    asterisk.answer("Slow", answer)
    with program.client() as client:
        client.send("Action: Slow", "ActionID: slow")
        asterisk.wait_for_action("Slow")
        done: list[Told] = []
        pausing = threading.Thread(target=lambda: done.append(told(program, "pause")))
        pausing.start()
        wait_until(lambda: program.log().count(": paused by ") > before)
        client.send("Action: Ping", "ActionID: later")
        assert client.is_silent()
        assert done == []

        may_answer.set()

        assert client.read_until("ActionID: slow")[0] == "Response: Success"
        pausing.join(10)
        assert done[0].is_good
        assert client.is_silent()
        assert told(program, "resume").is_good
        assert client.read_until("ActionID: later")[0] == "Response: Success"


def test_events_go_on(program: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """Only actions wait."""
    told(program, "pause")

    with program.client() as client:
        asterisk.publish(asterisk.event("Reload"))

        assert client.read_message()[0] == "Event: Reload"


@pytest.mark.parametrize("others", [(), ("reconnect", "resume", "reconnect")])
def test_a_reconnect_costs_no_client_an_answer(
    program: ProxyProcess, asterisk: SimulatedAsterisk, others: tuple[str, ...]
) -> None:
    """Actions come all the while, and go over the old connection or the new one.

    Others may want the same at the same time.
    """
    before = connections(program)
    with program.client() as client:
        over = threading.Event()
        sent: list[str] = []

        def keep_asking() -> None:
            while not over.wait(0.002):
                sent.append(f"ActionID: {len(sent)}")
                client.send("Action: Ping", sent[-1])

        asking = threading.Thread(target=keep_asking)
        asking.start()
        try:
            at_once = [threading.Thread(target=told, args=(program, each)) for each in others]
            for each in at_once:
                each.start()
            done = told(program, "reconnect")
            for each in at_once:
                each.join()
            wait_until(lambda: connections(program) > before)
            wait_until(lambda: shown(program)["state"] == "up")
        finally:
            over.set()
            asking.join()
        assert connections(program) == before + 1 or others

        assert done.text.endswith(b": connecting anew\n")
        answers = [client.read_until(text)[0] for text in sent]
        assert set(answers) == {"Response: Success"}
    assert "; connecting anew" in program.log()
    assert "is not connected" not in program.log()


def test_a_server_that_was_given_up_is_tried_again_and_cannot_be_paused(
    asterisk: SimulatedAsterisk,
) -> None:
    """As SIGHUP does."""
    wrong = host_line(asterisk, secret="wrong")
    with ProxyProcess(QUICK + CONTROL + wrong, "") as program:
        program.wait_log("; given up until SIGHUP or AddServer")

        assert b"was given up; reconnect tries it again" in told(program, "pause").text
        assert told(program, f"reconnect {asterisk.host}:{asterisk.port}").is_good

        wait_until(lambda: program.log().count("; given up until SIGHUP") == 2)
        named = f"there is no server 'nosuch'; there is: {asterisk.host}:{asterisk.port}\n"
        assert told(program, "pause nosuch") == Told(False, named.encode())


def test_what_waits_when_the_server_goes_for_good_is_told(asterisk: SimulatedAsterisk) -> None:
    """A SIGHUP has taken it out of the configuration, while it was away."""
    with ProxyProcess(QUICK + CONTROL + host_line(asterisk), "") as program:
        wait_connected(program)
        told(program, "pause")
        with program.client() as client:
            client.send("Action: Ping", "ActionID: 1")
            program.write_config(QUICK + CONTROL + "host = 127.0.0.1, 1, x, y, on, off\n")

            told(program, "reload")

            assert client.read_until("ActionID: 1")[0] == "Response: Error"
