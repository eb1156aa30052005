# SPDX-License-Identifier: GPL-2.0-or-later
"""A layer above a tree: this program, as "make install" installs it there, without network."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from tests import debian
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.trees import Tree

#: Where the source is, inside.
SOURCE = "/usr/src/astmanproxy"

_INSTALL = """set -e
tree=$1; layer=$2; source=$3; work=$layer.work; root=$layer.root
mkdir -p "$layer" "$work" "$root"
mount -t overlay -o "lowerdir=$tree,upperdir=$layer,workdir=$work" overlay "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
cd "$root$source"
chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  LC_ALL=C.UTF-8 HOME=/root sh -ec "$4"
"""
_MAKE = f"""
make -C {SOURCE} install PIPFLAGS="--no-index --find-links /opt/wheels"
"""


def install(tree: Tree, layer: Path) -> str:
    """Make *layer*, a directory that is not there yet; return what make install printed."""
    source = layer / SOURCE[1:]
    source.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    done = subprocess.run(
        [*debian.SHELL, _INSTALL, "sh", str(tree.path), str(layer), SOURCE, _MAKE],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
