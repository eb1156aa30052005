# SPDX-License-Identifier: GPL-2.0-or-later
"""Incoming: the bytes of one WebSocket client, as texts; what they break is told by an error.

The parser is that of websockets, without its I/O.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any

from amiproxy.errors import ProtocolError
from amiproxy.live import frames

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes of a message, and pieces in which one may come.
LONGEST = 65536
_MOST_PIECES = 1024

_CONTINUED, _TEXT, _BINARY, _CLOSE = 0, 1, 2, 8


class ClosingError(ProtocolError):
    """The WebSocket is to be closed with *code*; the text says why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Incoming:
    """What one client sends.  For its thread."""

    def __init__(self) -> None:
        self._protocol = _parser()
        self._pieces: list[bytes] = []
        #: Whether the client has said that it closes, and what it is sent for that.
        self.is_over = False

    def feed(self, data: bytes) -> Iterator[str | bytes]:
        """Take *data*; yield each text that is whole, and bytes that are to be sent.

        Raises:
            ClosingError: it breaks the rules.

        """
        protocol = self._protocol
        protocol.receive_data(data)
        for frame in protocol.events_received():
            if frame.opcode == _CLOSE:
                break
            if (text := self._take(int(frame.opcode), frame)) is not None:
                yield text
        broken = getattr(protocol, "parser_exc", None)
        told = b"".join(protocol.data_to_send())
        if broken is not None:
            code, reason = protocol.close_sent.code, protocol.close_sent.reason
            raise ClosingError(int(code), reason)
        if told:
            yield told
        self.is_over = protocol.close_rcvd is not None

    def _take(self, kind: int, frame: Any) -> str | None:
        """Take one frame; return the text that it completes, if it does."""
        if kind == _BINARY:
            raise ClosingError(1003, "text messages are read, no binary ones")
        if kind not in (_TEXT, _CONTINUED):
            return None
        self._pieces.append(bytes(frame.data))
        if not frame.fin:
            if len(self._pieces) > _MOST_PIECES:
                raise ClosingError(1008, f"a message may come in {_MOST_PIECES} pieces")
            return None
        whole, self._pieces = b"".join(self._pieces), []
        try:
            return whole.decode()
        except UnicodeDecodeError:
            raise ClosingError(1007, "a text is to be UTF-8") from None

    @staticmethod
    def closing(error: ClosingError) -> bytes:
        """Return the frame that closes for *error*."""
        return frames.close(error.code, str(error))


def _parser() -> Any:
    """Return a parser of what a client sends."""
    module = parser_module()
    kind = getattr(module, "Protocol", None) or module.Connection
    return kind(module.SERVER, max_size=LONGEST)


@functools.lru_cache(maxsize=1)
def parser_module() -> Any:
    """Return the module of websockets that has the parser."""
    try:
        return importlib.import_module("websockets.protocol")
    except ImportError:  # before websockets 11
        return importlib.import_module("websockets.connection")
