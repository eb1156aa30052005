# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy that is reached through itself: refused, and nothing goes round."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.support import wait_until
from tests.system.order_stage import Asterisk
from tests.system.peers import BareServer, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from tests.support import ProxyProcess, StartProxy

CONFIG = "retryinterval = 0.1\nauthrequired = no\n"
#: Looks like an Asterisk, so that no proxy knows the other one as one.
HIDDEN = CONFIG + 'forcebanner = "Asterisk Call Manager/11.0.0"\n'
EVENT = b"Event: Hangup\r\nPrivilege: call,all\r\nN: %d\r\n\r\n"
REFUSED = "is reached through itself"
LEFT_OUT = "left out a message with more than 8 Server: headers"


def line_to(program: ProxyProcess, options: str = "") -> str:
    """Return the configuration line that makes a proxy connect to *program*."""
    return f"host = 127.0.0.1, {program.port}, proxy, secret, on, off{options}\n"


def reconfigure(program: ProxyProcess, config: str) -> None:
    """Have *program* read *config*."""
    program.write_config(config)
    program.send_signal(signal.SIGHUP)


def given_up(*programs: ProxyProcess) -> bool:
    """Return whether one of *programs* has given a connection up."""
    return any("given up until SIGHUP or AddServer" in each.log() for each in programs)


def test_a_proxy_refuses_itself(proxy: StartProxy) -> None:
    """Both sides say why in the log; it goes on with its Asterisk."""
    with BareServer() as server:
        program = proxy(CONFIG + host_line(server))
        wait_connected(program)

        reconfigure(program, CONFIG + host_line(server) + line_to(program))

        log = program.wait_log("given up until")
        assert log.count("itself") == 2
        with program.client() as client:
            assert "ProxyResponse: Success" in client.ask("ProxyAction: ListServers")
            server.wait_link().sendall(EVENT % 1)
            client.read_until("N: 1")


def test_addserver_of_the_proxy_itself_is_given_up(proxy: StartProxy) -> None:
    """Whoever may add servers, and by whatever name of the host."""
    program = proxy(CONFIG)
    with program.client() as client:
        client.ask(
            "ProxyAction: AddServer", "Server: localhost", f"Port: {program.port}",
            "Username: a", "Secret: b", "Events: on",
        )  # fmt: skip

        program.wait_log("given up until")


@pytest.mark.parametrize("count", [2, 3])
def test_a_ring_of_proxies_is_not_closed(proxy: StartProxy, count: int) -> None:
    """The last one is told who is behind it, over however many proxies."""
    with BareServer() as server:
        programs = [proxy(CONFIG + host_line(server))]
        wait_connected(programs[0])
        while len(programs) < count:
            programs.append(proxy(CONFIG + line_to(programs[-1])))
            wait_connected(programs[-1])

        config = CONFIG + host_line(server) + line_to(programs[-1])
        reconfigure(programs[0], config)

        assert REFUSED in programs[-1].wait_log(REFUSED)
        wait_until(lambda: given_up(programs[0]))
        with programs[-1].client() as client:
            client.ask("Action: Challenge", "AuthType: MD5")
            server.wait_link().sendall(EVENT % 1)
            client.read_until("N: 1")


@pytest.mark.parametrize("count", [1, 3])
def test_a_ring_of_proxies_that_are_known_as_such_is_not_closed(
    proxy: StartProxy, count: int
) -> None:
    """By proxy=yes, whatever they greet with."""
    config = HIDDEN
    with BareServer() as server:
        programs = [proxy(config + host_line(server))]
        wait_connected(programs[0])
        while len(programs) < count:
            programs.append(proxy(config + line_to(programs[-1], ", proxy=yes")))
            wait_connected(programs[-1])

        reconfigure(programs[0], config + host_line(server) + line_to(programs[-1], ", proxy=yes"))

        assert REFUSED in programs[-1].wait_log(REFUSED)
        wait_until(lambda: given_up(programs[0]))
        with programs[0].client() as client:
            client.ask("Action: Challenge", "AuthType: MD5")
            server.wait_link().sendall(EVENT % 1 + EVENT % 2)
            assert "N: 1" in client.read_message()
            assert "N: 2" in client.read_message()


