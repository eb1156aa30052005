# SPDX-License-Identifier: GPL-2.0-or-later
"""What may import what: the tree says it, these tests keep it so.

An import that only a type checker follows (``if TYPE_CHECKING:``) counts as any other:
who names a type knows of it.
"""

from __future__ import annotations

import graphlib
from typing import TYPE_CHECKING

import pytest

from tests.modules import PRODUCT, folder_of, imports, is_ours, module_name, sources
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

#: Modules that wait, or that start threads.
BLOCKING = {"asyncio", "multiprocessing", "queue", "select", "selectors", "socket", "ssl",
            "threading"}  # fmt: skip
#: The tables outside threads/ that several threads change: they need a lock.
LOCKED = {"amiproxy.routing.actionids", "amiproxy.routing.marks"}

_PURE = ["amiproxy/basics", "amiproxy", "amiproxy/wire", "amiproxy/routing", "amiproxy/access",
         "amiproxy/settings", "amiproxy/process", "amiproxy/web"]  # fmt: skip
#: What every table of the state model is made with.
_TABLES = ["amiproxy.state.gone", "amiproxy.state.table", "amiproxy.state.values"]
#: Folder -> the folders, or single modules, that it may import besides itself.
MAY_IMPORT = {
    "amiproxy/basics": [],
    "amiproxy/patterns": [],
    "amiproxy/logs": [*_PURE[:2], "amiproxy/asterisk"],
    "amiproxy": ["amiproxy/basics"],
    "amiproxy/asterisk": [],
    "amiproxy/wire": _PURE[:2],
    "amiproxy/routing": [*_PURE[:3], "amiproxy/asterisk", "amiproxy/patterns"],
    "amiproxy/access": [*_PURE[:4], "amiproxy/asterisk"],
    "amiproxy/settings": [*_PURE[:5], "amiproxy/asterisk", "amiproxy/logs"],
    "amiproxy/process": [*_PURE[:2], "amiproxy/settings"],
    "amiproxy/state": [*_PURE[:2], "amiproxy/state/calls", "amiproxy/state/phones",
                       "amiproxy/state/queues"],
    "amiproxy/state/calls": [*_PURE[:2], *_TABLES],
    "amiproxy/state/phones": [*_PURE[:2], *_TABLES],
    # Its counts are histograms as those that are told.
    "amiproxy/state/queues": [*_PURE[:2], *_TABLES, "amiproxy.metrics.histogram"],
    "amiproxy/status": ["amiproxy/basics"],
    # Proxies that share servers: values, and the threads that talk to Redis.
    "amiproxy/bus": _PURE[:4],
    "amiproxy/threads/bus": [*_PURE, "amiproxy/bus", "amiproxy/status", "amiproxy/threads/net",
                             "amiproxy/threads/sessions", "amiproxy/threads/control"],
    "amiproxy/threads/status": [*_PURE, "amiproxy/status", "amiproxy/threads/net",
                                "amiproxy/threads/sessions"],
    "amiproxy/web": [*_PURE[:2], "amiproxy/asterisk", "amiproxy.access.acl"],
    "amiproxy/threads/net": [*_PURE[:2], "amiproxy/access", "amiproxy/settings",
                             "amiproxy.process.identity"],
    # Counts of its own are histograms as those that are told.
    "amiproxy/threads/sessions": [*_PURE, "amiproxy/threads/net", "amiproxy.status.values",
                                  "amiproxy.status.clustervalues", "amiproxy.metrics.histogram"],
    "amiproxy/threads/control": [*_PURE, "amiproxy/status", "amiproxy/threads/net",
                                 "amiproxy/threads/sessions"],
    "amiproxy/threads/state": [*_PURE[:5], "amiproxy/settings", "amiproxy/state", "amiproxy/state/queues", "amiproxy/live",
                               "amiproxy/threads/net", "amiproxy/threads/sessions"],
    "amiproxy/threads/actions": [*_PURE, "amiproxy/asterisk", "amiproxy/logs", "amiproxy/state",
                                 "amiproxy/threads/sessions", "amiproxy/threads/control",
                                 "amiproxy/threads/state"],
    "amiproxy/threads/web": [*_PURE, "amiproxy/threads/net", "amiproxy/threads/sessions",
                             "amiproxy/threads/actions"],
    "amiproxy/threads": [*_PURE, "amiproxy/logs", "amiproxy/bus", "amiproxy/threads/bus", "amiproxy/threads/net", "amiproxy/threads/sessions",
                         "amiproxy/threads/actions", "amiproxy/threads/web",
                         "amiproxy/threads/status", "amiproxy.status.values", "amiproxy/console",
                         "amiproxy/threads/live", "amiproxy/threads/metrics",
                         "amiproxy/threads/rest"],
    # The live web: values, and the threads that serve it.  Each is imported when it is asked for.
    "amiproxy/console": [*_PURE[:2]],
    "amiproxy/live": [*_PURE[:4], "amiproxy/state", "amiproxy/web"],
    "amiproxy/metrics": [*_PURE[:2]],
    "amiproxy/rest": [*_PURE[:4], "amiproxy/asterisk", "amiproxy/state", "amiproxy/web",
                      "amiproxy/live", "amiproxy/status", "amiproxy.settings.typos"],
    # hello names the release of the pages, so that open ones load the new.
    "amiproxy/threads/live": [*_PURE, "amiproxy/live", "amiproxy/console", "amiproxy/state",
                              "amiproxy/threads/net",
                              "amiproxy/threads/sessions", "amiproxy/threads/actions",
                              "amiproxy/threads/state", "amiproxy/threads/web"],
    "amiproxy/threads/metrics": [*_PURE, "amiproxy/metrics", "amiproxy/state",
                                 "amiproxy/state/queues", "amiproxy/status",
                                 "amiproxy/threads/net", "amiproxy/threads/sessions",
                                 "amiproxy/threads/state", "amiproxy/threads/status",
                                 "amiproxy/threads/web"],
    "amiproxy/threads/rest": [*_PURE, "amiproxy/asterisk", "amiproxy/rest", "amiproxy/live", "amiproxy/state",
                              "amiproxy/status", "amiproxy/console", "amiproxy/threads/net",
                              "amiproxy/threads/sessions", "amiproxy/threads/actions",
                              "amiproxy/threads/control", "amiproxy/threads/live",
                              "amiproxy/threads/state", "amiproxy/threads/status",
                              "amiproxy/threads/web"],
    "amiproxy/commands": [*_PURE, "amiproxy/status", "amiproxy/patterns", "amiproxy/process", "amiproxy/threads/net", "amiproxy/threads",
                          "amiproxy/threads/control",
                          "amiproxy/threads/actions"],
    # An I/O handler knows messages and bytes.
    "handlers": ["amiproxy", "amiproxy.wire.plain"],
}  # fmt: skip


