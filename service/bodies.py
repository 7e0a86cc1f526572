"""How many bytes of a request are taken."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..knowledge.text import Text
from .problems import problem_response
from .service import TheService
from .settings import MIB
from .visit import visit_of

CHARSET = Text(
    "Forms are taken in UTF-8 alone; leave out `charset` in Content-Type.",
    "表单只接受 UTF-8，请去掉 Content-Type 里的 `charset`。",
)


class Bodies:
    """ASGI middleware: reads no more of a body than `visit.max_body`, and nothing of one that says it is larger."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count what is read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if not _in_utf8(scope):
            await problem_response(Request(scope), 415, CHARSET)(scope, receive, send)
            return
        visit = visit_of(scope)
        told = int(next((v for k, v in scope["headers"] if k == b"content-length" and v.isdigit()), b"0"))
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            if told > visit.max_body:
                raise _too_large(visit.max_body)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > visit.max_body:
                raise _too_large(visit.max_body)
            return message

        await self.app(scope, counted, send)


def _in_utf8(scope: Scope) -> bool:
    """Whether a form says nothing else. Its parser takes any codec of Python: punycode takes minutes, others raise."""
    value = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    kind, options = parse_options_header(value)
    return kind != b"multipart/form-data" or options.get(b"charset", b"utf-8").lower() in (b"utf-8", b"utf8")


def _too_large(limit: int) -> HTTPException:
    # Not our own exception: FastAPI passes only this one on from where it reads a body.
    return HTTPException(413, f"The request is larger than {limit} bytes.")


def takes_files(request: Request, service: TheService) -> None:
    """Take as much as a file may have. For routes that read `request.stream()` themselves: other bodies are read before this."""
    visit_of(request.scope).max_body = service.settings.max_upload_mib * MIB + MIB


TakesFiles = Annotated[None, Depends(takes_files)]
