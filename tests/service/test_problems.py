"""Problems: every error has one shape, its status, and tells nothing of how the service is built."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from fastapi.testclient import TestClient
from kerasdoctor.errors import (
    ConflictError,
    IndexMissingError,
    InputError,
    NoAccessError,
    NotFoundError,
    SandboxError,
    StorageError,
    SubjectError,
    TooLargeError,
    TooManyError,
)
from kerasdoctor.knowledge.text import Text
from kerasdoctor.service.access import Asker
from kerasdoctor.service.problems import NOTHING_HERE
from kerasdoctor.service.web.problem_pages import ANYTHING
from pydantic import BaseModel, Field
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

MakeApp = Callable[..., FastAPI]
Client = Callable[..., TestClient]
SECRET = "the-secret-in-a-paste"  # noqa: S105 - what must not be told
ERRORS: dict[str, tuple[Exception, int]] = {
    "not-found": (NotFoundError("no such chat"), 404),
    "too-large": (TooLargeError("too large"), 413),
    "conflict": (ConflictError("not whole"), 409),
    "too-many": (TooManyError("too many", 3.2), 429),
    "too-many-now": (TooManyError("too many", 0.0), 429),
    "no-access": (NoAccessError("no key"), 401),
    "storage": (StorageError(f"database at {SECRET}"), 503),
    "operational": (OperationalError(SECRET, {}, Exception(SECRET)), 503),
    "interface": (InterfaceError(SECRET, {}, Exception(SECRET)), 503),
    "connections": (NoConnectionError(SECRET), 503),
    "subject": (SubjectError("no model file"), 422),
    "sandbox": (SandboxError("memory"), 422),
    "input": (InputError("a wrong option"), 400),
    "index": (IndexMissingError(SECRET), 500),
    "ours": (ZeroDivisionError(SECRET), 500),
    "http": (HTTPException(418, "short"), 418),
}
router = APIRouter(prefix="/api/v1")
pages = APIRouter(include_in_schema=False)


class Told(BaseModel):
    text: str = Field(max_length=5)
    number: int


@router.get("/fail/{name}")
def fail(name: str, owner: Asker) -> None:
    """Fail as it is asked to."""
    del owner
    raise ERRORS[name][0]


@router.post("/tell")
def tell(told: Told) -> str:
    """Take a body."""
    return told.text


@router.post("/many")
def many(numbers: list[int]) -> int:
    """Take many."""
    return len(numbers)


@router.get("/half")
def half() -> StreamingResponse:
    """Fail when the answer has begun."""

    def parts() -> Any:
        yield "first"
        raise ValueError(SECRET)

    return StreamingResponse(parts())


@pages.get("/page/{name}")
def page(name: str, owner: Asker) -> None:
    """A page that fails."""
    del owner
    raise ERRORS[name][0]


@pages.post("/page/tell")
def tell_page(told: Told) -> str:
    """A form's target."""
    return told.text


@pages.post("/page/refuse")
def refuse(owner: Asker) -> None:
    """A form's target, for those who have a key."""
    del owner


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem, if it is one."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    read = answer.json()
    assert set(read) - {"errors"} == {"type", "title", "status", "detail", "instance"}
    assert read["status"] == status
    assert read["instance"] == answer.headers["x-request-id"]
    assert SECRET not in answer.text
    return dict(read)


