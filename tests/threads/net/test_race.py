# SPDX-License-Identifier: GPL-2.0-or-later
"""Several addresses of one name: the first that answers counts (RFC 8305)."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerGone
from amiproxy.threads.net.race import DELAY, MOST, Race, alternating, resolve
from tests.support import free_port
from tests.unreachable import swallowing

if TYPE_CHECKING:
    from amiproxy.threads.net.race import Place


def places(port: int, *hosts: str) -> list[Place]:
    return [place for host in hosts for place in resolve(host, port)]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def race(port: int, *hosts: str, seconds: float = 10.0) -> str:
    """Return the address that won."""
    before = descriptors()
    sock, place = Race(places(port, *hosts), seconds, lambda: True).run()
    with sock:
        assert sock.getpeername() == place.address
        assert descriptors() == before + 1  # the others are closed
    return place.ip


def failure(there: list[Place]) -> str:
    """Return why none of *there* was reached."""
    with pytest.raises(PeerGone) as failed:
        Race(there, 0.3, lambda: True).run()
    return str(failed.value)


def test_an_address_that_swallows_everything_does_not_keep_the_next_one_waiting() -> None:
    """It has a quarter of a second, not all the time there is."""
    with (
        swallowing("127.0.0.11") as port,
        swallowing("127.0.0.12", port),
        socket.create_server(("127.0.0.13", port)),
    ):
        assert race(port, "127.0.0.11", "127.0.0.12", "127.0.0.13", seconds=30.0) == "127.0.0.13"


def test_many_addresses_share_a_short_time() -> None:
    """The last one gets a share, too."""
    hosts = [f"127.0.1.{number}" for number in range(1, 11)]
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(swallowing("127.0.0.11"))
        for host in hosts:
            stack.enter_context(swallowing(host, port))
        stack.enter_context(socket.create_server(("127.0.0.13", port)))

        assert race(port, "127.0.0.11", *hosts, "127.0.0.13", seconds=1.0) == "127.0.0.13"
    assert DELAY * len(hosts) > 1.0


@pytest.mark.parametrize("routed", [True, False])
def test_after_a_failure_the_next_is_tried_at_once(
    monkeypatch: pytest.MonkeyPatch, routed: bool
) -> None:
    """Whether somebody refuses, or the kernel has no route there, as often for IPv6."""
    real = socket.socket.connect_ex

    def connect(sock: socket.socket, address: tuple[str, int]) -> int:
        unreachable = not routed and address[0].startswith("127.0.1.")
        return errno.ENETUNREACH if unreachable else real(sock, address)

    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    end = Deadline(DELAY * MOST / 2)
    with swallowing("127.0.0.11") as port, socket.create_server(("127.0.0.13", port)):
        hosts = [f"127.0.1.{number}" for number in range(1, MOST - 1)]
        there = places(port, "127.0.0.11", *hosts, "127.0.0.13")

        sock, place = Race(there, 1e6, lambda: not end.over).run()

        sock.close()
    assert place.ip == "127.0.0.13"


def test_the_favourite_wins_where_all_answer() -> None:
    """The others are not even tried."""
    with socket.create_server(("127.0.0.11", 0)) as one:
        port = one.getsockname()[1]
        with socket.create_server(("127.0.0.12", port)) as other:
            assert race(port, "127.0.0.11", "127.0.0.12") == "127.0.0.11"
            other.setblocking(False)
            with pytest.raises(BlockingIOError):
                other.accept()


def test_each_failure_is_told_with_its_address() -> None:
    """One line, however many there are."""
    with swallowing("127.0.0.11") as port:
        there = places(port, "127.0.0.11", *[f"127.0.1.{number}" for number in range(1, 10)])
        assert failure(there) == (
            "cannot connect: 127.0.1.1: Connection refused; 127.0.1.2: Connection refused;"
            " 127.0.1.3: Connection refused; 127.0.1.4: Connection refused; and 6 more"
        )


def test_the_only_address_is_not_named_twice() -> None:
    """The line of the log names the server."""
    with swallowing("127.0.0.11") as port:
        assert failure(places(free_port(), "127.0.0.1")) == "cannot connect: Connection refused"
        assert failure(places(port, "127.0.0.11")) == "cannot connect: no answer"
        assert failure([]) == "cannot connect: no address"


def test_what_nobody_wants_any_more_ends_soon() -> None:
    """A stop, or a server that is dropped; not only with the time."""
    with swallowing("127.0.0.11") as port, pytest.raises(PeerGone):
        Race(places(port, "127.0.0.11"), 1e6, lambda: False).run()


def test_nobody_is_connected_to_himself(monkeypatch: pytest.MonkeyPatch) -> None:
    """As TCP allows, where the kernel chooses the port that nobody listens on."""
    port = free_port()
    real = socket.socket.connect_ex

    def connect(sock: socket.socket, address: tuple[object, ...]) -> int:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        return real(sock, address)

    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    with pytest.raises(PeerGone, match="Connection refused"):
        Race(places(port, "127.0.0.1"), 5.0, lambda: True).run()


def test_families_take_turns() -> None:
    """The first address stays first, none comes twice, and none is left out."""
    hosts = ["::1", "::2", "::3", "127.0.0.1", "::1", "127.0.0.2"]

    found = alternating(places(5038, *hosts))

    assert [place.ip for place in found] == ["::1", "127.0.0.1", "::2", "127.0.0.2", "::3"]
