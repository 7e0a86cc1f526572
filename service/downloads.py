"""Downloads of uploads: in small pieces, and from any byte on, so that a broken one can be taken up again (RFC 9110, 13 and 14).

A content is named by its hash, which is the same in every copy of the service. Several ranges at once are answered with all of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from .tables import Upload
from .uploads import Uploads

ONE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def download(request: Request, uploads: Uploads, upload: Upload, headers: Mapping[str, str]) -> Response:
    """The content of a whole upload, or the range of it that is asked for; `headers` go along.

    Raises:
        ConflictError: the upload is not whole yet.
        HTTPException: nothing of it is in the range (416).
    """
    tag = f'"{upload.sha256}"'
    told = {"Accept-Ranges": "bytes", "Cache-Control": "private, no-cache", "ETag": tag, **headers}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
    part = _range(request, tag, upload.size)
    if part is not None and not part:
        raise HTTPException(
            416,
            f"The file has {upload.size} bytes; none of them is in the range.",
            {"Content-Range": f"bytes */{upload.size}"},
        )
    taken = range(upload.size) if part is None else part
    told["Content-Length"] = str(len(taken))
    if part is not None:
        told["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{upload.size}"
    return StreamingResponse(
        uploads.chunks(upload, taken),
        HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT,
        told,
        "application/octet-stream",
    )


def _range(request: Request, tag: str, size: int) -> range | None:
    """The bytes that a request asks for, maybe none; None where that is all of them, or what it has is another content."""
    asked = ONE_RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if asked is None or request.headers.get("if-range", tag) != tag:
        return None
    first, last = (int(each) if each else None for each in asked.groups())
    if first is None:
        return None if last is None else range(max(0, size - last), size)
    if last is None:
        return range(first, size)
    return range(first, min(last + 1, size)) if first <= last else None
