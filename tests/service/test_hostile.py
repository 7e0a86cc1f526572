"""What hostile visitors send, and what they must not get: each of these was an attack on the running service."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

MakeApp = Callable[..., FastAPI]
Client = Callable[..., TestClient]


def form(*parts: tuple[str, bytes], charset: str = "") -> dict[str, object]:
    """A multipart body as a request takes it."""
    head = "--B\r\nContent-Disposition: form-data; {}\r\n\r\n"
    body = b"".join(head.format(name).encode() + data + b"\r\n" for name, data in parts) + b"--B--\r\n"
    kind = "multipart/form-data; boundary=B" + (f"; charset={charset}" if charset else "")
    return {"content": body, "headers": {"Content-Type": kind}}


@pytest.mark.parametrize("path", ["/sign-in", "/choices", "/chats"])
@pytest.mark.parametrize("charset", ["punycode", "idna", "undefined", "unicode_escape", "utf-16"])
def test_forms_are_utf8(make_app: MakeApp, program: Client, path: str, charset: str) -> None:
    """A codec that the form names is not used: decoding punycode takes quadratic time, in the loop that serves everyone."""
    text = b"a" * 100_000 + b"-" + b"ba" * 50_000
    began = time.perf_counter()
    answer = program(make_app()).post(path, **form(('name="text"', text), charset=charset))
    assert answer.status_code == 415
    assert "UTF-8" in answer.json()["detail"]
    assert time.perf_counter() - began < 0.5


def test_utf8_may_be_named(make_app: MakeApp, program: Client) -> None:
    """A form that names UTF-8 is taken."""
    sent = form(('name="text"', "损失是 nan".encode()), charset="UTF-8")
    assert program(make_app()).post("/chats", **sent, follow_redirects=False).status_code == 303


def test_parts_of_an_upload_are_counted(make_app: MakeApp, program: Client) -> None:
    """A file with thousands of empty fields beside it is refused early: parsing each holds up everyone."""
    client = program(make_app())
    answer = client.post("/api/v1/uploads", **form(*[('name="x"', b"")] * 10_000))
    assert answer.status_code == 400
    assert "fields" in answer.json()["detail"]
    few = form(*[('name="x"', b"")] * 20, ('name="file"; filename="a.keras"', b"x"))
    assert client.post("/api/v1/uploads", **few).status_code == 201
