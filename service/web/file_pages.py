"""Uploads on the page: download a mended copy, look at a model's graph or a log's curves, remove a file."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from ...diagnostics.depth import Depth
from ...diagnostics.examination import examine_file
from ...knowledge.text import Lang, Text
from ..access import Asker
from ..api.values import PathId
from ..downloads import download
from ..languages import language_of
from ..service import Service, TheService
from ..sign_in import OWN_PATH
from ..tables import Upload
from .rendering import rendered
from .routes import page_router

router = page_router()
# A picture holds styles and, in titles, names from the file; nothing in it may run or load anything.
SANDBOX = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
KEPT = 32
NO_PICTURE = Text("There is no picture of this file.", "这个文件没有可画的内容。")


class Pictures:
    """The pictures that were drawn last, by owner, content and language."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, Lang], str | None] = OrderedDict()
        self._lock = Lock()

    def of(self, service: Service, upload: Upload, lang: Lang) -> str | None:
        """The picture of an upload as SVG; None where there is nothing to draw."""
        key = (upload.owner_id, upload.sha256 or "", lang)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        drawn = _draw(service, upload, lang)
        with self._lock:
            self._kept[key] = drawn
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return drawn


PICTURES = Pictures()


@router.get("/uploads/{upload}/picture.svg")
def picture(upload: PathId, request: Request, owner: Asker, service: TheService) -> Response:
    """The layer graph of a model, or the curves of a log."""
    found, lang = service.uploads.get(owner.id, upload), language_of(request)
    drawn = PICTURES.of(service, found, lang) if found.whole else None
    svg = drawn or rendered(request, "no_picture.svg", words=NO_PICTURE.say(lang))
    return Response(svg, media_type="image/svg+xml", headers=SANDBOX)


@router.get("/uploads/{upload}/file")
def file(request: Request, upload: PathId, owner: Asker, service: TheService) -> Response:
    """The file itself, to be saved."""
    found = service.uploads.get(owner.id, upload)
    headers = SANDBOX | {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}"}
    return download(request, service.uploads, found, headers)


@router.post("/uploads/{upload}/remove")
def remove(
    upload: PathId, owner: Asker, service: TheService, back: Annotated[str, Form(max_length=200)] = "/"
) -> Response:
    """Remove a file, now."""
    service.uploads.remove(owner.id, upload)
    return RedirectResponse(back if OWN_PATH.fullmatch(back) else "/", 303)


def _draw(service: Service, upload: Upload, lang: Lang) -> str | None:
    with service.uploads.checked_out(upload.owner_id, (upload.id,)) as files:
        if upload.id not in files:
            return None
        seen = examine_file(files[upload.id], depth=Depth(picture=True, lang=lang), workers=service.workers)
    return seen.picture
