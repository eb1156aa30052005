# SPDX-License-Identifier: GPL-2.0-or-later
"""Who else rotates the log, and what the warning says is so."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from amiproxy.process.logrotation import log_warnings
from amiproxy.settings.config import Config
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOG = "/var/log/asterisk/astmanproxy.log"

#: As the packages of Asterisk have it.
ASTERISKS = """\
/var/log/asterisk/*.log /var/log/asterisk/queue_log
/var/log/asterisk/full {
    weekly
    # astmanproxy has a rule of its own
    postrotate
        if true; then { asterisk -rx 'logger reload'; }; fi
}
    endscript
    create 0640 asterisk asterisk
}
/var/log/other.log { daily
}
"""


def warnings(directory: Path, text: str, log: str = LOG, name: str = "asterisk") -> list[str]:
    (directory / name).write_text(text)
    return log_warnings(Config(logfile=log), [str(directory)])


def test_a_rule_for_all_of_asterisks_logs_is_named(tmp_path: Path) -> None:
    """With file and line, and what to do: it makes logrotate skip the proxy's own."""
    [warning] = warnings(tmp_path, ASTERISKS)

    assert warning.startswith(f"{tmp_path}/asterisk:1: this rule of logrotate rotates the proxy's")
    assert "(/var/log/asterisk/*.log " in warning
    assert "give logfile a directory of its own, as /var/log/astmanproxy" in warning


@pytest.mark.parametrize(
    "rule",
    [
        "/var/log/asterisk/*.log {\npostrotate\npkill -HUP astmanproxy\nendscript\n}\n",
        "/var/log/asterisk/*.log {\n  copytruncate\n}\n",
        "/var/log/*.log {\n}\n",
        "/var/log/asterisk/full {\n}\n",
        "# /var/log/asterisk/*.log {\n# }\n",
        '"/var/log/asterisk/*.log',
        "",
        "}\n}}\n{\n",
    ],
)
def test_other_rules_do_no_harm(tmp_path: Path, rule: str) -> None:
    """Those that tell the proxy, that let it write on, or are about other files."""
    assert warnings(tmp_path, rule) == []


def test_the_shipped_rule_does_no_harm(tmp_path: Path) -> None:
    """Nor does one that logrotate leaves out, nor any where the log is no file."""
    text = (ROOT / "init/astmanproxy.logrotate").read_text()
    assert warnings(tmp_path, text, "/var/log/astmanproxy/astmanproxy.log") == []

    assert warnings(tmp_path, ASTERISKS, name="asterisk.dpkg-old") == []
    (tmp_path / "asterisk.dpkg-old").unlink()
    assert warnings(tmp_path, ASTERISKS, "journal") == []


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="logrotate is not installed")
def test_logrotate_does_skip_the_second_rule(tmp_path: Path) -> None:
    """What the warning says is so."""
    log = tmp_path / "x.log"
    log.write_text("x\n")
    tmp_path.chmod(0o755)
    for name in ("asterisk", "astmanproxy"):
        (tmp_path / name).write_text(f"{log} {{\n}}\n")
    (tmp_path / "conf").write_text(f"include {tmp_path}/asterisk\ninclude {tmp_path}/astmanproxy\n")

    done = subprocess.run(
        ["logrotate", "-d", tmp_path / "conf"], capture_output=True, text=True, check=False
    )

    assert "duplicate log entry" in done.stderr


def test_a_level_that_hides_failed_logins_is_named() -> None:
    """Fail2ban would ban nobody."""
    [warning] = log_warnings(Config(log_level="error"), [])

    assert "fail2ban bans nobody" in warning
    assert log_warnings(Config(log_level="warning"), []) == []
