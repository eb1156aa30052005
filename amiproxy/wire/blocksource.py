# SPDX-License-Identifier: GPL-2.0-or-later
"""BlockSource: bytes of one client in, blocks out, in a format that may change.

A client may switch its input format between two blocks of one packet, and once it has
logged in, its blocks may be larger.  A reader (amiproxy/formats.py) takes all it is fed and
may come from a third party, so it cannot be asked for what it has not used.  Therefore it is
never fed bytes that may be for another: while the block under way may be a SetInputFormat or
a log-in, it gets pieces so small that none holds more than the end of one block.
"""

from __future__ import annotations

import re
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Union

from amiproxy.byteordermark import Beginning
from amiproxy.formats import Refused, handler_error
from amiproxy.limits import Limits
from amiproxy.message import END, Message
from amiproxy.wire.httpguard import HttpGuard

if TYPE_CHECKING:
    from amiproxy.formats import Format, Reader

#: A piece that in every format holds no more than the end of one block: blank lines behind
#: it mean nothing.
_PIECE = re.compile(rb"[^\n>]*(?:\n(?:\r?\n)*|>)|[^\n>]+")

#: What is cut into pieces at a time: a stranger decides how many there are.
_PORTION = 4096

#: The bytes, in lower case, that every SetInputFormat contains, and all by which a stranger
#: may become known, after which more may be sent at a time.
_SWITCH, _LOGIN, _KEY = b"inputformat", b"login", b"proxykey"

#: How many of the bytes before may be the beginning of such a word.
_CUT = len(_SWITCH) - 1


def _is_sound(block: object) -> bool:
    """Return whether *block*, of a reader that may be a third party's, is one block."""
    if isinstance(block, Message):
        # More than one blank line would be more than one action.
        raw = block.raw
        return type(raw) is bytes and raw.find(END) == len(raw) - len(END) >= 0
    return (
        isinstance(block, Refused)
        and isinstance(block.reply, Message)
        and isinstance(block.reason, str)
    )


class BlockSource:
    """Blocks of one client; *form* is an input format with a reader.

    Belongs to one thread.  Every method may raise :class:`HandlerError`: a reader, which
    may be a third party's, raised something; ``receive`` and ``next`` may raise
    :class:`amiproxy.wire.httpguard.WrongPortError`.  Both end this client's session only.
    """

    def __init__(self, form: Format, limits: Limits, *, known: bool = True) -> None:
        """Read *form* within *limits*; who is not *known* must log in, and gets less."""
        self._blocks: deque[Union[Message, Refused]] = deque()
        self._unread: deque[bytes] = deque()  # came, and the reader has not had it
        self._tail = b""  # end of what the reader had last, since a word may be cut
        self._may_change = False  # the block under way may change how the next is read
        self._guard: HttpGuard | None = HttpGuard()  # until an action has come
        self._beginning = Beginning()
        self.known = known
        self.switch(form, limits)

    def switch(self, form: Format, limits: Limits) -> None:
        """Read by *form* all that follows the block that ``next`` returned last."""
        assert form.reader is not None
        self.form = form  # the format that is read now
        # The proxy's own reader of AMI, of which it is known when it keeps nothing.
        self._is_manager = form.name == "standard" and not form.foreign
        self._is_between = self._is_manager  # that one has had whole blocks only
        # An object of its own, which the reader keeps: see ``limit``.
        self._limits = Limits()
        self.limit(limits, known=self.known)
        try:
            self._reader: Reader = form.reader(self._limits)
        except BaseException as error:
            raise handler_error(form, "cannot make a reader", error) from error

    def limit(self, limits: Limits, *, known: bool) -> None:
        """Hold all that follows against *limits*, or what strangers get of them."""
        self.known = known
        own = self._limits
        own.become(limits if known else limits.of_strangers())
        # Bytes and lines of a block that is within them, however it is cut into lines.
        self._short = min(own.line + len(END), own.block), own.headers + 1

    @property
    def is_empty(self) -> bool:
        """Whether the reader has had all that came, and each block was returned."""
        return not self._blocks and not self._unread

    def may_pass(self, data: bytes) -> bool:
        """Return whether *data*, if it is one block of AMI with the action first, needs no reader.

        Who acts on it at once need not give it to ``receive``.  The last ``next`` returned None.
        """
        size, lines = self._short
        return (
            self._is_between
            and self.known
            and self._guard is None
            and len(data) <= size
            and data.count(b"\n") <= lines
        )

    def receive(self, data: bytes) -> None:
        """Take the next *data* of the client."""
        if self._guard is not None:
            data = self._guard.admit(self._beginning.admit(data))
            if self._guard.is_open:
                self._guard = None
        if data:
            self._unread.append(data)

    def next(self) -> Message | Refused | None:
        """Return the next block, or None if there is none until more data comes."""
        while not self._blocks:
            if not self._unread:
                return None
            data = self._unread.popleft()
            text = (self._tail + data).lower()
            if (
                self._may_change
                or _SWITCH in text
                or (not self.known and (_LOGIN in text or _KEY in text))
            ):
                self._may_change = True
                if len(data) > _PORTION:
                    self._unread.appendleft(data[_PORTION:])
                data, *rest = _PIECE.findall(data[:_PORTION])
                self._unread.extendleft(reversed(rest))
            # Whatever came before, such an end leaves nothing in the reader.
            self._is_between = self._is_manager and data.endswith(END)
            self._tail = data[-_CUT:] if len(data) >= _CUT else (self._tail + data)[-_CUT:]
            try:
                # A reader keeps no more than a block.
                most = len(data) + self._limits.block
                found = self._reader.feed(data)
                if type(found) is not list:
                    found = list(islice(found, most + 1))
                if len(found) > most or not all(map(_is_sound, found)):
                    raise TypeError
                self._blocks.extend(found)
            except BaseException as error:
                raise handler_error(self.form, "cannot read", error) from error
            if self._blocks:
                self._may_change = False
        block = self._blocks.popleft()
        if self._guard is not None and isinstance(block, Message):
            self._guard.judge(block)
        return block
