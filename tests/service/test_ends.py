# SPDX-License-Identifier: GPL-2.0-or-later
"""How the service ends, or goes on: watchdog, long stops, boots, sockets of systemd's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.machine import Machine
from tests.service.service import CONF, PROGRAM, Service, ask_in_both_ways
from tests.support import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.trees import Tree

pytestmark = pytest.mark.service

UNIT = "astmanproxy.service"
_STUCK = """
import time
def write(message):
    time.sleep(1000)
"""


def test_it_is_started_again_when_a_thread_that_all_need_hangs(service: Service) -> None:
    """In an I/O handler of one's own, which runs in the thread of an Asterisk."""
    machine = service.machine
    machine.sh("mkdir -p /opt/stuck")
    machine("tee", "/opt/stuck/stuck.py", input=_STUCK)
    service.configure(
        'host = 127.0.0.1, 5038, ampuser, "AmpSecret", on, off\nhandlerdir = /opt/stuck\noutputformat = stuck'
    )
    service.edit("WatchdogSec=8")
    with machine.running(
        "env", "PYTHONPATH=/usr/src/astmanproxy", "python3", "-m", "simulator", "--calls", "20"
    ):
        service("start")
        first = service.pid
        with machine.running("python3", "-c", _CLIENT):
            wait_until(lambda: service.pid not in (0, first), 60, "a new process")

    assert "Watchdog timeout" in machine.journal()
    assert "hangs for" in service.log()


_CLIENT = """
import socket, time
sock = socket.create_connection(("127.0.0.1", 1234))
print("connected", flush=True)
time.sleep(1000)
"""


def test_a_stop_may_take_longer_than_the_unit_says(service: Service) -> None:
    """The program asks for the time that drainseconds takes."""
    service.configure("drainseconds = 12")
    service.edit("TimeoutStopSec=1")
    service("start")

    service("stop")

    assert service.machine.show(UNIT, "Result") == "success"
    assert "Proxy stopped" in service.log()


def test_a_hangup_is_a_reload_for_systemd_too(service: Service) -> None:
    """Sent by an old script, say; afterwards it is active."""
    service("start")
    service.machine.sh(f"kill -HUP {service.pid}")

    service.wait_log("Received HUP")
    wait_until(lambda: service.state == "active", 20)


def test_a_reload_needs_no_control_socket(service: Service) -> None:
    """Where it is turned off, the log tells what came of it."""
    service.configure("controlsocket = no")
    service("start")

    service("reload")

    service.wait_log("Received HUP")


def test_options_are_in_the_file_that_the_system_v_script_reads(service: Service) -> None:
    service.machine.sh(
        f"cp -p {CONF} /etc/asterisk/other.conf; echo 'listenport = 1235' >> /etc/asterisk/other.conf"
    )
    service.machine(
        "tee", "/etc/default/astmanproxy", input='OPTIONS="-c /etc/asterisk/other.conf"\n'
    )
    try:
        service("start")
        assert "Asterisk Call Manager" in service.ask(port=1235)
        service("reload")
    finally:
        service.machine.sh("rm /etc/default/astmanproxy")


def test_a_copy_of_the_unit_is_a_second_proxy(service: Service) -> None:
    """With options, pid file and control socket of its own; the first one is not touched."""
    machine = service.machine
    machine.sh(_SECOND)
    service("start")
    machine("systemctl", "start", "astmanproxy-lab")
    try:
        assert "Asterisk Call Manager" in service.ask(port=1236)
        machine("systemctl", "reload", "astmanproxy-lab")
        told = machine(PROGRAM, "-c", "/etc/asterisk/lab.conf", "--control", "version").stdout
        assert f"pid {machine.show('astmanproxy-lab.service', 'MainPID')}," in told
    finally:
        machine("systemctl", "stop", "astmanproxy-lab")
    assert service.state == "active"
    ask_in_both_ways(machine)


_SECOND = """
cp -p /etc/asterisk/astmanproxy.conf /etc/asterisk/lab.conf
cat >> /etc/asterisk/lab.conf << END
listenport = 1236
pidfile = /run/astmanproxy-lab/astmanproxy-lab.pid
logfile = /var/log/astmanproxy/lab.log
END
cd /usr/local/lib/systemd/system
cp astmanproxy.service astmanproxy-lab.service
echo 'OPTIONS="-c /etc/asterisk/lab.conf"' > /etc/default/astmanproxy-lab
systemctl daemon-reload
"""