@pytest.mark.parametrize("name", ERRORS)
def test_each_error_is_a_problem_with_its_status(
    make_app: MakeApp, program: Client, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """One shape, and the message where it is meant for the reader; what failed here is in the log."""
    error, status = ERRORS[name]
    answer = program(make_app(router)).get(f"/api/v1/fail/{name}")
    problem = is_problem(answer, status)
    assert ("failed" in caplog.text) is (status >= 500)
    if status < 500:
        assert problem["detail"] == (error.detail if isinstance(error, HTTPException) else str(error))
    if status == 429:
        assert answer.headers["Retry-After"] == ("4" if name == "too-many" else "1")
    if status == 401:
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="kerasdoctor"'


def test_what_the_frame_refuses_is_a_problem_too(make_app: MakeApp, program: Client) -> None:
    """An unknown address, a method that is not taken, a body that is none."""
    client = program(make_app(router))
    is_problem(client.get("/api/v1/nothing"), 404)
    is_problem(client.get("/nothing"), 404)
    wrong = client.get("/api/v1/tell")
    assert "POST" in is_problem(wrong, 405)["detail"]
    assert wrong.headers["allow"] == "POST"
    is_problem(client.post("/api/v1/tell", content=b"{", headers={"Content-Type": "application/json"}), 422)
    is_problem(client.post("/api/v1/tell", content=b"\xff"), 422)


def test_each_field_that_is_wrong_is_named(make_app: MakeApp, program: Client) -> None:
    """Where it stands and what was expected; what was sent is not sent back."""
    answer = program(make_app(router)).post("/api/v1/tell", json={"text": SECRET})
    errors = is_problem(answer, 422)["errors"]
    assert [error["field"] for error in errors] == ["body.text", "body.number"]
    assert "5 characters" in errors[0]["message"]
    errors = is_problem(program(make_app(router)).post("/api/v1/many", json=["x"] * 1000), 422)["errors"]
    assert [error["field"] for error in errors] == [f"body.{number}" for number in range(20)]


def test_an_answer_that_breaks_off_is_seen_as_broken(make_app: MakeApp, program: Client) -> None:
    """When the answer has begun there can be no problem any more; the server ends the connection, and nothing is told."""
    assert SECRET not in program(make_app(router)).get("/api/v1/half").text


def test_a_person_gets_a_page(make_app: MakeApp, browser: Client) -> None:
    """Outside the API, where HTML is asked for; a person who needs a key is led to where it is asked for."""
    client = browser(make_app(router, pages))
    shown = client.get("/page/not-found")
    assert shown.status_code == 404
    assert shown.headers["content-type"].startswith("text/html")
    assert "no such chat" in shown.text
    assert client.get("/nothing").headers["content-type"].startswith("text/html")
    assert SECRET not in client.get("/page/ours").text
    assert client.get("/page/ours").status_code == 500
    is_problem(client.get("/api/v1/fail/not-found"), 404)
    led = client.get("/page/no-access")
    assert (led.status_code, led.headers["location"]) == (303, "/sign-in?next=/page/no-access")


def test_the_web_part_makes_the_pages(make_app: MakeApp, browser: Client) -> None:
    """The seam: `service.pages` renders a problem as it likes."""

    class Ours:
        def problem(self, request: Request, status: int, title: str, detail: Text) -> Response:
            return HTMLResponse(f"{request.url.path} {title} {detail.en}", status)

    app = make_app(router, pages)
    app.state.service.pages = Ours()
    assert browser(app).get("/page/conflict").text == "/page/conflict Conflict not whole"


def test_what_failed_here_has_its_number_on_the_page(make_app: MakeApp, browser: Client) -> None:
    """A person can name it to whoever runs the service, in either language."""
    client = browser(make_app(router, pages))
    for name in ("ours", "storage"):
        for lang, told in (("en", "number in the log"), ("zh", "日志编号")):
            failed = client.get(f"/page/{name}", headers={"Accept-Language": lang})
            assert f"{told} {failed.headers['x-request-id']}" in failed.text
            assert SECRET not in failed.text


def test_a_page_tells_a_person_nothing_that_is_for_programs(make_app: MakeApp, browser: Client) -> None:
    """Neither fields nor headers; a status that has no heading of its own has a general one."""
    client = browser(make_app(router, pages, keys=True))
    for method, path, status, told in (
        ("GET", "/nothing", 404, NOTHING_HERE.en),
        ("POST", "/page/tell", 422, "errors"),
        ("POST", "/page/refuse", 401, "Bearer"),
    ):
        shown = client.request(method, path)
        assert (shown.status_code, told in shown.text) == (status, False)
        assert "<h1" in shown.text
    odd = browser(make_app(router, pages)).get("/page/http")
    assert (odd.status_code, "short" in odd.text, ANYTHING.en in unescape(odd.text)) == (418, True, True)


def test_openapi_tells_of_problems(make_app: MakeApp, program: Client) -> None:
    """Each route of the API has the problem as its answer in all other cases, and there is one schema of it."""
    described = program(make_app(router)).get("/api/v1/openapi.json").json()
    assert set(described["components"]["schemas"]["Problem"]["required"]) == {"title", "status", "detail", "instance"}
    assert "HTTPValidationError" not in described["components"]["schemas"]
    for path in described["paths"].values():
        for operation in path.values():
            content = operation["responses"]["default"]["content"]
            assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "FieldError" in described["components"]["schemas"]
    assert described["paths"]["/api/v1/fail/{name}"]["get"]["security"] == [{"key": []}]
