# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that no table knows: the proxy asks the server which classes they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.system.peers import BareServer, is_response, read_block, value, wait_connected
from tests.system.people import answer, closed, logged_in

if TYPE_CHECKING:
    import socket

    from tests.support import StartProxy

FILTERED = ["Response: Error", "Message: Action Filtered"]
LIMITED = "[joe]\nsecret = secret\nread = all\nwrite = reporting\n"


class Server(BareServer):
    """An Asterisk with a module that nobody here knows; keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(script=self._answer)
        self.asked: list[list[str]] = []
        self.rows = ["Frobnicate: Frobnicates.  (Priv: reporting,all)"]

    def _answer(self, sock: socket.socket) -> None:
        while True:
            block = read_block(sock)
            self.asked.append(block)
            lines = ["Response: Success", f"ActionID: {value(block, 'ActionID')}"]
            if block[0] == "Action: ListCommands":
                lines += self.rows
            sock.sendall("\r\n".join([*lines, "", ""]).encode())

    def __enter__(self) -> Server:
        super().__enter__()
        return self

    def names(self) -> list[str]:
        return [block[0].partition(": ")[2] for block in self.asked]


def test_an_action_of_an_unknown_module_needs_its_classes(proxy: StartProxy) -> None:
    """As at the server itself; what it does not list, or says is for others, is refused."""
    with Server() as server:
        server.rows.append("Configure: Changes.  (Priv: config,all)")
        program = proxy(closed(server), LIMITED)
        wait_connected(program)
        with logged_in(program, "joe") as client:
            assert answer(client, "Action: Ping")[0] == "Response: Success"
            assert server.names() == ["Ping"]
            assert answer(client, "Action: Frobnicate")[0] == "Response: Success"
            assert answer(client, "Action: Configure") == FILTERED
            assert answer(client, "Action: Nothing") == FILTERED
            assert server.names() == ["Ping", "ListCommands", "Frobnicate"]


@pytest.mark.parametrize(
    "user", ["write = all\n", "write = reporting\nchannel = sip/1\n", "write = all,command\n"]
)
def test_where_no_rights_need_it_nothing_is_asked(proxy: StartProxy, user: str) -> None:
    """Of who may do everything, and who may not send what is unknown."""
    with Server() as server:
        program = proxy(closed(server), f"[joe]\nsecret=secret\nread=all\n{user}")
        wait_connected(program)
        with logged_in(program, "joe") as client:
            answer(client, "Action: Frobnicate")
            answer(client, "Action: Ping")

        assert "ListCommands" not in server.names()


def test_the_servers_word_counts_for_what_is_known_as_well(proxy: StartProxy) -> None:
    """Of table and server the stricter one, as soon as it has been asked."""
    with Server() as server:
        server.rows.append("CoreStatus: Status.  (Priv: system,all)")
        program = proxy(closed(server), LIMITED)
        wait_connected(program)
        with logged_in(program, "joe") as client:
            assert answer(client, "Action: Frobnicate")[0] == "Response: Success"

            assert answer(client, "Action: CoreStatus") == FILTERED


def test_a_connection_that_is_made_again_is_asked_again(proxy: StartProxy) -> None:
    """Another Asterisk may be there."""
    with Server() as server:
        program = proxy(closed(server), LIMITED)
        wait_connected(program)
        with logged_in(program, "joe") as client:
            assert answer(client, "Action: Frobnicate")[0] == "Response: Success"
            server.rows.clear()
            server.wait_link().shutdown(2)
            wait_connected(program, 2)

            assert answer(client, "Action: Frobnicate") == FILTERED
            assert server.names().count("ListCommands") == 2


def test_a_server_that_does_not_answer_is_not_waited_for_long(proxy: StartProxy) -> None:
    """The action is refused, and others are served meanwhile."""
    with BareServer() as server:
        program = proxy(closed(server), LIMITED)
        wait_connected(program)
        with logged_in(program, "joe") as client, logged_in(program, "joe") as other:
            client.send("Action: Frobnicate")
            assert read_block(server.wait_link())[0] == "Action: ListCommands"
            assert answer(other, "ProxyAction: Uptime")[0] == "ProxyResponse: Success"

            assert client.read_until(is_response) == FILTERED
