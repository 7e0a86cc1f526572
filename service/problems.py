"""Problems: what every error of the API looks like (RFC 9457), and which status each exception has."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from ..errors import (
    ConflictError,
    InputError,
    KerasDoctorError,
    NoAccessError,
    NotFoundError,
    StorageError,
    SubjectError,
    TooLargeError,
    TooManyError,
)
from ..knowledge.text import Text
from .languages import language_of
from .service import service_of
from .visit import SAFE, visit_of

MEDIA_TYPE = "application/problem+json"
# The first that fits counts; an error that is not listed is ours, and a 500.
STATUS: tuple[tuple[type[KerasDoctorError], int], ...] = (
    (NotFoundError, 404),
    (TooLargeError, 413),
    (ConflictError, 409),
    (TooManyError, 429),
    (NoAccessError, 401),
    (StorageError, 503),
    (SubjectError, 422),
    (InputError, 400),
)
# Of these the cause is for the log alone: it tells how the service is built.
UNTOLD = {
    500: Text(
        "Something failed here. It was logged under the id in `instance`.", "这里出错了，已按 `instance` 里的编号记录。"
    ),
    503: Text(
        "What is stored cannot be reached at the moment. Try again shortly.", "暂时无法访问存储的内容，请稍后再试。"
    ),
}
NOT_VALID = Text(
    "The request is not as expected; `errors` names each field.", "请求与预期不符，`errors` 里列出了每个字段。"
)
NOTHING_HERE = Text("There is nothing at this address.", "这个地址没有内容。")
NOT_TAKEN = Text("This address does not take {}; expected {}.", "这个地址不接受 {}，只接受 {}。")
# What a Chinese reader is told where a message was written in English alone.
IN_GENERAL = {
    400: "发送的内容不符合要求", 401: "需要有效的密钥", 403: "不允许这样做", 404: "没有找到，可能已被删除或过期",
    408: "请求没有及时传完，请再发送一次", 409: "现在还不能这样做", 411: "没有说明长度", 412: "版本不符",
    413: "内容超过大小限制", 415: "不接受这种格式", 422: "发送的内容不符合要求", 429: "请求太频繁，请稍后再试",
}  # fmt: skip
MAX_ERRORS = 20
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_log = structlog.get_logger()


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="where it stands, with dots between: body.text")
    message: str


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str = Field(default="about:blank", description="always about:blank: the status tells the kind")
    title: str = Field(description="the status in words", examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(description="what was found, what was expected and what to do")
    instance: str = Field(description="the id of the request, as in X-Request-ID and in the logs")
    errors: list[FieldError] | None = Field(default=None, description="of a request that is not valid: each field")


# As the answer of every route of the API in OpenAPI; `app.py` puts the schema beside the others.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


def problem_response(
    request: Request,
    status: int,
    detail: Text,
    headers: dict[str, str] | None = None,
    errors: list[FieldError] | None = None,
) -> Response:
    """A problem, as a page where a browser asked for one."""
    title = HTTPStatus(status).phrase
    if wants_page(request):
        response = _page(request, status, title, detail)
        response.headers.update(headers or {})
        return response
    told = detail.say(language_of(request)) or IN_GENERAL.get(status, detail.en)
    problem = Problem(title=title, status=status, detail=told, instance=visit_of(request.scope).id, errors=errors)
    return JSONResponse(problem.model_dump(exclude_none=True), status, headers, MEDIA_TYPE)


def wants_page(request: Request) -> bool:
    """Whether a person looks at the answer."""
    return _of_a_page(request) and "text/html" in request.headers.get("accept", "")


def _of_a_page(request: Request) -> bool:
    return not request.scope["path"].startswith(("/api/", "/slack/", "/mcp"))


def _page(request: Request, status: int, title: str, detail: Text) -> Response:
    if status == HTTPStatus.UNAUTHORIZED and request.method in SAFE:
        return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", HTTPStatus.SEE_OTHER)
    pages = service_of(request).pages
    if pages:
        return pages.problem(request, status, title, detail)
    shown = f"<h1>{html.escape(title)}</h1><p>{html.escape(detail.en)}</p>"
    return HTMLResponse(f'<!doctype html><html lang="en"><title>{html.escape(title)}</title>{shown}</html>', status)


async def _known(request: Request, error: KerasDoctorError) -> Response:
    status = next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    headers = {}
    if isinstance(error, TooManyError):
        headers["Retry-After"] = str(max(1, math.ceil(error.after)))
    if isinstance(error, NoAccessError):
        headers["WWW-Authenticate"] = 'Bearer realm="kerasdoctor"'
    if status in UNTOLD:
        _log.error("failed", kind=type(error).__name__, exc_info=error)
    return problem_response(request, status, UNTOLD.get(status, Text(str(error), error.zh)), headers)


async def _of_http(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    return problem_response(request, error.status_code, _detail(error, request, headers), headers)


def _methods(request: Request) -> list[str]:
    """What an address takes: Starlette tells only of the first route that fits (RFC 9110, 10.2.1)."""
    scope = request.scope
    return [
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in request.app.routes)
    ]


def _detail(error: HTTPException, request: Request, headers: dict[str, str]) -> Text:
    if error.status_code == HTTPStatus.NOT_FOUND and error.detail == HTTPStatus.NOT_FOUND.phrase:
        return NOTHING_HERE
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        words = request.method, headers["Allow"]
        return Text(NOT_TAKEN.en.format(*words), NOT_TAKEN.zh.format(*words))
    return Text(error.detail, "")


async def _not_valid(request: Request, error: RequestValidationError) -> Response:
    errors = [
        FieldError(field=".".join(map(str, found["loc"])), message=found["msg"])
        for found in error.errors()[:MAX_ERRORS]
    ]
    if _of_a_page(request) and all(found["loc"][0] == "path" for found in error.errors()):
        return problem_response(
            request, 404, NOTHING_HERE
        )  # of an address that was cut, a person wants to know no more
    return problem_response(request, 422, NOT_VALID, errors=errors)


async def _storage(request: Request, error: SQLAlchemyError) -> Response:
    return await _known(request, StorageError(type(error).__name__).with_traceback(error.__traceback__))


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    KerasDoctorError: _known,
    HTTPException: _of_http,
    RequestValidationError: _not_valid,
    OperationalError: _storage,
    InterfaceError: _storage,
    NoConnectionError: _storage,
}
