"""Chats: conversations that keep what is known of a case."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from ..access import Asker
from ..service import TheService
from .answers import ChatOut, JobOut, chat_out, job_out
from .values import AN_ID, Id, Output, PathId, Reader

router = APIRouter(prefix="/chats", tags=["chats"])
MOST = 100


class ChatPage(Output):
    """Some chats, the last changed first."""

    items: list[ChatOut]
    next: str | None = Field(description="what `before` must be for the next ones; null where these are the last")


class ChatWithJobs(ChatOut):
    """A chat, and what is under way in it."""

    jobs: list[JobOut] = Field(description="the jobs that have not ended, the oldest first")
    last_event: int = Field(description="the number of the last event; events behind it are those still to come")


class Share(Output):
    """The public link of a chat. Whoever has it can read the chat."""

    token: str = Field(examples=[AN_ID])
    address: str = Field(description="the page, under the address of the service", examples=[f"/shared/{AN_ID}"])


@router.post("", status_code=201, summary="Begin a chat", response_description="The new, empty chat")
def begin(owner: Asker, service: TheService, response: Response) -> ChatOut:
    """Begin a chat; then say something in it."""
    chat = service.chats.begin(owner.id)
    response.headers["Location"] = f"/api/v1/chats/{chat.id}"
    return chat_out(chat)


@router.get("", summary="The chats", response_description="A page of chats")
def list_chats(
    owner: Asker,
    service: TheService,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 20,
    before: Annotated[Id | None, Query(description="the `next` of the page before")] = None,
) -> ChatPage:
    """Your chats, the last changed first."""
    found = service.chats.of(owner.id, limit + 1, before)
    shown = found[:limit]
    return ChatPage(items=[chat_out(chat) for chat in shown], next=shown[-1].id if len(found) > limit else None)


@router.get("/{chat}", summary="A chat", response_description="The chat, and what is under way in it")
def get(chat: PathId, reader: Reader, owner: Asker, service: TheService) -> ChatWithJobs:
    """What is known of its case, and the jobs that have not ended. Its messages are at /chats/{chat}/messages."""
    found = service.chats.get(owner.id, chat)
    jobs = [job_out(job, reader) for job in service.chats.open_jobs(chat)]
    last = service.chats.last_event(chat)
    return ChatWithJobs(**chat_out(found).model_dump(), jobs=jobs, last_event=last)


@router.delete("/{chat}", status_code=204, summary="Remove a chat")
def remove(chat: PathId, owner: Asker, service: TheService) -> None:
    """Remove it with all its messages; what is under way is cancelled."""
    service.chats.remove(owner.id, chat)


@router.put("/{chat}/share", summary="Share a chat by a link", response_description="The link")
def share(chat: PathId, owner: Asker, service: TheService) -> Share:
    """Give the chat a public link; a second time gives the same one."""
    token = service.chats.share(owner.id, chat)
    return Share(token=token or "", address=f"/shared/{token}")


@router.delete("/{chat}/share", status_code=204, summary="Take a link back")
def unshare(chat: PathId, owner: Asker, service: TheService) -> None:
    """The link leads nowhere any more. One that was never shared stays so."""
    service.chats.share(owner.id, chat, shared=False)
