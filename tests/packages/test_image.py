# SPDX-License-Identifier: GPL-2.0-or-later
"""The container image: built as ``make image`` does, and run as a container engine would.

There is none here: namespaces, a chroot, and what the image's configuration says to do in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.packages.conftest import ready
from tests.packages.trees import base
from tests.support import ROOT, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.packages

_RUN = """set -e
root=$1; shift
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
ip link set lo up
exec chroot "$@"
"""


class Image(NamedTuple):
    """What is in the file: the files, and the configuration (Docker's image specification 1.2)."""

    root: Path
    config: dict[str, Any]


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    """The image, unpacked."""
    tree = base()
    ready(tree)
    if shutil.which("buildah") is None:
        pytest.skip("buildah is missing")
    with tempfile.TemporaryDirectory(prefix="astmanproxy-image-", dir="/var/tmp") as name:
        top = Path(name)
        subprocess.run(
            [ROOT / "packaging/container/build", top, "3.4.5"],
            env={**os.environ, "BASE": str(tree.path)},
            check=True,
        )
        subprocess.run(
            ["tar", "-xf", top / "astmanproxy-3.4.5.image.tar.gz", "-C", top], check=True
        )
        manifest = json.loads((top / "manifest.json").read_text())[0]
        assert "localhost/astmanproxy:3.4.5" in manifest["RepoTags"]
        root = top / "root"
        root.mkdir()
        for layer in manifest["Layers"]:
            subprocess.run(["tar", "-xf", top / layer, "-C", root], check=True)
        yield Image(root, json.loads((top / manifest["Config"]).read_text())["config"])


class Container:
    """The image, running; a process of the simulator is its Asterisk."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._user = ["--userspec", image.config["User"], str(image.root)]
        self._env = ["env", "-i", *image.config["Env"]]
        self.process = subprocess.Popen(
            ["unshare", "-m", "-n", "-p", "-f", "--kill-child", "--propagation", "private",
             "sh", "-c", _RUN, "sh", image.root, *self._user, *self._env,
             *image.config["Entrypoint"], *(image.config["Cmd"] or ())],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.first = wait_until(self._find_first)

    def _find_first(self) -> str:
        pid = self.process.pid
        with contextlib.suppress(OSError, IndexError):
            found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0]
            if Path(f"/proc/{found}/comm").read_text() == "astmanproxy\n":
                return found
        return ""

    def ask(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run *argv* in there, as the image's user."""
        command = ["nsenter", "-t", self.first, "-m", "-n", "-p", "chroot", *self._user]
        return subprocess.run(
            [*command, *self._env, *argv], capture_output=True, text=True, check=False
        )

    def healthy(self) -> bool:
        """Return what the health check says."""
        kind, *argv = self._image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.ask(*argv).returncode == 0

    def stop(self) -> tuple[int, str]:
        """Stop it as an engine does; return its exit status and its log."""
        os.kill(int(self.first), signal.Signals[self._image.config["StopSignal"]])
        output, _ = self.process.communicate(timeout=30)
        return self.process.returncode, output


@pytest.fixture
def container(image: Image) -> Iterator[Container]:
    """The image with an Asterisk and a user, as somebody would mount them."""
    conf = image.root / "etc/asterisk/conf.d"
    conf.mkdir(exist_ok=True)
    (conf / "pbx.conf").write_text("host = 127.0.0.1, 5038, ampuser, AmpSecret, on, off\n")
    (image.root / "etc/asterisk/astmanproxy.users").write_text("joe=Secret1\n")
    one = Container(image)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()


def test_it_says_how_it_is_run(image: Image) -> None:
    """Without root, without a shell, and with what tells whether it is well."""
    config = image.config

    assert config["User"] == "5038:5038"
    assert config["Entrypoint"][:2] == ["/usr/sbin/astmanproxy", "-f"]
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/sbin/astmanproxy", "--status"]
    assert config["ExposedPorts"] == {"1234/tcp": {}}
    for path in ("run/astmanproxy", "var/log/astmanproxy"):
        assert (image.root / path).stat().st_uid == 5038
    for name in ("conf", "users"):
        found = (image.root / f"etc/asterisk/astmanproxy.{name}").stat()
        assert (found.st_mode & 0o777, found.st_uid, found.st_gid) == (0o640, 0, 5038)


def test_it_holds_the_program_and_nothing_to_build_with(image: Image) -> None:
    """Each module and handler, compiled; no pip, no compiler, no tests."""
    share = image.root / "usr/share/astmanproxy"

    for name in ("amiproxy", "handlers"):
        held = {str(path.relative_to(share)) for path in share.glob(f"{name}/**/*.py")}
        assert held == {str(path.relative_to(ROOT)) for path in ROOT.glob(f"{name}/**/*.py")}
    assert list(share.glob("amiproxy/__pycache__/*.pyc"))
    assert sorted(path.name for path in share.iterdir()) == [
        "__pycache__", "amiproxy", "astmanproxy.py", "handlers",
    ]  # fmt: skip
    for name in ("pip", "pip3", "gcc", "make"):
        assert not (image.root / "usr/bin" / name).exists()


def test_it_runs_is_asked_and_stops(container: Container) -> None:
    """Unhealthy without its Asterisk, healthy with it; the log is on stdout."""
    wait_until(lambda: container.ask("astmanproxy", "--control", "version").returncode == 0)
    assert not container.healthy()
    simulated = [sys.executable, "-m", "simulator", "--port", "5038"]
    with subprocess.Popen(
        ["nsenter", "-t", container.first, "-n", *simulated], cwd=ROOT, stdout=subprocess.DEVNULL
    ) as asterisk:
        try:
            wait_until(container.healthy, 30)
            pid = container.ask("cat", "/run/astmanproxy/astmanproxy.pid").stdout
            assert pid == "1\n"
            assert container.ask("astmanproxy", "--control", "reload").returncode == 0
            assert container.ask("astmanproxy", "--control", "restart").returncode == 0
            wait_until(container.healthy, 30)
        finally:
            asterisk.kill()

    status, log = container.stop()

    assert status == 0
    assert "Proxy Started: Listening for connections" in log
    assert "Proxy stopped; shutting down." in log
