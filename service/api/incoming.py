"""Bodies with files, read as they arrive: no more than a mebibyte of them is in memory at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from anyio import CancelScope, to_thread
from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from ...errors import InputError
from ..settings import MIB
from ..uploads import PartWriter

WANTED = "expected multipart/form-data with one file, as `curl -F file=@model.keras` sends it"
MAX_OUTSIDE = MIB // 4  # bytes of other fields
MAX_PARTS = 100  # each costs time, also an empty one


async def pieces(request: Request) -> AsyncGenerator[bytes]:
    """The body in pieces of about a mebibyte; where it breaks off, the last one is what came until then."""
    collected = bytearray()
    try:
        async for chunk in request.stream():
            collected += chunk
            if len(collected) >= MIB:
                yield bytes(collected)
                collected.clear()
    except (ClientDisconnect, HTTPException):
        if collected:
            yield bytes(collected)
        raise
    if collected:
        yield bytes(collected)


@asynccontextmanager
async def writing(begin: Callable[[], PartWriter]) -> AsyncIterator[PartWriter]:
    """A part of an upload, opened and kept in a thread. It is kept also where the sender goes away."""
    part = await to_thread.run_sync(lambda: begin().__enter__())
    try:
        yield part
    finally:
        with CancelScope(shield=True):
            await to_thread.run_sync(partial(part.__exit__, None, None, None))


class OneFile:
    """Takes the bytes of the one file out of a multipart body (RFC 7578). Other fields are passed over."""

    def __init__(self, content_type: str) -> None:
        """Read the boundary.

        Raises:
            InputError: it is no multipart/form-data.
        """
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise InputError(f"the body is {content_type[:60] or 'of no type'}; {WANTED}")
        self.name: str | None = None
        self.whole = False
        self._inside = False
        self._header, self._value = bytearray(), bytearray()
        self._outside = self._parts = 0
        self._taken: list[bytes] = []
        callbacks: dict[str, Any] = {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }
        self._parser = MultipartParser(options[b"boundary"], callbacks)  # type: ignore[arg-type]

    def feed(self, piece: bytes) -> bytes:
        """What of the next piece of the body belongs to the file.

        Raises:
            InputError: it is not well formed, or holds two files.
        """
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise InputError(f"the body cannot be read: {error}; {WANTED}") from None
        taken, self._taken = b"".join(self._taken), []
        return taken

    def check(self) -> str:
        """The name of the file, at the end of the body.

        Raises:
            InputError: the body ended too early, or held no file.
        """
        if not self.whole or self.name is None:
            raise InputError(f"the body {'holds no file' if self.whole else 'ends too early'}; {WANTED}")
        return self.name

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise InputError(f"more than {MAX_PARTS} fields came; {WANTED}")
        self._next_header()

    def _next_header(self) -> None:
        self._header.clear()
        self._value.clear()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            name = parse_options_header(bytes(self._value))[1].get(b"filename")
            if name is not None:
                if self.name is not None:
                    raise InputError(f"two files came; {WANTED}")
                self.name, self._inside = name.decode("utf-8", "replace"), True
        self._next_header()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._taken.append(data[start:end])
            return
        self._outside += end - start
        if self._outside > MAX_OUTSIDE:
            raise InputError(f"fields beside the file are too long; {WANTED}")

    def _end(self) -> None:
        self._inside = False

    def _all(self) -> None:
        self.whole = True
