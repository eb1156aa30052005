# SPDX-License-Identifier: GPL-2.0-or-later
"""What may import what, and what every file has to say of itself."""

from __future__ import annotations

import ast
import graphlib
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PURE = sorted([*ROOT.glob("amiproxy/*.py"), *ROOT.glob("handlers/*.py")])
OURS = sorted(
    [*ROOT.glob("amiproxy/**/*.py"), *ROOT.glob("handlers/*.py"), ROOT / "astmanproxy.py"]
)
WAITING = {"socket", "ssl", "threading", "queue", "select", "selectors", "asyncio", "subprocess"}

# Its lock is held for one dict operation; nothing waits.
LOCKS = {"amiproxy/actionids.py"}


def imports(path: Path) -> set[str]:
    """Return the modules *path* imports when it runs, by their full names."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    found = set()
    for node in running(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) + 1 - node.level])
            module = f"{base}.{node.module}" if node.level and node.module else node.module or base
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def running(node: ast.AST):
    """Yield the nodes under *node*, but nothing that is there for type checkers only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from running(child)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PURE, ids=name)
def test_only_the_threads_package_touches_sockets_and_locks(path):
    """Everything outside amiproxy/threads is plain data in, plain data out."""
    found = imports(path)

    allowed = {"threading"} if name(path) in LOCKS else set()
    assert not (WAITING - allowed) & {module.partition(".")[0] for module in found}
    assert not any(module.startswith("amiproxy.threads") for module in found)


def test_no_module_imports_in_a_circle():
    """What stands below knows nothing of what stands above."""
    graph = {
        module_name(path): {found for found in imports(path) if found.startswith("amiproxy.")}
        for path in OURS
    }

    list(graphlib.TopologicalSorter(graph).static_order())


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def tracked() -> list[Path]:
    """Return the files of the project."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("no git here")
    return [ROOT / found for found in done.stdout.split("\0") if found and (ROOT / found).exists()]


def test_every_source_file_names_its_licence():
    """In its first two lines."""
    nameless = [
        name(path)
        for path in tracked()
        if path.suffix in {".py", ".sh", ".mjs", ".service", ".init"} or path.name == "Makefile"
        if "SPDX-License-Identifier: GPL-2.0-or-later" not in "".join(first_lines(path))
    ]

    assert nameless == []


def first_lines(path: Path) -> list[str]:
    with path.open() as file:
        return [file.readline() for _ in range(3)]


def test_every_module_says_what_it_owns():
    """In a docstring."""
    silent = [
        name(path)
        for path in tracked()
        if path.suffix == ".py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


@pytest.mark.parametrize("taken", ["daemon", "lockfile", "ssl", "logging", "queue", "h11", "re2"])
def test_no_module_of_ours_hides_another(taken):
    """Names at the top level are astmanproxy and setup."""
    assert not (ROOT / f"{taken}.py").exists()
    assert not (ROOT / taken).exists()
