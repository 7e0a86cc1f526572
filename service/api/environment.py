"""The script that reports an environment, as one file that is run where Keras is."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from ...diagnostics.environment_download import NAME, environment_script
from .values import OPEN

router = APIRouter(tags=["environment"])
SCRIPT = {
    "description": "A Python script (3.7 or newer, standard library only)",
    "content": {"text/x-python": {"schema": {"type": "string"}}},
}


@router.get(
    "/environment.py",
    openapi_extra=OPEN,
    summary="The script that reports an environment",
    response_class=Response,
    responses={200: SCRIPT},
)
def environment() -> Response:
    """Run it as `python -I environment.py > environment.json` where Keras is, and upload what it wrote."""
    headers = {"Content-Disposition": f'attachment; filename="{NAME}"'}
    return Response(environment_script(), media_type="text/x-python", headers=headers)
