# SPDX-License-Identifier: GPL-2.0-or-later
"""``make demo``: two simulated Asterisks with calls, and the proxy in front of them.

Nothing is installed and no file outside a temporary directory is written.  Ctrl-C ends it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Running = subprocess.Popen[str]

ROOT = Path(__file__).resolve().parent.parent

CONFIG = """\
host = 127.0.0.1, {first}, ampuser, AmpSecret, on, off, name=pbx1
host = 127.0.0.2, {second}, ampuser, AmpSecret, on, off, name=pbx2
listenaddress = 127.0.0.1
listenport = {standard}
listen = 127.0.0.1, {http}, input=http
autofilter = unique
serverevents = yes
keepalive = 10
replay = 64MB
state = yes
proc_user = nobody
logfile = {directory}/proxy.log
controlsocket = {directory}/run/control.sock
"""

HELP = """
Open this in a browser:  http://127.0.0.1:{http}/
  and for a screen on the wall:  http://127.0.0.1:{http}/wall

Two simulated Asterisk servers (pbx1: 22 with PJSIP phones and queues, pbx2: 11 with SIP phones) make calls.  One proxy,
with one connection to each, listens for manager clients on port {standard}, and for web clients on port {http}.

In a second terminal, type one of these (each ends with Ctrl-C or by itself):

  See the events of both servers:
    nc 127.0.0.1 {standard}

  Send an action, and see only your own answer:
    printf 'Action: Ping\\r\\nActionID: me\\r\\n\\r\\n' | timeout 2 nc 127.0.0.1 {standard} | grep -B2 -A2 Pong

  The same as JSON, one message a line:
    (printf 'ProxyAction: SetOutputFormat\\r\\nOutputFormat: json\\r\\n\\r\\n'; sleep 5) | nc 127.0.0.1 {standard}

  Over HTTP, one answer for each request:
    curl 'http://127.0.0.1:{http}/?Action=CoreShowChannels'
    curl 'http://127.0.0.1:{http}/?Action=Ping&Server=pbx2&format=xml'

  The calls that there are, on a wall board.  Kill it, start it again: it misses nothing:
    {python} {root}/samples/wallboard.py 127.0.0.1:{standard}

  The calls that there are now as JSON; events as they come; figures for Prometheus:
    curl http://127.0.0.1:{http}/v1/state/calls
    timeout 5 curl -N 'http://127.0.0.1:{http}/events?event=Hangup,Queue*'
    curl http://127.0.0.1:{http}/metrics

  What goes on in the proxy:
    {python} {root}/astmanproxy.py -c {directory}/proxy.conf --status --watch

  The servers of the proxy:
    curl 'http://127.0.0.1:{http}/?ProxyAction=ListServers'

The log of the proxy: {directory}/proxy.log
Ctrl-C ends the demo.
"""

#: Puts two descriptors where a supervisor puts listening sockets (sd_listen_fds(3)).
HAND_OVER = """
import fcntl, os, sys
for at, fd in enumerate([fcntl.fcntl(int(each), fcntl.F_DUPFD, 9) for each in sys.argv[1:3]]):
    os.dup2(fd, 3 + at)
os.environ.update(LISTEN_FDS="2", LISTEN_FDNAMES="astmanproxy:astmanproxy", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, *sys.argv[3:]])
"""

#: What one of the Asterisks has besides: queues with agents, and who calls them.
CENTRE = ("--centre", "0.25")
#: The servers, as the configuration names them.
SERVERS = ("pbx1", "pbx2")
#: The ports that are asked for, by what clients there speak.
WANTED = {"standard": 1234, "http": 8088}
#: What each port is asked until all servers have answered.
QUESTIONS = {
    "standard": "Action: Ping\r\nServer: {}\r\n\r\n",
    "http": "GET /?Action=Ping&Server={} HTTP/1.0\r\n\r\n",
}
#: Seconds until everything answers.
PATIENCE = 30


def main() -> int:
    """Run the demo until it is interrupted; return the exit status."""
    # Also when the terminal is closed: nothing is left running.
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: sys.exit(0))
    print("Starting two simulated Asterisk servers and the proxy", flush=True)
    with tempfile.TemporaryDirectory(prefix="astmanproxy-demo-") as directory:
        prepare(Path(directory))
        try:
            with contextlib.ExitStack() as running:
                first = running.enter_context(asterisk("127.0.0.1", "22", "PJSIP", *CENTRE))
                second = running.enter_context(asterisk("127.0.0.2", "11", "SIP"))
                hosts = {"first": port_of(first), "second": port_of(second)}
                with contextlib.ExitStack() as doors:
                    socks = {name: doors.enter_context(door(WANTED[name])) for name in WANTED}
                    ports = {name: sock.getsockname()[1] for name, sock in socks.items()}
                    one = proxy(directory, [*socks.values()], {**hosts, **ports})
                    everything = [first, second, running.enter_context(one)]
                for name, port in ports.items():
                    for server in SERVERS:
                        question = QUESTIONS[name].format(server)
                        wait_for_answer(port, question, everything, Path(directory, "proxy.log"))
                print(
                    HELP.format(directory=directory, python=sys.executable, root=ROOT, **ports),
                    flush=True,
                )
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
                check(everything)
        except KeyboardInterrupt:
            return 0
        except RuntimeError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
    return 1


def prepare(directory: Path) -> None:
    """Have the proxy reach its files in *directory*: as root it drops privileges."""
    directory.chmod(0o755)
    run = directory / "run"
    run.mkdir()
    if os.geteuid() == 0:
        os.chown(run, pwd.getpwnam("nobody").pw_uid, -1)


def door(wanted: int) -> socket.socket:
    """Return a socket that listens at port *wanted*, or, if that is in use, at a free one."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", wanted))
        sock.listen()
    except OSError:
        sock.close()
        sock = socket.create_server(("127.0.0.1", 0))
    return sock


