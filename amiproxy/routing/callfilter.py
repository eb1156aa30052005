# SPDX-License-Identifier: GPL-2.0-or-later
"""SessionFilter: whether a message may pass to, or from, one client (spec section 8).

Each logged-in client has one.  The threads of all servers and the client's own use it;
the caller holds the session's lock, so it needs none.  What the client may see and do
by class (rights, event filters) is decided elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from enum import Enum
from typing import TYPE_CHECKING, Callable, Final, Protocol

from amiproxy.basics.bounded import SmallBoundedDict
from amiproxy.routing.actionfilter import ActionFilter, ActionSettings
from amiproxy.routing.callwords import Kinds
from amiproxy.routing.classes import SECURITY, privilege_mask
from amiproxy.routing.facts import Facts, facts_of
from amiproxy.routing.links import Links

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from amiproxy.message import Message

#: Unique ids remembered per client and server; beyond that the oldest are dropped (C: 1024).
MAX_KNOWN = 4096

#: And those of calls that have ended, for their late Cdr and CEL.  Asterisk may keep Cdrs for
#: five minutes (batch in cdr.conf); a phone does not make so many calls in that time.
MAX_ENDED = 256


class _Verdict(Enum):
    """What an event is to a client whose filters go by calls."""

    WITHHELD = "the client does not get it"
    PASSING = "the client gets it, and learns no call from it"
    OWN = "the client gets it: it belongs to one of the client's calls"


# By name: an Enum's attributes take time to look up.
_WITHHELD, _PASSING, _OWN = _Verdict


class FilterSettings(ActionSettings, Protocol):
    """What filters read of a user, see amiproxy.access.user."""

    @property
    def in_context(self) -> str:
        """The one context events may name; "" = all."""

    @property
    def more_events(self) -> bool:
        """Whether events that belong to no channel pass, too; those of the class security never."""

    @property
    def filters(self) -> frozenset[str]:
        """Keys of CALL_FILTERS."""


class Index(Protocol):
    """What finds filters by what events name: threads/sessions/callindex.py."""

    def add(self, callfilter: SessionFilter) -> None:
        """Have *callfilter* be found."""

    def remove(self, callfilter: SessionFilter) -> None:
        """Have it be found no more."""

    def recall(self, callfilter: SessionFilter) -> None:
        """Have it be found by channels that began before it was there."""

    def know(self, scope: str, uid: str, callfilter: SessionFilter) -> None:
        """Note that it knows *uid* of the server *scope*."""

    def forget(self, scope: str, uids: Iterable[str], callfilter: SessionFilter) -> None:
        """Note that it knows *uids* no more."""


class SessionFilter:
    """The filters of one user, and what one client knows of each server's calls."""

    def __init__(self, user: FilterSettings, local: str, *, most_ids: int = MAX_KNOWN) -> None:
        """Filter as *user* says; *local* is ``filterlocal``: off, allow, allowwith, enforce.

        Of each server *most_ids* unique ids are remembered.
        """
        #: What the names of the user's channels begin with, in lower case; "": all.
        self.channel: Final = user.channel.lower()
        # Each channel of a message stands behind a line feed in facts.channels.
        self._needle = "\n" + self.channel if self.channel else ""
        # And each device between two: with a "-" at the end, the prefix means that one alone.
        self._device = self._needle + "\n" * self._needle.endswith("-")
        #: As the user's settings of these names.
        self.in_context: Final = user.in_context
        self.more_events: Final = user.more_events
        #: The kinds of events that the user's ``filters`` let pass.
        self.kinds: Final = Kinds.of(user.filters)
        self._only, self._withheld = self.kinds.only, self.kinds.withheld
        # Whether the filters go by calls, and not just by single events: ids count.
        self._by_call = bool(self.channel or self.in_context)
        # Scope -> ids of the calls the client knows there, oldest first.
        self._known: defaultdict[str, SmallBoundedDict[str, None]] = defaultdict(
            lambda: SmallBoundedDict(most_ids)
        )
        # Scope -> ids that the client knew there of calls that have ended, oldest first.
        self._ended: dict[str, SmallBoundedDict[str, None]] = {}
        #: Whether the client has been shown its calls before, on another connection.
        self._recalls = False
        # What finds the filter by what events name, once it is in one; it knows what is known here.
        self._index: Index | None = None
        self._actions = ActionFilter(user, local)

    @property
    def active(self) -> bool:
        """Whether any message of an Asterisk may be withheld."""
        return bool(self._by_call or self._only or self._withheld)

    @property
    def follows_calls(self) -> bool:
        """Whether what passes depends on the calls that the client knows."""
        return self._by_call

    def enter(self, index: Index) -> None:
        """Have *index* find this filter, from now on until it leaves."""
        if self._index is None:
            self._index = index
            index.add(self)
            if self._recalls:
                index.recall(self)
            for table in (self._known, self._ended):
                for scope, uids in table.items():
                    for uid in uids:
                        index.know(scope, uid, self)

    def leave(self) -> None:
        """Forget all calls, and be found by no index: its client has another one, or is gone."""
        for scope in {*self._known, *self._ended}:
            self.forget(scope)
        if self._index is not None:
            self._index.remove(self)
            self._index = None

    def forget(self, scope: str) -> None:
        """Forget the calls of the server *scope*: its connection was lost."""
        known, ended = self._known.pop(scope, ()), self._ended.pop(scope, ())
        if self._index is not None and (known or ended):
            self._index.forget(scope, (*known, *ended), self)

    def known(self, scope: str) -> frozenset[str]:
        """Return the ids of the calls that the client knows at the server *scope*."""
        return frozenset(self._known.get(scope, ()))

    def shows(self, message: Message, known: Container[str]) -> bool:
        """Return whether what *message* lists is the client's, which knows the ids *known*.

        That is no event: the client learns no call from it.
        """
        facts = facts_of(message)
        if not self._by_call:
            return self.kinds.has(facts.name)
        links = Links(facts.uids or facts.bridges)
        return not self._only and self._verdict(facts, links, known) is not _WITHHELD

    def learn(self, scope: str, uids: Iterable[str]) -> None:
        """Note that the client was shown the channels *uids* of the server *scope*."""
        known = self._known[scope]
        for uid in uids:
            self._know(uid, known, scope)

    def recall(self) -> None:
        """Know from now on, by what their server noted, the calls that began before.

        The client was shown on another connection, or told that it was not, how they began: it
        is not sent that again.
        """
        self._recalls = True
        if self._index is not None:
            self._index.recall(self)

    def incoming(self, message: Message, scope: str, answer: bool) -> tuple[Message, ...]:
        """Return what the client gets for *message*: nothing, or replays and the message.

        *scope* tells the servers apart, whose unique ids may be the same.  *answer*
        says that *message* belongs to an action of this client: it passes, and makes no
        call known, because a list of all channels would make all calls known.

        What goes by calls needs what the server's call table noted: a message without
        it came before the client logged in, and is withheld.

        Ask last, for messages that pass everything else: what is returned here counts
        as sent.  Replayed messages have to pass the other checks themselves.
        """
        if answer or message.own:
            return (message,)
        facts = message.facts
        if type(facts) is not Facts:
            facts = facts_of(message)
        if facts.response:
            # Not to this client; to one that follows calls or kinds it tells nothing.
            return () if self._by_call or self._only else (message,)
        if not self._by_call:
            return (message,) if self.kinds.has(facts.name) else ()
        links = message.links
        if type(links) is not Links or facts.name in self._withheld:
            return ()
        known = self._known[scope]
        if self._recalls and links.replays:
            self._know_again(links, known, scope)
        verdict = self._verdict(facts, links, known)
        if links.past and verdict is not _OWN and self._was_own(facts, links, scope):
            verdict = _OWN
        replay = self._learn(links, known, scope) if verdict is _OWN else ()
        if links.ended:
            self._end(links, known, scope)
        if verdict is _WITHHELD or (self._only and facts.name not in self._only):
            return ()
        # A client of Cdrs alone wants no Newchannel, but its calls are followed.
        return (*replay, message) if replay and not self._only else (message,)

    def _verdict(self, facts: Facts, links: Links, known: Container[str]) -> _Verdict:
        """Return what an event is to a client that knows the ids *known*."""
        contexts = facts.contexts
        elsewhere = self.in_context and contexts and self.in_context not in contexts
        if elsewhere and any(contexts):
            # A channel that left the context still ends for a client that saw it begin.
            return _OWN if facts.name == "hangup" and facts.own_uid in known else _WITHHELD
        if self._needle and self._needle in facts.channels:
            return _OWN
        for uid in links.live:  # a loop: any() takes three times as long
            if uid in known:
                return _OWN
        if elsewhere or (facts.uids and self._needle):
            # Where the context is empty, as a dialled channel's may be, known calls only.
            return _WITHHELD
        if facts.uids:
            return _OWN if contexts else _PASSING
        return _PASSING if self._wants_nameless(facts) else _WITHHELD

    def _is_elsewhere(self, facts: Facts) -> bool:
        """Return whether an event is in other contexts than the user's."""
        contexts = facts.contexts
        return bool(self.in_context) and any(contexts) and self.in_context not in contexts

    def _was_own(self, facts: Facts, links: Links, scope: str) -> bool:
        """Return whether a late event belongs to a call that the client knew."""
        ended = self._ended.get(scope)
        if not ended or ended.keys().isdisjoint(links.past):
            return False
        return not self._is_elsewhere(facts)

    def _know(self, uid: str, known: SmallBoundedDict[str, None], scope: str) -> None:
        """Note *uid* in *known*, what is known of the server *scope*; the oldest id may go."""
        oldest, index = known.add(uid, None), self._index
        if index is not None:
            index.know(scope, uid, self)
            if oldest is not None and oldest not in self._ended.get(scope, ()):
                index.forget(scope, (oldest,), self)

    def _know_again(self, links: Links, known: SmallBoundedDict[str, None], scope: str) -> None:
        """Note in *known* the ids in *links* of channels that were the client's from the first."""
        for uid, messages in links.replays:
            if uid not in known and any(
                self._verdict(facts_of(each), Links(()), known) is _OWN for each in messages
            ):
                self._know(uid, known, scope)

    def _learn(self, links: Links, known: SmallBoundedDict[str, None], scope: str) -> list[Message]:
        """Note in *known* the ids of an event of an own call; return what is sent before it."""
        replay: list[Message] = []
        for uid, messages in links.replays:
            if uid not in known:
                replay += messages
        for uid in links.learned:
            if uid not in known:
                self._know(uid, known, scope)
        if self.in_context and replay:
            replay = [each for each in replay if not self._is_elsewhere(facts_of(each))]
        return replay

    def _end(self, links: Links, known: SmallBoundedDict[str, None], scope: str) -> None:
        """Forget the ids that end with a message, but for what comes late."""
        for uid in links.ended:
            if uid in known:
                del known[uid]
                ended = self._ended.get(scope)
                if ended is None:
                    ended = self._ended[scope] = SmallBoundedDict(MAX_ENDED)
                oldest = ended.add(uid, None)
                if self._index is not None and oldest is not None and oldest not in known:
                    self._index.forget(scope, (oldest,), self)

    def _wants_nameless(self, facts: Facts) -> bool:
        """Return whether an event that is about no channel passes."""
        if self._device and self._device in facts.devices:
            return True
        nameless = self.more_events and not (self._needle and facts.channels)
        return nameless and not privilege_mask(facts.privilege) & SECURITY

    def outgoing(
        self, message: Message, knows: Callable[[str], bool] | None = None
    ) -> Message | str:
        """Return the action *message* as it may go to Asterisk, or why it is refused.

        Only what the client knows needs the session's lock: the caller holds it all the time, or
        ``knows`` is called by *knows*, with it.  A long action takes long.
        """
        return self._actions.outgoing(message, knows or self.knows)

    def knows(self, uid: str) -> bool:
        """Return whether the client knows the channel or bridge *uid* of any server."""
        return any(uid in known for known in self._known.values())
