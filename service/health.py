"""Health: whether the process answers, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from ..errors import IndexMissingError
from ..knowledge.matcher import Matcher
from .database import Database
from .service import Check, TheService

router = APIRouter(prefix="/api/v1/health", tags=["health"])


class Health(BaseModel):
    """What is there, and what is missing (by the name of what was looked at)."""

    ready: bool
    missing: dict[str, str] = {}


@router.get("/live", summary="Whether the process answers")
def live() -> Health:
    """Answers as long as the process does; looks at nothing else."""
    return Health(ready=True)


@router.get(
    "/ready",
    summary="Whether the service can work",
    response_model=Health,
    responses={503: {"model": Health, "description": "Something is missing"}},
)
def ready(service: TheService) -> Response:
    """Whether the database, its migrations, the index and the file store are there; 503 with what is missing."""
    missing = {name: told for name, check in service.checks.items() if (told := check())}
    if service.stopping.is_set():
        missing["process"] = "is about to stop"
    health = Health(ready=not missing, missing=missing)
    return JSONResponse(health.model_dump(), 503 if missing else 200)


def checks_of(database: Database) -> dict[str, Check]:
    """What every copy looks at; the parts of the service add theirs."""

    def answers() -> str | None:
        return None if database.answers() else "does not answer"

    def migrations() -> str | None:
        try:
            return None if database.at_head() else "are not those of this release"
        except SQLAlchemyError:
            return "cannot be read"

    return {"database": answers, "migrations": migrations, "index": _index}


def _index() -> str | None:
    try:
        Matcher.load()
    except IndexMissingError:
        return "was not built, or by another release"
    return None
