# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.resumes``: what clients that come back are sent, and what they are told.

Two Asterisks number 500 events a second and are restarted; clients of all kinds are cut off
1 000 times and resume.  What each saw plus what it was told is missing must be what the Asterisks
have sent.  Then the same with a ring that is too small on purpose, and at times none.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import TYPE_CHECKING

from benchmarks.processes import Failed
from benchmarks.resumes.stage import Scale, measure
from benchmarks.subjects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.resumes.stage import Result

#: Faults of one run that are printed.
_MOST = 20


def scales(*, quick: bool, seed: int) -> list[Scale]:
    """Return the runs of the whole program, or of the quick one."""
    if quick:
        cuts, restarts = (40, 20), (3, 1)
    else:
        cuts, restarts = (1000, 500), (20, 10)
    return [
        Scale("all is kept", cuts[0], restarts[0], seed=seed),
        # A model would have a ring of its own.
        Scale("small ring", cuts[1], restarts[1], "60KB", seed, state=False, reloads=restarts[1]),
    ]


def lines(result: Result) -> Iterator[str]:
    """Yield the lines of a table: what each client was told."""
    scale = result.scale
    ways = ", ".join(f"{count} {way}" for way, count in sorted(result.ways.items()))
    yield (
        f"{scale.name} (replay = {scale.replay}): {sum(result.ways.values())} cuts ({ways}),"
        f" {scale.restarts} restarts, {scale.reloads} times no ring,"
        f" {result.sent} events in {result.seconds:.0f} s"
    )
    yield f"  {'client':<20}{'connections':>12}{'seen':>10}{'gaps':>7}{'missed':>9}{'faults':>8}"
    for kind, client, verdict in result.verdicts:
        yield (
            f"  {kind.name:<20}{len(client.lives):>12}{verdict.seen:>10}{verdict.gaps:>7}"
            f"{verdict.missed if kind.is_told_numbers else '-':>9}{len(verdict.faults):>8}"
        )


def main(argv: list[str] | None = None) -> int:
    """Run all; return 1 if a client was not told what it must be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.resumes", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="15 s instead of five minutes")
    parser.add_argument("--seed", type=int, default=1, help="of what is left to chance (1)")
    parser.add_argument("--cuts", type=int, help="how often clients are cut off, in each run")
    parser.add_argument(
        "--proxy",
        metavar="COMMAND",
        default=shlex.join([sys.executable, str(ROOT / "astmanproxy.py")]),
        help="start the proxy with COMMAND -f -c FILE -u FILE",
    )
    options = parser.parse_args(argv)
    failed = False
    for scale in scales(quick=options.quick, seed=options.seed):
        chosen = scale._replace(cuts=options.cuts) if options.cuts else scale
        try:
            result = measure(chosen, shlex.split(options.proxy))
        except Failed as error:
            print(error, file=sys.stderr)
            return 2
        print("\n".join(lines(result)), flush=True)
        for fault in result.faults[:_MOST]:
            print(fault, file=sys.stderr)
        failed |= bool(result.faults)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