def ours(path: Path) -> set[str]:
    """Return the modules of this repository that *path* imports."""
    return {name for name in imports(path) if is_ours(name)}


def offences(path: Path) -> list[str]:
    """Return the imports of *path* that the table does not allow."""
    folder = str(path.parent.relative_to(ROOT))
    allowed = [folder, *MAY_IMPORT[folder]]
    return [
        f"{module_name(path)} imports {name}"
        for name in sorted(ours(path))
        if name not in allowed and folder_of(name) not in allowed
    ]


def test_folders_import_what_the_table_allows() -> None:
    """No module imports upwards, nor sideways where nothing was agreed."""
    assert [line for path in sources(*PRODUCT) for line in offences(path)] == []


def test_the_table_has_no_circle() -> None:
    """Folders can be put in an order in which each imports from earlier ones only."""
    folders = {name: [each for each in may if "/" in each or each == "amiproxy"]
               for name, may in MAY_IMPORT.items()}  # fmt: skip

    graphlib.TopologicalSorter(folders).prepare()


@pytest.mark.parametrize("top", [PRODUCT, ("simulator",), ("benchmarks",)], ids=" ".join)
def test_modules_know_each_other_in_one_direction(top: tuple[str, ...]) -> None:
    """No circle of imports, those for types included."""
    graph = {module_name(path): ours(path) - {module_name(path)} for path in sources(*top)}

    graphlib.TopologicalSorter(graph).prepare()


def test_only_threads_waits() -> None:
    """Everything outside amiproxy/threads is plain data in, plain data out."""
    found = [
        f"{module_name(path)} imports {name}"
        for path in sources(*PRODUCT)
        if "threads" not in path.relative_to(ROOT).parts
        for name in sorted(imports(path))
        if name.partition(".")[0] in BLOCKING
        and not (name == "threading" and module_name(path) in LOCKED)
    ]

    assert found == []


def test_the_hole_that_was_there_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative import of threads is seen for what it is."""
    monkeypatch.setattr("tests.modules.ROOT", tmp_path)
    module = tmp_path / "amiproxy" / "access" / "escapes.py"
    module.parent.mkdir(parents=True)
    (tmp_path / "amiproxy" / "threads").mkdir()
    (tmp_path / "amiproxy" / "threads" / "registry.py").touch()
    module.write_text("from ..threads import registry\nfrom .. import message\nfrom . import acl\n")

    assert imports(module) == {"amiproxy.threads.registry", "amiproxy", "amiproxy.access"}
