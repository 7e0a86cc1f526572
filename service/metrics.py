"""Metrics for Prometheus.

With several processes each writes its own to PROMETHEUS_MULTIPROC_DIR, which `kerasdoctor serve` makes, and any of them answers
for all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from ..errors import NoAccessError, NotFoundError
from .access import NEEDS_KEY, find_owner
from .counters import OWN
from .database import Database
from .service import TheService
from .tables import Job

SHARED = "PROMETHEUS_MULTIPROC_DIR"
if SHARED not in os.environ:
    ProcessCollector(registry=OWN)

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
def metrics(request: Request, service: TheService) -> Response:
    """What Prometheus asks for."""
    if not service.settings.metrics:
        raise NotFoundError("Metrics are turned off; setting: metrics.")
    if not service.settings.on_loopback or service.settings.keys:
        found = find_owner(request, service)
        if found is None or found.kind != "key":
            raise NoAccessError(NEEDS_KEY)
    jobs = CollectorRegistry(auto_describe=False)
    jobs.register(_Jobs(service.database))
    return Response(generate_latest(_all()) + generate_latest(jobs), media_type=CONTENT_TYPE_LATEST)


def _all() -> CollectorRegistry:
    """The metrics of this process, or of all where there are several."""
    folder = os.environ.get(SHARED)
    if not folder:
        return OWN
    for file in Path(folder).glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not Path(f"/proc/{pid}").exists():
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


class _Jobs(Collector):
    """The jobs that the database has now."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Count them by kind and state."""
        family = GaugeMetricFamily("kerasdoctor_jobs", "Jobs that are kept", labels=("kind", "state"))
        with self.database.reading() as session:
            for kind, state, number in session.execute(
                select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state)
            ):
                family.add_metric((kind, state), number)
        yield family
