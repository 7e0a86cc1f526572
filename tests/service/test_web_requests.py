"""What pages answer to programs: HEAD as GET, and problems in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.service.keys import new_key
from kerasdoctor.service.languages import accepted
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
        assert client.delete("/api/v1/chats").headers["allow"] == "GET, POST"


def test_head_of_a_file(make_app: MakeApp, browser: Client) -> None:
    """The same answers as to GET, also 206 and 304, and nothing of the file is read."""
    client = browser(make_app())
    kept = client.post("/api/v1/uploads", files={"file": ("a", b"0123456789")}).json()
    for asked, status in (({}, 200), ({"Range": "bytes=2-5"}, 206), ({"If-None-Match": f'"{kept["sha256"]}"'}, 304)):
        got, head = (client.request(each, f"/uploads/{kept['id']}/file", headers=asked) for each in ("GET", "HEAD"))
        assert (got.status_code, head.status_code, head.content) == (status, status, b"")
        assert head.headers.get("content-length") == got.headers.get("content-length")


def test_of_a_head_nothing_is_sent(make_app: MakeApp) -> None:
    """Neither by us: servers and clients throw the body away, after it was made."""
    scope = {"type": "http", "method": "HEAD", "path": "/topics", "query_string": b"", "http_version": "1.1", "scheme": "http",
             "root_path": "", "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1)}  # fmt: skip
    told: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        told.append(message)

    anyio.run(make_app(), scope, receive, send)
    assert told[0]["status"] == 200
    assert b"".join(each.get("body", b"") for each in told) == b""


def test_an_odd_address_is_nothing_to_a_person_and_not_valid_to_a_program(make_app: MakeApp, browser: Client) -> None:
    """A program is told which part of it is wrong."""
    client = browser(make_app())
    assert client.get("/chats/cut").status_code == 404
    told = client.get("/api/v1/chats/cut")
    assert (told.status_code, told.json()["errors"][0]["field"]) == (422, "path.chat")


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.5, zh-Hant-TW;q=0.9", "zh"),
        ("zh;q=0.9, en;q=0.8, zh-TW;q=0.1", "zh"),
        ("fr, EN", "en"),
        ("zh;q=0", None),
        ("fr, *;q=0.5", None),
        ("fr," * 500 + "zh", None),  # nobody wants so many
        ("", None),
    ],
)
def test_the_language_that_is_wanted_most(header: str, lang: str | None) -> None:
    """Of a header as browsers and programs send it; None where it names neither of ours."""
    assert accepted(header) == lang


def test_what_was_chosen_counts_for_more(make_app: MakeApp, browser: Client) -> None:
    """The address first, then the choice, then what the browser asks for."""
    client = browser(make_app())
    asked = {"Accept-Language": "en"}
    assert '<html lang="en"' in client.get("/topics", headers=asked).text
    client.cookies.set("kerasdoctor_language", "zh", domain="127.0.0.1")
    assert '<html lang="zh' in client.get("/topics", headers=asked).text
    assert '<html lang="en"' in client.get("/topics?lang=en", headers=asked).text


HERE: dict[str, Any] = {}
OPEN = {"host": "0.0.0.0", "open": True}  # noqa: S104 - nothing listens
PROXIED = {"proxies": "127.0.0.1"}
PUBLIC = {"public_url": "https://doctor.example.org", "open": True}
TUNNEL = {"public_url": "http://localhost:9000"}  # something on this machine that hands requests on, from wherever


@pytest.mark.parametrize(
    ("settings", "others"),
    [(HERE, True), (OPEN, False), (PROXIED, False), (PUBLIC, False), (TUNNEL, False), ({"keys": True}, False)],
)
def test_the_report_is_the_same_on_the_page_and_in_the_api(
    make_app: MakeApp, browser: Client, program: Client, settings: dict[str, Any], others: bool
) -> None:
    """On the machine itself all pastes that were not known are shown, else one's own; where keys are needed, to those who have one."""
    app = make_app(**settings)
    keys = [new_key(app.state.service.database, name) for name in ("mine", "other")] if "keys" in settings else ["", ""]
    host = settings.get("public_url", "http://127.0.0.1")
    mine, other = (program(app, key) if key else browser(app, host) for key in keys)
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


BEYOND = "x" * 22
REFUSED: dict[str, tuple[int, str, dict[str, Any]]] = {
    "GET /nothing": (404, "", {}),
    f"GET /chats/{BEYOND}": (404, "没有这段对话", {}),
    "GET /chats/cut": (404, "没有内容", {}),
    f"GET /shared/{BEYOND}": (404, "链接已撤回", {}),
    f"GET /uploads/{BEYOND}/file": (404, "", {}),
    "GET /topics/none": (404, "没有主题", {}),
    "POST /topics": (405, "只接受 GET", {}),
    "POST /chats": (400, "没有内容", {"files": {"text": (None, " ")}}),
    "POST /examples/none": (404, "没有这个例子", {}),
    "POST /chats?long": (413, "超过 1 MiB", {"files": {"text": (None, "x" * 1_100_000)}}),
    "POST /chats?huge": (413, "", {"data": {"text": "x" * 8_000_000}}),
    "POST /chats?charset": (415, "UTF-8", {"content": b"", "headers": {"Content-Type": "multipart/form-data; boundary=b; charset=x"}}),
    f"POST /chats/{BEYOND}/repair": (422, "", {}),
    "POST /sign-out": (403, "其他网站", {"headers": {"Sec-Fetch-Site": "cross-site"}}),
    "GET /?host": (421, "主机名", {"headers": {"Host": "example.org"}}),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_was_refused_is_said_in_chinese(make_app: MakeApp, browser: Client, name: str) -> None:
    """On a page, and to its scripts: no English sentence is left on what a Chinese reader sees."""
    client, (status, told, sent) = browser(make_app()), REFUSED[name]
    for accept in ("text/html", "application/json"):
        headers = {"Accept-Language": "zh-CN", "Accept": accept} | sent.get("headers", {})
        answer = client.request(*name.split(), **{**sent, "headers": headers})
        assert answer.status_code == status
        shown = (
            answer.text.split('<section class="narrow problem"')[1].split("</section>")[0]
            if accept == "text/html"
            else answer.json()["detail"]
        )
        assert told in shown
        assert re.search(r"[\u4e00-\u9fff]", shown)
        assert not re.search(r"[A-Za-z']+ [A-Za-z']+ [A-Za-z']+", re.sub(r"<[^>]*>", "", shown)), shown


def test_a_limit_is_told_in_chinese(make_app: MakeApp, browser: Client) -> None:
    """Which limit, and when there is room again."""
    client = browser(make_app(requests_per_minute=1))
    client.get("/topics")
    refused = client.get("/topics", headers={"Accept-Language": "zh"})
    assert refused.status_code == 429
    assert "一分钟内超过 1 次请求，请" in refused.text
