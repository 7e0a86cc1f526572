"""What pages answer to programs: HEAD as GET, and problems in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.service.keys import new_key
from kerasdoctor.service.web.rendering import static_folder

MakeApp = Callable[..., FastAPI]
Client = Callable[..., TestClient]
Serve = Callable[..., AbstractContextManager[str]]
OWN = {"x-request-id", "ratelimit", "date"}  # of each request
FORM = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


def test_head_is_get_without_its_body(serve: Serve) -> None:
    """Every page, file and picture answers HEAD with the status and the headers of GET; POST alone takes no HEAD."""
    with serve() as site, httpx.Client(base_url=site, headers=FORM) as client:
        chat = "/chats/" + client.post("/api/v1/chats").json()["id"]
        paths = ["/", "/topics", "/topics/nan-loss", "/search?q=nan", "/environment", "/environment.py", "/sign-in", "/robots.txt",
                 "/sitemap.xml", "/favicon.ico", f"{static_folder()}/style.css", chat, f"{chat}.md", f"{chat}/side",
                 "/topics/none", "/nothing", "/chats/" + "x" * 22]  # fmt: skip
        for path in paths:
            got, head = client.get(path), client.head(path)
            assert head.status_code == got.status_code, path
            assert head.content == b"", path
            assert [each for each in head.headers.items() if each[0] not in OWN] == [
                each for each in got.headers.items() if each[0] not in OWN
            ], path
        assert client.get("/choices").headers["allow"] == "POST"
        assert client.post("/topics").headers["allow"] == "GET, HEAD"
        assert client.head("/api/v1/topics").status_code == 405


HERE: dict[str, Any] = {}
OPEN = {"host": "0.0.0.0", "open": True}  # noqa: S104 - nothing listens
PROXIED = {"proxies": "127.0.0.1"}


@pytest.mark.parametrize(
    ("settings", "others"), [(HERE, True), (OPEN, False), (PROXIED, False), ({"keys": True}, False)]
)
def test_the_report_is_the_same_on_the_page_and_in_the_api(
    make_app: MakeApp, browser: Client, program: Client, settings: dict[str, Any], others: bool
) -> None:
    """On the machine itself all pastes that were not known are shown, else one's own; where keys are needed, to those who have one."""
    app = make_app(**settings)
    keys = [new_key(app.state.service.database, name) for name in ("mine", "other")] if "keys" in settings else ["", ""]
    mine, other = (program(app, key) if key else browser(app) for key in keys)
    mine.post("/api/v1/diagnoses", json={"text": "KeyError: 'mine alone'"}).raise_for_status()
    for client, seen in ((mine, True), (other, others)):
        told = client.get("/api/v1/report")
        assert bool(told.json()["unknown"]) is seen
        page = client.get("/report", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert ("mine alone" in page.text) is seen
    if "keys" in settings:
        assert browser(app).get("/api/v1/report").status_code == 401
        assert browser(app).get("/report").headers["location"] == "/sign-in?next=/report"
