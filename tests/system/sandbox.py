# SPDX-License-Identifier: GPL-2.0-or-later
"""The unit's sandbox, as far as unshare and setpriv reach: for machines without systemd.

``make service-test`` has systemd itself make it; here each line of the unit is read, and what
cannot be done without systemd (its filter of system calls) is named.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import PROGRAM, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

UNIT = ROOT / "init/astmanproxy.service"

#: What of the sandbox is left to systemd; all else is done by the script below.
LEFT = frozenset(
    [
        "LockPersonality",
        "ProtectClock",
        "ProtectControlGroups",
        "ProtectHostname",
        "ProtectKernelLogs",
        "ProtectKernelModules",
        "ProtectKernelTunables",
        "RemoveIPC",
        "RestrictAddressFamilies",
        "RestrictNamespaces",
        "RestrictRealtime",
        "RestrictSUIDSGID",
        "SystemCallArchitectures",
        "SystemCallErrorNumber",
        "SystemCallFilter",
    ]
)
DONE = frozenset(
    [
        "CapabilityBoundingSet",
        "MemoryDenyWriteExecute",
        "NoNewPrivileges",
        "PrivateDevices",
        "PrivateMounts",
        "PrivateTmp",
        "ProcSubset",
        "ProtectHome",
        "ProtectProc",
        "ProtectSystem",
    ]
)

# Directories are those that stay ("needed": the program, its Python, ours), those that nobody
# sees any more ("closed"), and those that can be written to ("own").
_SCRIPT = """set -e
stash=/mnt
mount -t tmpfs tmpfs "$stash"
n=0
for place in $needed $own; do n=$((n + 1)); mkdir "$stash/$n"; mount --rbind "$place" "$stash/$n"; done
for place in $closed; do mount -t tmpfs -o mode=0755 tmpfs "$place"; done
mkdir -p "$stash/dev"
for device in null zero full random urandom; do
  touch "$stash/dev/$device"; mount --bind "/dev/$device" "$stash/dev/$device"
done
ln -s /proc/self/fd "$stash/dev/fd"
n=0
for place in $needed $own; do
  n=$((n + 1)); mkdir -p "$place"; mount --rbind "$stash/$n" "$place"
done
mount --bind "$stash/dev" /dev
mount -o remount,bind,ro /
mount -t proc -o subset=pid,hidepid=invisible proc /proc 2>/dev/null || mount -t proc proc /proc
cd /
exec "$@"
"""
#: PR_SET_MDWE (prctl(2)): Linux 6.3 and later; what it forbids is forbidden to all it becomes.
_NO_NEW_CODE = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def settings() -> list[tuple[str, str]]:
    """Return the settings in the section [Service] of the unit, in order."""
    text = UNIT.read_text().partition("[Service]")[2].partition("[Install]")[0]
    lines = text.replace("\\\n", " ").splitlines()
    pairs = [line.partition("=") for line in lines if line and line[0] not in "#;"]
    return [(name, value) for name, _, value in pairs]


def value(name: str) -> str:
    """Return the only value of the setting *name*."""
    (found,) = [each for key, each in settings() if key == name]
    return found


def exec_line(name: str, run: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the command of the setting *name* (ExecStart) as systemd would expand it.

    The program is that of this tree, and *run* is /run/astmanproxy.
    """
    program = f"{shlex.quote(sys.executable)} {shlex.quote(str(PROGRAM))}"
    words = shlex.split(value(name).replace("%t/%N", str(run)).replace("%N", UNIT.stem))
    found: list[str] = []
    for word in words:
        if word.startswith("$") and word[1:] in environment:
            found += environment[word[1:]].split()  # systemd splits a variable that is a word
        elif word == "/usr/local/sbin/astmanproxy":
            found += shlex.split(program)
        else:
            found.append(word.replace("/usr/local/sbin/astmanproxy", program).replace("$$", "$"))
    return found


def sandboxed(command: Sequence[str], own: Path) -> list[str]:
    """Return what runs *command*, for root, as nobody in the unit's sandbox.

    It may write to the directory *own* only.
    """
    needed = sorted({sys.base_prefix, sys.prefix, str(ROOT), str(Path(sys.executable).parent)})
    closed = {"/tmp", "/var/tmp", "/home", "/root", *_closed(*needed, str(own))}
    there = [each for each in sorted(closed) if Path(each).is_dir()]
    # The real ones, so that nothing is mounted over a symbolic link.
    places = {
        "needed": " ".join(sorted({os.path.realpath(each) for each in needed})),
        "closed": " ".join(there),
        "own": str(own),
    }
    return [
        "env", *(f"{name}={text}" for name, text in places.items()),
        "unshare", "--mount", "--ipc", "--propagation", "private", "sh", "-c", _SCRIPT, "sh",
        sys.executable, "-c", _NO_NEW_CODE,
        "setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
        "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command,
    ]  # fmt: skip


def _closed(*paths: str) -> set[str]:
    """Return the directories above *paths* that nobody may enter."""
    above = {parent for path in paths for parent in Path(os.path.realpath(path)).parents}
    return {str(each) for each in above if not each.stat().st_mode & 0o001}
