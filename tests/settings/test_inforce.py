# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in force: as the file says it, with the line that does, and without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.settings.conffile import load_config
from amiproxy.settings.config import SETTINGS, Config
from amiproxy.settings.inforce import DEFAULT, HIDDEN, in_force

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """host = PBX.example.com, 5038, ampuser, "TopSecret", on, off
permit = 192.0.2.0/24
proxykey = AlsoSecret
clientwritetimeout = 250
retryinterval = 2.5
autofilter = unique
httpcors = http://a.example, https://b.example
httpdigest = no
proxyprotocol = 198.51.100.0/24
"""


def test_each_key_has_its_value_and_its_line(tmp_path: Path) -> None:
    """In the units of the file."""
    path = tmp_path / "conf"
    path.write_text(TEXT)
    config, _ = load_config(str(path), str(tmp_path))

    found = {row.key: row for row in in_force(config)}

    assert found["clientwritetimeout"].value == "250"
    assert found["clientwritetimeout"].place == f"{path}:4"
    assert found["clientwritetimeout"].live
    assert (found["retryinterval"].value, found["autofilter"].value) == ("2.5", "unique")
    assert found["httpcors"].value == "http://a.example, https://b.example"
    assert found["httpdigest"].value == "none"
    assert "198.51.100.0/24" in found["proxyprotocol"].value
    assert found["maxclients"][1:] == ("0", DEFAULT, True)
    assert found["host"].value == f"pbx.example.com, 5038, ampuser, {HIDDEN}, on, off"
    assert "192.0.2.0/24" in found["permit, deny"].value


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """Neither the key nor what logs in to Asterisk."""
    path = tmp_path / "conf"
    path.write_text(TEXT)

    rows = list(in_force(load_config(str(path), str(tmp_path))[0]))

    assert "Secret" not in repr(rows)
    assert [row.value for row in rows if row.key == "proxykey"] == [HIDDEN]


def test_no_key_is_left_out() -> None:
    """A new one is shown without a word about it here."""
    assert [row.key for row in in_force(Config())] == sorted(SETTINGS)
    assert all(row.place == DEFAULT for row in in_force(Config()))
