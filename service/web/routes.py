"""The routes of pages and of what they load: whatever answers GET answers HEAD too, as programs ask that only look."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute


class PageRoute(APIRoute):
    """FastAPI leaves HEAD out; RFC 9110, 9.3.2 wants it with the status and the headers of GET, and without its body."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 - FastAPI's
        super().__init__(path, endpoint, **options)
        if self.methods and "GET" in self.methods:
            self.methods.add("HEAD")

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            response = await handle(request)
            return _without_body(response) if request.method == "HEAD" else response

        return answer


def _without_body(response: Response) -> Response:
    """The same without its body; nothing of a stream is read."""
    bare = Response(status_code=response.status_code)
    bare.raw_headers = response.raw_headers
    return bare


def page_router() -> APIRouter:
    """A router of pages, which the description of the API does not name."""
    return APIRouter(include_in_schema=False, route_class=PageRoute)
