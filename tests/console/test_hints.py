# SPDX-License-Identifier: GPL-2.0-or-later
"""What the Action tab knows of actions is what the proxy knows of them."""

from __future__ import annotations

from amiproxy.asterisk.actions import ACTIONS, READS
from amiproxy.console.files import STATIC


def hints() -> dict[str, list[str]]:
    """Return the words behind each action's name."""
    text = (STATIC / "js" / "action" / "hints.js").read_text()
    rows = text.partition("const ROWS = `")[2].partition("`")[0].strip().splitlines()
    return {name: words for name, *words in map(str.split, rows)}


def test_hints_name_the_actions_that_the_proxy_knows() -> None:
    """Those, and no other: with a new Asterisk there is a row to add in both."""
    assert set(hints()) == set(ACTIONS)


def test_hints_tell_which_actions_only_read() -> None:
    """One that acts is confirmed, where it needs a class that reaches everything."""
    for name, (kind, *_) in hints().items():
        assert kind == ("reads" if ACTIONS[name].reach.kind == READS else "acts"), name


def test_hints_tell_the_classes_of_the_newest_asterisk() -> None:
    """They stand in until the server has said its own."""
    for name, (_, classes, *_more) in hints().items():
        wanted = ",".join(ACTIONS[name].spans[-1].classes) or "none"
        assert classes == wanted, name


def test_hints_name_the_headers_without_which_an_action_would_mean_everybodys() -> None:
    """A form that forgot one would act on more than was meant."""
    for name, (_, _, *headers) in hints().items():
        known = {header.rstrip("!*").lower() for header in headers}
        assert set(ACTIONS[name].reach.needed) <= known, name
