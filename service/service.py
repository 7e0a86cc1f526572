"""What one process of the service is made of, and how a route gets at it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.responses import Response

from .database import Database
from .settings import Settings

# What must be ready: gives None, or what is missing, in a few words.
Check = Callable[[], str | None]


class Pages(Protocol):
    """What the web part shows in place of plain answers."""

    def problem(self, request: Request, status: int, title: str, detail: str) -> Response:
        """The page of a problem."""


@dataclass
class Service:
    """Everything that the routes share. `stopping` is set when the process was told to stop: streams end then."""

    settings: Settings
    database: Database
    clock: Callable[[], datetime]
    checks: dict[str, Check] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    pages: Pages | None = None


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(service_of)]
