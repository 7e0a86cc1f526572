"""Uploads: files sent at once, looked up, downloaded and removed."""

from __future__ import annotations

from contextlib import aclosing, suppress
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from anyio import CancelScope, to_thread
from fastapi import APIRouter, Header, Request, Response
from pydantic import Field

from ...errors import NotFoundError
from ..access import Asker
from ..bodies import TakesFiles
from ..downloads import download
from ..service import Service, TheService
from ..settings import MIB
from ..tables import Upload
from .incoming import OneFile, pieces, writing
from .values import AN_ID, Output, PathId

router = APIRouter(prefix="/uploads", tags=["uploads"])
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "the file, with its name"}
                    },
                }
            }
        },
    }
}
BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": BYTES},
    206: {"description": "The range of it that was asked for", "content": BYTES},
    304: {"description": "It is the one that If-None-Match names"},
}


class UploadOut(Output):
    """A file that was or is being uploaded, or that a repair made."""

    id: str = Field(examples=[AN_ID])
    name: str = Field(description="the file's name, without folders and odd characters", examples=["digits.keras"])
    size: int = Field(description="bytes of the whole file")
    received: int = Field(description="bytes that are there")
    whole: bool = Field(description="whether all of it is there")
    sha256: str | None = Field(description="of the whole file, in hexadecimal")
    made_from: str | None = Field(description="of a mended copy: the upload that it was made from")
    made_at: datetime
    ends_at: datetime = Field(description="when it is removed")


class UploadList(Output):
    """Uploads, the newest first."""

    items: list[UploadOut]


def upload_out(upload: Upload) -> UploadOut:
    """What is told of an upload."""
    return UploadOut(
        id=upload.id,
        name=upload.name,
        size=upload.size,
        received=upload.received,
        whole=upload.whole,
        sha256=upload.sha256,
        made_from=upload.made_from,
        made_at=upload.made_at,
        ends_at=upload.ends_at,
    )


@router.post(
    "", status_code=201, summary="Upload a file at once", response_description="The file, whole", openapi_extra=FORM
)
async def upload(
    request: Request,
    response: Response,
    owner: Asker,
    service: TheService,
    _: TakesFiles,
    content_length: Annotated[int | None, Header(ge=0, include_in_schema=False)] = None,
) -> UploadOut:
    """Send one file as a form. For large files and shaky lines use /uploads/resumable. The same file twice is kept once."""
    form = OneFile(request.headers.get("content-type", ""))
    begun = await to_thread.run_sync(_begun, service, owner.id, content_length)
    try:
        kept = await _received(request, service, begun, form)
    except BaseException:
        with CancelScope(shield=True), suppress(NotFoundError):
            await to_thread.run_sync(service.uploads.remove, owner.id, begun.id)
        raise
    response.headers["Location"] = f"/api/v1/uploads/{kept.id}"
    return upload_out(kept)


def _begun(service: Service, owner: str, length: int | None) -> Upload:
    """An upload with room for a body; for one whose length was not told that is all the room there is, until it ends."""
    size = max(1, service.uploads.most(owner)) if length is None else min(length, service.settings.max_upload_mib * MIB)
    return service.uploads.begin(owner, "file", size)


async def _received(request: Request, service: Service, begun: Upload, form: OneFile) -> Upload:
    async with writing(partial(service.uploads.part, begun.owner_id, begun.id, 0)) as part:
        async with aclosing(pieces(request)) as body:
            async for piece in body:
                await to_thread.run_sync(part.write, form.feed(piece))
        part.end_here(form.check())
    return part.upload


@router.get("", summary="The uploads", response_description="All that are there")
def list_uploads(owner: Asker, service: TheService) -> UploadList:
    """Your uploads, also those that are not whole yet, the newest first."""
    return UploadList(items=[upload_out(each) for each in service.uploads.of(owner.id)])


@router.get("/{upload:id}", summary="An upload", response_description="What is known of it")
def get(upload: PathId, owner: Asker, service: TheService) -> UploadOut:
    """Its name, size, hash, and when it is removed."""
    return upload_out(service.uploads.get(owner.id, upload))


@router.get("/{upload:id}/content", summary="Download an upload", response_class=Response, responses=CONTENT)
def content(upload: PathId, request: Request, owner: Asker, service: TheService) -> Response:
    """The bytes of a whole file, to be saved; with Range those behind a break (If-Range takes the ETag)."""
    service.uploads.check(owner.id, (upload,))
    found = service.uploads.get(owner.id, upload)
    return download(request, service.uploads, found, {"Content-Disposition": attachment(found.name)})


@router.delete("/{upload:id}", status_code=204, summary="Remove an upload")
def remove(upload: PathId, owner: Asker, service: TheService) -> None:
    """Remove it now."""
    service.uploads.remove(owner.id, upload)


def attachment(name: str) -> str:
    """Content-Disposition for a file's name, with a plain one for old clients (RFC 6266, appendix D)."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_").replace("\\", "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
