# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.bus.named PROGRAM ARGUMENT...``: run a program, its threads named.

The kernel knows each thread by the name that Python has for it, as of Python 3.14; so that
/proc tells what each thread costs, to the nanosecond.  Nothing else differs.
"""

from __future__ import annotations

import ctypes
import runpy
import sys
import threading

_PR_SET_NAME = 15  # prctl(2)
#: What the kernel keeps of a name, in bytes (proc(5), comm).
KEPT = 15


def name_threads() -> None:
    """Tell the kernel the name of each thread that begins from now on."""
    prctl = ctypes.CDLL(None).prctl
    # In the new thread, before it runs; all versions of Python have this method.
    begin = threading.Thread._set_native_id  # type: ignore[attr-defined]  # noqa: SLF001

    def begin_named(thread: threading.Thread) -> None:
        begin(thread)
        prctl(_PR_SET_NAME, thread.name.encode()[:KEPT], 0, 0, 0)

    threading.Thread._set_native_id = begin_named  # type: ignore[attr-defined]  # noqa: SLF001


if __name__ == "__main__":
    name_threads()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
