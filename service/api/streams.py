"""What happens in a chat, streamed as it happens (server-sent events)."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import format_sse_event
from starlette.responses import Response, StreamingResponse

from ...diagnostics.catalogue import listed_probes
from ...diagnostics.progress import STEPS
from ...errors import NoAccessError
from ...knowledge.text import Lang
from ..access import Asker, find_owner
from ..events import LOOK, Told
from ..limits import Streams
from ..service import Service, TheService
from ..visit import Owner, visit_of
from .answers import message_out, said
from .values import PathId, Reader

router = APIRouter(prefix="/chats/{chat}", tags=["chats"])
OPEN = Streams()
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
QUIET = int(15 / LOOK)  # looks without news after which a comment keeps the connection alive
SURE = 5.0  # seconds after which it is looked again whether who watches still may
MAX_NUMBER = 2**53 - 1
KINDS = (
    *("message", "queued", "started", "recognised", "probes", "reply"),
    *("interrupted", "done", "failed", "cancelled"),
)
STREAM = {
    "description": "Events: `id:` is the number, `event:` the kind, `data:` JSON. `message`: something was said or asked for. "
    "`queued`, `started`: of a job. `recognised`: what the text is about, before anything was examined. `probes`: steps that "
    "started or ended. `reply`: the doctor's message, whole. `interrupted`: the process that worked on it died or was "
    "stopped, another one goes on. `done`, `failed`, `cancelled`: a job ended.",
    "content": {
        "text/event-stream": {
            "schema": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "pattern": "^[0-9]+$"},
                    "event": {"enum": list(KINDS)},
                    "data": {"type": "string", "contentMediaType": "application/json"},
                },
            }
        }
    },
}


@router.get(
    "/events",
    summary="Stream what happens",
    response_class=Response,
    responses={200: STREAM, 204: {"description": "Nothing is under way, and nothing new happened"}},
)
def events(
    chat: PathId,
    request: Request,
    reader: Reader,
    owner: Asker,
    service: TheService,
    after: Annotated[int, Query(ge=0, le=MAX_NUMBER, description="the number of the last event that is known")] = 0,
    follow: Annotated[bool, Query(description="go on when all jobs have ended")] = False,
    last_event_id: Annotated[str, Header(pattern=r"^[0-9]{0,15}$", description="as `after`; it counts for more")] = "",
) -> Response:
    """Stream the events behind a number, and those to come, until all jobs of the chat have ended.

    A job whose watchers all left is cancelled after a while. 204 tells a browser's EventSource not to come again.
    """
    service.chats.get(owner.id, chat)
    number = int(last_event_id) if last_event_id else after
    if not (follow or service.chats.open_jobs(chat) or service.events.after(chat, number)):
        return Response(status_code=204)
    frames = _Frames(service, chat, reader, request, owner)
    OPEN.check(*frames.holders)
    return StreamingResponse(frames.frames(number, follow=follow), media_type="text/event-stream", headers=HEADERS)


@dataclass
class _Frames:
    """One stream.

    `open` is whether a job was under way when the database was last looked at, `allowed` whether who watches still may, as
    of `sure`.
    """

    service: Service
    chat: str
    reader: Lang | None
    request: Request
    owner: Owner
    open: bool = True
    allowed: bool = True
    sure: float = field(default_factory=time.monotonic)
    quiet: int = field(default=0)

    @property
    def holders(self) -> tuple[str, str]:
        """Who has it open."""
        return f"owner {self.owner.id}", f"address {visit_of(self.request.scope).address}"

    async def frames(self, number: int, *, follow: bool) -> AsyncIterator[bytes]:
        """The bytes of the stream, until the chat is removed or the key is revoked."""
        with OPEN.holding(*self.holders):
            yield b": hello\n\n"
            async for told in self.service.events.stream(self.chat, number, self._look):
                if not self.allowed:
                    return
                if told is not None:
                    number, self.quiet = told.number, 0
                    yield await to_thread.run_sync(self._frame, told)
                    continue
                if not (follow or self.open):  # what the last job told before it ended is there by now
                    for last in await to_thread.run_sync(self.service.events.after, self.chat, number):
                        yield await to_thread.run_sync(self._frame, last)
                    return
                if self.service.stopping.is_set():
                    return
                self.quiet += 1
                if self.quiet % QUIET == 0:
                    yield b": quiet\n\n"

    def _look(self) -> None:
        if time.monotonic() - self.sure >= SURE:
            self.sure, self.allowed = time.monotonic(), self._may()
        self.service.jobs.watched(self.chat)
        self.open = bool(self.service.chats.open_jobs(self.chat))

    def _may(self) -> bool:
        """Whether the key or the cookie is still valid, and the chat there."""
        try:
            owner = find_owner(self.request, self.service)
        except NoAccessError:
            return False
        return owner == self.owner and self.service.chats.has(self.owner.id, self.chat)

    def _frame(self, told: Told) -> bytes:
        data = json.dumps(self._data(told), ensure_ascii=False)
        return format_sse_event(data_str=data, event=told.kind, id=str(told.number))

    def _data(self, told: Told) -> dict[str, Any]:
        """What is told, in words for the reader."""
        data = dict(told.data) | ({"job": told.job} if told.job else {})
        lang = self.reader or "en"
        if "error" in data:
            data["error"] = said(data["error"], self.reader)
        if told.kind == "probes":
            data["steps"] = [step | {"text": _words(step["probe"], lang)} for step in data["steps"]]
        if told.kind == "reply":
            message = self.service.chats.message(self.chat, data["message"])
            data["message"] = message_out(message, self.reader).model_dump(mode="json") if message else None
        return data


def _words(step: str, lang: Lang) -> str:
    """What a probe looks at, or what another step does."""
    promises = {probe.id: probe.promise for probe in listed_probes()}
    text = STEPS.get(step) or promises.get(step)
    return text.say(lang) if text else step
