# SPDX-License-Identifier: GPL-2.0-or-later
"""What pip fetches from the package index: with make install, with make demo, for other machines."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from requirements.pins import path_of, pins
from tests.support import ROOT
from tests.system.demos import source_tree, started
from tests.system.installations import Place, make, run_make

if TYPE_CHECKING:
    from pathlib import Path

_WHEEL = "pip wheel -w wheels '.[re2]' setuptools"
_INSTALL = "pip install '.[re2]'"

pytestmark = [
    pytest.mark.packages,
    pytest.mark.skipif("PACKAGE_TREES" not in os.environ, reason="make deb-test does it"),
]


def test_make_install_fetches_what_is_pinned(tmp_path: Path) -> None:
    """The program runs with it; nothing is left in the source directory."""
    there = Place(tmp_path)

    make("install", *there.settings)

    shown = subprocess.run([there.program, "-v"], capture_output=True, text=True, check=True)
    assert "astmanproxy" in shown.stdout.lower()
    assert {path.name for path in ROOT.iterdir()} == there.source
    packages = [path.name.lower() for path in there.library.glob("venv/lib/*/site-packages/*")]
    for pin in pins(path_of("install").read_text()):
        stem = pin.partition(";")[0].strip().replace("==", "-").replace("python-", "python_")
        if ";" not in pin:
            assert f"{stem}.dist-info" in packages


def forged_index(top: Path) -> Path:
    """Make a package index below *top* that has every pinned release, each with other content."""
    for pin in pins(path_of("install").read_text()):
        name, _, version = pin.partition(";")[0].strip().partition("==")
        directory = top / name
        directory.mkdir(parents=True, exist_ok=True)
        stem = f"{name.replace('-', '_')}-{version}"
        with zipfile.ZipFile(directory / f"{stem}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{name.replace('-', '_')}.py", "raise SystemExit('forged')\n")
            info = f"{stem}.dist-info"
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            )
            wheel.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{info}/RECORD", "")
        links = [f'<a href="{one.name}">{one.name}</a>' for one in directory.glob("*.whl")]
        (directory / "index.html").write_text("\n".join(links))
    return top


def test_a_forged_package_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index, or whoever is on the way to it, that gives another file of the same name."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    there = Place(tmp_path / "root")

    done = run_make(
        "install",
        *there.settings,
        f"PIPFLAGS=--index-url {forged_index(tmp_path / 'index').as_uri()}",
    )

    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not there.program.exists()


def test_wheels_of_one_machine_serve_another(tmp_path: Path) -> None:
    """With them pip needs no index, and the program runs."""
    ignore = shutil.ignore_patterns(".*", "__pycache__", "tests", "dist", "build", "*.egg-info")
    source = shutil.copytree(ROOT, tmp_path / "source", ignore=ignore)
    python = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)

    fetched = _run(f"{python} -m {_WHEEL} --quiet", source)
    if fetched.returncode:
        pytest.skip(f"the package index cannot be reached: {fetched.stderr[-200:]}")
    done = _run(f"{python} -m {_INSTALL} --quiet", source,
                PIP_NO_INDEX="1", PIP_FIND_LINKS=str(source / "wheels"))  # fmt: skip

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "--control" in _run(f"{tmp_path}/venv/bin/astmanproxy --help", tmp_path).stdout


def _run(command: str, directory: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command], cwd=directory, env={**os.environ, **more}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


_STAND_IN = """
import sys
import bcrypt, daemon, h11, lockfile, websockets
print("demo with", sys.prefix)
"""


def test_make_demo_fetches_what_the_program_needs_and_no_more(tmp_path: Path) -> None:
    """Once; who comes meanwhile waits.  It stays below this directory, and small."""
    tree = source_tree(tmp_path)
    (tree / "demo/demo.py").write_text(_STAND_IN)

    command = "demo/environment.py"
    with started(command, root=tree) as one, started(command, root=tree) as two:
        texts = [one.communicate(timeout=200)[0], two.communicate(timeout=200)[0]]

    if re.search("No matching distribution|Failed to establish", "".join(texts)):
        pytest.skip("the package index cannot be reached")
    assert [f"demo with {tree}/.venv-demo" in text for text in texts] == [True, True], texts
    assert sum("Successfully installed" in text for text in texts) == 1
    size = sum(path.lstat().st_size for path in (tree / ".venv-demo").rglob("*"))
    assert size < 5_000_000
    assert "***" not in "".join(texts)
