# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.cluster``: a cluster of proxies on one Redis, while everything fails.

Simulated Asterisks number their events and count their connections and what they are asked.
Proxies, Redis, Asterisks and the lines between them are killed, stopped, cut and delayed, as a seed
says.  Each client must see every event once, or be told that some are missing; each action must be
done once and be answered; no Asterisk may have two connections of the cluster for long.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.cluster.stage import Scale, measure
from benchmarks.processes import Failed
from benchmarks.redisserver import find_redis
from benchmarks.subjects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.cluster.stage import Result

#: Faults of one run that are printed.
_MOST = 20


def lines(result: Result) -> Iterator[str]:
    """Yield the lines of a table: what each client was told, and each Asterisk saw."""
    scale = result.scale
    yield (
        f"{scale.proxies} proxies, {scale.asterisks} Asterisks, {scale.faults} faults of seed"
        f" {scale.seed}, {result.sent} events in {result.seconds:.0f} s"
    )
    yield f"  {'client':<14}{'seen':>9}{'missed':>9}{'gaps':>7}{'refused':>9}{'faults':>8}"
    for name, count in result.counts.items():
        yield (
            f"  {name:<14}{count.seen:>9}{count.missed:>9}{count.gaps:>7}{count.refused:>9}"
            f"{len(count.faults):>8}"
        )
    for name, found in result.overlaps.items():
        longest = max((each.seconds for each in found), default=0.0)
        yield (
            f"  {name}: {result.connections[name]} connections, {len(found)} times two at once,"
            f" {longest:.2f} s at most; nobody for {result.alone[name]:.1f} s at most"
        )
    yield "  actions: " + ", ".join(f"{n} {what}" for what, n in sorted(result.actions.items()))


def main(argv: list[str] | None = None) -> int:
    """Run the trial; return 1 if something is not as it must be."""
    options = _options(argv)
    if not options.alone and not find_redis():
        print("neither redis-server nor valkey-server is installed", file=sys.stderr)
        return 2
    scale = Scale(
        options.faults, options.seed, options.rate, proxies=options.proxies,
        asterisks=options.asterisks, failover=options.failover, bus=not options.alone,
        only=options.only, clocks=not options.no_clocks, most=options.at_once,
        further=tuple(options.set),
    )  # fmt: skip
    tell = (lambda _: None) if options.quiet else (lambda text: print(text, flush=True))
    try:
        result = measure(scale, shlex.split(options.proxy), tell, options.keep)
    except Failed as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(lines(result)), flush=True)
    for fault in result.faults[:_MOST]:
        print(fault, file=sys.stderr)
    if result.faults:
        print(f"{len(result.faults)} faults; seed {scale.seed}", file=sys.stderr)
    return int(bool(result.faults))


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="how many (200)")
    parser.add_argument("--seed", type=int, default=1, help="of what is left to chance (1)")
    parser.add_argument("--rate", type=int, default=2000, help="events a second (2000)")
    parser.add_argument("--proxies", type=int, default=3, help="how many (3)")
    parser.add_argument("--asterisks", type=int, default=3, help="how many (3)")
    parser.add_argument("--failover", type=float, default=1.0, help="busfailover, seconds (1)")
    parser.add_argument("--at-once", type=int, default=2, help="faults at the same time (2)")
    parser.add_argument("--only", default="", metavar="WORD", help="faults with that in their name")
    parser.add_argument("--alone", action="store_true", help="without Redis: each proxy by itself")
    parser.add_argument("--no-clocks", action="store_true", help="no clock jumps")
    parser.add_argument("--quiet", action="store_true", help="do not print each fault")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="leave configurations and logs here"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="LINE", help="a line of each configuration"
    )
    parser.add_argument(
        "--proxy",
        metavar="COMMAND",
        default=shlex.join([sys.executable, str(ROOT / "astmanproxy.py")]),
        help="start each proxy with COMMAND -f -c FILE -u FILE",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
