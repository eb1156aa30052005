# SPDX-License-Identifier: GPL-2.0-or-later
"""make install, an upgrade, and make uninstall."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT, ManagerClient, free_port, wait_until
from tests.system.installations import Place, make, run_make, stand_in_python


def test_install_puts_program_configuration_and_start_files(place: Place) -> None:
    """Owner and group alone may read the configuration."""
    # Where no user astmanproxy could be made, the unit is told of nobody.
    dropins = {
        f"etc/systemd/system/astmanproxy{at}.service.d/configuration.conf" for at in ("", "@")
    }
    assert place.files() - dropins == {
        "usr/local/sbin/astmanproxy",
        *(
            f"usr/local/lib/systemd/system/astmanproxy{kind}"
            for kind in (".service", "@.service", ".socket")
        ),
        *(f"usr/local/lib/{kind}.d/astmanproxy.conf" for kind in ("sysusers", "tmpfiles")),
        *(f"usr/local/lib/astmanproxy/handlers/{p.name}" for p in ROOT.glob("handlers/*.py")),
        "usr/local/lib/astmanproxy/handlers/own.py",
        "etc/asterisk/astmanproxy.conf",
        "etc/asterisk/astmanproxy.users",
        "etc/default/astmanproxy",
        "etc/init.d/astmanproxy",
        "etc/logrotate.d/astmanproxy",
        "usr/local/lib/astmanproxy/placed",
        *(f"usr/local/share/man/man{p.suffix[1:]}/{p.name}" for p in ROOT.glob("man/*")),
        "usr/local/share/bash-completion/completions/astmanproxy",
        "usr/local/share/zsh/site-functions/_astmanproxy",
    }
    for name in ("astmanproxy.conf", "astmanproxy.users"):
        assert (place.etc / "asterisk" / name).stat().st_mode & 0o777 == 0o640
    for path in ("lib/systemd/system/astmanproxy.service", "sbin/astmanproxy"):
        assert "/usr/local/" not in (place.prefix / path).read_text().replace(str(place.prefix), "")
    # A contributor's own build ("pip wheel .") may be there; the installation leaves nothing.
    assert {"build", "dist"} & {path.name for path in ROOT.iterdir()} <= place.source


def test_the_installed_program_runs_and_finds_its_handlers(place: Place, tmp_path: Path) -> None:
    """In any directory, whatever PYTHONPATH says; the administrator's own handler too."""
    port = free_port()
    conf = tmp_path / "run.conf"
    conf.write_text(
        f"listenaddress = 127.0.0.1\nlistenport = {port}\nproc_user = nobody\n"
        f"logfile = {tmp_path}/run.log\n"
    )
    users = tmp_path / "run.users"
    users.touch()
    process = subprocess.Popen(
        [place.program, "-f", "-c", conf, "-u", users],
        cwd="/",
        env={**os.environ, "PYTHONPATH": "/nonexistent"},
        stderr=subprocess.DEVNULL,
    )

    def connected() -> ManagerClient | None:
        try:
            return ManagerClient(port)
        except ConnectionRefusedError:
            assert process.poll() is None
            return None

    try:
        with wait_until(connected) as client:
            client.read_line()
            formats = set(client.ask("ProxyAction: ListIOHandlers"))
    finally:
        process.terminate()
        assert process.wait(10) == 0

    assert {"InputHandler: xml", "OutputHandler: json", "OutputHandler: own"} <= formats


@pytest.mark.parametrize("package", ["lib/python3/site-packages", "."], ids=["prefix", "target"])
def test_handlers_are_found_where_pip_puts_them(package: str, tmp_path: Path) -> None:
    """Also with pip's --user, --prefix and --target, which are not Python's own prefix."""
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
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_installed_configuration_is_valid(place: Place, tmp_path: Path) -> None:
    """-t accepts it as shipped, where the directory of the log is there."""
    directory = place.etc / "asterisk"
    text = (directory / "astmanproxy.conf").read_text()
    config = tmp_path / "astmanproxy.conf"
    config.write_text(text.replace("/var/log/astmanproxy/", f"{tmp_path}/"))
    done = subprocess.run(
        [str(place.program), "-t", "-c", str(config),
         "-u", str(directory / "astmanproxy.users")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_an_upgrade_that_fails_keeps_the_old_program(place: Place, tmp_path: Path) -> None:
    """Where pip fails nothing is replaced, nothing is left behind, and help is named."""
    done = run_make("install", *place.settings, python=stand_in_python(tmp_path / "python", 1))

    assert done.returncode != 0
    assert "see Platforms in docs/install.md" in done.stderr
    assert subprocess.run([place.program, "-v"], check=False).returncode == 0
    assert not (place.library / "venv.new").exists()


def test_install_and_uninstall_keep_what_the_administrator_made(tmp_path: Path) -> None:
    """Configuration and own handlers stay, and so does who may enter the directory.

    Everything is written below DESTDIR, and the launcher names the final place.
    """
    there = Place(tmp_path / "root")
    python = stand_in_python(tmp_path / "python", 0)
    (there.etc / "asterisk").mkdir(parents=True)
    conf = there.etc / "asterisk" / "astmanproxy.conf"
    conf.write_text("; mine\n")
    conf.parent.chmod(0o750)
    own = there.add_handler()
    make("install", f"DESTDIR={there.top}", python=python)

    launcher = there.program.read_text()
    assert launcher.startswith("#!/bin/sh")
    assert str(tmp_path) not in launcher
    assert '"/usr/local/lib/astmanproxy/venv/bin/python" -I -m astmanproxy' in launcher
    assert (there.library / "venv/lib/astmanproxy/handlers/own.py").samefile(own)
    assert conf.read_text() == "; mine\n"
    assert conf.parent.stat().st_mode & 0o777 == 0o750

    make("uninstall", f"DESTDIR={there.top}", python=python)

    assert there.files() >= {"etc/asterisk/astmanproxy.conf", "etc/asterisk/astmanproxy.users"}
    assert not there.program.exists()
    assert [path.name for path in there.handlers.iterdir()] == ["own.py"]
    own.unlink()
    make("uninstall", f"DESTDIR={there.top}", python=python)
    assert not there.library.exists()


def test_the_c_program_is_kept_beside(tmp_path: Path) -> None:
    """It may be running; our own program, when it is installed again, is no other."""
    there = Place(tmp_path / "root")
    python = stand_in_python(tmp_path / "python", 0)
    there.program.parent.mkdir(parents=True)
    sleep = Path(shutil.which("sleep") or "")
    shutil.copy(sleep, there.program)
    kept = there.program.with_name("astmanproxy-1")
    old = subprocess.Popen([there.program, "60"])
    try:
        said = run_make("install", f"DESTDIR={there.top}", python=python).stderr
        assert "it is now /usr/local/sbin/astmanproxy-1" in said
        assert old.poll() is None
    finally:
        old.kill()
        old.wait()
    assert run_make("install", f"DESTDIR={there.top}", python=python).stderr == ""

    make("uninstall", f"DESTDIR={there.top}", python=python)

    assert kept.read_bytes() == sleep.read_bytes()
    assert not there.program.exists()
