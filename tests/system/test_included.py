# SPDX-License-Identifier: GPL-2.0-or-later
"""Included files at start, at SIGHUP and with -t."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.daemons import logs_in
from tests.system.files import Files, keep_private, run
from tests.system.peers import host_line

if TYPE_CHECKING:
    from tests.support import ProxyProcess, StartProxy


def hup(program: ProxyProcess, said: str) -> None:
    """Have *program* read its files again, until the log says *said* once more."""
    before = program.log().count(said)
    program.send_signal(signal.SIGHUP)
    wait_until(lambda: program.log().count(said) > before, what=said)


def test_a_sighup_finds_new_files_and_misses_none(proxy: StartProxy) -> None:
    """A server and a user in files of their own; one that is gone leaves all as it was."""
    program = proxy(
        "authrequired = yes\ninclude = conf.d/*.conf\n", "#tryinclude shop.users\nann=s\n"
    )
    with program.client() as client:
        assert not logs_in(client, "joe", "j")
    with SimulatedAsterisk() as asterisk:
        (program.dir / "conf.d").mkdir()
        (program.dir / "conf.d/pbx.conf").write_text(host_line(asterisk))
        (program.dir / "shop.users").write_text("joe=j\n")
        hup(program, "reread permissions")
        wait_until(lambda: asterisk.received, what="a log-in to the Asterisk")
    with program.client() as client:
        assert logs_in(client, "joe", "j")

    program.write_users("#include none.users\n")
    hup(program, "the users stay as they were")
    assert f"{program.users_file}:1: include: there is no file" in program.log()
    with program.client() as client:
        assert logs_in(client, "joe", "j")


def test_t_warns_of_included_files_that_everybody_may_read(files: Files) -> None:
    """They hold secrets, too."""
    switches = files.write(
        "host = 127.0.0.1, 1, u, s, on\ninclude = more.conf\n", "#include more.users\n"
    )
    for name in ("more.conf", "more.users"):
        path = files.dir / name
        path.write_text("; nothing\n")
        keep_private(path)
    assert run("-t", *switches).stdout.splitlines()[-1] == "ok"

    for name in ("more.conf", "more.users"):
        (files.dir / name).chmod(0o644)
    done = run("-t", *switches)

    assert done.returncode == 0
    for name in ("more.conf", "more.users"):
        assert f"{files.dir / name}: everybody may read it, secrets and all" in done.stdout


def test_show_config_says_what_the_files_mean_and_where(files: Files) -> None:
    """Without secrets; options of the command line count."""
    switches = files.write(
        'include = more.conf\nproxykey = "TopSecret"\n', "#include more.users\nann=TopSecret\n"
    )
    (files.dir / "more.conf").write_text("host = pbx, 5038, u, TopSecret, on\nmaxclients = 7\n")
    (files.dir / "more.users").write_text("joe=TopSecret\n")

    done = run("--show-config", *switches, "-p", "/run/x.pid")

    assert (done.returncode, done.stderr) == (0, "")
    shown = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in (
        f"host = pbx, 5038, u, (hidden), on, off ; {files.dir}/more.conf:1",
        f"maxclients = 7 ; {files.dir}/more.conf:2",
        f"proxykey = (hidden) ; {files.config}:6",
        "maxline = 1022 ; default",
        "; pidfile = /run/x.pid on the command line",
        f"; user joe ; {files.dir}/more.users:1",
        f"; user ann ; {files.users}:2",
    ):
        assert line in shown
    assert "TopSecret" not in done.stdout


def test_show_config_of_files_that_cannot_be_used_names_the_problems(files: Files) -> None:
    """On stderr; exit status 1."""
    done = run("--show-config", *files.write("listenport = x\n"))

    assert (done.returncode, done.stdout) == (1, "")
    assert f"{files.config}:5: listenport: " in done.stderr
