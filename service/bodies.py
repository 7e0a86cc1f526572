"""How many bytes of a request are taken, and for how long they are waited for."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Annotated

from fastapi import Depends, Request
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..knowledge.text import Text
from .connections import LEAST_RATE
from .problems import problem_response
from .service import TheService
from .settings import MIB, Settings
from .visit import visit_of

CHARSET = Text(
    "Forms are taken in UTF-8 alone; leave out `charset` in Content-Type.",
    "表单只接受 UTF-8，请去掉 Content-Type 里的 `charset`。",
)
TOO_SLOW = (
    "The rest of the request did not come in time. Send it again; large files are best sent to /api/v1/uploads/resumable, which "
    "keeps what arrived."
)
# Of one address in one process: such a body is in memory until it is whole, before it is known who asks.
AT_ONCE = 64 * MIB
TOO_MANY = f"Requests of {AT_ONCE // MIB} MiB are under way from this address; wait until some of them have ended."


class Bodies:
    """ASGI middleware: reads no more of a body than `visit.max_body`, and does not wait for one that does not come."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.silence = settings.silence_seconds
        self.held: Counter[str] = Counter()  # bytes in memory, by address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and watch what is read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not _in_utf8(scope):
            await problem_response(Request(scope), 415, CHARSET)(scope, receive, send)
            return
        body = _Body(self, scope, receive, send)
        try:
            await self.app(scope, body.read, body.answer)
        finally:
            self.held -= Counter({body.visit.address: body.held})


class _Body:
    """The body of one request, as it is read: `taken` bytes came, for which the sender was waited for `waited` seconds.

    `most` is what it may have where no route says that it takes files.
    """

    def __init__(self, bodies: Bodies, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies, self.silence = bodies, bodies.silence
        self.receive, self.send = receive, send
        self.visit = visit_of(scope)
        self.told = int(next((v for k, v in scope["headers"] if k == b"content-length" and v.isdigit()), b"0"))
        self.most = self.visit.max_body
        self.taken, self.held, self.waited = 0, 0, 0.0
        self.ended = self.answering = False

    async def answer(self, message: Message) -> None:
        self.answering = True
        await self.send(message)

    async def read(self) -> Message:
        """The next piece; where the answer has begun already, what cannot be told any more ends the request."""
        if self.ended:
            return await self.receive()
        try:
            return await self._next()
        except HTTPException:
            if self.answering:
                return {"type": "http.disconnect"}
            raise

    async def _next(self) -> Message:
        self._check()
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(self.silence, self.silence + self.taken / LEAST_RATE - self.waited)):
                message = await self.receive()
        except TimeoutError:
            raise HTTPException(408, TOO_SLOW, {"Connection": "close"}) from None
        self.waited += time.monotonic() - began
        self.taken += len(message.get("body", b""))
        self.ended = not message.get("more_body", False)
        self._check()
        self._hold(len(message.get("body", b"")))
        return message

    def _hold(self, size: int) -> None:
        """Count what stays in memory; the files of routes that take some are written as they come."""
        if self.visit.max_body == self.most:
            self.held += size
            self.bodies.held[self.visit.address] += size
            if self.bodies.held[self.visit.address] > AT_ONCE:
                raise HTTPException(429, TOO_MANY, {"Retry-After": "10", "Connection": "close"})

    def _check(self) -> None:
        if max(self.told, self.taken) > self.visit.max_body:
            # Not our own exception: FastAPI passes only this one on from where it reads a body.
            raise HTTPException(413, f"The request is larger than {self.visit.max_body} bytes.")


def _in_utf8(scope: Scope) -> bool:
    """Whether a form says nothing else. Its parser takes any codec of Python: punycode takes minutes, others raise."""
    value = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    kind, options = parse_options_header(value)
    return kind != b"multipart/form-data" or options.get(b"charset", b"utf-8").lower() in (b"utf-8", b"utf8")


def takes_files(request: Request, service: TheService) -> None:
    """Take as much as a file may have. For routes that read `request.stream()` themselves: other bodies are read before this."""
    visit_of(request.scope).max_body = service.settings.max_upload_mib * MIB + MIB


TakesFiles = Annotated[None, Depends(takes_files)]
