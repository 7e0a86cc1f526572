"""Connections that make no progress are closed: uvicorn itself waits for ever for the end of a request's headers, and for readers.

How long a body may take is the business of `bodies.py`, which can answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

# Bytes a second, of those who send and of those who read: a bad line of a mobile still has several times that.
LEAST_RATE = 1024


class Connection(H11Protocol):
    """A connection of HTTP/1.1, with `silence` seconds for whatever the other side has to do.

    Two things are watched. Between two requests (and before the first) a whole request must have begun: its headers are there, and
    nothing is left of the body before. And while more is to be sent than the other side takes, it must take `LEAST_RATE`.
    """

    def __init__(self, *given: Any, silence: float, most: int, **named: Any) -> None:  # noqa: ANN401 - those of uvicorn
        """`silence` is in seconds, `most` how many connections a process shall have; the rest is uvicorn's."""
        super().__init__(*given, **named)
        self.silence, self.most = silence, most
        self.begins_by = 0.0  # the time of the loop until which a request must have begun; 0 where one has
        self._begins: asyncio.TimerHandle | None = None
        self._reads: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request. Where there are too many connections, the one that has waited longest goes."""
        super().connection_made(transport)
        self._await_request()
        if len(self.connections) > self.most:
            waiting = [each for each in self.connections if isinstance(each, Connection) and each.begins_by]
            oldest = min(waiting, key=lambda each: each.begins_by)
            oldest.begins_by = 0.0
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take a piece of what was sent."""
        super().data_received(data)
        self._look_for_request()

    def on_response_complete(self) -> None:
        """Wait for the next request, or find that it was sent already."""
        super().on_response_complete()
        self._await_request()
        self._look_for_request()

    def _should_upgrade(self) -> bool:
        """Nothing else than HTTP/1.1 is spoken, and a line in the log for each who asks would fill it."""
        return False

    def pause_writing(self) -> None:
        """Watch who does not take what is sent."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """It was taken."""
        super().resume_writing()
        if not self.transport.is_closing():  # else the rest must be taken too
            _stop(self._reads)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        super().connection_lost(exc)
        _stop(self._begins)
        _stop(self._reads)

    def _await_request(self) -> None:
        _stop(self._begins)
        self.begins_by = self.loop.time() + self.silence
        self._begins = self.loop.call_later(self.silence, self._close)

    def _look_for_request(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.begins_by = 0.0
            _stop(self._begins)

    def _close(self) -> None:
        """Close once what is left to be sent was taken, which must be in time."""
        self.transport.close()
        self._watch_reader()

    def _watch_reader(self) -> None:
        _stop(self._reads)
        left = self.transport.get_write_buffer_size()
        self._reads = self.loop.call_later(self.silence, self._check_reader, left)

    def _check_reader(self, before: int) -> None:
        if before - self.transport.get_write_buffer_size() < LEAST_RATE * self.silence:
            self.transport.abort()
        else:
            self._watch_reader()


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
