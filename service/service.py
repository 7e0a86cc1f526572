"""What one process of the service is made of, and how a route gets at it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.responses import Response
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from ..diagnostics.worker import can_run
from ..diagnostics.workers import Workers
from ..knowledge.matcher import Matcher
from ..knowledge.text import Text
from .answering import Answering, Repairing
from .chats import Chats
from .conversation import Conversation
from .database import Database
from .diagnoses import Diagnoses
from .events import Events
from .feedback import Feedbacks
from .files import FileStore
from .jobs import Handler, Jobs
from .masked import MaskedDoctor
from .settings import Settings
from .uploads import Uploads

# What must be ready: gives None, or what is missing, in a few words.
Check = Callable[[], str | None]


class Pages(Protocol):
    """What the web part shows in place of plain answers."""

    def problem(self, request: Request, status: int, title: str, detail: Text) -> Response:
        """The page of a problem; the detail has no Chinese where it was not written."""


@dataclass
class Service:
    """Everything that the routes share. `stopping` is set when the process was told to stop: streams end then.

    `handlers` do the jobs, by kind; parts of the service add theirs before it starts. With `warm`, the worker that reads files is
    started ahead of need.
    """

    settings: Settings
    database: Database
    clock: Callable[[], datetime]
    warm: bool = True
    checks: dict[str, Check] = field(default_factory=dict)
    handlers: dict[str, Handler] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    pages: Pages | None = None
    assistant: StreamableHTTPSessionManager | None = None

    def __post_init__(self) -> None:
        """Put the parts together.

        Raises:
            StorageError: the file store cannot be used.
            IndexMissingError: the index was not built.
        """
        if not can_run():
            self.settings = self.settings.model_copy(update={"live": False})
        settings, database = self.settings, self.database
        self.files = FileStore(settings.files)
        self.uploads = Uploads(database, self.files, settings)
        self.events = Events(database)
        self.workers = Workers(settings.jobs)
        self.doctor = MaskedDoctor(Matcher.load(), self.workers)
        self.conversation = Conversation(self.doctor, live=settings.live)
        self.handlers["answer"] = Answering(database, self.events, self.uploads, self.conversation)
        self.handlers["repair"] = Repairing(database, self.events, self.uploads, self.workers)
        self.jobs = Jobs(database, self.events, self.handlers, settings.jobs, settings.leave_seconds)
        self.chats = Chats(database, self.events, self.jobs, settings)
        self.diagnoses = Diagnoses(database, self.uploads, self.doctor, settings)
        self.feedbacks = Feedbacks(database)
        self.checks["files"] = lambda: None if self.files.writable() else "cannot be written"


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(service_of)]
