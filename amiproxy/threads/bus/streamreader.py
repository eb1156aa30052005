# SPDX-License-Identifier: GPL-2.0-or-later
"""StreamReader: reads several streams of the bus with one command, and waits for more.

Its connection is its own: a command that waits inside Redis would keep all others waiting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.bus.fields import Malformed
from amiproxy.bus.ids import last_id, place_of
from amiproxy.bus.keys import key_bytes
from amiproxy.bus.resp import command
from amiproxy.bus.respreader import RespError, RespReader
from amiproxy.threads.bus.client import BusError, BusRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.bus.respreader import Found
    from amiproxy.threads.bus.client import BusClient, Line

#: Seconds beyond the time that Redis waits for entries: then the connection is taken for dead.
_BEYOND = 2.0


class StreamReader:
    """Reads streams, for one thread; ``interrupt`` and ``close`` are for any.

    After a BusError the next ``read`` connects anew: the caller says when.
    """

    def __init__(self, client: BusClient, *, by_time: bool = False) -> None:
        """Make a reader of streams; *by_time*: their IDs are those that Redis gives, by its clock.

        A Redis that was lost with its data, or another one that has its place, may give IDs again
        that are smaller than those that were read.
        """
        self._client = client
        self._by_time = by_time
        # Streams that have begun anew, and the ID up to which they were read before.
        self._begun: dict[str, bytes] = {}
        self._line: Line | None = None
        self._reader: RespReader | None = None
        self._patience = _BEYOND  # seconds that the reply may take
        self._is_interrupted = False

    def read(
        self, streams: Mapping[str, bytes], block_ms: int, count: int
    ) -> list[tuple[str, Found]]:
        """Return what lies behind the given IDs in *streams* (key: ID), at one moment.

        At most *count* entries of each, (ID, body) in order; streams without any are left out.
        Waits up to *block_ms* milliseconds for the first one, 0: not at all.  A body b"" is not one
        of the bus, and only its ID is to be noted.  Much at once is cut short: the next read has
        the rest.

        Raises:
            BusRefused: Redis refuses it, such as for a key that is no stream.
            BusError: there is no connection, or none any more, or ``interrupt`` was called.

        """
        try:
            return self._read(streams, block_ms, count)
        except Malformed as error:
            self.close()
            raise BusError(f"{self._client.shown}: {error}") from None
        except BusRefused:
            raise
        except BusError:
            self.close()
            self._is_interrupted = False
            raise

    def _read(
        self, streams: Mapping[str, bytes], block_ms: int, count: int
    ) -> list[tuple[str, Found]]:
        line, reader = self._connected(streams)
        keys = {key_bytes(key): key for key in streams}
        behind = [b"0-0" if self._begun.get(key) == last else last for key, last in streams.items()]
        waiting = (b"BLOCK", b"%d" % block_ms) if block_ms > 0 else ()
        words = (b"XREAD", b"COUNT", b"%d" % count, *waiting, b"STREAMS", *keys, *behind)
        self._patience = max(0, block_ms) / 1000 + _BEYOND
        line.send(command(*words))
        found = reader.entries(keys)
        if isinstance(found, RespError):
            raise BusRefused(f"{self._client.shown}: {found}")
        return found

    def interrupt(self) -> None:
        """End the ``read`` that waits, or the next one, with a BusError.  Any thread may call."""
        self._is_interrupted = True
        line = self._line
        if line is not None:
            line.interrupt()

    def close(self) -> None:
        """Close the connection, if there is one."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _connected(self, streams: Mapping[str, bytes]) -> tuple[Line, RespReader]:
        """Return the connection and what reads it, made anew if it was lost."""
        line, reader = self._line, self._reader
        if line is None or reader is None:
            self._line = line = self._client.connection()
            self._reader = reader = RespReader(self._more)
            if self._by_time:
                self._look_for_new(line, reader, streams)
        if self._is_interrupted:
            raise BusError(f"{self._client.shown}: interrupted")
        return line, reader

    def _look_for_new(self, line: Line, reader: RespReader, streams: Mapping[str, bytes]) -> None:
        """Find out which *streams* end before what was read of them: they are read from the start.

        What of them was read before comes again then.
        """
        self._patience = _BEYOND
        self._begun.clear()
        for key, last in streams.items():
            line.send(command(b"XINFO", b"STREAM", key_bytes(key)))
            info = reader.reply()
            if isinstance(info, RespError) and "no such key" not in str(info):
                continue
            if last_id(info) < place_of(last):
                self._begun[key] = last

    def _more(self) -> bytes:
        line = self._line
        if line is None:
            raise BusError(f"{self._client.shown}: the connection is closed")
        return line.receive(timeout=self._patience)
