"""Jobs: how far an answer is."""

from __future__ import annotations

from fastapi import APIRouter

from ..access import Asker
from ..service import TheService
from .answers import JobOut, job_out
from .values import PathId, Reader

router = APIRouter(prefix="/jobs", tags=["chats"])


@router.get("/{job}", summary="A job", response_description="How far it is")
def get(job: PathId, reader: Reader, owner: Asker, service: TheService) -> JobOut:
    """Whether it waits, runs or has ended, and why it has no result."""
    return job_out(service.chats.job(owner.id, job), reader)
