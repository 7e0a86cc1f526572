"""The JSON API, under /api/v1: one module for each resource."""

from __future__ import annotations

from fastapi import APIRouter

from . import chats, diagnoses, environment, feedback, jobs, messages, resumable, schemas, streams, topics, uploads

PREFIX = "/api/v1"
PARTS = (diagnoses, chats, messages, streams, jobs, resumable, uploads, topics, feedback, environment, schemas)


def api_router() -> APIRouter:
    """All routes of the API."""
    router = APIRouter(prefix=PREFIX)
    for part in PARTS:
        router.include_router(part.router)
    return router
