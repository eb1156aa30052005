# SPDX-License-Identifier: GPL-2.0-or-later
"""What a review of the core found, on the running program: each once went wrong."""

from __future__ import annotations

import contextlib
import functools
import http.client
import resource
import subprocess

import pytest

from tests.system.peers import (
    PATIENT,
    BareServer,
    Collector,
    host_line,
    is_response,
    read_block,
    value,
    wait_connected,
)


def test_who_half_closes_during_a_waitevent_gets_all_answers(proxy, asterisk):
    """The end of the input ends the WaitEvent, as in Asterisk; what was sent is answered."""
    program = proxy(PATIENT + host_line(asterisk))
    wait_connected(program)
    with program.client() as client:
        client.send("Action: WaitEvent", "Timeout: 60", "ActionID: w")
        client.send("Action: Ping", "ActionID: p")
        client.half_close()

        data = client.read_to_end()

    assert data.index(b"Event: WaitEventComplete\r\nActionID: w\r\n") < data.index(b"Ping: Pong")


def test_one_waitevent_after_the_other_keeps_no_heap_of_blocks(proxy, asterisk):
    """What comes behind WaitEvents is bounded in all, not anew for each (it grew for ever)."""
    program = proxy(PATIENT + "maxblock = 5000\n" + host_line(asterisk))
    wait_connected(program)
    block = b"Action: WaitEvent\r\nTimeout: 0.2\r\n\r\n"
    with program.client() as client:
        client.send_raw(block)

        with contextlib.suppress(EOFError, ConnectionError):
            for _ in range(20):
                client.send_raw(block * 50)
                client.read_until("Event: WaitEventComplete")

    program.wait_log("bytes behind a WaitEvent (maxblock)")


@pytest.mark.parametrize("mode", ["off", "on", "unique"])
@pytest.mark.parametrize("given", ["amp3-foo", "amp3-!n5", "amp1-!l2", "amp0-!n1"])
def test_a_chained_proxy_gets_back_the_actionids_it_made(proxy, asterisk, mode, given):
    """They look like ours, and are not: in no mode are they stripped of their prefix."""
    program = proxy(PATIENT + f"autofilter = {mode}\n" + host_line(asterisk))
    wait_connected(program)
    originate = ("Action: Originate", "Channel: Local/1@x", "Application: Wait", "Data: 0")
    with program.client() as client:
        for action in (("Action: Ping",), ("Action: CoreShowChannels",), originate):
            client.send(*action, f"ActionID: {given}")

            assert value(client.read_until(is_response), "ActionID") == given
        client.send("Action: UserEvent", "UserEvent: Told", f"ActionID: {given}")
        assert value(client.read_until(is_response), "ActionID") == given
        if mode != "on":
            event = client.read_until(lambda lines: "UserEvent: Told" in lines)
            assert value(event, "ActionID") == given


def test_no_client_can_put_the_actionid_of_another_upstream(proxy, asterisk):
    """A bare CR in it hid it from the prefix of `unique`: its answer went to client 1."""
    program = proxy(PATIENT + "autofilter = unique\n" + host_line(asterisk))
    wait_connected(program)
    with program.client() as other, program.client() as client:
        client.send_raw("Action: Ping\r\nActionid: amp1-x\ry\r\n\r\n")

        assert value(client.read_until(is_response), "ActionID") == "amp1-x\ry"
        assert other.is_silent()


def test_without_descriptors_left_a_stalled_client_costs_nobody_the_server(
    proxy, asterisk, monkeypatch
):
    """What the first client that stalls needs was opened at the start; nor is it a bug."""
    few = functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, (48, 48))
    limited = functools.partial(subprocess.Popen, preexec_fn=few)
    monkeypatch.setattr("tests.support.subprocess.Popen", limited)
    program = proxy(PATIENT + host_line(asterisk))
    wait_connected(program)
    with contextlib.ExitStack() as stack:
        slow, reader = (stack.enter_context(program.client()) for _ in range(2))
        for _ in range(60):
            stack.enter_context(program.client(banner=False))
        program.wait_log("Accept returned -1")
        with Collector(reader) as fine:
            for number in range(100):
                asterisk.event("UserEvent", UserEvent="x" * 100_000, N=number)
            fine.wait_for(b"N: 99\r\n")
        slow.read_until(lambda lines: "N: 99" in lines)

        asterisk.drop_sessions()
        program.wait_log("; trying again in")
    wait_connected(program, 2)
    assert "bug in the proxy" not in program.log()


def test_a_keepalive_longer_than_the_kernel_bears_is_no_reason_not_to_connect(proxy, asterisk):
    """TCP_KEEPIDLE takes 32767 seconds at the most."""
    program = proxy(PATIENT + "keepalive = 40000\n" + host_line(asterisk))

    wait_connected(program)


def test_a_long_call_that_was_made_asynchronous_does_not_hide_a_dead_asterisk(proxy):
    """Only a synchronous Originate is a reason for an Asterisk to say nothing."""
    with BareServer() as server:
        program = proxy(PATIENT + "keepalive = 0.2\n" + host_line(server))
        wait_connected(program)
        with program.client() as client:
            client.send("Action: Originate", "Channel: Local/1@x", "Timeout: 3600000")

            assert "Response: Error" in client.read_until(is_response)
        program.wait_log("a Ping was not answered")


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.9", "9" * 5000), ("\xff\xfe", "5038"), ("nowhere.invalid", "5038")]
)
def test_a_server_that_cannot_be_added_is_a_failure_and_no_bug(proxy, host, port):
    """A name the resolver does not know how to ask for, a port of 5000 digits."""
    program = proxy(PATIENT + "maxline = 10000\n")
    with program.client() as client:
        client.send(
            *("ProxyAction: AddServer", f"Server: {host}", f"Port: {port}"),
            *("Username: u", "Secret: s", "Events: on"),
        )

        assert client.read_message()[0] == "ProxyResponse: Failure"


def test_a_late_answer_is_not_the_next_web_requests(proxy):
    """One web session, one ActionID, two questions: the first ran out of time."""

    def script(sock):
        first = value(read_block(sock), "ActionID")
        second = value(read_block(sock), "ActionID")
        for wire_id, text in ((first, "Value: Late"), (second, "Ping: Pong")):
            sock.sendall(f"Response: Success\r\nActionID: {wire_id}\r\n{text}\r\n\r\n".encode())

    with BareServer(script=script) as server:
        program = proxy(PATIENT + "inputformat = http\n" + host_line(server), "u=s\n")
        wait_connected(program)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", program.port)) as web:
            web.request("GET", "/rawman?action=login&username=u&secret=s")
            answer = web.getresponse()
            answer.read()
            headers = {"Cookie": answer.headers["Set-Cookie"].split(";")[0], "X-Maxtime": "200"}
            web.request("GET", "/rawman?action=getvar&variable=x&actionid=1", headers=headers)
            answer = web.getresponse()
            assert (answer.status, b"ActionID: 1\r\n" in answer.read()) == (504, True)
            web.request(
                "GET", "/rawman?action=ping&actionid=1", headers={**headers, "X-Maxtime": "9000"}
            )
            body = web.getresponse().read()

    assert body.startswith(b"Response: Success\r\nActionID: 1\r\nPing: Pong\r\n")
    assert b"Late" not in body
