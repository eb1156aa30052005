# SPDX-License-Identifier: GPL-2.0-or-later
"""Every action of a real Asterisk is answered through the proxy as Asterisk answers directly.

Nothing may be different but the header ``Server:``, what is another thing each time
(``answers.MOVING``), and what the proxy changes (``answers.EXPLAINED``).
"""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

import pytest

from tests.asterisk.actions import reads, stories
from tests.asterisk.actions.answers import Asker, explained, still, without_server
from tests.asterisk.actions.props import props, unnamed
from tests.asterisk.actions.scene import prepare, stand
from tests.asterisk.asking import Admin
from tests.asterisk.decoding import ENDS
from tests.asterisk.instance import Asterisk
from tests.asterisk.proxies import SERVER, start_proxy
from tests.asterisk.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.asterisk.chroot import Chroot
    from tests.asterisk.decoding import Lines
    from tests.asterisk.figures import Figures
    from tests.support import ManagerClient, ProxyProcess

pytestmark = pytest.mark.real_asterisk

#: autofilter, and Asterisk's user for that proxy.
MODES = {"off": "proxy", "on": "proxy2", "unique": "proxy3"}
FORMATS = ("standard", "xml", "csv", "json")
_PIPELINE = 50
#: What a proxy takes itself.
LOCAL = {"Challenge", "Events", "Filter", "Login", "Logoff", "WaitEvent"}
#: ActionIDs that clients give: none, and one that looks like a proxy's own.
ACTIONIDS = ("", "amp1-!x")


@pytest.fixture(scope="module")
def world(chroot: Chroot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An Asterisk of its own, with phones."""
    asterisk = Asterisk(chroot, tmp_path_factory.mktemp("actions"))
    prepare(asterisk)
    with asterisk, World(asterisk) as one:
        yield one


@pytest.fixture(scope="module")
def proxies(world: World) -> Iterator[dict[str, ProxyProcess]]:
    """A proxy of each mode."""
    started: dict[str, ProxyProcess] = {}
    try:
        for mode, user in MODES.items():
            started[mode] = start_proxy(world.asterisk, f"autofilter = {mode}\n", login=user)
        yield started
    finally:
        for one in started.values():
            one.kill()


class Askers:
    """Clients that ask, with *actionid* or without one ("")."""

    def __init__(self, world: World, proxies: dict[str, ProxyProcess], actionid: str) -> None:
        self._world, self._proxies, self._actionid = world, proxies, actionid

    @contextlib.contextmanager
    def direct(self) -> Iterator[Asker]:
        """Yield a client of Asterisk."""
        with self._world.asterisk.client("direct", timeout=20) as client:
            yield Asker(client, "asterisk", self._actionid)

    def of_proxies(self, kinds: Sequence[tuple[str, str]] = ()) -> Iterator[Asker]:
        """Yield a client of each mode and format, or of those *kinds*.

        One at a time: in the mode ``off`` each sees all answers.
        """
        for mode, output in kinds or itertools.product(MODES, FORMATS):
            with connected(self._proxies[mode], output) as client:
                yield Asker(client, output, self._actionid, f"{mode} {output}")


@pytest.fixture(scope="module", params=ACTIONIDS, ids=lambda one: one or "without ActionID")
def askers(
    world: World, proxies: dict[str, ProxyProcess], request: pytest.FixtureRequest
) -> Askers:
    """Who asks."""
    return Askers(world, proxies, request.param)


def connected(proxy: ProxyProcess, output: str) -> ManagerClient:
    """Return a client that gets no events, and answers in the format *output*."""
    client = proxy.client(timeout=20)
    client.send("Action: Events", "EventMask: off")
    client.read_until(lambda lines: lines[0] == "Response: Success")
    if output != "standard":
        client.send("ProxyAction: SetOutputFormat", f"OutputFormat: {output}")
        client.read_to(b"OutputFormat")
        client.read_to(ENDS[output])
    return client


@pytest.fixture(scope="module")
def scene(world: World) -> Iterator[dict[str, str]]:
    """The standing scene."""
    yield stand(world)
    world.end_calls()


def flat(answers: Sequence[list[Lines]]) -> list[Lines]:
    """Return the messages of all *answers*."""
    return [message for one in answers for message in one]


def test_every_action_is_asked(world: World) -> None:
    """What ListCommands names is in a table; the proxy takes some itself."""
    with world.asterisk.client("direct") as client:
        (listed,) = Admin(client).ask("ListCommands")
    names = {line.partition(":")[0] for line in listed if "(Priv: " in line}

    assert names == {*reads.ASKED, *stories.actions()} - {reads.UNKNOWN} | LOCAL


def test_each_answer_is_asterisks(askers: Askers, scene: dict[str, str], figures: Figures) -> None:
    """One asked after the other, in each mode and format; directly before that, and behind it."""
    blocks = reads.blocks(scene)
    different = {}
    with askers.direct() as client:
        after = [explained(still(one)) for one in client.one_by_one(blocks)]
        for asker in askers.of_proxies():
            before = after
            seen = [still(without_server(one, SERVER)) for one in asker.one_by_one(blocks)]
            after = [explained(still(one)) for one in client.one_by_one(blocks)]
            for block, one, first, last in zip(blocks, seen, before, after):
                figures.counts["answers compared"] += 1
                figures.counts["answers compared, explained"] += bool(first.told)
                if one not in (first.answer, last.answer):
                    different[(asker.name, *block)] = (first.answer, one)
    assert different == {}


def test_answers_to_many_actions_at_once_are_asterisks(
    askers: Askers, scene: dict[str, str], figures: Figures
) -> None:
    """Fifty in one write: all answers, in the order of the actions."""
    blocks = reads.blocks(scene)
    for group in (blocks[at : at + _PIPELINE] for at in range(0, len(blocks), _PIPELINE)):
        with askers.direct() as client:
            answers = [still(one) for one in client.one_by_one(group)]
            assert still(client.at_once(group)) == flat(answers)
        expected = flat([explained(one).answer for one in answers])
        for asker in askers.of_proxies():
            assert still(without_server(asker.at_once(group), SERVER)) == expected, asker.name
            figures.counts["answers compared, 50 asked at once"] += len(group)


#: Who tells the stories: mode and format.
TELLERS = (("off", "standard"), ("on", "xml"), ("unique", "standard"), ("unique", "json"))


@pytest.mark.parametrize("name", stories.STORIES)
def test_what_changes_something_is_answered_as_by_asterisk(
    world: World, askers: Askers, scene: dict[str, str], figures: Figures, name: str
) -> None:
    """Step by step, and all steps in one write; each time from the same start."""
    story = stories.STORIES[name]

    def told(asker: Asker) -> tuple[list[list[Lines]], list[Lines]]:
        with props(world, story.need) as names:
            steps = asker.one_by_one(stories.blocks(story, names))
        with props(world, story.need) as names:
            return steps, asker.at_once(stories.blocks(story, names))

    with askers.direct() as client:
        steps, at_once = told(client)
    assert unnamed(still(at_once)) == unnamed(still(flat(steps)))
    answers = [explained(unnamed(still(one))).answer for one in steps]
    for asker in askers.of_proxies(TELLERS):
        steps, at_once = told(asker)
        assert [unnamed(still(without_server(one, SERVER))) for one in steps] == answers, asker.name
        assert unnamed(still(without_server(at_once, SERVER))) == flat(answers), asker.name
        figures.counts["answers compared"] += len(steps)
        figures.counts["answers compared, a story asked at once"] += len(steps)
