"""Diagnoses: a text in, a Diagnosis out, at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal, Self

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator

from ...diagnostics.progress import Watch
from ...errors import Cancelled
from ...knowledge.text import Lang
from ..access import Asker, count_message
from ..diagnoses import Given, Paste
from ..markdown import diagnosis_markdown
from ..service import TheService
from .schemas import GivenJson
from .values import MAX_UPLOADS, Id, Input, KerasVersion, Pasted, PathId, Reader, one_of_them

router = APIRouter(prefix="/diagnoses", tags=["diagnoses"])
MARKDOWN = "text/markdown"
GONE = 499  # what proxies log where the client left; nobody reads the answer
A_PASTE = """Traceback (most recent call last):
  File "train.py", line 12, in <module>
    model.fit(x, y)
ValueError: Shapes (None, 1) and (None, 10) are incompatible"""


class PasteIn(Input):
    """What is to be diagnosed. A text or an upload is needed."""

    text: Pasted = Field("", description="the traceback, log or question, in English or Chinese", examples=[A_PASTE])
    uploads: list[Id] = Field(
        [],
        max_length=MAX_UPLOADS,
        description="ids of uploads: models, weights, training logs, data samples, environment reports",
    )
    keras: KerasVersion | None = None
    lang: Lang | None = Field(
        None, description="the language of the answer; by default Accept-Language, else that of the text"
    )
    live: bool = Field(default=False, description="run the models in the sandbox too")

    model_config = one_of_them({"text": {"minLength": 1}}, {"uploads": {"minItems": 1}})

    @model_validator(mode="after")
    def _filled_in(self) -> Self:
        if not (self.text or self.uploads):
            raise ValueError("a text or an upload is needed")
        return self


@router.post(
    "",
    summary="Diagnose a text and files",
    response_model=GivenJson,
    response_description="The diagnosis, in one language",
    dependencies=[Depends(count_message)],
)
async def diagnose(pasted: PasteIn, reader: Reader, owner: Asker, service: TheService, request: Request) -> Response:
    """Answer at once. Where models are examined, leaving ends that. For steps as they happen, ask in a chat."""
    paste = Paste(pasted.text, tuple(pasted.uploads), pasted.keras, pasted.lang or reader, pasted.live)
    watch = Watch()
    make = partial(service.diagnoses.make, owner.id, paste, watch)
    try:
        given = await _unless_gone(request, watch, make) if paste.uploads else await to_thread.run_sync(make)
    except Cancelled:
        return Response(status_code=GONE)
    return _json(given)


@router.get(
    "/{diagnosis}",
    summary="A diagnosis that was given",
    response_model=GivenJson,
    responses={200: {"description": "The diagnosis", "content": {MARKDOWN: {"schema": {"type": "string"}}}}},
)
def get(
    diagnosis: PathId,
    reader: Reader,
    owner: Asker,
    service: TheService,
    as_format: Annotated[
        Literal["json", "markdown"] | None, Query(alias="format", description="by default what Accept asks for")
    ] = None,
    accept: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """The same answer again: as JSON, or as Markdown for an issue."""
    given = service.diagnoses.get(owner.id, diagnosis).in_language(reader)
    if (as_format or ("markdown" if MARKDOWN in accept else "json")) == "markdown":
        text = diagnosis_markdown(given.diagnosis, service.settings.public_url)
        return Response(text, media_type=MARKDOWN, headers={"Content-Language": given.diagnosis.lang})
    return _json(given)


def _json(given: Given) -> Response:
    headers = {"Content-Language": given.diagnosis.lang, "Vary": "Accept-Language, Accept"}
    return JSONResponse({"id": given.id, **given.diagnosis.as_json()}, headers=headers)


async def _unless_gone(request: Request, watch: Watch, make: Callable[[], Given]) -> Given:
    """What `make` gives; the watch is cancelled where the client leaves before."""

    async def wait_for_leaving() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        watch.cancel()

    waiting = asyncio.create_task(wait_for_leaving())
    try:
        return await to_thread.run_sync(make)
    finally:
        waiting.cancel()
