# SPDX-License-Identifier: GPL-2.0-or-later
"""make install, uninstall, cert and demo; start scripts."""

from __future__ import annotations

import fcntl
import functools
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest

from tests.support import ROOT, ManagerClient, free_port, wait_until

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")

# Installing asks the package index, which may be far away.
pytestmark = pytest.mark.timeout(400)


def make(*arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    done = subprocess.run(
        ["make", "-s", f"PYTHON={sys.executable}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if re.search("No matching distribution|Failed to establish a new connection", done.stderr):
        pytest.skip("no package index in reach")
    if check:
        assert done.returncode == 0, done.stderr
    return done


class Place:
    """Where it is installed for the tests."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.prefix = top / "usr/local"
        self.etc = top / "etc"
        self.settings = [f"PREFIX={self.prefix}", f"SYSCONFDIR={self.etc}", f"LOGS={top}/log"]
        self.program = self.prefix / "sbin/astmanproxy"
        self.handlers = self.prefix / "lib/astmanproxy/handlers"
        self.source = {path.name for path in ROOT.iterdir()}  # before anything is done

    def files(self) -> set[str]:
        return {
            str(path.relative_to(self.top))
            for path in self.top.rglob("*")
            if not path.is_dir() and "/venv/" not in str(path)
        }


@pytest.fixture(scope="session")
def place():
    """An installation that tests look at and leave as it is: one for all workers.

    The run's directory, and with it the installation, goes when the run ends.
    """
    top = Path(os.environ["ASTMANPROXY_TEST_RUN"]) / "install"
    found = Place(top)
    with open(f"{top}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # installing takes its time: whoever comes first does it
        if not top.exists():
            try:
                make("install", *found.settings)
            except BaseException:
                shutil.rmtree(top, ignore_errors=True)
                raise
    return found


def test_install_puts_program_configuration_and_start_files(place):
    """The configuration readable for its owner and group only."""
    assert place.files() == {
        "usr/local/sbin/astmanproxy",
        "usr/local/lib/systemd/system/astmanproxy.service",
        *(f"usr/local/lib/astmanproxy/handlers/{p.name}" for p in ROOT.glob("handlers/*.py")),
        "etc/asterisk/astmanproxy.conf",
        "etc/asterisk/astmanproxy.users",
        "etc/init.d/astmanproxy",
        "etc/logrotate.d/astmanproxy",
    }
    for name in ("astmanproxy.conf", "astmanproxy.users"):
        assert (place.etc / "asterisk" / name).stat().st_mode & 0o777 == 0o640
    for path in ("lib/systemd/system/astmanproxy.service", "sbin/astmanproxy"):
        assert "/usr/local/" not in (place.prefix / path).read_text().replace(str(place.prefix), "")
    # A build of one's own ("pip wheel .") may be there; ours leaves nothing.
    assert {"build", "dist"} & {path.name for path in ROOT.iterdir()} <= place.source


def formats_of(command, directory) -> set[str]:
    """Run *command* with files in *directory* and return the lines of ListIOHandlers."""
    port = free_port()
    conf = directory / "run.conf"
    conf.write_text(
        f"listenaddress = 127.0.0.1\nlistenport = {port}\nproc_user = nobody\n"
        f"logfile = {directory}/run.log\n"
    )
    users = directory / "run.users"
    users.touch()
    process = subprocess.Popen(
        [*map(str, command), "-f", "-c", str(conf), "-u", str(users)],
        cwd="/",
        env={**os.environ, "PYTHONPATH": "/nonexistent"},
        stderr=subprocess.DEVNULL,
    )
    try:

        def connected():
            try:
                return ManagerClient(port)
            except ConnectionRefusedError:
                assert process.poll() is None
                return None

        with wait_until(connected) as client:
            client.read_line()
            return set(client.ask("ProxyAction: ListIOHandlers"))
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_the_installed_program_runs_and_finds_its_handlers(place, tmp_path):
    """From any directory, and whatever PYTHONPATH says."""
    formats = formats_of([place.program], tmp_path)

    assert {"InputHandler: xml", "OutputHandler: json"} <= formats


@pytest.mark.parametrize("package", ["lib/python3/site-packages", "."], ids=["prefix", "target"])
def test_handlers_are_found_where_pip_puts_them(package, tmp_path):
    """Also where that is not Python's own prefix: pip's --user, --prefix and --target."""
    site = tmp_path / package
    shutil.copytree(ROOT / "amiproxy", site / "amiproxy")
    shutil.copy(ROOT / "astmanproxy.py", site)
    shutil.copytree(ROOT / "handlers", tmp_path / "lib/astmanproxy/handlers")
    conf = tmp_path / "conf"
    conf.write_text(f"proc_user = nobody\nlogfile = {tmp_path}/log\n")

    done = subprocess.run(
        [sys.executable, "-m", "astmanproxy", "-t", "-c", str(conf), "-u", os.devnull],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_installed_configuration_is_good(place):
    """As shipped, but for the log, which is the system's."""
    directory = place.etc / "asterisk"
    done = subprocess.run(
        [str(place.program), "-t", "-c", str(directory / "astmanproxy.conf"),
         "-u", str(directory / "astmanproxy.users")],
        capture_output=True, text=True,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_an_upgrade_that_fails_leaves_the_old_program(place):
    """Without a way to the packages nothing is replaced, nothing left, and help is named."""
    done = subprocess.run(
        ["make", "install", f"PYTHON={sys.executable}", "PIPFLAGS=--no-index", *place.settings],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode != 0
    assert "see Platforms in README.md" in done.stderr
    assert subprocess.run([place.program, "-v"]).returncode == 0
    assert not (place.prefix / "lib/astmanproxy/venv.new").exists()


def test_the_systemd_unit_is_well_formed(place):
    """As systemd sees it."""
    tool = shutil.which("systemd-analyze")
    if not tool:
        pytest.skip("no systemd here")
    unit = place.prefix / "lib/systemd/system/astmanproxy.service"
    done = subprocess.run([tool, "verify", "--man=no", str(unit)], capture_output=True, text=True)

    assert "astmanproxy.service" not in done.stderr


def test_the_system_v_script_starts_stops_and_tells(place):
    """With the exit codes of the LSB."""
    top = Path(tempfile.mkdtemp(prefix="astmanproxy-init-"))
    top.chmod(0o777)  # the program, which is nobody then, must reach it
    (top / "astmanproxy").mkdir()
    conf = top / "amp.conf"
    conf.write_text(
        f"listenaddress = 127.0.0.1\nlistenport = {free_port()}\nproc_user = nobody\n"
        f"logfile = {top}/amp.log\n"
    )
    (top / "amp.users").touch()
    pidfile = top / "astmanproxy" / "amp.pid"
    env = {
        **os.environ,
        "PIDFILE": str(pidfile),
        "OPTIONS": f"-c {conf} -u {top}/amp.users",
    }

    def script(action: str, user: int | None = None) -> tuple[int, str]:
        done = subprocess.run(
            [str(place.etc / "init.d/astmanproxy"), action],
            env=env, capture_output=True, text=True, timeout=30, user=user,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    try:
        assert script("status")[0] == 3
        assert script("stop")[0] == 0
        assert script("reload")[0] == 7
        assert script("try-restart")[0] == 0
        assert not pidfile.exists()
        assert script("start") == (0, "astmanproxy started\n")
        first = int(pidfile.read_text())
        assert script("start")[0] == 0
        assert script("status") == (0, f"astmanproxy is running, pid {first}\n")
        assert script("status", user=1) == (0, f"astmanproxy is running, pid {first}\n")
        assert script("stop", user=1)[0] == 4
        assert script("reload")[0] == 0
        wait_until(lambda: "reread permissions" in (top / "amp.log").read_text())
        assert script("restart")[0] == 0
        second = int(pidfile.read_text())
        assert second != first
        os.kill(second, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{second}").exists())
        assert script("status")[0] == 1
        assert script("stop")[0] == 0
        assert script("status")[0] == 3
        assert script("start")[0] == 0
        assert script("force-reload")[0] == 0
        assert script("stop") == (0, "astmanproxy stopped\n")
        assert script("status")[0] == 3
        conf.write_text("listenport = x\n")
        code, output = script("start")
        assert code == 1
        assert f"{conf}:1: listenport: " in output
        assert script("nonsense")[0] == 2
    finally:
        script("stop")
        shutil.rmtree(top)


def test_an_upgrade_keeps_what_is_the_administrators_and_uninstall_too(tmp_path):
    """Configuration and handlers of one's own stay; a C program that still runs is replaced.

    All of it below DESTDIR, though the launcher names the place where it will be.
    """
    there = Place(tmp_path)
    make_in = functools.partial(make, f"DESTDIR={tmp_path}")
    (there.etc / "asterisk").mkdir(parents=True)
    conf = there.etc / "asterisk" / "astmanproxy.conf"
    conf.write_text("; mine\n")
    there.handlers.mkdir(parents=True)
    own = there.handlers / "own.py"
    own.write_text("def write(message):\n    return message.raw\n")
    there.program.parent.mkdir(parents=True)
    shutil.copy(shutil.which("sleep"), there.program)
    old = subprocess.Popen([there.program, "60"])
    try:
        make_in("install")
    finally:
        old.kill()
        old.wait()

    launcher = there.program.read_text()
    assert launcher.startswith("#!/bin/sh")
    assert str(tmp_path) not in launcher
    assert '"/usr/local/lib/astmanproxy/venv/bin/python" -I -m astmanproxy' in launcher
    python = there.prefix / "lib/astmanproxy/venv/bin/python"
    assert "OutputHandler: own" in formats_of([python, "-I", "-m", "astmanproxy"], tmp_path)
    assert conf.read_text() == "; mine\n"
    assert own.exists()

    make_in("uninstall")

    assert there.files() >= {"etc/asterisk/astmanproxy.conf", "etc/asterisk/astmanproxy.users"}
    assert not there.program.exists()
    assert [path.name for path in there.handlers.iterdir()] == ["own.py"]
    own.unlink()
    make_in("uninstall")
    assert not (there.prefix / "lib/astmanproxy").exists()


@needs_openssl
def test_cert_makes_a_certificate_clients_accept(tmp_path):
    """By its name, by address, and with a key nobody else may read."""
    path = tmp_path / "c.pem"
    make("cert", f"CERT={path}", "NAME=pbx.example")

    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["c.pem"]
    found = ssl._ssl._test_decode_cert(str(path))
    assert ("DNS", "pbx.example") in found["subjectAltName"]
    assert ("IP Address", "127.0.0.1") in found["subjectAltName"]
    text = subprocess.run(
        ["openssl", "x509", "-in", path, "-noout", "-text"], capture_output=True, text=True
    ).stdout
    assert "prime256v1" in text
    again = make("cert", f"CERT={path}", check=False)
    assert again.returncode != 0
    assert "is there already" in again.stderr


@needs_openssl
def test_the_certificate_serves_a_client_that_checks_it(proxy, tmp_path):
    """TLS 1.3, name and chain checked."""
    path = tmp_path / "c.pem"
    make("cert", f"CERT={path}", "NAME=pbx.example")
    started = proxy(f"proc_user = nobody\nacceptencryptedconnection = yes\ncertfile = {path}\n")
    context = ssl.create_default_context(cafile=str(path))

    with ManagerClient(started.port, tls=context, server_hostname="pbx.example") as client:
        assert client.sock.version() == "TLSv1.3"
        assert client.read_line().startswith("Asterisk Call Manager Proxy/")


def test_make_names_what_is_missing():
    """In words that tell what to install."""
    done = make("PYTHON=nosuchpython", "install", check=False)

    assert done.returncode != 0
    assert "nosuchpython is missing: install Python 3.9" in done.stderr


def test_make_alone_explains_itself():
    """Every verb is named."""
    text = make().stdout

    for verb in ("demo", "test", "style", "types", "coverage", "bench", "bench-compare", "soak",
                 "cert", "install", "uninstall", "clean"):  # fmt: skip
        assert f"make {verb}" in text or f" {verb} " in text, verb


def test_the_demo_does_what_it_prints():
    """Events of two servers for AMI clients, answers over HTTP; and it ends when told."""
    demo = subprocess.Popen(
        [sys.executable, "demo/demo.py"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        text = ""
        while "Ctrl-C ends the demo." not in text:
            line = demo.stdout.readline()
            assert line, "the demo ended"
            text += line
        port = int(re.search(r"clients on port (\d+), and", text)[1])
        web = int(re.search(r"web clients on port (\d+)", text)[1])
        with ManagerClient(port) as client:
            client.read_line()
            client.read_until("Server: 127.0.0.1", 20)
            client.read_until("Server: localhost", 20)
        url = f"http://127.0.0.1:{web}/?Action=Ping&Server=localhost&format=xml"
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert b'<Ping Value="Pong"/>' in answer.read()
    finally:
        demo.terminate()
        demo.wait(20)
        demo.stdout.close()
    assert demo.returncode == 0


@pytest.mark.parametrize("script", ["init/astmanproxy.init", ".ci/run"])
def test_scripts_are_executable_and_parse(script):
    """By the shell they name."""
    path = ROOT / script
    shell = "bash" if "bash" in path.read_text().split("\n")[0] else "sh"

    assert os.access(path, os.X_OK)
    subprocess.run([shell, "-n", path], check=True)
