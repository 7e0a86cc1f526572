"""What the forms of a chat send: a text, files, the buttons that were pressed."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, suppress
from typing import Annotated, get_args

from fastapi import Depends, Request
from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from ...errors import InputError
from ..access import Asker
from ..api.messages import MAX_CHOICE
from ..api.values import MAX_UPLOADS, Id, KerasVersion
from ..bodies import takes_files
from ..case import Act, Asked
from ..languages import language_of
from ..service import Service, TheService
from ..settings import MIB

_IDS = TypeAdapter(list[Id])
_VERSION: TypeAdapter[str] = TypeAdapter(KerasVersion)
FIELDS = 30


def takes_form(request: Request, service: TheService, owner: Asker) -> None:
    """Take as much as a file may have, where the form carries files: one without is read into memory.

    Raises:
        TooLargeError: there is no room for that much; the files would lie on the disk before anybody looked.
    """
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        takes_files(request, service)
        length = request.headers.get("content-length", "")
        service.uploads.room(owner.id, max(0, int(length) - MIB) if length.isdigit() else 0)


TakesForm = Annotated[None, Depends(takes_form)]


def read_form(request: Request, service: Service) -> AbstractAsyncContextManager[FormData]:
    """The form of a request; its files lie on disk, not in memory."""
    part = 2 * service.settings.max_text_mib * MIB
    return request.form(max_files=MAX_UPLOADS, max_fields=FIELDS, max_part_size=part)


async def asked_of(request: Request, service: Service, owner: str, form: FormData) -> Asked:
    """What a person says with a form; its files are kept as uploads.

    Raises:
        InputError: a field is not as expected, or nothing was said at all.
        TooLargeError: a file is too large.
        NotFoundError: an upload that is named is not there.
    """
    named = _ids(form)
    await run_in_threadpool(service.uploads.check, owner, named)
    sent = [file for file in form.getlist("files") if isinstance(file, UploadFile) and file.filename]
    kept = [await run_in_threadpool(_keep, service, owner, file) for file in sent]
    asked = Asked(
        text=text_of(form, "text"),
        uploads=(*named, *kept),
        act=_act(form),
        choice=text_of(form, "choice")[:MAX_CHOICE],
        keras=_version(form),
        live=bool(text_of(form, "live")) and service.settings.live,
        lang=language_of(request),
    )
    if not (asked.text.strip() or asked.uploads or asked.act or asked.live or asked.keras):
        raise InputError("nothing was sent: paste a text or add a file", "没有内容：请贴上文本或添加文件")
    return asked


def text_of(form: FormData, name: str) -> str:
    """A field as text; "" where it is not there. No database keeps a NUL in a text."""
    value = form.get(name)
    return value.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else ""


def _ids(form: FormData) -> tuple[str, ...]:
    try:
        return tuple(_IDS.validate_python(form.getlist("uploads")))
    except ValidationError:
        raise InputError("uploads: expected the ids of uploads", "uploads：应为上传文件的编号") from None


def _act(form: FormData) -> Act | None:
    asked = text_of(form, "act")
    if not asked:
        return "choose" if text_of(form, "choice") else None
    for act in get_args(Act):
        if asked == act:
            return act  # type: ignore[no-any-return]
    raise InputError(f"act: expected one of {', '.join(get_args(Act))}", f"act：应为 {'、'.join(get_args(Act))} 之一")


def _version(form: FormData) -> str | None:
    """The Keras that was filled in; a slip is no reason to refuse the paste."""
    with suppress(ValidationError):
        return _VERSION.validate_python(text_of(form, "keras").strip())
    return None


def _keep(service: Service, owner: str, file: UploadFile) -> str:
    upload = service.uploads.begin(owner, file.filename or "file", file.size or 0)
    with service.uploads.part(owner, upload.id, 0) as part:
        while piece := file.file.read(MIB):
            part.write(piece)
    return part.upload.id
