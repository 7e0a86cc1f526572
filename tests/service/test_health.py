"""Health, and metrics for Prometheus."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.service.access import Asker, make_local
from kerasdoctor.service.diagnoses import Paste
from kerasdoctor.service.keys import new_key
from kerasdoctor.service.tables import Job
from sqlalchemy import text

MakeApp = Callable[..., FastAPI]
Client = Callable[..., TestClient]
nested = APIRouter(prefix="/things")
router = APIRouter(prefix="/api/v1")


@nested.get("/{thing}")
def thing(thing: str, owner: Asker) -> str:
    """Something with an id."""
    del owner
    return thing


router.include_router(nested)


def test_ready(make_app: MakeApp, program: Client, database_url: str) -> None:
    """Live while the process answers; ready when all that it needs is there, else with what is missing."""
    app = make_app(database=database_url)
    client = program(app)
    assert client.get("/api/v1/health/live").json()["ready"]
    assert client.get("/api/v1/health/ready").json() == {"ready": True, "missing": {}}
    app.state.service.checks["files"] = lambda: "cannot be written"
    answer = client.get("/api/v1/health/ready")
    assert (answer.status_code, answer.json()["missing"]) == (503, {"files": "cannot be written"})


def test_not_ready_with_other_tables(make_app: MakeApp, program: Client, database_url: str) -> None:
    """A copy of another release is not sent requests."""
    app = make_app(database=database_url)
    with app.state.service.database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'old'"))
    answer = program(app).get("/api/v1/health/ready")
    assert (answer.status_code, set(answer.json()["missing"])) == (503, {"migrations"})


def test_not_ready_when_told_to_stop(make_app: MakeApp, program: Client) -> None:
    """A proxy sends nothing more to a process that is about to stop."""
    app = make_app()
    app.state.service.stopping.set()
    assert program(app).get("/api/v1/health/ready").json()["missing"] == {"process": "is about to stop"}
    assert program(app).get("/api/v1/health/live").status_code == 200


def value(told: str, sample: str) -> float:
    found = re.search(rf"^{re.escape(sample)} (\S+)$", told, re.MULTILINE)
    return float(found[1]) if found else 0


def test_metrics(make_app: MakeApp, program: Client, database_url: str) -> None:
    """Requests by the route's template (also of routers within routers), jobs as the database has them, diagnoses."""
    app = make_app(router, database=database_url)
    client = program(app)
    sample = 'kerasdoctor_requests_total{method="GET",route="/api/v1/things/{thing}",status="200"}'
    before = client.get("/metrics").text
    with app.state.service.database.session() as session:
        session.add_all([Job(kind="answer"), Job(kind="answer"), Job(kind="repair", state="failed")])
    client.get("/api/v1/things/the-secret-token")
    client.request("BREW", "/api/v1/things/a")
    make_local(app.state.service.database)
    app.state.service.diagnoses.make("local", Paste("loss is nan after a few batches"))
    told = client.get("/metrics").text
    assert value(told, sample) - value(before, sample) == 1
    assert value(told, 'kerasdoctor_jobs{kind="answer",state="queued"}') == 2
    assert value(told, 'kerasdoctor_jobs{kind="repair",state="failed"}') == 1
    known = 'kerasdoctor_diagnoses_total{known="yes"}'
    assert value(told, known) - value(before, known) == 1
    assert value(told, 'kerasdoctor_request_seconds_count{method="GET",route="/api/v1/things/{thing}"}') >= 1
    assert "the-secret-token" not in told
    assert 'method="OTHER"' in told
    assert "BREW" not in told


@pytest.mark.parametrize(
    ("settings", "without", "with_key"),
    [
        ({}, 200, 200),
        ({"metrics": False}, 404, 404),
        ({"keys": True}, 401, 200),
        ({"host": "0.0.0.0", "open": True}, 401, 200),  # noqa: S104 - nothing is bound
    ],
)
def test_who_may_see_metrics(
    make_app: MakeApp, program: Client, settings: dict[str, Any], without: int, with_key: int
) -> None:
    """On this machine everyone, elsewhere who has a key, also where all else is open; nobody where they are turned off."""
    app = make_app(**settings)
    key = new_key(app.state.service.database, "prometheus")
    assert program(app).get("/metrics").status_code == without
    assert program(app, key).get("/metrics").status_code == with_key
