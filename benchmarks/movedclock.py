# SPDX-License-Identifier: GPL-2.0-or-later
"""Moves the time of day of one process, as somebody who sets its clock; monotonic clocks go on.

A small library for LD_PRELOAD does it, which is compiled here.  libfaketime would do the same, but
a Redis that allocates with jemalloc hangs with it as it starts.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

#: The seconds to add, as a native long long, are the first eight bytes of the file MOVED_CLOCK.
_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long none, *moved = &none;

__attribute__((constructor)) static void map_file(void)
{
    const char *path = getenv("MOVED_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = file < 0 ? MAP_FAILED : mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) moved = mapped;
    if (file >= 0) close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += *moved;
    return result;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    now->tv_sec = read.tv_sec;
    now->tv_usec = read.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (now) *now = read.tv_sec;
    return read.tv_sec;
}
"""


class MovedClock:
    """A clock that move() sets; processes started with its *environment* go by it."""

    def __init__(self, directory: Path, name: str, library: Path) -> None:
        self._file = directory / f"{name}.clock"
        self._file.write_bytes(struct.pack("q", 0))
        self._file.chmod(0o644)
        self.environment = {"LD_PRELOAD": str(library), "MOVED_CLOCK": str(self._file)}

    def move(self, seconds: int) -> None:
        """Have it differ from the machine's by *seconds* from now on."""
        with open(self._file, "r+b") as file:  # in place: it is mapped
            file.write(struct.pack("q", seconds))


def compiled(directory: Path) -> Path | None:
    """Compile the library into *directory*; return where it is, None without a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    library = directory / "movedclock.so"
    if compiler is None:
        return None
    command = [compiler, "-shared", "-fPIC", "-O1", "-w", "-x", "c", "-", "-o", str(library)]
    if subprocess.run(command, input=_SOURCE, text=True, check=False).returncode:
        return None
    library.chmod(0o755)
    return library
