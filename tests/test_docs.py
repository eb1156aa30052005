# SPDX-License-Identifier: GPL-2.0-or-later
"""What the documents promise to hold: every module, lock, setting and ProxyAction."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from amiproxy.settings.conffile import parse_config
from amiproxy.settings.config import SETTINGS, Config
from amiproxy.threads.actions.proxyactions import PRIVILEGED
from docs.tables import tables, updated
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
DESIGN = (ROOT / "docs/design.md").read_text(encoding="utf-8")
KEYS = sorted({*SETTINGS, "host", "permit", "deny"})


def test_the_design_lists_every_folder() -> None:
    """Each folder of Python files once, and none that is gone."""
    packages = {path.parent for path in (ROOT / "amiproxy").rglob("*.py")}
    packages |= {ROOT / name for name in ("handlers", "simulator", "benchmarks", "tests")}

    listed = re.findall(r"^\| `([a-z/]+)/` \|", DESIGN, re.MULTILINE)

    assert sorted(listed) == sorted(str(path.relative_to(ROOT)) for path in packages)


def locks() -> list[str]:
    """Return each lock and condition in amiproxy as Class.attribute."""
    found = []
    for path in (ROOT / "amiproxy").rglob("*.py"):
        for cls in ast.walk(ast.parse(path.read_text())):
            if not isinstance(cls, ast.ClassDef):
                continue
            for node in ast.walk(cls):
                if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
                    value = ast.unparse(node.value)
                    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                    if re.search(r"threading\.(R?Lock|Condition)\(", value):
                        found.append(f"{cls.name}.{ast.unparse(target).rpartition('.')[2]}")
    return found


def test_the_design_has_every_lock_in_its_table() -> None:
    """Each with what it guards; a lock that is gone is out of the table too."""
    section = DESIGN.partition("## Locks")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"^\| `([\w.]+)` \(", section, re.MULTILINE)) == sorted(locks())


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_explained(key: str) -> None:
    """In the sample configuration, and with its default in the table of all."""
    sample = (ROOT / "astmanproxy.conf").read_text()

    assert re.search(rf"^;? *{key} = ", sample, re.MULTILINE)
    assert key in settings()


def settings() -> dict[str, tuple[str, str]]:
    """Return default and what SIGHUP does for each key of docs/configuration.md."""
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \| (.*?) \| (.*?) ?\|", text, re.MULTILINE)
    return {key: (default, now) for keys, default, now in rows for key in re.findall(r"\w+", keys)}


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_documented_defaults_are_what_an_absent_key_means(key: str) -> None:
    """Written into a file, the default changes nothing; *now* stands where SIGHUP does."""
    default, now = settings()[key]
    setting = SETTINGS[key]

    if default == "none":
        assert not getattr(Config(), setting.field)
    else:
        config, problems, warnings = parse_config(f"{key} = {default}\n", "f")
        assert getattr(config, setting.field) == getattr(Config(), setting.field)
        assert not problems + warnings
    # The certificate's name waits for a start, but the file is read again at once.
    assert (now == "now") == (setting.live or key == "certfile")


def test_generated_tables_are_up_to_date() -> None:
    """What follows from the code stands in the pages as the code has it."""
    for (page, name), table in tables().items():
        text = page.read_text(encoding="utf-8")
        assert updated(text, name, table) == text, f"{page.name} ({name}): run make docs"


@pytest.mark.parametrize("page", ["astmanproxy.users", "docs/security.md", "README.md"])
def test_privileged_proxyactions_are_named_elsewhere_too(page: str) -> None:
    """Where a page names one of them it names all, in one breath."""
    text = (ROOT / page).read_text(encoding="utf-8")
    *others, last = PRIVILEGED

    assert f"{', '.join(others)} and {last}" in text or ", ".join(PRIVILEGED) in text


@pytest.mark.parametrize(
    "page", [*PAGES, *ROOT.glob("*/README.md"), *ROOT.glob("C*.md")], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    """Files beside the page, and headings in them."""
    text = re.sub(
        r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in [
                re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings
            ]


def test_the_source_distribution_is_whole() -> None:
    """MANIFEST.in names everything at the top of the repository that setup.py does not."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no git checkout")
    found = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    top = {path.partition("/")[0] for path in found.stdout.split("\0") if path}
    by_itself = {"amiproxy", "handlers", "astmanproxy.py", "setup.py", "pyproject.toml",
                 "README.md", "LICENSE", "MANIFEST.in", ".gitignore"}  # fmt: skip

    assert top - by_itself <= set((ROOT / "MANIFEST.in").read_text().split())
