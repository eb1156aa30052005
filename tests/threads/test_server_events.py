# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients are told of the connection to a server: once, in order, in fixed words."""

from __future__ import annotations

import errno
import socket
import time
from typing import TYPE_CHECKING, Any, Callable

import pytest

from amiproxy.settings.config import Config
from amiproxy.wire.batch import Batch, BatchKind
from tests.support import wait_until
from tests.threads.test_asterisk import BANNER, Stage, read_block, stage

if TYPE_CHECKING:
    from amiproxy.message import Message

__all__ = ["stage"]  # a fixture

HANGUP = b"Event: Hangup\r\nPrivilege: call,all\r\n\r\n"


@pytest.fixture
def told(stage: Callable[..., Stage]) -> Callable[..., Stage]:
    """Start a server whose clients are told."""

    def start(**config: Any) -> Stage:
        return stage(server_events=True, **config)

    return start


def batch(play: Stage) -> Batch:
    return play.audience.batches.get(timeout=10)


def message(play: Stage) -> Message:
    """Return the next message, which is alone in its batch."""
    (item,) = batch(play).items
    return item.message


def connected(play: Stage) -> socket.socket:
    """Log in; return the connection: what clients were told of it has been read."""
    link = play.asterisk.log_in()
    first = message(play)
    assert first.lines[:3] == (
        "Event: ProxyServerConnected",
        "Privilege: system,all",
        "Server: pbx",
    )
    assert first.lines[3:] == (f"Lost: {first.get('Lost')}", "Resumed: no")
    assert 1 <= int(first.get("Lost")) < 60
    assert message(play).get("Event") == "FullyBooted"
    return link


def reason(play: Stage) -> str:
    """Return why the server was lost, as clients are told next."""
    found = message(play)
    assert found.get("Event") == "ProxyServerLost"
    return found.get("Reason")


def test_lost_is_behind_the_last_event_and_connected_before_the_first(
    told: Callable[..., Stage],
) -> None:
    """Numbered with the events of their connection; errors come before the loss."""
    play = told()
    link = connected(play)
    epoch = play.link.epoch
    play.submit("Action: Ping")
    read_block(link)  # or it would be a reset
    link.sendall(HANGUP)
    assert message(play).get("Event") == "Hangup"
    before = time.time()

    link.close()

    assert message(play).get("Message") == "Server pbx is not connected"
    lost = batch(play)
    assert lost.kind is BatchKind.NOTICE
    assert (lost.epoch, lost.after, lost.upto) == (epoch, 3, 4)
    assert lost.names == play.link.names
    (item,) = lost.items
    assert item.message.lines == (
        "Event: ProxyServerLost",
        "Privilege: system,all",
        "Server: pbx",
        "Reason: closed the connection",
        f"LastHeard: {item.message.get('LastHeard')}",
    )
    assert before - 60 < int(item.message.get("LastHeard")) <= time.time()
    play.asterisk.log_in()
    again = batch(play)
    assert (again.epoch > epoch, again.after, again.upto) == (True, 0, 1)


def test_a_loss_is_told_once_and_tries_in_vain_are_not(told: Callable[..., Stage]) -> None:
    """How long it lasted counts from what was heard last."""
    play = told()
    link = connected(play)
    play.asterisk.refuses = 2
    play.link.record.heard -= 100

    link.close()

    assert reason(play) == "closed the connection"
    failing = play.asterisk.link()
    failing.sendall(BANNER)
    failing.close()  # before the log-in
    play.asterisk.log_in()
    assert 100 <= int(message(play).get("Lost")) < 160
    assert message(play).get("Event") == "FullyBooted"
    assert (play.link.record.losses, play.link.record.connects) == (1, 2)


def test_nobody_is_told_without_the_setting(stage: Callable[..., Stage]) -> None:
    """SIGHUP changes it."""
    play = stage()
    play.live().close()
    play.live()
    play.server.configure(Config(keepalive=0.0, server_events=True))
    play.server.reconnect("reconnect by root")

    assert reason(play) == "reconnected by the operator"
    connected(play)


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("reset", "connection reset"),
        ("half-close", "closed the connection"),
        ("rubbish", "sent what is no manager message"),
    ],
)
def test_the_reason_is_told_in_fixed_words(told: Callable[..., Stage], by: str, words: str) -> None:
    """Not in those of the log."""
    play = told(max_message=1000)
    link = connected(play)
    if by == "rubbish":
        link.sendall(b"Event: X\r\n" + b"x" * 2000)
    elif by == "half-close":
        link.shutdown(socket.SHUT_WR)  # it still reads
    else:
        link.shutdown(socket.SHUT_RD)  # a socket pair knows no reset, but EPIPE
        play.submit("Action: Ping")

    found = message(play)
    if found.get("Response"):
        found = message(play)
    assert found.get("Reason") == words


def test_a_silent_server_is_lost_after_twice_keepalive(told: Callable[..., Stage]) -> None:
    """Not after the fourfold, as it would be where a time limit ended a moment early."""
    play = told(keepalive=0.2)
    connected(play)
    began = time.monotonic()

    assert reason(play) == "no answer to a Ping for 0.2 s"

    assert 0.39 <= time.monotonic() - began < 0.59


def test_a_reload_reaches_what_the_kernel_waits_for(told: Callable[..., Stage]) -> None:
    """The connection there is takes the new limit; one that has no such limits stays as it is."""
    play = told()
    connected(play)
    transport = play.link.transport
    assert transport is not None
    with socket.create_server(("127.0.0.1", 0)) as server:
        transport.sock = socket.create_connection(server.getsockname())
        play.server.configure(Config(keepalive=7.0))
        option = transport.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        transport.sock.close()
    assert option == 7000
    play.server.configure(Config(keepalive=8.0))  # it has just been closed


def test_a_server_that_is_dropped_is_lost_and_the_stop_of_the_proxy_is_no_loss(
    told: Callable[..., Stage],
) -> None:
    """Clients are told goodbye then."""
    dropped, stopped = told(), told()
    connected(dropped)
    connected(stopped)

    dropped.server.stop("Dropped", told="dropped")
    stopped.server.stop("Shutdown")

    assert reason(dropped) == "dropped"
    for each in (dropped, stopped):
        each.server.join(10)
        assert each.audience.batches.empty()


def test_what_came_before_a_send_failed_is_published(told: Callable[..., Stage]) -> None:
    """Asterisk's last words: a client's action meets the end of the connection first."""
    play = told()
    link = connected(play)
    transport = play.link.transport
    assert transport is not None
    with play.link.lock:  # which the server's thread needs for an answer
        link.sendall(b"Response: Success\r\n\r\n")
        wait_until(lambda: play.server.busy_since)
        link.sendall(HANGUP)
        with transport.lock:
            transport.lose(BrokenPipeError(errno.EPIPE, "Broken pipe"))

    assert message(play).get("Response") == "Success"
    assert message(play).get("Event") == "Hangup"
    assert reason(play) == "connection reset"
