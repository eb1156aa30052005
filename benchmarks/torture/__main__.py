# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.torture``: run the attacks, and print what an innocent client noticed."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys

from amiproxy.process.process import raise_file_limit
from benchmarks.processes import Failed
from benchmarks.subjects import ROOT
from benchmarks.torture.attacks import ATTACKS
from benchmarks.torture.trial import Result, measure

_HEAD = ("attack", "events p99", "under attack", "pings p99", "under attack", "memory", "highest")


def main(argv: list[str] | None = None) -> int:
    """Run the attacks; return 1 if one harms the innocent client."""
    options = _options(argv)
    chosen = [
        each for each in ATTACKS if not options.only or any(o in each.name for o in options.only)
    ]
    if options.list:
        for attack in chosen:
            print(f"{attack.name:<18}{attack.what}")
        return 0
    raise_file_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print("| " + " | ".join(_HEAD) + " |\n|---|" + "--:|" * (len(_HEAD) - 1), flush=True)
    results, failed = [], False
    for attack in chosen:
        try:
            result = measure(attack, shlex.split(options.proxy), options.seconds)
        except (Failed, OSError) as error:
            print(f"{attack.name}: FAILED: {error}", file=sys.stderr)
            failed = True
            continue
        results.append(result)
        print(_row(result), flush=True)
        for problem in result.problems:
            failed = True
            print(f"{attack.name}: {problem}", file=sys.stderr, flush=True)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([result._asdict() for result in results], file, indent=1)
    return int(failed)


def _row(result: Result) -> str:
    """Return a row of the table: times in ms, memory in MB."""
    without, under = result.without, result.under
    figures = (without.event, under.event, without.ping, under.ping)
    cells = [f"{figure:.1f} ms" for figure in figures]
    cells += [f"{result.before:.0f} MB", f"{result.highest:.0f} MB"]
    return f"| {result.what} | " + " | ".join(cells) + " |"


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="only attacks whose name contains NAME"
    )
    parser.add_argument("--list", action="store_true", help="print the attacks")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each window takes")
    parser.add_argument("--json", metavar="FILE", help="write the figures to FILE")
    parser.add_argument(
        "--proxy",
        metavar="COMMAND",
        default=shlex.join([sys.executable, str(ROOT / "astmanproxy.py")]),
        help="start the proxy with COMMAND -f -c FILE -u FILE",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
