# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m tests.floors REPORT``: is enough of the program covered by tests?

REPORT is what ``coverage json`` wrote.  What is left out of the figures stands in
pyproject.toml, each with its reason.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

LINES = 95.0  # percent, of amiproxy/, handlers/ and astmanproxy.py
BRANCHES = 90.0


def main(report: str) -> int:
    """Print the figures; return 1 where one is below its floor, else 0."""
    totals = json.loads(Path(report).read_text(encoding="utf-8"))["totals"]
    lines = 100.0 * totals["covered_lines"] / totals["num_statements"]
    branches = 100.0 * totals["covered_branches"] / totals["num_branches"]
    print(
        f"lines {lines:.1f} % (at least {LINES:g}), branches {branches:.1f} % (at least {BRANCHES:g})"
    )
    return 0 if lines >= LINES and branches >= BRANCHES else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
