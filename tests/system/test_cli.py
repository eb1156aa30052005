# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: switches, what is printed, exit status, and mistakes at start."""

from __future__ import annotations

import os
import pty
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import bcrypt
import pytest

from amiproxy import __version__
from amiproxy.process.options import parse_options
from tests.certificates import self_signed
from tests.conftest import needs_root
from tests.support import PROGRAM, ManagerClient, ProxyProcess, free_port, wait_until

USERS = "joe=Secret1,sip/1002,internal\n"


def run(*arguments: str, stdin: str = "", cwd: str | None = None) -> subprocess.CompletedProcess:
    """Run the program to its end."""
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=cwd,
    )


@pytest.fixture
def files():
    """Write configuration and users; return the switches that name them."""
    # Not tmp_path: user nobody has to get there.
    tmp_path = Path(tempfile.mkdtemp(prefix="astmanproxy-cli-"))
    tmp_path.chmod(0o755)
    log = tmp_path / "proxy.log"

    def write(config: str = "", users: str | None = "") -> list[str]:
        conf = tmp_path / "amp.conf"
        base = f"proc_user = nobody\nlistenaddress = 127.0.0.1\nlogfile = {log}\n"
        conf.write_bytes((base + f"listenport = {free_port()}\n" + config).encode("latin-1"))
        if users is not None:
            (tmp_path / "amp.users").write_text(users)
        return ["-c", str(conf), "-u", str(tmp_path / "amp.users")]

    write.dir = tmp_path
    write.pidfile = tmp_path / "astmanproxy" / "own.pid"
    yield write
    shutil.rmtree(tmp_path)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate as `make cert` makes it."""
    return self_signed("pbx.example").write(tmp_path_factory.mktemp("cert") / "proxy.pem")


@pytest.mark.parametrize("switch", ["-v", "--version", "-dfv"])
def test_version(switch):
    """One line as the C program printed it, exit status 0."""
    done = run(switch)

    assert done.returncode == 0
    assert done.stdout.startswith(f"astmanproxy: Version {__version__}, (C) ")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.parametrize("switch", ["-h", "--help"])
def test_help(switch):
    """Usage on stdout, exit status 0; every switch is in it."""
    done = run(switch)

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: astmanproxy ")
    for option in ("-d", "-f", "-g", "-c", "-u", "-p", "-t", "-v", "-h", "--hash-secret"):
        assert f" {option}" in done.stdout


@pytest.mark.parametrize("switches", [["-x"], ["--nosuch"], ["-c"], ["-fx"], ["surplus"]])
def test_an_unknown_option_is_told_with_the_usage(switches):
    """The complaint on stderr, the usage on stdout, exit status 1."""
    done = run(*switches)

    assert done.returncode == 1
    assert done.stderr.startswith("astmanproxy: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith("Usage: ")


def test_switches_combine_as_getopt_has_it(tmp_path, monkeypatch):
    """Short ones in a row, long ones shortened, relative paths from here."""
    monkeypatch.chdir(tmp_path)

    options = parse_options(["-ddfgcamp.conf", "--users=/u", "--pid", "p"])

    assert (options.debug, options.foreground, options.core) == (2, True, True)
    assert options.config == str(tmp_path / "amp.conf")
    assert (options.users, options.users_given) == ("/u", True)
    assert options.pidfile == str(tmp_path / "p")
    assert options.command == "run"
    assert parse_options(["-d"]).foreground


def test_hash_secret_prints_a_bcrypt_hash():
    """Which fits the secret that was typed."""
    done = run("--hash-secret", stdin="S\u00e9cret!\n")

    assert done.returncode == 0
    assert bcrypt.checkpw("S\u00e9cret!".encode(), done.stdout.strip().encode())
    # Cheap enough for web requests, each of which logs in.
    assert done.stdout.startswith("$2b$10$")


def test_hash_secret_asks_a_terminal_twice_and_without_echo():
    """So that nobody reads over a shoulder."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, str(PROGRAM), "--hash-secret"])
    output = b""
    try:
        for _ in range(2):
            asked = output.count(b": ")
            while output.count(b": ") == asked:
                output += os.read(terminal, 1000)
            os.write(terminal, b"Typed1\n")
        while b"$2" not in output or not output.endswith(b"\n"):
            output += os.read(terminal, 1000)
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)

    assert b"Typed1" not in output
    assert bcrypt.checkpw(b"Typed1", output.split()[-1])


@pytest.mark.parametrize("secret", ["", "\n", "x" * 73])
def test_hash_secret_refuses_what_bcrypt_would_cut(secret):
    """Exit status 1."""
    done = run("--hash-secret", stdin=secret)

    assert done.returncode == 1
    assert done.stdout == ""


