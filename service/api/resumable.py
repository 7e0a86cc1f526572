"""Resumable uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload): core, creation, termination, expiration."""

from __future__ import annotations

import base64
import binascii
from contextlib import aclosing
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Request, Response
from fastapi.exceptions import HTTPException
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from ...errors import InputError
from ..access import Asker
from ..bodies import TakesFiles
from ..service import TheService
from ..settings import MIB
from ..tables import Upload
from .incoming import pieces, writing
from .uploads import UploadOut, upload_out
from .values import OPEN, PathId

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,expiration"
BODY = "application/offset+octet-stream"
DIGITS = r"^[0-9]{1,15}$"
MAX_METADATA = 4096
PATCHED = {"requestBody": {"required": True, "content": {BODY: {"schema": {"type": "string", "format": "binary"}}}}}


class TusRoute(APIRoute):
    """A route whose every answer, a problem too, names the version of the protocol."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("Tus-Resumable", VERSION)
            await send(message)

        await super().handle(scope, receive, with_version)


def check_version(request: Request) -> None:
    """Refuse another version of the protocol, and requests of programs that do not speak it."""
    found = request.headers.get("tus-resumable", "")
    if found != VERSION:
        told = f"tus {found[:20] or 'of no version'} is not spoken here; expected Tus-Resumable: {VERSION}"
        raise HTTPException(HTTPStatus.PRECONDITION_FAILED, told, {"Tus-Version": VERSION})


def _told(**headers: str) -> dict[str, Any]:
    described = {
        name.replace("_", "-"): {"schema": {"type": "string"}, "description": text} for name, text in headers.items()
    }
    return {"headers": described}


OFFSET = _told(Upload_Offset="bytes that are there", Upload_Expires="when it is removed", Tus_Resumable=VERSION)
SPEAKS = {
    "parameters": [
        {"name": "Tus-Resumable", "in": "header", "required": True, "schema": {"type": "string", "const": VERSION}}
    ]
}
router = APIRouter(prefix="/uploads/resumable", tags=["uploads"], route_class=TusRoute)


@router.options("", status_code=204, summary="What of tus is spoken", openapi_extra=OPEN)
def options(service: TheService) -> Response:
    """The version, the extensions and the largest file."""
    most = str(service.settings.max_upload_mib * MIB)
    headers = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": most}
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)


@router.post(
    "",
    status_code=201,
    summary="Begin a resumable upload",
    response_class=Response,
    responses={
        201: {"description": "It was begun", **_told(Location="where to send it", Upload_Expires="when it is removed")}
    },
    openapi_extra=SPEAKS,
)
def create(
    request: Request,
    owner: Asker,
    service: TheService,
    upload_length: Annotated[str, Header(pattern=DIGITS, description="bytes of the whole file")],
    upload_metadata: Annotated[
        str,
        Header(max_length=MAX_METADATA, description="pairs with commas between; `filename` and its value in Base64"),
    ] = "",
) -> Response:
    """Make room for a file; send it with PATCH to the address in Location."""
    check_version(request)
    begun = service.uploads.begin(owner.id, file_name(upload_metadata), int(upload_length))
    if not begun.size:
        with service.uploads.part(owner.id, begun.id, 0):
            pass  # nothing more will come
    headers = {"Location": f"/api/v1/uploads/resumable/{begun.id}", **_state(begun)}
    return Response(status_code=HTTPStatus.CREATED, headers=headers)


@router.head(
    "/{upload:id}",
    summary="How far an upload is",
    response_class=Response,
    responses={200: {"description": "How far it is", **OFFSET}},
    openapi_extra=SPEAKS,
)
def head(upload: PathId, request: Request, owner: Asker, service: TheService) -> Response:
    """The bytes that are there, and of how many."""
    check_version(request)
    found = service.uploads.get(owner.id, upload)
    return Response(headers={"Upload-Length": str(found.size), "Cache-Control": "no-store", **_state(found)})


@router.get("/{upload:id}", summary="A resumable upload", response_description="What is known of it")
def get(upload: PathId, owner: Asker, service: TheService) -> UploadOut:
    """The same as /uploads/{upload}."""
    return upload_out(service.uploads.get(owner.id, upload))


@router.patch(
    "/{upload:id}",
    status_code=204,
    summary="Send a piece",
    response_class=Response,
    responses={204: {"description": "It was taken", **OFFSET}},
    openapi_extra={**PATCHED, **SPEAKS},
)
async def patch(
    upload: PathId,
    request: Request,
    owner: Asker,
    service: TheService,
    _: TakesFiles,
    upload_offset: Annotated[
        str, Header(pattern=DIGITS, description="where the piece belongs: the bytes that are there")
    ],
) -> Response:
    """Go on where the upload stopped. What arrived before a connection broke is kept."""
    check_version(request)
    if request.headers.get("content-type") != BODY:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"expected Content-Type: {BODY}")
    begin = partial(service.uploads.part, owner.id, upload, int(upload_offset))
    try:
        async with writing(begin) as part, aclosing(pieces(request)) as body:
            async for piece in body:
                await to_thread.run_sync(part.write, piece)
    except ClientDisconnect:
        return Response(status_code=499)  # nobody reads it
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=_state(part.upload))


@router.delete("/{upload:id}", status_code=204, summary="Remove an upload", openapi_extra=SPEAKS)
def terminate(upload: PathId, request: Request, owner: Asker, service: TheService) -> None:
    """Remove it, whole or not."""
    check_version(request)
    service.uploads.remove(owner.id, upload)


def file_name(metadata: str) -> str:
    """The name in an Upload-Metadata header.

    Raises:
        InputError: the header is not as it must be.
    """
    pairs = [pair.strip().partition(" ") for pair in metadata.split(",")]
    name = next((value for key, _, value in pairs if key == "filename"), "")
    try:
        return base64.b64decode(name, validate=True).decode() or "file"
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise InputError("Upload-Metadata: expected `filename` and a name in UTF-8 and Base64") from None


def _state(upload: Upload) -> dict[str, str]:
    return {"Upload-Offset": str(upload.received), "Upload-Expires": format_datetime(upload.ends_at, usegmt=True)}
