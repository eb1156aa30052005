# SPDX-License-Identifier: GPL-2.0-or-later
"""Starting the daemon: what the parent process prints and returns."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support import ROOT

#: Calls detach in a process of its own: it forks, and the child exits at once.
PROGRAM = """\
import sys
from amiproxy.errors import ConfigError
from amiproxy.process.daemonize import detach

def serve(ready, keep):
    {body}
    return 3

sys.exit(detach(serve, lambda: None))
"""


def detach(body: str) -> tuple[int, str]:
    """Run detach with a ``serve`` of *body*; return the parent's exit status and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=body)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


def test_the_parent_succeeds_when_the_daemon_is_ready() -> None:
    """Whatever becomes of the daemon later."""
    assert detach("ready()") == (0, "")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("raise ConfigError('f:1: wrong', 'f:2: wrong')", "f:1: wrong\nf:2: wrong\n"),
        ("pass", "The daemon ended while it started; see its log\n"),
    ],
)
def test_the_parent_prints_why_the_daemon_did_not_start(body: str, complaint: str) -> None:
    """And fails."""
    assert detach(body) == (1, complaint)


def test_a_bug_while_starting_is_printed_by_its_type() -> None:
    """The daemon's log has the traceback."""
    status, errors = detach("1 / 0")

    assert status == 1
    assert errors.endswith("ZeroDivisionError: division by zero\n")
