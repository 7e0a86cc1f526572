"""The tools for coding assistants over HTTP: `/mcp`, with the same keys, limits and uploads as the API.

Requests stand alone (no session is kept), so that any copy of the service can answer any of them. Diagnoses are kept and counted
like those of the API: what assistants paste and nobody knew is what the report is for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from fastapi import APIRouter, Request
from mcp.server.mcpserver import Context
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..diagnostics.diagnosis import Diagnosis
from ..errors import NoAccessError, NotFoundError
from .access import Asker, count_message
from .answering import store_diagnosis
from .assistant import RemoteTools, make_server
from .service import Service, TheService
from .visit import Owner, Visit, visit_of

router = APIRouter()


class _Handled(Response):
    """A response that the protocol's own code sends."""

    def __init__(self, manager: StreamableHTTPSessionManager) -> None:
        self._manager = manager
        super().__init__()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request over; its body was not read."""
        await self._manager.handle_request(scope, receive, send)


@router.post("/mcp", include_in_schema=False)
async def mcp(service: TheService, owner: Asker) -> Response:
    """Answer a request of the Model Context Protocol; the owner's uploads are those that its tools can open.

    GET would open a stream in which nothing is ever told, since no session is kept; the protocol lets a server refuse it with 405.
    """
    del owner  # known by the visit from here on
    assert service.assistant is not None  # noqa: S101 - a part of every service that runs
    return _Handled(service.assistant)


@asynccontextmanager
async def assisting(service: Service) -> AsyncIterator[None]:
    """Serve assistants as long as the service runs."""

    @contextmanager
    def opened(context: Context, named: Sequence[str]) -> Iterator[list[Path]]:
        visit, owner = _asking(context)
        count_message(service, visit)
        with service.uploads.checked_out(owner.id, tuple(named)) as files:
            if missing := [each for each in named if each not in files]:
                raise NotFoundError(f"there is no upload {missing[0][:40]}: POST the file to /api/v1/uploads first")
            yield [files[each] for each in named]

    def noted(context: Context, text: str, diagnosis: Diagnosis) -> None:
        with service.database.session() as session:
            store_diagnosis(session, _asking(context)[1].id, diagnosis, text)

    server = make_server(RemoteTools(service.doctor, opened, live=service.settings.live, noted=noted))
    # Its application is not used: which hosts and origins may ask is checked for all routes (`origins.py`).
    server.streamable_http_app(json_response=True, stateless_http=True, host="")
    service.assistant = server.session_manager
    async with service.assistant.run():
        yield


def _asking(context: Context) -> tuple[Visit, Owner]:
    request = context.request_context.request
    if not isinstance(request, Request) or (owner := visit_of(request.scope).owner) is None:
        raise NoAccessError("it is not known who asks")
    return visit_of(request.scope), owner
