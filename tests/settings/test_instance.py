# SPDX-License-Identifier: GPL-2.0-or-later
"""What several proxies with the same files have each for itself."""

from __future__ import annotations

import pytest

from amiproxy.settings.config import Config
from amiproxy.settings.instance import of_instance
from amiproxy.settings.listenerspec import ListenLine


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/var/log/astmanproxy/astmanproxy.log", "/var/log/astmanproxy/astmanproxy@1.log"),
        ("/var/log/ami", "/var/log/ami@1"),
        ("/srv/a.b/log", "/srv/a.b/log@1"),
        ("/run/astmanproxy/x.log", "/run/astmanproxy@1/x@1.log"),
    ],
)
def test_each_file_has_the_name_of_the_instance(path: str, own: str) -> None:
    """Before its ending; in /run it has a directory of its own, as the unit's."""
    assert of_instance(Config(logfile=path), "1").logfile == own


def test_pid_file_and_sockets_are_its_own() -> None:
    """The pid file that systemd's %N gives, too."""
    config = Config(
        control_socket="/srv/control.sock",
        listen=(ListenLine(path="/srv/ami.sock"), ListenLine(address="*", port=1)),
    )

    found = of_instance(config, "b")

    assert found.pidfile == "/run/astmanproxy@b/astmanproxy@b.pid"
    assert found.control_socket == "/srv/control@b.sock"
    assert [line.path for line in found.listen] == ["/srv/ami@b.sock", ""]


@pytest.mark.parametrize("word", ["journal", "stdout", "syslog"])
def test_what_is_no_file_stays(word: str) -> None:
    """Logs that go elsewhere, and no control socket."""
    config = Config(logfile=word, control_socket="no")

    found = of_instance(config, "1")

    assert (found.logfile, found.control_socket) == (word, "no")


def test_without_a_name_nothing_changes() -> None:
    """One proxy alone has what the file says."""
    config = Config()

    assert of_instance(config, "") is config
