# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything works within what the unit permits, and nothing else is permitted."""

from __future__ import annotations

import json
import resource

import pytest

from tests.service.installed import SOURCE
from tests.service.service import PROGRAM, PYTHON, USERS, Service
from tests.support import wait_until

pytestmark = pytest.mark.service

#: Run as the service: what the program does in ways that a sandbox may forbid.
_NEEDED = """
import bcrypt, ctypes, os, resource, socket, ssl, sys, threading
from amiproxy.threads.net import shortsend
one, other = socket.socketpair()
assert shortsend.libc_send(one.fileno(), b"x", 1, shortsend.FLAGS) == 1
assert bcrypt.checkpw(b"s", bcrypt.hashpw(b"s", bcrypt.gensalt(4)))
ssl.create_default_context()
# As much as the unit says, or as the machine may give.
assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] == min(65536, int(sys.argv[1]))
assert resource.getrlimit(resource.RLIMIT_NPROC)[1] == int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
assert socket.getaddrinfo("localhost", 1, type=socket.SOCK_STREAM)
open("/var/log/astmanproxy/needed", "w").close(); os.unlink("/var/log/astmanproxy/needed")
open("/run/astmanproxy/needed", "w").close(); os.unlink("/run/astmanproxy/needed")
open("/proc/self/comm", "w").write("needed")
from amiproxy.threads.net.holders import sockets
listening = socket.create_server(("127.0.0.1", 0))
assert sockets()
threads = [threading.Thread(target=int) for _ in range(200)]
for each in threads: each.start()
for each in threads: each.join()
"""

#: Run as the service: what it must not be able to do.
_FORBIDDEN = """
import ctypes, mmap, os, socket
def refused(what, *errors):
    try:
        what()
    except errors or OSError as error:
        return
    raise SystemExit(f"not refused: {what.__name__}")
def becomes_root(): os.setuid(0)
def changes_etc(): open("/etc/passwd", "a")
def changes_usr(): open("/usr/local/sbin/x", "w")
def changes_asterisk(): open("/etc/asterisk/astmanproxy.conf", "a")
def reads_homes(): os.listdir("/root")
def executable_memory(): mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
def raw_socket(): socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
def packet_socket(): socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
def netlink(): socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)
def low_port(): socket.create_server(("127.0.0.1", 80))
def other_processes(): open("/proc/1/cmdline")
def kernel_settings(): open("/proc/sys/kernel/hostname", "w")
def namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
        raise OSError
def set_user_id_bit():
    with open("/var/log/astmanproxy/forbidden", "w"):
        pass
    try:
        os.chmod("/var/log/astmanproxy/forbidden", 0o4755)
    finally:
        os.unlink("/var/log/astmanproxy/forbidden")
for what in (becomes_root, changes_etc, changes_usr, changes_asterisk, reads_homes, executable_memory,
             raw_socket, packet_socket, netlink, low_port, other_processes, kernel_settings, namespace,
             set_user_id_bit):
    refused(what)
"""


@pytest.mark.parametrize("script", [_NEEDED, _FORBIDDEN], ids=["needed", "forbidden"])
def test_the_sandbox(service: Service, script: str) -> None:
    """Run in it, before the program is started."""
    service.machine("tee", "/run/check.py", input=script)
    files, processes = (
        resource.getrlimit(which)[1] for which in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC)
    )
    service.edit(f"ExecStartPre={PYTHON} -I /run/check.py {files} {processes}")

    done = service("start", check=False)

    assert done.returncode == 0, service.machine.journal()


def test_patterns_are_searched_for_by_re2(service: Service) -> None:
    """Where there is a wheel of it."""
    if "google_re2" not in " ".join(p.name for p in service.machine.path("/opt/wheels").iterdir()):
        pytest.skip("google-re2 has no wheel for this Python")
    service("start")

    assert "Response: Success" in service.ask(
        "Action: Filter", "Operation: Add", "Filter: Channel: (SIP|PJSIP)/1[0-9]+"
    )


_ALL = """
host = 127.0.0.1, 5038, ampuser, "AmpSecret", on, off
acceptencryptedconnection = yes
certfile = /etc/asterisk/proxy.pem
authrequired = yes
handlerdir = /opt/handlers
controlsocket = /run/astmanproxy/own.sock
"""
_HANDLER = "def write(message):\n    return b'OWN ' + message.raw\n"
_TLS_CLIENT = """
import socket, ssl
context = ssl.create_default_context(cafile="/etc/asterisk/proxy.pem")
sock = context.wrap_socket(
    socket.create_connection(("127.0.0.1", 1234), 20), server_hostname="localhost"
)
file = sock.makefile("rwb")
print(file.readline().decode().strip())
def ask(*lines):
    file.write("".join(f"{line}\\r\\n" for line in lines).encode() + b"\\r\\n")
    file.flush()
    while True:
        found = []
        while (line := file.readline().strip()):
            found.append(line.decode())
        if "Event: " not in found[0]:
            return found
print(ask("Action: Login", "Username: joe", "Secret: TopSecret")[0])
print(ask("Action: Ping")[0])
print("OutputHandler: own" in ask("ProxyAction: ListIOHandlers"))
"""
_TLS_SAYS = ["Asterisk Call Manager/11.0.0", "Response: Success", "Response: Success", "True"]
_PREPARE = f"""
make -s -C {SOURCE} cert CERT=/etc/asterisk/proxy.pem NAME=localhost PYTHON=python3
chgrp astmanproxy /etc/asterisk/proxy.pem
chmod 0640 /etc/asterisk/proxy.pem
mkdir -p /opt/handlers
"""


def test_all_that_may_be_configured_works(service: Service) -> None:
    """TLS, hashed secrets, a handler of one's own, a control socket elsewhere, and Asterisk.

    After a reload, too.
    """
    machine = service.machine
    machine.sh(_PREPARE)
    machine("tee", "/opt/handlers/own.py", input=_HANDLER)
    hashed = machine(PROGRAM, "--hash-secret", input="TopSecret\n").stdout.strip()
    machine("tee", "-a", USERS, input=f"joe={hashed}\n")
    service.configure(_ALL)
    with machine.running("env", f"PYTHONPATH={SOURCE}", "python3", "-m", "simulator"):
        service("start")
        wait_until(lambda: "1 of 1 servers" in service.status_text, 20, service.log())
        assert machine("python3", "-c", _TLS_CLIENT).stdout.splitlines() == _TLS_SAYS

        service("reload")

        assert machine("python3", "-c", _TLS_CLIENT).stdout.splitlines() == _TLS_SAYS
    assert "version" in machine(PROGRAM, "--control", "help").stdout


def test_the_log_may_be_the_journal(service: Service) -> None:
    """With levels, and the log file is not made."""
    service.configure("logfile = journal")

    service("start")

    run = service.machine.show("astmanproxy.service", "InvocationID")
    journal = ["journalctl", f"_SYSTEMD_INVOCATION_ID={run}", "-o", "json", "--no-pager"]
    lines = wait_until(lambda: service.machine(*journal).stdout, 20)
    (line,) = [json.loads(each) for each in lines.splitlines() if "Proxy Started" in each]
    assert (line["PRIORITY"], line["_SYSTEMD_UNIT"]) == ("6", "astmanproxy.service")
    assert service.log() == ""
