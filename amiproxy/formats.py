# SPDX-License-Identifier: GPL-2.0-or-later
"""What an I/O handler may define; loading handlers from a directory, and calling them.

A handler is one Python file; its name is the format's name.  It knows messages
and bytes, but no sockets, threads or clocks.  It may define

``write(message) -> bytes``
    output: *message* as this format puts it on the wire.

``reader(limits) -> Reader``
    input: a new parser for one client, see :class:`Reader`.

``conversation(limits) -> Conversation``
    input for a protocol of requests and responses (HTTP), see :class:`Conversation`.

``onconnect(banner) -> bytes``
    what a new client of this input format is sent first; default: nothing.

``CONTENT_TYPE``
    the media type of this output over HTTP; default: ``text/plain``.

``DOCUMENT = (before, between, after)``, ``DOCUMENT_TYPE``
    the bytes that make one document of several messages over HTTP, and its media type;
    default: none, they stand one behind the other.

``WIRE = True``
    this output is the manager format itself: messages pass as the bytes they are.

docs/handlers.md is the documentation for authors of handlers.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Callable, Protocol

from amiproxy.errors import HandlerError

# Third-party handlers import it from here.
from amiproxy.limits import Limits as Limits  # noqa: PLC0414, TC001

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

    from amiproxy.httpmessages import Request, Response, Stage
    from amiproxy.message import Message

log = logging.getLogger("amiproxy.formats")

#: The package that handlers are modules of, as Python sees them.
HANDLERS = "astmanproxy_handlers"


#: How long a message may be in a format: so many bytes, and so many times the bytes of AMI.
_SPARE, _MOST_GROWTH = 65536, 100


@dataclass(frozen=True)
class Refused:
    """Input that is not a message, and what to do about it.

    *reply* goes to the client, *reason* to the log (no secrets, no raw input);
    *close* ends the session after the reply.
    """

    reply: Message
    reason: str
    close: bool = False


class Reader(Protocol):
    """Bytes of one client in, messages out.  Belongs to one thread."""

    def feed(self, data: bytes) -> list[Message | Refused]:
        """Take the next *data*; return what it completes, in order.

        Malformed input gives a :class:`Refused`; any exception is a bug of the handler.  An
        empty block gives nothing.  A reader keeps no more than the limits allow.  A
        message ends with its only blank line.
        """


class Conversation(Protocol):
    """One client of a protocol of requests and answers.  Belongs to one thread.

    The caller feeds what it receives, asks for the next request, answers it, asks
    again: of pipelined requests each comes out when the one before has its answer.
    """

    #: Called with the head of a request before more than ``amiproxy.limits.STRANGER`` bytes
    #: of its target or body are looked at; it may raise BadRequest.  None: nobody asks.
    entrance: Callable[[Request], None] | None

    @property
    def stage(self) -> Stage:
        """How far the next request has come."""

    def feed(self, data: bytes) -> None:
        """Take the next *data*; ``b""`` says that the client sends no more."""

    def next(self) -> Request | None:
        """Return the next whole request; None: more bytes, or an answer, must come first.

        Raises:
            BadRequest: what came is not a request; the caller answers with
                the error's status by :meth:`refuse`.

        """

    def interim(self) -> bytes:
        """Return what a client must be sent before it sends the body, ``b""`` for nothing."""

    def answer(self, response: Response, now: float) -> bytes:
        """Return *response* to the request that waits for it, as bytes.

        *now* is the time of the answer, in seconds since the epoch.
        """

    def refuse(self, response: Response, now: float) -> bytes:
        """Return *response* as the last bytes of the connection; the stage is OVER."""

    def hand_over(self, response: Response, now: float) -> tuple[bytes, bytes]:
        """Return the head of *response*, behind which others write, and what has come so far.

        That is what the client has sent behind the request that waits for its answer.  The stage
        is OVER.
        """


class Envelope(Protocol):
    """How a format writes events with their ids; others have them as a header.

    Raises HandlerError where the format fails that it is made of.
    """

    def event(self, message: Message, event_id: str, came: float) -> bytes:
        """Return the event *message*; *came*: when, in monotonic seconds."""

    def notice(self, message: Message, event_id: str, came: float) -> bytes:
        """Return *message*, what the proxy says of its connection to a server."""

    def gap(self, server: str, reason: str, missed: int | None, event_id: str) -> bytes:
        """Return that *missed* events of *server* are missing, None: unknown how many."""


@dataclass(frozen=True)
class Format:
    """One loaded handler."""

    name: str
    write: Callable[[Message], bytes] | None
    reader: Callable[[Limits], Reader] | None
    conversation: Callable[[Limits], Conversation] | None
    onconnect: Callable[[str], bytes] | None
    content_type: str
    wire: bool
    #: It is not one of those that come with the proxy.
    foreign: bool = False
    #: What makes one document of several messages, if anything does.
    document: tuple[bytes, bytes, bytes] | None = None
    document_type: str = "text/plain"  #: its media type, and that of a single message
    #: Of a format that clients cannot choose: how it writes what has an id.
    envelope: Envelope | None = None

    @property
    def as_stream(self) -> Format:
        """This format, in which messages always stand one behind the other."""
        return replace(self, document=None)

    @property
    def is_input(self) -> bool:
        """Whether clients can send this format."""
        return self.reader is not None or self.conversation is not None

    @property
    def is_output(self) -> bool:
        """Whether clients can be sent this format."""
        return self.write is not None


def written(form: Format, message: Message) -> bytes:
    """Return *message* as *form* writes it; *form* is given CRLF lines, whatever came.

    Raises:
        HandlerError: the handler failed; its clients cannot go on.

    """
    assert form.write is not None
    try:
        data = form.write(message.with_crlf())
        if type(data) is not bytes:
            raise TypeError(f"write() gave {type(data).__name__}")
        if len(data) > _SPARE + _MOST_GROWTH * len(message.raw):
            raise ValueError(f"write() gave {len(data)} bytes")
        return data
    except BaseException as error:
        # Whatever a third-party handler raises: a SystemExit would end the thread that
        # reads from Asterisk.
        raise handler_error(form, "cannot write a message", error) from error


def documented(form: Format, messages: Sequence[Message]) -> bytes:
    """Return *messages* as one document of *form*, or one behind the other if it has none.

    A single message is a document by itself; none, an answer that is empty, is one as well.

    Raises:
        HandlerError: the handler failed.

    """
    parts = [written(form, message) for message in messages]
    if form.document is None or len(parts) == 1:
        return b"".join(parts)
    before, between, after = form.document
    return before + between.join([part.rstrip() for part in parts]) + after


def handler_error(form: Format, problem: str, error: BaseException) -> HandlerError:
    """Return the error for what a handler raised, without its text: it may hold secrets."""
    return HandlerError(f"handler {form.name}: {problem}: {type(error).__name__}")


def load_formats(*directories: Path) -> dict[str, Format]:
    """Load every handler found in *directories*, the last of which has ours; the first wins.

    A file that fails to import, or defines neither direction, is named in the log
    and skipped: one bad handler must not keep the proxy from starting.
    """
    formats: dict[str, Format] = {}
    for directory in directories:
        for path in sorted(directory.glob("*.py")):
            if path.stem.startswith(("_", ".")) or path.stem in formats:
                continue
            loaded = _load(path, foreign=directory is not directories[-1])
            if loaded is not None:
                formats[loaded.name] = loaded
    return formats


def _load(path: Path, *, foreign: bool) -> Format | None:
    try:
        module = _import(path)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a third-party file raises
        log.error("%s: handler not loaded: %s: %s", path, type(error).__name__, error)
        return None
    content_type = getattr(module, "CONTENT_TYPE", "text/plain")
    loaded = Format(
        name=path.stem.lower(),
        write=getattr(module, "write", None),
        reader=getattr(module, "reader", None),
        conversation=getattr(module, "conversation", None),
        onconnect=getattr(module, "onconnect", None),
        content_type=content_type,
        wire=getattr(module, "WIRE", False),
        foreign=foreign,
        document=getattr(module, "DOCUMENT", None),
        document_type=getattr(module, "DOCUMENT_TYPE", content_type),
    )
    problem = _problem(loaded)
    if problem:
        del sys.modules[module.__name__]
        log.error("%s: handler not loaded: %s", path, problem)
        return None
    return loaded


def _problem(loaded: Format) -> str:
    """Return why *loaded* cannot be used, or ``""``."""
    if not (loaded.is_input or loaded.is_output):
        return "it defines none of write(), reader(), conversation()"
    for name in ("write", "reader", "conversation", "onconnect"):
        function = getattr(loaded, name)
        if function is not None and not callable(function):
            return f"{name} is not a function"
    # Of a third-party handler: they may be anything.
    for name in ("content_type", "document_type"):
        kind: object = getattr(loaded, name)
        if not (isinstance(kind, str) and kind.isascii() and kind.isprintable()):
            return f"{name.upper()} is not a media type"
    document: object = loaded.document
    if document is not None and not (
        isinstance(document, tuple) and [type(part) for part in document] == [bytes] * 3
    ):
        return "DOCUMENT is not three values of bytes"
    return ""


def _import(path: Path) -> ModuleType:
    # The prefix keeps csv.py, http.py and xml.py apart from the standard library's.
    name = f"{HANDLERS}.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Before the module runs: dataclasses and pickle look their module up by name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
