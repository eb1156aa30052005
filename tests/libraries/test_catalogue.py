# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``make libraries`` says is what the drivers saw."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.libraries.catalogue import LIBRARIES, Library
from tests.libraries.installing import Ready
from tests.libraries.report import direct, fails, table, through
from tests.libraries.trials import Trial, use

DRIVERS = Path(__file__).parent / "drivers"
SEEN: dict[str, object] = {"login": True, "command": "text"}


def test_every_library_has_a_driver_and_every_driver_a_library() -> None:
    """None is forgotten."""
    there = {path.name for path in DRIVERS.glob("use_*")}

    assert {library.driver for library in LIBRARIES} == there


def test_a_step_that_went_otherwise_is_named() -> None:
    """With the generation and the setting where it did."""
    trial = Trial(SEEN, {"unique": SEEN, "off": {"login": True, "command": None}})

    assert through({"22": trial}) == "the same with `unique`; `off`: not `command` of 22"
    assert through({"22": Trial(SEEN, {"unique": SEEN})}) == "the same"


def test_a_library_fails_if_no_setting_gives_the_same_everywhere() -> None:
    """One setting for one generation and another for the next is none."""
    other: dict[str, object] = {"login": True}
    first = Trial(SEEN, {"unique": SEEN, "off": other})
    second = Trial(SEEN, {"unique": other, "off": SEEN})

    assert not fails({"22": first})
    assert fails({"13": second, "22": first})


def test_what_a_library_cannot_do_direct_is_no_difference() -> None:
    """It is said in the column for direct connections."""
    failing = Trial({"login": True}, {"unique": {"login": True}})
    trials = {"13": failing, "22": Trial(SEEN, {"unique": SEEN})}

    assert direct(trials) == "13: not `command`"
    assert through(trials) == "the same"


def test_a_library_that_stops_early_through_the_proxy_is_no_success() -> None:
    """A step that nobody saw differs from one that was seen, even as nothing."""
    trial = Trial({"login": True, "ping": None}, {"unique": {"login": True}})

    assert through({"22": trial}) == "`unique`: not `ping` of 22"


def test_a_driver_is_told_where_to_connect_and_what_it_says_is_kept(tmp_path: Path) -> None:
    """Lines of JSON; what a library itself prints is passed over."""
    driver = tmp_path / "driver.py"
    driver.write_text(
        "import json, sys\nprint('noise')\n"
        "print(json.dumps({'step': 'login', 'saw': sys.argv[1:]}))\n"
    )
    library = Library("x", "Python", "pip", "x==1", "driver.py")
    ready = Ready(library, "1", [sys.executable, str(driver)], {})

    seen = use(ready, 5038, "joe", "pass")

    assert seen == {"login": ["127.0.0.1", "5038", "joe", "pass"]}
    assert "| x (Python) | 1 | all | the same |" in table(
        [(ready, {"22": Trial(seen, {"unique": seen})})], []
    )