def test_a_ring_is_cut_that_none_could_know_of_when_it_was_closed(proxy: StartProxy) -> None:
    """Two chains that are joined at both ends: each proxy says at once who is before it now.

    Nothing in the messages tells that they go round.
    """
    config = HIDDEN + "serverheader = no\n"
    with BareServer() as server:
        own = host_line(server, options="name=pbx")
        first, second, third, fourth = (proxy(config) for _ in range(4))
        reconfigure(first, config + own + line_to(second, ", name=b, proxy=yes"))
        reconfigure(third, config + line_to(fourth, ", name=d, proxy=yes"))
        wait_connected(first, 2)
        wait_connected(third)
        reconfigure(second, config + line_to(third, ", name=c, proxy=yes"))
        wait_connected(second)

        reconfigure(fourth, config + line_to(first, ", name=a, proxy=yes"))

        wait_until(lambda: any(REFUSED in each.log() for each in (first, second, third, fourth)))
        wait_until(lambda: given_up(first, second, third, fourth))
        with first.client() as client:
            client.ask("Action: Challenge", "AuthType: MD5")
            server.wait_link().sendall(EVENT % 1 + EVENT % 2)
            assert "N: 1" in client.read_until(lambda lines: lines[0] == "Event: Hangup")
            assert "N: 2" in client.read_until(lambda lines: lines[0] == "Event: Hangup")


@pytest.mark.parametrize("count", [1, 3])
def test_a_ring_that_hides_is_cut_by_what_goes_round(proxy: StartProxy, count: int) -> None:
    """After so many rounds; a bystander gets an event a few times, and the next one once."""
    with BareServer() as server:
        programs = [proxy(HIDDEN + host_line(server))]
        wait_connected(programs[0])
        while len(programs) < count:
            programs.append(proxy(HIDDEN + line_to(programs[-1])))
            wait_connected(programs[-1])
        reconfigure(programs[0], HIDDEN + host_line(server) + line_to(programs[-1]))
        wait_connected(programs[0], 2)
        with programs[0].client() as client:
            client.ask("Action: Challenge", "AuthType: MD5")
            link = server.wait_link()

            link.sendall(EVENT % 1)

            # The question of the third proxy goes to the Asterisk, which the first one has, too.
            wait_until(lambda: any(LEFT_OUT in each.log() for each in programs))
            wait_until(lambda: count == 3 or given_up(*programs))
            link.sendall(EVENT % 2)
            heard = 0
            while "N: 2" not in (message := client.read_message()):
                heard += "N: 1" in message
            assert 1 <= heard <= 9
            assert sum(line.startswith("Server:") for line in message) == 1


@pytest.mark.parametrize(
    "forged",
    [
        b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: x\r\n",
        b"Event: Newexten\r\nPrivilege: dialplan,all\r\nAppData: x\r\n",
        b"Response: Success\r\nVariable: x\r\nValue: x\r\n",
    ],
)
def test_a_client_cannot_cut_a_connection_by_headers_of_its_own(
    proxy: StartProxy, forged: bytes
) -> None:
    """A UserEvent may have any headers, and Getvar can make any message; so they may not count."""
    forged += b"Server: x\r\n" * 50
    with BareServer() as server:
        program = proxy(CONFIG + host_line(server))
        wait_connected(program)
        with program.client() as client:
            client.ask("Action: Challenge", "AuthType: MD5")

            server.wait_link().sendall(forged + b"\r\n" + EVENT % 1)

            client.read_until("N: 1")
    assert not given_up(program)


def test_an_answer_may_hold_any_lines(proxy: StartProxy) -> None:
    """What Getvar is answered with is whatever the client has put into a function."""
    with BareServer() as server:
        program = proxy(CONFIG + host_line(server))
        wait_connected(program)
        with program.client() as client:
            client.send("Action: Getvar", "Variable: URIDECODE(...)", "ActionID: 1")
            asterisk = Asterisk(server.links[-1])
            asterisk.answer(asterisk.next(), "Value: x", *["Server: x"] * 9)

            assert client.read_until(is_response).count("Server: x") == 9

            client.send("Action: Foo", "ActionID: 2")
            asterisk.answer(asterisk.next())
            assert "ActionID: 2" in client.read_until(is_response)
    assert not given_up(program)


def test_a_client_cannot_claim_to_have_our_server_behind_it(proxy: StartProxy) -> None:
    """What it is told of those before it is not what they call themselves."""
    with BareServer() as server:
        first = proxy(CONFIG + host_line(server))
        wait_connected(first)
        second = proxy(CONFIG + line_to(first))
        wait_connected(second)
        login = ("Action: Login", "Username: a", "Secret: b")
        with second.client() as client:
            known = client.ask(*login, "ProxyPath: 0123456789abcdef")[-1].partition(": ")[2].split()
        assert len(known) == 2

        add = ("ProxyAction: AddServer", "Server: 127.0.0.1", f"Port: {first.port}",
               "Username: a", "Secret: b", "Events: on")  # fmt: skip
        with second.client() as client:
            client.send("ProxyAction: DropServer", "Server: 127.0.0.1")
            client.read_until(is_response)
            client.send(*login, f"ProxyPath: {known[1]}")
            assert "Response: Success" in client.read_until(is_response)
            client.send(*add)
            assert "ProxyResponse: Success" in client.read_until(is_response)
            wait_until(lambda: second.log().count(": connected (") == 2 or given_up(second))
    assert not given_up(second)