def test_check_of_good_files_tells_what_users_may_do(files):
    """Exit status 0, and each user in words, without secret."""
    done = run("-t", *files("", USERS))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "joe" in done.stdout
    assert "sip/1002" in done.stdout
    assert "Secret1" not in done.stdout + done.stderr


def test_check_names_every_problem_of_every_file(files):
    """As FILE:LINE: what is wrong, one does not hide another; nothing is started."""
    switches = files(
        "listenport = x\nhost = a,b\nnosuch = 1\ncertfile = /dev/null\nclientcafile = /dev/null\n"
        "inputformat = nosuch\noutputformat = nosuch\nhandlerdir = /nonexistent\n",
        "=x\n",
    )

    done = run("-t", *switches)

    assert done.returncode == 1
    places = sorted(line.split(": ")[0] for line in done.stdout.splitlines())
    conf, users = switches[1], switches[3]
    assert places == sorted([*(f"{conf}:{line}" for line in range(5, 13)), f"{users}:1"])
    assert not (files.dir / "proxy.log").exists()


@needs_root
def test_check_names_user_and_group(files):
    """Both, where both will not do."""
    done = run("-t", *files("proc_user = root\nproc_group = nosuch\n"))

    lines = done.stdout.splitlines()
    assert ["root user" in lines[0], "no group" in lines[1]] == [True, True]


def test_check_looks_at_the_certificate(files, certificate):
    """One it can use, and one that is none."""
    good = run("-t", *files(f"acceptencryptedconnection = yes\ncertfile = {certificate}\n"))
    bad = run("-t", *files("acceptencryptedconnection = yes\ncertfile = /dev/null\n"))

    assert good.returncode == 0, good.stdout
    assert bad.returncode == 1
    assert f"{files.dir}/amp.conf:6: certfile /dev/null: " in bad.stdout


def split_pem(certificate) -> tuple[str, str]:
    text = certificate.read_text()
    start = text.index("-----BEGIN PRIVATE KEY")
    return text[start:], text[:start]


def test_an_unusable_certificate_stops_the_start(files, certificate):
    """With the reason: missing, no key, no certificate, garbage (C went on without TLS)."""
    key, cert = split_pem(certificate)
    path = files.dir / "cert.pem"
    switches = files(f"certfile = {path}\n")
    for content, reason in (
        (None, "No such file or directory"),
        (cert, "no private key"),
        (key, "no certificate"),
        (key + cert.replace("M", "N"), "cannot be used"),
    ):
        if content is not None:
            path.write_text(content)

        done = run("-f", *switches)

        assert done.returncode == 1
        assert done.stderr.startswith(f"{switches[1]}:5: certfile {path}: ")
        assert reason in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("mode", [[], ["-f"], ["-d"]])
@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("listenport = x\n", "amp.conf:5: listenport: "),
        ("host = 10.1.2.3,5038,Joe,TopSecret\n", "amp.conf:5: host: server spec incomplete"),
        ("logfile = /nonexistent/x.log\n", "amp.conf:5: Unable to open logfile: /nonexistent/x.log!"),
        ("inputformat = nosuch\n", "amp.conf:5: inputformat: there is no input handler 'nosuch'"),
        ("outputformat = http\n", "amp.conf:5: outputformat: there is no output handler 'http'"),
        ("handlerdir = /nonexistent\n", "amp.conf:5: handlerdir: /nonexistent is no directory"),
        ("listenaddress = 192.0.2.1\n", "amp.conf:5: Cannot bind to listener socket! 192.0.2.1 port "),
        ("pidfile = /nonexistent/a/b.pid\n", "Cannot write pid file /nonexistent/a/b.pid: "),
    ],
)  # fmt: skip
def test_a_start_that_fails_says_so_in_one_line(files, mode, config, complaint):
    """On stderr, with exit status 1, before it detaches."""
    done = run(*mode, "-p", str(files.pidfile), *files(config)) \
        if "pidfile" not in config else run(*mode, *files(config))  # fmt: skip

    assert done.returncode == 1
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert "TopSecret" not in done.stderr
    assert not files.pidfile.exists()


@pytest.mark.parametrize("mode", [[], ["-f"]])
def test_a_missing_file_stops_the_start(files, mode):
    """In the words of the C program; as a daemon too, where it exited with 0."""
    no_config = run(*mode, "-c", str(files.dir / "none.conf"), "-u", "/dev/null")
    no_users = run(*mode, "-p", str(files.pidfile), *files("", None))

    assert (no_config.returncode, no_users.returncode) == (1, 1)
    assert no_config.stderr == f"Unable to open config file: {files.dir}/none.conf!\n"
    assert no_users.stderr == f"Unable to open permissions file: {files.dir}/amp.users!\n"


