# SPDX-License-Identifier: GPL-2.0-or-later
"""``astmanproxy --status`` of the service says what is so, under load."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.service.installed import SOURCE

if TYPE_CHECKING:
    from tests.service.service import Service

pytestmark = pytest.mark.service

CLIENTS = 20
RATE = 500
SECONDS = 10

#: An Asterisk that has 500 events a second, 20 clients, and an administrator who looks at the
#: status all the time; prints what each of them has seen, and the status after all that.
_LOAD = """
import json, socket, subprocess, sys, threading, time
from simulator.server import SimulatedAsterisk

clients, rate, seconds = map(int, sys.argv[1:])
EVENT = b"Event: PeerStatus\\r\\nPrivilege: system,all\\r\\nPeer: " + b"x" * 300 + b"\\r\\n\\r\\n"
END = b"Event: UserEvent\\r\\nPrivilege: user,all\\r\\nUserEvent: End\\r\\n\\r\\n"
events = {}

def status():
    done = subprocess.run(["astmanproxy", "--status", "--json"], capture_output=True)
    return {"rc": done.returncode, **json.loads(done.stdout)}

def read(sock):
    data = b""
    while b"UserEvent: End" not in data:
        data += sock.recv(65536)
    events[sock.getsockname()[1]] = data.count(b"Event: PeerStatus") + data.count(b"UserEvent: End")

with SimulatedAsterisk(port=5038) as asterisk:
    asterisk.wait_for_session(timeout=30)
    while status()["rc"]:
        pass
    socks = [socket.create_connection(("127.0.0.1", 1234), 30) for _ in range(clients)]
    for sock in socks:
        sock.sendall(b"Action: Ping\\r\\n\\r\\n")
        assert b"Response: Success" in sock.recv(65536) + sock.recv(65536)
    readers = [threading.Thread(target=read, args=(sock,)) for sock in socks]
    for reader in readers:
        reader.start()
    looks, over = [], threading.Event()

    def watch():
        while not over.is_set():
            looks.append(status())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.monotonic()
    for number in range(0, rate * seconds, 10):
        asterisk.send(EVENT, times=10)
        time.sleep(max(0.0, start + number / rate - time.monotonic()))
    over.set()
    watcher.join()
    asterisk.send(END)
    for reader in readers:
        reader.join()
    print(json.dumps({"events": events, "looks": looks, "after": status()}))
"""


def test_it_is_right_under_load(service: Service) -> None:
    """Events of each client, rates, and what is wrong: nothing."""
    service.configure('host = 127.0.0.1, 5038, ampuser, "AmpSecret", on, off')
    service("start")

    seen: dict[str, Any] = json.loads(
        service.machine(
            "env",
            f"PYTHONPATH={SOURCE}",
            "python3",
            "-c",
            _LOAD,
            *map(str, (CLIENTS, RATE, SECONDS)),
        ).stdout
    )

    had = {each["address"].rpartition(":")[2]: each["events"] for each in seen["after"]["clients"]}
    assert seen["events"] == dict.fromkeys(had, RATE * SECONDS + 1)
    assert had == seen["events"]
    assert seen["after"]["totals"]["events_sent"] == CLIENTS * (RATE * SECONDS + 1)
    looks = seen["looks"]
    assert {look["rc"] for look in looks} == {0}
    assert {len(look["clients"]) for look in looks} == {CLIENTS}
    counts = [look["servers"][0]["events"] for look in looks]
    assert counts == sorted(counts)
    # Neither what came all at once nor nothing, in the middle of it.
    assert any(RATE / 3 < look["servers"][0]["events_per_second"] < RATE * 3 for look in looks)
