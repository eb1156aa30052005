# SPDX-License-Identifier: GPL-2.0-or-later
"""make install, uninstall, cert and demo; start scripts."""

from __future__ import annotations

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

# On one worker: the installation takes its time.
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")

pytestmark = pytest.mark.xdist_group("install")


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

    def files(self) -> set[str]:
        return {
            str(path.relative_to(self.top))
            for path in self.top.rglob("*")
            if not path.is_dir() and "/venv/" not in str(path)
        }


@pytest.fixture(scope="module")
def place():
    """An installation, shared by the tests; the last of them takes it away."""
    top = Path(tempfile.mkdtemp(prefix="astmanproxy-install-"))
    top.chmod(0o755)
    found = Place(top)
    try:
        make("install", *found.settings)
        yield found
    finally:
        shutil.rmtree(top)


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
    assert not (ROOT / "build").exists()


def test_the_installed_program_runs_and_finds_its_handlers(place):
    """From any directory, and whatever PYTHONPATH says."""
    shutil.copy(ROOT / "handlers" / "csv.py", place.handlers / "own.py")
    port = free_port()
    conf = place.top / "run.conf"
    conf.write_text(
        f"listenaddress = 127.0.0.1\nlistenport = {port}\nproc_user = nobody\n"
        f"logfile = {place.top}/run.log\n"
    )
    users = place.etc / "asterisk" / "astmanproxy.users"
    process = subprocess.Popen(
        [str(place.program), "-f", "-c", str(conf), "-u", str(users)],
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
            formats = client.ask("ProxyAction: ListIOHandlers")
        assert {"InputHandler: xml", "OutputHandler: json", "OutputHandler: own"} <= set(formats)
    finally:
        process.terminate()
        assert process.wait(10) == 0
        (place.handlers / "own.py").unlink()


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


def test_install_replaces_a_program_that_is_running(place):
    """The C program was a binary in the same place; who upgrades may not have stopped it."""
    place.program.unlink()
    shutil.copy(shutil.which("sleep"), place.program)
    old = subprocess.Popen([place.program, "60"])
    try:
        make("install", *place.settings)
        assert place.program.read_text().startswith("#!/bin/sh")
    finally:
        old.kill()
        old.wait()


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
    top = place.top / "init"
    top.mkdir()
    top.chmod(0o777)
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

    def script(action: str) -> tuple[int, str]:
        done = subprocess.run(
            [str(place.etc / "init.d/astmanproxy"), action],
            env=env, capture_output=True, text=True, timeout=30,
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
        assert script("reload")[0] == 0
        wait_until(lambda: "reread permissions" in (top / "amp.log").read_text())
        assert script("restart")[0] == 0
        second = int(pidfile.read_text())
        assert second != first
        os.kill(second, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{second}").exists())
        assert script("status")[0] == 1
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


def test_install_keeps_a_configuration_and_uninstall_too(place):
    """Everything else that install put goes; a handler somebody added stays."""
    conf = place.etc / "asterisk" / "astmanproxy.conf"
    conf.write_text("; mine\n")
    own = place.handlers / "own.py"
    own.write_text("def write(message):\n    return message.raw\n")

    make("install", *place.settings)

    assert conf.read_text() == "; mine\n"
    assert own.exists()

    make("uninstall", *place.settings)

    assert place.files() >= {"etc/asterisk/astmanproxy.conf", "etc/asterisk/astmanproxy.users"}
    assert not place.program.exists()
    assert [path.name for path in place.handlers.iterdir()] == ["own.py"]
    own.unlink()
    make("uninstall", *place.settings)
    assert not (place.prefix / "lib/astmanproxy").exists()


def test_destdir_is_put_before_everything(tmp_path):
    """But the launcher names the place where it will be."""
    make("install", f"DESTDIR={tmp_path}", "PIPFLAGS=")

    launcher = (tmp_path / "usr/local/sbin/astmanproxy").read_text()
    assert str(tmp_path) not in launcher
    assert '"/usr/local/lib/astmanproxy/venv/bin/python" -I -m astmanproxy' in launcher
    done = subprocess.run(
        [tmp_path / "usr/local/lib/astmanproxy/venv/bin/python", "-I", "-m", "astmanproxy", "-v"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.startswith("astmanproxy: Version ")


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
