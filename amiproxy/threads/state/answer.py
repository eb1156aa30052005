# SPDX-License-Identifier: GPL-2.0-or-later
"""The answer to ProxyAction Snapshot.  Runs in the thread of the client that asks.

Asterisk is asked nothing.  The answer and the events fit together: the client is sent all events
that the picture has in it before the answer, and all that come later behind it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from amiproxy import replies
from amiproxy.message import Message
from amiproxy.state.tables import KINDS
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.sessions.linkstate import link_state
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.sessions.replay import ReplayError, held
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.threads.state import looking
from amiproxy.threads.state.encoding import with_action_id
from amiproxy.threads.state.follower import LEAST_RING
from amiproxy.threads.state.followers import followers_of
from amiproxy.threads.state.picture import PORTION
from amiproxy.threads.state.rights import Reader, own_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.state.looking import Looked
    from amiproxy.threads.state.picture import Picture

#: Characters of an ActionID (Asterisk itself gives back 243 of one): rows are many and short, so it
#: would make most of an answer, which a request over HTTP keeps whole.
_LONGEST_ID = 255


class _Question(NamedTuple):
    """A Snapshot that *session* asks for: rows of *kinds*."""

    context: ProxyContext
    session: ClientSession
    message: Message
    kinds: Sequence[str]


def answer(context: ProxyContext, session: ClientSession, message: Message) -> str:
    """Answer *message*, a Snapshot, of *session*; return what is wrong with it, "" if nothing."""
    if len(message.get("ActionID")) > _LONGEST_ID:
        return f"The ActionID is too long: each row bears it; {_LONGEST_ID} characters are enough"
    kinds = _kinds(message.get("Of"))
    if isinstance(kinds, str):
        return kinds
    links = _links(context, session, message.get("Server").strip(" \t"))
    if isinstance(links, str):
        return links
    patience = _patience(message.get("Wait").strip(" \t"))
    if patience is None:
        return "Wait is no number of seconds"
    followers = followers_of(context)
    question = _Question(context, session, message, kinds)
    with context.turnstile.outside():
        followed = looking.followed(followers, links, patience)
    try:
        if isinstance(session, StreamSession):
            _tell(question, session, followed)
        else:
            _tell_web(question, followed)
    except ReplayError as error:
        return str(error)
    return ""


def _tell(question: _Question, session: StreamSession, servers: Sequence[Looked]) -> None:
    """Send the answer where it belongs among the events.

    Raises:
        ReplayError: that cannot be, now.
        PeerError: the connection is over.

    """
    context = question.context
    for link in context.router.servers:
        if not link.ring.limit:  # what comes while the session is held comes from there
            link.remember_for_state(LEAST_RING)
    with held(session, context) as hold:
        with context.turnstile.outside():
            servers = looking.pictures(servers, looking.needed(session, question.kinds))
        hold.advance({one.link: one.picture.place for one in servers if one.picture is not None})
        hold.say(*_messages(question, servers, hold.id))


def _tell_web(question: _Question, servers: Sequence[Looked]) -> None:
    """Give the answer to a request, which gets no events."""
    context, session = question.context, question.session
    assert isinstance(session, Collector)
    with context.turnstile.outside():
        servers = looking.pictures(servers, looking.needed(session, question.kinds))
    event_id = looking.event_id(context, session, servers)
    session.answer(_messages(question, servers, event_id))


def _kinds(text: str) -> Sequence[str] | str:
    """Return the kinds that ``Of: text`` names, or what is wrong with it."""
    wanted = [word.strip(" \t").lower() for word in text.split(",")] if text.strip(" \t") else KINDS
    for word in wanted:
        if word not in KINDS:
            return f"Unknown kind {word[:40]!a} in Of; there are {', '.join(KINDS)}"
    return [kind for kind in KINDS if kind in wanted]


def _links(
    context: ProxyContext, session: ClientSession, name: str
) -> Sequence[AsteriskLink] | str:
    """Return the servers called *name*, "" for any, that the client may see, or what is wrong."""
    router = context.router
    found = looking.reached(session, router.named(name) if name else router.servers)
    return found if found or not name else f"Server {name} is not known"


def _patience(text: str) -> float | None:
    """Return for how many seconds ``Wait: text`` lets the client wait, None if it is no number."""
    if not text:
        return looking.BUILDING
    return min(looking.BUILDING, float(text)) if re.fullmatch("[0-9]{1,9}", text) else None


def _messages(question: _Question, servers: Sequence[Looked], event_id: str) -> Iterator[Message]:
    """Yield the answer: the pictures of *servers*, behind the event *event_id*."""
    message = question.message
    rows = [*map(_server_row, servers)]
    for server in servers:
        if server.picture is not None:
            rows += _rows(question, server.link.scope, server.picture)
    head = ("EventList: start", "Message: Snapshot follows", f"ProxyEventID: {event_id}")
    yield replies.proxy_success(message, *head)
    last = ("Event: ProxySnapshotComplete", "EventList: Complete", f"ListItems: {len(rows)}")
    rows.append(Message.of(*last, own=True))
    yield from paced(with_action_id(rows, message.get("ActionID")), PORTION)


def _rows(question: _Question, scope: str, picture: Picture) -> Sequence[Message]:
    """Return the rows that the client may see; it knows its calls among them then."""
    session = question.session
    reader = Reader.of(session, scope)
    found = picture.chosen(question.kinds, reader)
    if reader.calls is not None:
        calls = [each.row for each in picture.rows.get("calls", ())]
        own = own_ids(reader.calls, reader.known, calls)
        with session.lock:
            reader.calls.learn(scope, own)
    return found


def _server_row(server: Looked) -> Message:
    """Return how *server* is."""
    link = server.link
    lines = ["Event: ProxyServer", f"Server: {link.name}", f"Key: {link.name}"]
    return Message.of(*lines, *_standing(server), own=True)


def _standing(server: Looked) -> Iterator[str]:
    """Yield the lines that say how *server* is, and what is not known of it."""
    link, picture = server.link, server.picture
    state = link_state(link)
    if state.word not in ("connected", "paused"):
        yield f"State: {state.word}"
        yield f"Since: {state.since}"
        if state.reason:
            yield f"Reason: {state.reason}"
        return
    if link.spec.proxy:
        yield "State: not modelled"
        yield "Reason: it is another proxy; ask that one"
        return
    if picture is None:
        yield "State: stale"
        yield "Reason: no picture of it could be made in time"
        return
    yield f"State: {picture.state}"
    yield f"Since: {picture.since:.3f}"
    for kind, problem in sorted(picture.unknown.items()):
        yield f"Unknown: {kind} ({problem})"
