"""What pages answer to programs: HEAD as GET, and problems in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
from kerasdoctor.service.web.rendering import static_folder

Serve = Callable[..., AbstractContextManager[str]]
OWN = {"x-request-id", "ratelimit", "date"}  # of each request
FORM = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


def test_head_is_get_without_its_body(serve: Serve) -> None:
    """Every page, file and picture answers HEAD with the status and the headers of GET; POST alone takes no HEAD."""
    with serve() as site, httpx.Client(base_url=site, headers=FORM) as client:
        chat = "/chats/" + client.post("/api/v1/chats").json()["id"]
        paths = ["/", "/topics", "/topics/nan-loss", "/search?q=nan", "/environment", "/environment.py", "/sign-in", "/robots.txt",
                 "/sitemap.xml", "/favicon.ico", f"{static_folder()}/style.css", chat, f"{chat}.md", f"{chat}/side",
                 "/topics/none", "/nothing", "/chats/" + "x" * 22, "/choices"]  # fmt: skip
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
