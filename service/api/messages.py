"""What is said in a chat, and the copies of models that are mended in it."""

from __future__ import annotations

from typing import Self

from fastapi import APIRouter, Depends, Response
from pydantic import Field, model_validator

from ...diagnostics.repair import Target
from ...knowledge.text import Lang
from ..access import Asker, count_message
from ..case import Act, Asked
from ..service import TheService
from .answers import JobOut, MessageOut, job_out, message_out
from .diagnoses import A_PASTE
from .values import MAX_UPLOADS, Id, Input, KerasVersion, Output, Pasted, PathId, Reader, Storable, one_of_them

router = APIRouter(prefix="/chats/{chat}", tags=["chats"])
MAX_CHOICE = 100


class AskedIn(Input):
    """What a person says. A text, an upload or an act is needed."""

    text: Pasted = Field("", description="a traceback, a question, or a follow-up such as `why?`", examples=[A_PASTE])
    uploads: list[Id] = Field([], max_length=MAX_UPLOADS, description="ids of uploads")
    act: Act | None = Field(None, description="what a button would say; a text that means the same is understood too")
    choice: Storable = Field(
        "", max_length=MAX_CHOICE, description="with the act `choose`: the value of the option of the question"
    )
    keras: KerasVersion | None = None
    live: bool = Field(default=False, description="run the models in the sandbox too")
    lang: Lang | None = Field(
        None, description="the language of the page; the answer is in that of the text where it has one"
    )

    model_config = one_of_them({"text": {"minLength": 1}}, {"uploads": {"minItems": 1}}, {"act": {"type": "string"}})

    @model_validator(mode="after")
    def _filled_in(self) -> Self:
        if not (self.text or self.uploads or self.act):
            raise ValueError("a text, an upload or an act is needed")
        return self


class RepairIn(Input):
    """The copy of a model that is wanted."""

    upload: Id = Field(description="the id of the model's upload")
    target: Target = Field(description="the Keras that the copy is for")


class Taken(Output):
    """A message that was taken; its answer is on the way."""

    message: MessageOut
    job: JobOut
    events: str = Field(description="where what happens is streamed")


class RepairTaken(Output):
    """A copy is being mended."""

    job: JobOut
    events: str = Field(description="where what happens is streamed")


class Messages(Output):
    """The messages of a chat."""

    items: list[MessageOut]


@router.post(
    "/messages",
    status_code=202,
    summary="Say something",
    response_description="The message, and the job that answers it",
    dependencies=[Depends(count_message)],
)
def say(chat: PathId, asked: AskedIn, reader: Reader, owner: Asker, service: TheService, response: Response) -> Taken:
    """Take the message and answer it in a job. Secrets and personal paths are masked before it is stored."""
    service.uploads.check(owner.id, tuple(asked.uploads))
    said = Asked(**asked.model_dump() | {"uploads": tuple(asked.uploads), "lang": asked.lang or reader})
    after = service.chats.last_event(chat)
    message, job = service.chats.say(owner.id, chat, said)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return Taken(message=message_out(message, reader), job=job_out(job, reader), events=_events(chat, after))


@router.get("/messages", summary="The messages of a chat", response_description="All messages, in order")
def list_messages(chat: PathId, reader: Reader, owner: Asker, service: TheService) -> Messages:
    """All messages, what was asked and what was answered."""
    found = service.chats.get(owner.id, chat)
    return Messages(items=[message_out(message, reader) for message in found.messages])


@router.post(
    "/repairs",
    status_code=202,
    summary="Mend a copy of a model",
    response_description="The job that mends it",
    dependencies=[Depends(count_message)],
)
def repair(
    chat: PathId, wanted: RepairIn, reader: Reader, owner: Asker, service: TheService, response: Response
) -> RepairTaken:
    """Mend a copy, prove it against the original, and keep it as an upload; the answer is a message of the chat."""
    service.uploads.check(owner.id, (wanted.upload,))
    after = service.chats.last_event(chat)
    job = service.chats.repair(owner.id, chat, wanted.upload, wanted.target)
    response.headers["Location"] = f"/api/v1/jobs/{job.id}"
    return RepairTaken(job=job_out(job, reader), events=_events(chat, after))


@router.delete("/jobs", status_code=204, summary="Stop what is under way")
def cancel(chat: PathId, owner: Asker, service: TheService) -> None:
    """Ask every job of the chat that has not ended to stop; a message says so once it did."""
    service.chats.cancel(owner.id, chat)


def _events(chat: str, after: int) -> str:
    return f"/api/v1/chats/{chat}/events?after={after}"
