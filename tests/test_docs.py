# SPDX-License-Identifier: GPL-2.0-or-later
"""What the documents say of folders, locks, settings and ProxyActions is so."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from amiproxy.process.options import OPTIONS
from amiproxy.settings.conffile import parse_config
from amiproxy.settings.config import SETTINGS, Config
from amiproxy.threads.actions.proxyactions import PRIVILEGED
from docs import completion, keys
from docs.picture import IMAGES, THEMES, picture
from docs.tables import tables, updated
from tests.asterisk.flows.everything import FLOWS
from tests.documents.commands import commands, strange_lines
from tests.documents.ways import KNOWN
from tests.loglines import explained, log_calls, missing_words
from tests.support import ROOT
from tests.test_locks import LOCKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
DESIGN = (ROOT / "docs/design.md").read_text(encoding="utf-8")
KEYS = {*SETTINGS, "host", "include", "permit", "deny"}


def test_the_design_lists_every_folder() -> None:
    """Each folder of Python files once, and none that is gone."""
    packages = {path.parent for path in (ROOT / "amiproxy").rglob("*.py")}
    packages |= {ROOT / name for name in ("handlers", "simulator", "benchmarks", "tests")}

    listed = re.findall(r"^\| `([a-z/]+)/` \|", DESIGN, re.MULTILINE)

    assert sorted(listed) == sorted(str(path.relative_to(ROOT)) for path in packages)


def test_the_design_has_every_lock_in_its_table() -> None:
    """Each with what it guards; a lock that is gone is out of the table too."""
    section = DESIGN.partition("\n## Locks")[2].partition("\n## ")[0]

    listed = re.findall(r"^\| `([\w.]+)` \(", section, re.MULTILINE)

    assert sorted(listed) == sorted(f"{lock.cls.name}.{lock.name}" for lock in LOCKS)


def test_every_setting_is_explained() -> None:
    """In the sample configuration, and with its default in the table of all."""
    sample = (ROOT / "astmanproxy.conf").read_text()
    explained = set(re.findall(r"^;? *(\w+) = ", sample, re.MULTILINE))

    assert sorted(KEYS - explained) == []
    assert sorted(KEYS - set(settings())) == []


def settings() -> dict[str, tuple[str, str]]:
    """Return default and what SIGHUP does for each key of docs/configuration.md."""
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    text = page.partition("<!-- keys: make docs -->")[2].partition("<!-- /keys -->")[0]
    rows = re.findall(r"^\| (`.*?`) \| (.*?) \| (.*?) ?\|", text, re.MULTILINE)
    return {key: (default, now) for keys, default, now in rows for key in re.findall(r"\w+", keys)}


def test_documented_defaults_are_what_an_absent_key_means() -> None:
    """Written into a file, the default changes nothing."""
    documented = {key: default for key, (default, _) in settings().items() if key in SETTINGS}
    written = {key: default for key, default in documented.items() if default != "none"}
    lines = "".join(f"{key} = {default}\n" for key, default in written.items())

    config, problems, warnings = parse_config(lines, "f")

    assert problems + warnings == []
    assert config == Config()
    empty = [SETTINGS[key].field for key in documented.keys() - written.keys()]
    assert [name for name in empty if getattr(Config(), name)] == []


def test_documented_keys_say_what_a_sighup_changes() -> None:
    """*now* stands where SIGHUP does; the certificate's name waits, its file is read at once."""
    documented = {key for key, (_, now) in settings().items() if now == "now" and key in SETTINGS}

    assert documented == {key for key, setting in SETTINGS.items() if setting.live} | {"certfile"}


def test_generated_tables_are_up_to_date() -> None:
    """What follows from the code stands in the pages as the code has it."""
    for (page, name), table in tables().items():
        text = page.read_text(encoding="utf-8")
        assert updated(page, name, table) == text, f"{page.name} ({name}): run make docs"


@pytest.mark.parametrize("theme", THEMES)
def test_the_picture_is_up_to_date(theme: str) -> None:
    """For light and for dark pages."""
    assert (IMAGES / f"overview-{theme}.svg").read_text("utf-8") == picture(theme), "run make docs"


