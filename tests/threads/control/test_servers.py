# SPDX-License-Identifier: GPL-2.0-or-later
"""What the commands about servers do where several operators ask at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from amiproxy.threads.control import servers
from amiproxy.threads.control.table import perform

if TYPE_CHECKING:
    import pytest

    from amiproxy.threads.control.command import Request


def test_what_another_has_had_connect_anew_meanwhile_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Actions are on their way there again, and would be lost."""
    links = [SimpleNamespace(scope=name, connected=False, transport=name) for name in "ab"]
    asked: list[set[str]] = []

    def wait(_request: Request, _links: object) -> list[Any]:
        links[0].transport = "another"
        return []

    monkeypatch.setattr(servers, "_wait_until_idle", wait)
    context = SimpleNamespace(
        bus=None,
        router=SimpleNamespace(servers=links),
        control=SimpleNamespace(reconnect=lambda names, _reason: asked.append(names)),
    )

    answer = perform(cast("Any", context), "reconnect", "root")

    assert asked == [{"b"}]
    assert answer.is_good
    assert len(tuple(answer.lines)) == 2
