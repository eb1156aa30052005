# SPDX-License-Identifier: GPL-2.0-or-later
"""MailboxTable: voicemail boxes, with how many messages are new and old."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.table import Query, Row, Table
from amiproxy.state.values import list_item, number, text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.table import Standing, Value

#: Asterisk looks into each box for this list.  Asked once: events tell what changes.
USERS = Query("VoicemailUsersList", once=True, beside="MailboxCount")
#: Those of another voicemail system (res_mwi_external), where there are none of Asterisk's own.
EXTERNAL = Query(
    "MWIGet", ("Mailbox: /.*/",), instead_of="VoicemailUsersList", once=True, beside="MailboxCount"
)


class Mailbox:
    """One mailbox."""

    __slots__ = ("key", "name", "new", "old", "since")

    def __init__(self, key: str) -> None:
        self.key = key
        self.name: str | None = None
        self.new: int | None = None
        self.old: int | None = None
        #: When an event last told another number than before.
        self.since: float | None = None

    def row(self) -> Row:
        """Return it as a row."""
        fields: dict[str, Value] = {
            "mailbox": self.key,
            "name": self.name,
            "new": self.new,
            "old": self.old,
            "since": self.since,
        }
        headers = [
            ("Mailbox", self.key),
            ("New", None if self.new is None else str(self.new)),
            ("Old", None if self.old is None else str(self.old)),
        ]
        return Row(self.key, fields, list_item("MessageWaiting", "call", headers))


class MailboxTable(Table):
    """The mailboxes of one server."""

    kinds = ("mailboxes",)
    queries = (USERS, EXTERNAL)

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._found: dict[str, Mailbox] = {}
        self.events = {"messagewaiting": self._waiting}

    def __len__(self) -> int:
        return len(self._found)

    def clear(self) -> None:
        """Forget all."""
        self._found.clear()

    def _mailbox(self, key: str) -> Mailbox:
        self._standing.touch("mailboxes", key)
        mailbox = self._found.get(key)
        if mailbox is None:
            mailbox = self._found[key] = Mailbox(key)
        return mailbox

    def _waiting(self, message: Message, now: float) -> None:
        values = message.values
        key = text(values.get("mailbox"))
        if key is None:
            return
        mailbox = self._mailbox(key)
        new, old = number(values.get("new")), number(values.get("old"))
        if new is None and values.get("waiting") == "0":
            new = 0
        if (new, old) != (mailbox.new, mailbox.old):
            mailbox.new, mailbox.old, mailbox.since = new, old, now

    def take_list(self, query: Query, items: Sequence[Message], _now: float) -> int:
        """Take a list.  It lacks boxes that are kept in a database: what it lacks stays."""
        read = _of_user if query == USERS else _of_external
        return sum(self._set(*read(item.values)) for item in items)

    def _set(self, key: str | None, name: str | None, new: int | None, old: int | None) -> bool:
        """Set one mailbox; return whether that differs from what events have said."""
        if key is None:
            return False
        is_known = key in self._found
        mailbox = self._mailbox(key)
        before = mailbox.new
        mailbox.name = name or mailbox.name
        mailbox.new = new if new is not None else mailbox.new
        mailbox.old = old if old is not None else mailbox.old
        return not is_known or before != mailbox.new

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield a row for each mailbox."""
        return (mailbox.row() for mailbox in self._found.values())

    def rows_of(self, _kind: str, keys: Collection[str], _now: float) -> Iterator[Row]:
        """Yield those of the mailboxes that have one of *keys*."""
        return (self._found[key].row() for key in keys if key in self._found)


def _of_user(
    values: Mapping[str, str],
) -> tuple[str | None, str | None, int | None, int | None]:
    """Return key, name, and numbers of new and old messages that a VoicemailUserEntry tells."""
    get = values.get
    box, context = text(get("voicemailbox")), text(get("vmcontext"))
    key = None if box is None else f"{box}@{context or 'default'}"
    new, old = number(get("newmessagecount")), number(get("oldmessagecount"))
    return key, text(get("fullname")), new, old


def _of_external(
    values: Mapping[str, str],
) -> tuple[str | None, str | None, int | None, int | None]:
    get = values.get
    return text(get("mailbox")), None, number(get("newmessages")), number(get("oldmessages"))