@pytest.mark.parametrize("mode", [[], ["-f"]])
def test_a_taken_port_stops_the_start(files, mode):
    """Before anything went to Asterisk."""
    with socket.create_server(("127.0.0.1", 0)) as asterisk, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        config = f"listenport = {port}\n"
        config += f"host = 127.0.0.1, {asterisk.getsockname()[1]}, u, s, on\n"

        done = run(*mode, "-p", str(files.pidfile), *files(config))

        assert done.returncode == 1
        assert f"Cannot bind to listener socket! 127.0.0.1 port {port}: " in done.stderr
        asterisk.settimeout(0.1)
        with pytest.raises(socket.timeout):
            asterisk.accept()


@needs_root
@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("proc_user = nosuchuser\n", "amp.conf:5: getpwnam(nosuchuser) failed"),
        ("proc_user = root\n", "amp.conf:5: getpwnam(root) returned root user; aborting!"),
        ("proc_user = \n", "amp.conf:5: proc_user is not set"),
        ("proc_group = nosuchgroup\n", "amp.conf:5: getgrnam(nosuchgroup) failed"),
    ],
)
def test_a_user_that_will_not_do_stops_the_start(files, config, complaint):
    """Root above all."""
    for mode in ([], ["-f"], ["-t"]):
        done = run(*mode, *files(config))

        assert done.returncode == 1
        assert complaint in done.stderr + done.stdout


@needs_root
def test_a_pid_directory_the_user_may_not_write_in_stops_the_start(files):
    """He has to remove the file in the end."""
    done = run("-p", str(files.dir / "own.pid"), *files(""))

    assert done.returncode == 1
    assert "user nobody may not write in" in done.stderr


def test_without_users_file_it_starts_where_nobody_has_to_log_in(files):
    """Unless the file was named; and with authrequired it has to be there."""
    from amiproxy.errors import ConfigError
    from amiproxy.process.options import Options
    from amiproxy.settings.config import Config
    from amiproxy.settings.files import find_users

    missing = str(files.dir / "none")
    users, [warning] = find_users(Options(users=missing), Config())

    assert len(users) == 0
    assert warning.startswith(f"Unable to open permissions file: {missing}!")
    with pytest.raises(ConfigError):
        find_users(Options(users=missing, users_given=True), Config())
    with pytest.raises(ConfigError):
        find_users(Options(users=missing), Config(auth_required=True))


def test_warnings_do_not_stop_the_start(proxy):
    """An unknown key is told on stderr and in the log."""
    started = proxy("proc_user = nobody\nnosuch = 1\n")

    assert "astmanproxy.conf:5: unknown key nosuch, ignored" in started.stderr()
    started.wait_log("unknown key nosuch, ignored")


def test_debug_prints_to_stdout_and_stays_in_the_foreground(proxy):
    """Without any secret."""
    started = proxy("proc_user = nobody\n", "joe=TopSecret\n", args=["-dd"])
    with started.client() as client:
        client.ask("Action: Login", "Username: joe", "Secret: TopSecret")
    assert started.stop() == 0

    assert "Proxy Started: Listening for connections" in started.stdout()
    assert "TopSecret" not in started.stdout() + started.log()


def serving(process: ProxyProcess) -> int:
    """Return the pid of *process* once it serves; it listens before it sets its limits."""
    wait_until(lambda: "Proxy Started" in process.log())
    return process.pid


def limits(pid: int, name: str) -> list[str]:
    """Return soft and hard limit of a process."""
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith(name):
            return line[len(name) :].split()[:2]
    raise AssertionError(name)


def test_core_dumps_are_off_unless_asked_for(proxy):
    """A core holds every secret."""
    own = limits(os.getpid(), "Max core file size")
    plain = serving(proxy("proc_user = nobody\n", args=["-f"]))
    asked = serving(proxy("proc_user = nobody\n", args=["-fg"]))

    assert limits(plain, "Max core file size") == ["0", "0"]
    assert limits(asked, "Max core file size") == [own[1], own[1]]


def test_as_many_files_as_the_system_allows(proxy):
    """Each client needs one."""
    soft, hard = limits(serving(proxy("proc_user = nobody\n")), "Max open files")

    assert soft == hard


@pytest.mark.parametrize("address", ["*", "::", "[::1]", "::1", "localhost", "127.0.0.1"])
def test_listen_addresses(proxy, address):
    """Both families, with and without brackets, and names."""
    if not socket.has_dualstack_ipv6() and ":" in address:
        pytest.skip("no IPv6 here")
    started = proxy(f"proc_user = nobody\nlistenaddress = {address}\n")
    hosts = {"*": ["127.0.0.1", "::1"], "::": ["::1"], "localhost": ["localhost"]}

    for host in hosts.get(address, [address.strip("[]")]):
        if ":" in host and not socket.has_dualstack_ipv6():
            continue
        with ManagerClient(started.port, host) as client:
            assert client.read_line().startswith("Asterisk Call Manager Proxy/")
