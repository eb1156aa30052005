# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge: what clients were told, against what Asterisks have sent, done, and been connected to.

Every event comes once and in its order, or the client is told in its place that some are missing.
No action is done twice, every one is answered, and the answer is true.  No Asterisk has two
connections of the cluster for long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.cluster.view import NO_ID, Run, Told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.cluster.actors import Asked
    from benchmarks.cluster.asterisk import Connection
    from benchmarks.cluster.view import Item, Place

#: What tells a client that events are missing.
_EXCUSES = ("Gap", "Lost", "Refused")
#: Gaps that tell of another connection to Asterisk.
_OF_CONNECTIONS = ("server_lost", "restart")

Period = tuple[float, float]
#: (server, epoch) -> what is added to a number there to have that of the event: it is the same for
#: every client at every proxy.
Offsets = dict[tuple[str, int], int]


class Count:
    """What was seen, and how much was told to be missing, by one client."""

    def __init__(self) -> None:
        self.seen = self.missed = self.gaps = self.refused = 0
        self.faults: list[str] = []


class ViewJudge:
    """Follows what one client was told of one server; *zero* is when the trial began.

    *twice*: behind which events two connections were there at once, and until which.
    """

    def __init__(
        self,
        name: str,
        server: str,
        offsets: Offsets,
        count: Count,
        zero: float,
        twice: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._who, self._server = f"{name}, {server}", server
        self._twice = twice
        self._offsets, self._count, self._zero = offsets, count, zero
        self._last = 0
        self._place: Place = NO_ID
        self._told: list[Told] = []

    def follow(self, items: Iterable[Item], goal: int) -> None:
        """Judge *items*; the last event that was sent is *goal*."""
        for item in items:
            if isinstance(item, Told):
                self._told.append(item)
            else:
                self._take(item)
        if self._last != goal:
            self._count.faults.append(f"{self._who}: has {self._last} of {goal} at the end"
                                      f", behind it {self._told[-5:]}")  # fmt: skip

    def _fault(self, text: str, run: Run) -> None:
        self._count.faults.append(
            f"{self._who}: {text}; {run} from {run.proxy} at t={run.at - self._zero:.2f} s"
            f", behind {self._last} at {self._place} and {self._told}"
        )

    def _take(self, run: Run) -> None:
        count, told = self._count, self._told
        excuses = [each for each in told if each.what in _EXCUSES]
        gaps = [each for each in told if each.what == "Gap"]
        is_anew = any(each.what == "Refused" for each in told)
        count.seen += run.last - run.first + 1
        count.gaps += len(gaps)
        count.refused += is_anew
        missing = run.first - self._last - 1
        if missing < 0 and not is_anew and not self._was_sent_twice(run):
            self._fault(
                f"{min(-missing, run.last - run.first + 1)} events twice, or out of order", run
            )
        elif missing > 0:
            count.missed += missing
            if not excuses:
                self._fault(f"{missing} events lost silently", run)
        if not is_anew:
            self._check_gaps(run, gaps)
        self._check_place(run)
        self._last, self._place, self._told = run.last, run.place_of(run.last), []

    def _was_sent_twice(self, run: Run) -> bool:
        """Return whether what *run* repeats came on two connections, and it is of the later one."""
        return run.place[0] > self._place[0] and any(
            first < run.first and self._last <= last for first, last in self._twice
        )

    def _check_gaps(self, run: Run, gaps: Sequence[Told]) -> None:
        """Check that gaps say what is so."""
        crossings = [gap for gap in gaps if gap.reason in _OF_CONNECTIONS]
        if self._place == NO_ID:
            return
        (before, at), (epoch, number) = self._place, run.place
        if epoch < before:
            self._fault("an older connection", run)
        elif epoch != before:
            if not crossings:
                self._fault("no gap tells of the new connection", run)
        elif crossings:
            self._fault("a gap tells of another connection", run)
        elif all(gap.missed is not None for gap in gaps):
            wanted, told = number - at - 1, sum(gap.missed or 0 for gap in gaps)
            # Notices have numbers as well; there is none in the middle of a connection.
            if wanted != told:
                self._fault(f"{wanted} are missing, gaps tell of {told}", run)

    def _check_place(self, run: Run) -> None:
        """Check that ids of one event are the same at all proxies."""
        epoch, number = run.place
        offset = run.first - number
        if self._offsets.setdefault((self._server, epoch), offset) != offset:
            known = self._offsets[self._server, epoch]
            self._fault(f"another id than elsewhere: there it is {run.first - known}", run)


# -- connections -----------------------------------------------------------------------------


class Overlap(NamedTuple):
    """Two connections of a cluster at one Asterisk at once."""

    seconds: float
    begin: float
    first: str
    second: str


def overlaps(
    connections: Sequence[Connection], stopped: Mapping[str, Sequence[Period]], now: float
) -> list[Overlap]:
    """Return where two were there at once, and for how long.

    The time in which the process of the older was stopped does not count: it cannot close anything.
    """
    found = []
    for at, old in enumerate(connections):
        for new in connections[at + 1 :]:
            begin = max(old.logged_in, new.logged_in)
            end = min(old.ended or now, new.ended or now)
            if end > begin:
                seconds = end - begin - without(stopped.get(old.owner, ()), begin, end)
                found.append(Overlap(seconds, begin, old.owner, new.owner))
    return found


def without(periods: Iterable[Period], begin: float, end: float) -> float:
    """Return how many seconds of *periods* lie between *begin* and *end*."""
    return sum(max(0.0, min(last, end) - max(first, begin)) for first, last in periods)


def sent_twice(connections: Sequence[Connection], number: int) -> list[tuple[int, int]]:
    """Return behind which events, and until which, two were there; *number* is the last event."""
    return [
        (new.first, last)
        for at, old in enumerate(connections)
        for new in connections[at + 1 :]
        if (last := old.last if old.ended else number) > new.first
    ]


def longest_alone(connections: Sequence[Connection], until: float) -> float:
    """Return for how many seconds at most nobody was connected, from the first log-in on."""
    longest, end = 0.0, connections[0].logged_in if connections else until
    for each in connections:
        longest = max(longest, each.logged_in - end)
        end = max(end, each.ended or until)
    return max(longest, until - end)


def judge_connections(
    name: str, found: Sequence[Overlap], longest: float, zero: float
) -> list[str]:
    """Return what is wrong: two connections at once for longer than *longest* seconds."""
    return [
        f"{name}: two connections for {each.seconds:.2f} s, of {each.first} and {each.second}"
        f", from t={each.begin - zero:.2f} s"
        for each in found
        if each.seconds > longest
    ]


# -- actions ---------------------------------------------------------------------------------

_OUTCOMES = ("", "done", "no", "perhaps", "refused", "lost")


def judge_action(
    token: str, asked: Asked, done: Sequence[float], stopped: Iterable[Period], patience: float
) -> str:
    """Return what is wrong with one action, "" if nothing is.

    *done* is when it was carried out, *patience* the seconds within which it is to be answered,
    without those in which its proxy was stopped.
    """
    what = f"action {token} at {asked.proxy} for {asked.server}: "
    took = asked.ended - asked.asked - without(stopped, asked.asked, asked.ended)
    wrongs = (
        (len(done) > 1, f"carried out {len(done)} times"),
        (not asked.outcome, f"never answered, in {took:.1f} s"),
        (took > patience, f"answered ({asked.outcome}) behind {took:.1f} s"),
        (asked.outcome == "done" and not done, "a success, and never carried out"),
        (asked.outcome in ("no", "refused") and done,
         f"carried out, and answered {asked.outcome!r}: {asked.text}"),
        (asked.outcome not in _OUTCOMES, f"CarriedOut: {asked.outcome}"),
    )  # fmt: skip
    return next((what + text for is_wrong, text in wrongs if is_wrong), "")
