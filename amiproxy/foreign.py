# SPDX-License-Identifier: GPL-2.0-or-later
"""Conversations of third-party handlers: whatever they do wrong is their author's to mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from amiproxy.byteordermark import Beginning
from amiproxy.formats import handler_error
from amiproxy.httpmessages import BadRequest, Request, Stage

if TYPE_CHECKING:
    from amiproxy.formats import Conversation, Format
    from amiproxy.httpmessages import Response
    from amiproxy.limits import Limits


class ForeignConversation:
    """The conversation of *form*, which is not ours, as one that can be relied upon.

    Every method may raise :class:`HandlerError`: the handler raised something, or returned
    something that it may not return.  See :class:`amiproxy.formats.Conversation`.
    """

    def __init__(self, form: Format, limits: Limits) -> None:
        assert form.conversation is not None
        self._form = form
        self._beginning = Beginning()
        self._inner: Conversation
        make = form.conversation
        self._inner = self._do("cannot make a conversation", lambda: make(limits))

    @property
    def stage(self) -> Stage:
        """How far the next request has come."""
        stage: Stage = self._do("cannot read", lambda: _sound(Stage, self._inner.stage))
        return stage

    @property
    def entrance(self) -> Callable[[Request], None] | None:
        """What is asked whether a stranger's request may be large."""
        return self._inner.entrance

    @entrance.setter
    def entrance(self, ask: Callable[[Request], None] | None) -> None:
        # Raised by what the handler calls, it is an error of the request.
        self._do("cannot be entered", lambda: setattr(self._inner, "entrance", ask))

    def feed(self, data: bytes) -> None:
        """Take the next *data*."""
        more = self._beginning.admit(data)
        if more or not data:  # else it may become a byte order mark
            self._do("cannot read", lambda: self._inner.feed(more))

    def next(self) -> Request | None:
        """Return the next whole request; raises BadRequest, too."""
        request: Request | None = self._do("cannot read", lambda: _request(self._inner.next()))
        return request

    def interim(self) -> bytes:
        """Return what a client must be sent before it sends the body."""
        return self._written("interim")

    def answer(self, response: Response, now: float) -> bytes:
        """Return *response* as bytes."""
        return self._written("answer", response, now)

    def refuse(self, response: Response, now: float) -> bytes:
        """Return *response* as the last bytes of the connection."""
        return self._written("refuse", response, now)

    def hand_over(self, response: Response, now: float) -> tuple[bytes, bytes]:
        """Return the head of *response*, and what has come behind the request.

        A handler need not have that.
        """
        if not hasattr(self._inner, "hand_over"):
            raise BadRequest(501, "The input format of this listener has no streams")

        def switch() -> object:
            head, rest = self._inner.hand_over(response, now)
            return _sound(bytes, head), _sound(bytes, rest)

        found: tuple[bytes, bytes] = self._do("cannot begin a stream", switch)
        return found

    def _written(self, method: str, *arguments: object) -> bytes:
        def write() -> object:
            return _sound(bytes, getattr(self._inner, method)(*arguments))

        data: bytes = self._do("cannot write a response", write)
        return data

    def _do(self, what: str, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except BadRequest:
            raise
        except BaseException as error:
            raise handler_error(self._form, what, error) from error


def _sound(kind: type, value: object) -> object:
    if not isinstance(value, kind):
        raise TypeError(type(value).__name__)
    return value


def _request(value: object) -> Request | None:
    if value is None:
        return None
    if not isinstance(value, Request):
        raise TypeError(type(value).__name__)
    for text in (value.method, value.target, value.version):
        _sound(str, text)
    for name, content in value.headers:
        _sound(str, name)
        _sound(str, content)
    _sound(bytes, value.body)
    return value
