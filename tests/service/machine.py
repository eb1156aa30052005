# SPDX-License-Identifier: GPL-2.0-or-later
"""Machine: a Debian that runs, with systemd as its first process, made of namespaces.

The tree that it starts from is not touched: what it writes goes into memory, and is gone with
it.  It has processes, network (the loopback device only), control groups and devices of its own,
as container managers make them (systemd's CONTAINER_INTERFACE), but for one thing: its root is
root here too.  So it is for programs that are trusted.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.trees import Tree

#: How long systemd may take until all is started, in seconds.
BOOT = 120.0
#: How long one command may take, in seconds.
COMMAND = 120.0

# The control group first: namespaces of control groups begin at the one of the process.
_START = """set -e
work=$1; lower=$2; name=$3
mkdir "$work/groups"
mount -t cgroup2 cgroup2 "$work/groups"
mkdir "$work/groups/$name"
echo $$ > "$work/groups/$name/cgroup.procs"
umount "$work/groups"
exec unshare -C -m -p -n -u -i -f --kill-child --propagation private sh -c "$4" sh "$work" "$lower" "$name" "$5"
"""
_BOOT = """set -e
work=$1; lower=$2; name=$3; init=$4; root=$work/root
mount -t tmpfs -o mode=0755 tmpfs "$work"
mkdir "$work/upper" "$work/work" "$root"
mount -t overlay -o "lowerdir=$lower,upperdir=$work/upper,workdir=$work/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for place in run tmp; do mount -t tmpfs -o mode=0755 tmpfs "$root/$place"; done
chmod 1777 "$root/tmp"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
# There are no modules of the kernel in there.
ln -sf /dev/null "$root/etc/systemd/system/systemd-modules-load.service"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for n in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${n%:*}" "$root/dev/${n#*:}"; done
grep -qs localhost "$root/etc/hosts" || echo "127.0.0.1 localhost" >> "$root/etc/hosts"
# By this it is known from outside.
echo "$name" > "$root/etc/machine-of-test"
cd "$root"
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
hostname "$name"
export container=test
eval "exec $init"
"""
#: What is started as process 1; a machine without systemd as init has one that does nothing.
SYSTEMD = "/lib/systemd/systemd --system --log-target=journal --show-status=no"
NO_SYSTEMD = "sh -c 'ip link set lo up; while :; do sleep 1000; done'"


class Machine:
    """A machine that starts from *tree*, and the *layers* above it; use it as a context manager.

    With *init* NO_SYSTEMD it is one as System V starts it, as far as start scripts can tell.
    """

    def __init__(self, tree: Tree, *layers: Path, init: str = SYSTEMD) -> None:
        self.tree = tree
        self._lower = ":".join(map(str, [*reversed(layers), tree.path]))
        self._init = init
        self._name = f"{tree.suite}-{os.getpid()}-{time.monotonic_ns() % 1_000_000}"
        self._work = Path(tempfile.mkdtemp(prefix="astmanproxy-machine-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._first = 0

    def __enter__(self) -> Machine:
        command = ["unshare", "-m", "--propagation", "private", "sh", "-c", _START, "sh"]
        with (self._work / "console").open("wb") as console:
            self._process = subprocess.Popen(
                [*command, self._work, self._lower, self._name, _BOOT, self._init],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        try:
            self._first = wait_until(self._find_first, 30, "the first process")
            wait_until(self._is_up, BOOT, f"{self._name} is up")
        except BaseException:
            sys.stderr.write(self.console())
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()  # and with it, by --kill-child, all that runs there
            self._process.wait()
        self._remove_groups()
        shutil.rmtree(self._work, ignore_errors=True)

    def __call__(
        self, *argv: str | Path, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run *argv* in there as root; return what came of it.

        Fails, with what it printed, unless it succeeds or *check* is false.
        """
        done: subprocess.CompletedProcess[str] = subprocess.run(
            self.command(*argv),
            check=False,
            **{
                "capture_output": True, "text": True, "timeout": COMMAND,
                "stdin": None if "input" in options else subprocess.DEVNULL, **options,
            },
        )  # fmt: skip
        assert not check or done.returncode == 0, (argv, done.returncode, done.stdout, done.stderr)
        return done

    @property
    def first(self) -> int:
        """The number, here, of the process that is the first one there."""
        return self._first

    def command(self, *argv: str | Path) -> list[str]:
        """Return what runs *argv* in there, for whoever starts it himself."""
        clean = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                 "LC_ALL=C.UTF-8", "HOME=/root"]  # fmt: skip
        return ["nsenter", "-t", str(self._first), "-a", "-w", *clean, *map(str, argv)]

    @contextlib.contextmanager
    def running(self, *argv: str) -> Iterator[subprocess.Popen[str]]:
        """Run *argv* in there; it has printed a line when the block begins, and is killed after."""
        with subprocess.Popen(
            self.command(*argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline()
                yield process
            finally:
                process.kill()

    def sh(self, script: str, **options: Any) -> str:
        """Run the shell script in there; return what it printed on stdout."""
        return self("sh", "-ec", script, **options).stdout

    def path(self, inside: str | Path) -> Path:
        """Return where the file *inside* is, seen from here; symbolic links lead astray."""
        return Path(f"/proc/{self._first}/root{inside}")

    def put(self, source: Path, inside: str) -> None:
        """Copy the file or directory *source* to *inside*."""
        if source.is_dir():
            shutil.copytree(source, self.path(inside), symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy(source, self.path(inside))

    def journal(self, unit: str = "astmanproxy.service") -> str:
        """Return the messages in the journal of *unit*, and of systemd about it."""
        return self("journalctl", "-u", unit, "-o", "cat", "--no-pager").stdout

    def show(self, unit: str, name: str) -> str:
        """Return the property *name* of *unit*."""
        return self("systemctl", "show", "-P", name, unit).stdout.strip()

    def console(self) -> str:
        """Return what the first process has printed."""
        return (self._work / "console").read_text(errors="replace")

    def _find_first(self) -> int:
        """Return the number, here, of the process that is the first one there; 0: not yet."""
        assert self._process is not None
        assert self._process.poll() is None, self.console()
        with contextlib.suppress(OSError, IndexError):
            pid = self._process.pid
            found = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
            named = Path(f"/proc/{found}/root/etc/machine-of-test").read_text().strip()
            return found if named == self._name else 0
        return 0

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.console()
        if self._init != SYSTEMD:
            return self("true", check=False).returncode == 0
        done = self("systemctl", "is-system-running", check=False)
        return done.stdout.strip() in ("running", "degraded")

    def _remove_groups(self) -> None:
        """Remove the control groups of the machine; what ran in them has ended."""
        with _control_groups() as top:
            group = top / self._name
            wait_until(lambda: not (group / "cgroup.procs").exists() or not _processes(group))
            wait_until(lambda: _removed(group), 10, f"{group} can be removed")


@contextlib.contextmanager
def _control_groups() -> Iterator[Path]:
    """Have the control groups of this machine (version 2) in a directory."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-groups-") as name:
        subprocess.run(["mount", "-t", "cgroup2", "cgroup2", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def _removed(group: Path) -> bool:
    """Remove *group* and those below it; return whether nothing is busy any more."""
    try:
        for each in sorted(group.glob("**/"), reverse=True):
            each.rmdir()
    except OSError:
        return False
    return True


def _processes(group: Path) -> str:
    """Return the numbers of the processes in *group* and below."""
    return "".join(each.read_text() for each in group.glob("**/cgroup.procs"))
