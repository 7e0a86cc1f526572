"""The service with Slack, as its tests use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.service.app import create_app
from kerasdoctor.service.database import Database
from kerasdoctor.service.settings import Settings
from kerasdoctor.service.tables import Job
from sqlalchemy import func, select

from .slack_checks import Json
from .slack_stand_in import CLIENT, SECRET, StandIn, Workspace

SHAPES = "ValueError: Shapes (None, 1) and (None, 10) are incompatible"
NAN = "why is my loss nan?"
UNKNOWN = "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\n    row['Age']\nKeyError: 'Age'"
ONE = {"slack_bot_token": "xoxb-one"}
OAUTH = {"slack_client_id": CLIENT[0], "slack_client_secret": CLIENT[1], "secret": "a long random text"}


@dataclass
class World:
    """The service with Slack; each test has its own channels."""

    slack: StandIn
    app: FastAPI
    client: TestClient
    one: Workspace
    two: Workspace

    @property
    def database(self) -> Database:
        found: Database = self.app.state.service.database
        return found

    def channel(self, kind: str = "C", team: str = "T1") -> str:
        """A new channel that the app is in."""
        name = f"{kind}{time.monotonic_ns()}"
        self.slack.channels[name] = team
        return name

    def idle(self) -> None:
        """Wait until nothing is under way."""
        until(lambda: not self.count(Job, Job.state.in_(("queued", "running"))))

    def count(self, table: Any, *where: Any) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

    @contextmanager
    def checked(self) -> Iterator[World]:
        """For one test; what Slack did not expect fails it."""
        self.slack.responses.clear()
        yield self
        self.idle()
        assert not self.slack.faults
        assert not [left for left in self.slack.plan.values() if left]

    def answers(self, channel: str, number: int = 1) -> list[Json]:
        """What was posted in a channel, once nothing is under way."""
        self.idle()
        posted = self.slack.said(channel)
        assert len(posted) == number, [each["text"] for each in posted]
        return posted


def until(done: Callable[[], object], seconds: float = 15) -> None:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@contextmanager
def served(slack: StandIn, database: str, data: Path, **settings: Any) -> Iterator[World]:
    """The application, with the workspaces of the stand-in."""
    told = {
        "slack_signing_secret": SECRET,
        "slack_api_url": slack.api,
        "slack_max_file_mib": 1,
        "messages_per_minute": 10_000,
        "jobs": 4,
    }
    app = create_app(Settings(database=database, data=data, **(told | settings)), warm=False)
    with TestClient(app, "http://127.0.0.1", follow_redirects=False, raise_server_exceptions=False) as client:
        yield World(slack, app, client, Workspace(slack, client), Workspace(slack, client, "T2"))


def install(world: World, token: str) -> Any:
    """Go through Slack's pages, and come back."""
    begun = world.client.get("/slack/install")
    assert begun.status_code == 302, begun.text
    state = begun.headers["location"].partition("state=")[2].partition("&")[0]
    code = f"code{time.monotonic_ns()}"
    world.slack.codes[code] = token
    cookie = {"Cookie": begun.headers["set-cookie"].partition(";")[0]}
    world.client.cookies.clear()
    return world.client.get("/slack/oauth_redirect", params={"code": code, "state": state}, headers=cookie)