def test_completion_is_up_to_date() -> None:
    """The shells know every option and command that the program takes."""
    for path, text in completion.files().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run make docs"


def test_the_synopsis_has_every_option() -> None:
    """Under one of its names; what each does is generated."""
    text = (
        (ROOT / "man" / "astmanproxy.8")
        .read_text()
        .partition(".Sh SYNOPSIS")[2]
        .partition(".Sh ")[0]
    )
    long = {name.replace("\\", "") for name in re.findall(r" \\-([a-z\\-]+)", text)}
    short = set("".join(re.findall(r"Fl ([a-z]+(?: \| [a-z])*)", text))) - {" ", "|"}

    assert [each for each in OPTIONS if not {each.short, each.long} & (long | short)] == []


def test_every_key_is_explained() -> None:
    """With what counts without a line."""
    text = (ROOT / "man" / "astmanproxy.conf.5").read_text()

    listed = re.findall(r"^\.It Ic (\w+) Pq ", text, re.MULTILINE)

    assert sorted(listed) == sorted(key for each in keys.KEYS for key in each.split(", "))


def test_privileged_proxyactions_are_named_elsewhere_too() -> None:
    """Where a page names one of them it names all, in one breath."""
    *others, last = PRIVILEGED
    for page in ("astmanproxy.users", "docs/security.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert f"{', '.join(others)} and {last}" in text or ", ".join(PRIVILEGED) in text, page


def headings(page: Path) -> list[str]:
    """Return the anchors of the headings of *page*, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in found]


def broken_links(page: Path) -> Iterator[str]:
    """Yield the links of *page* that lead to no file or heading of this repository."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        name, _, heading = target.partition("#")
        there = page.parent / name if name else page
        if "://" not in target and not (
            there.exists() and (not heading or heading in headings(there))
        ):
            yield f"{page.relative_to(ROOT)}: {target}"


def test_the_figures_of_a_real_asterisk_are_of_all_flows() -> None:
    """docs/asterisk.md quotes a whole run of what there is now."""
    text = (ROOT / "docs/asterisk.md").read_text(encoding="utf-8")
    table = text.partition("\nflow  ")[2].partition("\n```")[0]
    rows = re.findall(r"^(\w+) +(\d+) +(\d+) +(\d+)$", table, re.MULTILINE)
    total = re.search(r"^all +(\d+) +(\d+)$", table, re.MULTILINE)

    assert [row[0] for row in rows] == [*FLOWS]
    assert total
    assert int(total[1]) == sum(int(row[1]) for row in rows)
    assert int(total[2]) == sum(int(row[1]) * int(row[2]) for row in rows)


def test_links_lead_somewhere() -> None:
    """Files beside the page, and headings in them."""
    pages = [*PAGES, *ROOT.glob("*/README.md"), *ROOT.glob("C*.md")]

    assert [link for page in pages for link in broken_links(page)] == []


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


def test_every_log_line_is_explained() -> None:
    """Whatever logs a line has a row in docs/operations.md, with its level."""
    calls, rows = list(log_calls()), explained()
    unexplained = [
        f"{call.where}: {call.text} ({call.level or 'any level'})"
        for call in calls
        if not call.text.endswith("bug in the proxy")  # one row for all
        and not any(call.fits(line, levels) for line, levels in rows.items())
    ]

    assert len(calls) > 60
    assert unexplained == []


def test_every_explained_log_line_is_there() -> None:
    """Some call may write it, and its words stand in the program."""
    calls, rows = list(log_calls()), explained()

    assert len(rows) > 50
    assert [line for line, levels in rows.items()
            if missing_words(line) or not any(call.fits(line, levels) for call in calls)] == []  # fmt: skip


def test_every_command_is_tried() -> None:
    """tests/documents/ways.py says how: a new command wants a line there."""
    found = list(commands())

    assert len(found) > 150
    assert [f"{where}: {text}" for text, where in found if text not in KNOWN] == []
    assert sorted(KNOWN - {command.text for command in found}) == []


def test_what_stands_in_blocks_is_known() -> None:
    """Commands of programs that tests/documents/commands.py knows, or configuration and the like."""
    assert strange_lines() == []
