"""Logs: one line for each request, with its id; nothing of what people send, not even in a traceback."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from types import TracebackType
from typing import Any

import structlog
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, Processor

from .counters import IN_FLIGHT, measure
from .problems import UNTOLD, problem_response
from .settings import Settings
from .visit import Visit, route_of, visit_of

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FIRST = ("timestamp", "level", "event", "request")
GONE = 499  # nginx's number for a client that left
_log = structlog.get_logger()


def configure_logs(settings: Settings) -> None:
    """Write the logs of everything in this process to standard error, as key=value or as JSON."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_messages,
    ]
    render = (
        structlog.processors.JSONRenderer()
        if settings.log_json
        else structlog.processors.LogfmtRenderer(key_order=FIRST)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, render]))
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger("kerasdoctor").setLevel(settings.log_level.upper())


def _without_messages(_: Any, __: str, event: EventDict) -> EventDict:  # noqa: ANN401 - as structlog has it
    """Of an exception its types and places: a message often quotes what somebody sent."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["exception"] = " < ".join(_chain(error))
    return event


def _chain(error: BaseException | None) -> list[str]:
    told: list[str] = []
    while error is not None and len(told) < 5:  # noqa: PLR2004 - the rest tells nothing more
        told.append(f"{type(error).__name__} at {_places(error.__traceback__)}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told


def _places(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-8:]
    return " > ".join(f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno}" for frame in frames)


class Requests:
    """ASGI middleware: the border at which a failure in a request ends. Logs and measures each request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit, began, status = visit_of(scope), time.perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with structlog.contextvars.bound_contextvars(request=visit.id), IN_FLIGHT.track_inprogress():
            try:
                await self.app(scope, receive, noted)
            except ClientDisconnect:
                status = status or GONE
            except Exception as error:  # noqa: BLE001 - a border: it is logged, and nothing of it is told
                _log.error("failed", kind=type(error).__name__, exc_info=error)
                if not status:
                    await problem_response(Request(scope), 500, UNTOLD[500])(scope, receive, noted)
            finally:
                _tell(scope, visit, status or GONE, time.perf_counter() - began)


def _tell(scope: Scope, visit: Visit, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    route = route_of(scope)
    measure(method, route, status, seconds)
    log = _log.debug if route.startswith(("/api/v1/health/", "/metrics")) else _log.info
    kind = visit.owner.kind if visit.owner else "-"
    log("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1), owner=kind)
