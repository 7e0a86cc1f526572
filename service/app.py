"""The application: what it is put together of, in one place."""

from __future__ import annotations

import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from types import FrameType
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.constants import REF_TEMPLATE
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware

from .. import __version__
from ..knowledge.matcher import Matcher
from . import assistant_http, health, metrics, sign_in
from .access import count_passing, make_local, visit
from .api import api_router
from .bodies import Bodies
from .database import Database
from .headers import Headers
from .health import checks_of
from .logs import Requests
from .origins import Origins
from .problems import HANDLERS, RESPONSES, Problem
from .service import Service
from .settings import Settings
from .slack import routes as slack
from .tables import now
from .web import chat_pages, file_pages, problem_pages, site_pages
from .working import working

DESCRIPTION = """Paste a Keras or TensorFlow failure, get its cause, the evidence and a fix that was seen to work.

Every error is a problem (RFC 9457) as `application/problem+json`, of the schema `Problem`."""

# What is never refused, and what Slack signs (its other routes count by themselves).
FREE_ROUTERS: tuple[APIRouter, ...] = (health.router, slack.router)
# What answers everyone: no owner is looked for, and requests are counted for their address.
OPEN_ROUTERS: tuple[APIRouter, ...] = (metrics.router, sign_in.router, site_pages.open_router)
# What looks for the owner of every request, and counts it.
ROUTERS: tuple[APIRouter, ...] = (
    api_router(), assistant_http.router, chat_pages.router, file_pages.router, site_pages.router,
)  # fmt: skip
# What runs as long as the service does: started in this order, stopped in the opposite one.
PARTS: tuple[Callable[[Service], AbstractAsyncContextManager[None]], ...] = (working, assistant_http.assisting)


class Application(FastAPI):
    """FastAPI with the problem among the schemas."""

    def openapi(self) -> dict[str, Any]:
        """The description of the API."""
        described = super().openapi()
        schemas = described.setdefault("components", {}).setdefault("schemas", {})
        problem = Problem.model_json_schema(ref_template=REF_TEMPLATE)
        schemas.update(problem.pop("$defs", {}))
        schemas["Problem"] = problem
        return described


def create_app(
    settings: Settings,
    clock: Callable[[], datetime] = now,
    routers: Sequence[APIRouter] = ROUTERS,
    *,
    warm: bool = True,
) -> FastAPI:
    """The service, ready to be served.

    `routers` are those whose requests have an owner and are counted; `warm` starts the worker that reads files ahead of need.

    Raises:
        StorageError: the database does not answer.
        IndexMissingError: the index was not built, or by another release.
    """
    Matcher.load()  # what is missing is told before anything is opened
    service = Service(settings, Database(settings.database), clock, warm)
    service.checks.update(checks_of(service.database))
    service.pages = problem_pages.ProblemPages()
    app = Application(
        title="kerasdoctor",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the pages that FastAPI has load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
        middleware=[  # the outermost first
            Middleware(Headers, settings=settings),
            Middleware(Requests),
            Middleware(Origins, settings=settings),
            Middleware(Bodies, settings=settings),
        ],
        exception_handlers=HANDLERS,
        responses=RESPONSES,
    )
    app.state.service = service
    app.state.slack = slack.set_up(service)
    for router in FREE_ROUTERS:
        app.include_router(router)
    for router in OPEN_ROUTERS:
        app.include_router(router, dependencies=[Depends(count_passing)])
    for router in routers:
        app.include_router(router, dependencies=[Depends(visit)])
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    await run_in_threadpool(_prepare, service)
    async with AsyncExitStack() as parts:
        for part in PARTS:
            await parts.enter_async_context(part(service))
        with _told_to_stop(service.stopping):
            yield
        service.stopping.set()
    await run_in_threadpool(service.database.close)


def _prepare(service: Service) -> None:
    service.database.migrate()
    make_local(service.database)


@contextmanager
def _told_to_stop(stopping: threading.Event) -> Iterator[None]:
    """Tell of a signal to stop at once: uvicorn waits for the streams first, and these wait for the news."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def told(number: int, frame: FrameType | None) -> None:
        stopping.set()
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in before:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