def asterisk(
    host: str, version: str, phones: str, *options: str
) -> contextlib.AbstractContextManager[Running]:
    """Run a simulated Asterisk with a call every few seconds, at a free port."""
    arguments = ["-m", "simulator", "--host", host, "--port", "0", "--calls", "0.3"]
    return process([*arguments, "--speak", version, "--technology", phones, *options])


def port_of(simulator: Running) -> int:
    """Return the port that *simulator* says it listens at."""
    assert simulator.stdout is not None
    said = simulator.stdout.readline()
    port = said.rpartition(":")[2].strip()
    if not port.isdecimal():
        raise RuntimeError("a simulated Asterisk did not start")
    return int(port)


def proxy(
    directory: str, socks: Sequence[socket.socket], ports: dict[str, int]
) -> contextlib.AbstractContextManager[Running]:
    """Run the proxy at both *socks*, in the foreground; *ports* are those that CONFIG names."""
    config = Path(directory, "proxy.conf")
    users = Path(directory, "users")
    write(config, CONFIG.format(directory=directory, **ports))
    write(users, "")
    fds = [sock.fileno() for sock in socks]
    handing = ["-c", HAND_OVER, *map(str, fds)]
    return process([*handing, "astmanproxy.py", "-f", "-c", str(config), "-u", str(users)], *fds)


def write(path: Path, text: str) -> None:
    """Write a file that the proxy alone may read, as it wants its files."""
    path.touch()
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, -1, pwd.getpwnam("nobody").pw_gid)
    path.write_text(text, encoding="utf-8")


def process(
    arguments: Sequence[str], *fds: int, silent: bool = False
) -> contextlib.AbstractContextManager[Running]:
    """Run Python with *arguments* and the descriptors *fds* until the block ends."""
    # A proxy has nothing to tell, and nobody would read it.
    return command([sys.executable, *arguments], *fds, silent=silent or bool(fds))


@contextlib.contextmanager
def command(arguments: Sequence[str], *fds: int, silent: bool) -> Iterator[Running]:
    """Run *arguments* with the descriptors *fds* until the block ends."""
    # A session of its own: only we get Ctrl-C, and we end the others in order.
    running = subprocess.Popen(
        arguments,
        cwd=ROOT,
        stdout=subprocess.DEVNULL if silent else subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=fds,
    )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.communicate()


def check(everything: Sequence[Running]) -> None:
    """Raise RuntimeError if one of *everything* has ended."""
    for running in everything:
        if running.poll() is not None:
            name = "the proxy" if "astmanproxy.py" in str(running.args) else "a simulated Asterisk"
            raise RuntimeError(f"{name} has ended with status {running.returncode}")


def wait_for_answer(port: int, question: str, everything: Sequence[Running], log: Path) -> None:
    """Ask *question* at *port* until a server has answered, or raise RuntimeError with the *log*."""
    until = time.monotonic() + PATIENCE
    while not answers(port, question):
        check(everything)
        if time.monotonic() > until:
            lines = log.read_text("utf-8", "replace").splitlines()[-10:]
            raise RuntimeError("\n".join([f"no answer after {PATIENCE} s; the log says:", *lines]))
        time.sleep(0.05)


def answers(port: int, question: str) -> bool:
    """Return whether a server answers *question*, a Ping."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as client:
        client.sendall(question.encode())
        answer = b""
        while b"Pong" not in answer:
            more = client.recv(65536)
            if not more or b"Error" in answer:
                return False
            answer += more
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