def test_the_snippets_make_user_and_directory(service: Service) -> None:
    """And leave a directory that is there to whom it belongs."""
    machine = service.machine
    machine.sh("mkdir -p /tmp/root/etc; rm -rf /var/log/astmanproxy")
    machine.sh(
        "systemd-sysusers --root=/tmp/root - < /usr/local/lib/sysusers.d/astmanproxy.conf"
        " && grep -q ^astmanproxy: /tmp/root/etc/passwd /tmp/root/etc/group"
    )
    make = "systemd-tmpfiles --create astmanproxy.conf; stat -c '%U:%G %a' /var/log/astmanproxy"

    assert machine.sh(make) == "astmanproxy:astmanproxy 750\n"

    machine.sh("chown daemon /var/log/astmanproxy; chmod 0700 /var/log/astmanproxy")
    assert machine.sh(make) == "daemon:astmanproxy 700\n"


def test_another_user_may_be_named_in_a_drop_in(service: Service) -> None:
    """As for a configuration of the C program's; directories and old logs are made over to it."""
    service("start")
    service("stop")
    service.machine.sh("useradd -r pbx 2>/dev/null || true; chgrp pbx /etc/asterisk/astmanproxy.*")
    service.edit("User=pbx\nGroup=pbx")
    try:
        service("start")

        assert service.machine.sh(f"ps -o user= -p {service.pid}").strip() == "pbx"
        assert "pbx" in service.machine.sh("stat -c %U /var/log/astmanproxy/astmanproxy.log")
        service("reload")
    finally:
        service.machine.sh("chgrp astmanproxy /etc/asterisk/astmanproxy.*")


def test_who_comes_while_it_is_restarted_waits(service: Service) -> None:
    """With astmanproxy.socket; nobody is refused."""
    machine = service.machine
    machine("systemctl", "start", "astmanproxy.socket")
    service("start")

    with machine.running("python3", "-c", _KNOCKING) as client:
        for _ in range(3):
            service("restart")
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.close()
        told = client.stdout.read().split()

    assert set(told) == {"served"}


def test_a_restart_in_place_is_no_end_for_systemd(service: Service) -> None:
    """The process stays, is active, and nobody is refused: without any socket unit."""
    machine = service.machine
    service("start")
    pid = service.pid

    with machine.running("python3", "-c", _KNOCKING) as client:
        for _ in range(3):
            machine(PROGRAM, "--control", "restart")
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.close()
        told = client.stdout.read().split()

    assert set(told) == {"served"}
    assert (service.pid, service.state) == (pid, "active")
    assert machine.show(UNIT, "NRestarts") == "0"
    service("reload")


#: Connects again and again until its input ends; says whether it was served.
_KNOCKING = """
import select, socket, sys
print("begun", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    try:
        with socket.create_connection(("127.0.0.1", 1234), 20) as sock:
            told = sock.recv(100)
    except ConnectionRefusedError:
        print("refused", flush=True)
    else:
        print("served" if b"Asterisk Call Manager" in told else "cut", flush=True)
"""


def test_a_service_that_cannot_start_does_not_spin_behind_its_socket(service: Service) -> None:
    """Systemd gives up, and clients are refused, when it has tried a few times."""
    machine = service.machine
    service.configure("listenport = x")
    machine("systemctl", "start", "astmanproxy.socket")

    machine("python3", "-c", _CLIENT.replace("time.sleep(1000)", ""))

    wait_until(lambda: machine.show("astmanproxy.socket", "ActiveState") == "failed", 60)
    assert machine.show(UNIT, "Result") in ("exit-code", "start-limit-hit")


def test_an_enabled_service_starts_at_boot(tree: Tree, layer: Path, tmp_path: Path) -> None:
    """And is stopped in order when the machine goes down."""
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants / UNIT).symlink_to("/usr/local/lib/systemd/system/astmanproxy.service")

    with Machine(tree, layer, tmp_path) as machine:
        assert machine.show(UNIT, "ActiveState") == "active"
        assert "Asterisk Call Manager" in Service(machine).ask()


@pytest.mark.parametrize("more", ["", "pidfile = /run/asterisk/astmanproxy.pid"])
def test_the_proxy_is_asked_without_options(service: Service, more: str) -> None:
    """By root, and by the user that it runs as; also if the configuration has a pid file."""
    service.configure(more)
    service("start")

    ask_in_both_ways(service.machine)
