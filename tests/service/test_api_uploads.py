"""Uploads by form and by tus: whole, broken off, too large, expired; bounded memory; downloads."""

from __future__ import annotations

import base64
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

Serve = Callable[..., AbstractContextManager[str]]
TUS = {"Tus-Resumable": "1.0.0"}
OFFSET = "application/offset+octet-stream"
UPLOADS = "/api/v1/uploads"
RESUMABLE = f"{UPLOADS}/resumable"
BODY = bytes(range(256)) * 40


@pytest.fixture
def client(database_url: str, make_app: Callable[..., FastAPI], program: Callable[..., TestClient]) -> TestClient:
    """A client of an application that takes files up to 1 MiB, and 3 MiB together."""
    return program(make_app(database=database_url, max_upload_mib=1, max_stored_mib=3))


def begin(client: Any, size: int, name: str = "weights.h5") -> str:
    encoded = base64.b64encode(name.encode()).decode()
    headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": f"relativePath bnVsbA==,filename {encoded}"}
    response = client.post(RESUMABLE, headers=headers)
    assert response.status_code == 201, response.text
    assert "GMT" in response.headers["upload-expires"]
    return str(response.headers["location"])


def patch(client: Any, place: str, offset: int, body: Any) -> Any:
    return client.patch(place, content=body, headers={**TUS, "Upload-Offset": str(offset), "Content-Type": OFFSET})


def test_a_form_is_kept_once(client: TestClient) -> None:
    """A file is hashed and can be had again under its name; the same content a second time takes no more room."""
    names = ('../../etc/模型 "1".keras', "b.keras")
    first, second = (client.post(UPLOADS, files={"file": (name, BODY)}).json() for name in names)
    assert first["sha256"] == second["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert first["size"] == first["received"] == len(BODY)
    assert first["id"] != second["id"]
    response = client.get(f"{UPLOADS}/{first['id']}/content")
    assert response.content == BODY
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["x-content-type-options"] == "nosniff"
    told = response.headers["content-disposition"]
    assert told.startswith('attachment; filename="__')
    assert "filename*=UTF-8''%E6%A8%A1%E5%9E%8B" in told
    assert "/" not in first["name"]
    assert client.delete(f"{UPLOADS}/{first['id']}").status_code == 204
    assert client.get(f"{UPLOADS}/{second['id']}/content").content == BODY
    assert [each["id"] for each in client.get(UPLOADS).json()["items"]] == [second["id"]]


def test_a_form_that_is_none(client: TestClient) -> None:
    """What is wrong with a body is told, and nothing of it stays."""
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n'
    for body, headers, said in (
        (b"{}", {"Content-Type": "application/json"}, "application/json"),
        (part, form, "ends too early"),
        (b"--b--\r\n", form, "holds no file"),
        (b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\nx\r\n--b--\r\n', form, "holds no file"),
        (part + part + b"--b--\r\n", form, "two files"),
        (b"nonsense", form, "cannot be read"),
        (b'--b\r\nContent-Disposition: form-data; name="t"\r\n\r\n' + b"x" * 300_000 + b"\r\n--b--", form, "too long"),
    ):
        response = client.post(UPLOADS, content=body, headers=headers)
        assert (response.status_code, said in response.json()["detail"]) == (400, True), response.text
    assert client.get(UPLOADS).json()["items"] == []
    assert client.post(UPLOADS, content=part + b"--b--\r\n", headers=form).json()["size"] == 1


def test_a_form_of_untold_length(client: TestClient) -> None:
    """It is taken as it comes, kept with its own size, and bounded like any other; while it comes, the rest of the room is its."""
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'

    def sent(size: int) -> Any:
        pieces = (head, *[b"x" * 1000] * (size // 1000), b"x" * (size % 1000), b"\r\n--b--\r\n")
        return client.post(UPLOADS, content=iter(pieces), headers=form)

    assert sent(1 << 20).json()["size"] == 1 << 20
    assert sent((1 << 20) + 1).status_code == 413
    assert client.post(UPLOADS, content=iter([head, b"x"]), headers=form).status_code == 400
    assert sent(1000).json()["size"] == 1000
    begin(client, (1 << 20) - 1500)
    assert sent(1 << 20).json()["size"] == 1 << 20
    assert sent(501).status_code == 413
    assert sent(500).json()["size"] == 500
    full = sent(1)
    assert (full.status_code, "together" in full.json()["detail"]) == (413, True)
    assert len(client.get(UPLOADS).json()["items"]) == 5


def test_a_broken_download_goes_on(client: TestClient) -> None:
    """A range of the bytes, where the content is still the one that was begun; what has no bytes is told."""
    kept = client.post(UPLOADS, files={"file": ("a", BODY)}).json()
    place, last = f"{UPLOADS}/{kept['id']}/content", len(BODY) - 1

    def got(**headers: str) -> Any:
        return client.get(place, headers={name.replace("_", "-"): value for name, value in headers.items()})

    whole = got()
    tag = whole.headers["etag"]
    assert tag == f'"{kept["sha256"]}"'
    assert (whole.headers["accept-ranges"], whole.headers["cache-control"]) == ("bytes", "private, no-cache")
    for asked, start, stop in (
        ("0-0", 0, 0),
        ("100-", 100, last),
        ("-5", last - 4, last),
        ("5-999999", 5, last),
        ("-99999", 0, last),
    ):
        part = got(Range=f"bytes={asked}", If_Range=tag)
        assert (part.status_code, part.content) == (206, BODY[start : stop + 1]), asked
        assert part.headers["content-range"] == f"bytes {start}-{stop}/{len(BODY)}"
        assert part.headers["content-length"] == str(stop - start + 1)
    for asked in (
        "bytes=5-4",
        "bytes=-",
        "bytes=0-1,5-6",
        "lines=1-2",
        "bytes=1",
        "bytes=" + "9" * 99 + "-",
        "bytes=x-",
    ):
        assert (got(Range=asked).status_code, got(Range=asked).content) == (200, BODY), asked
    assert got(Range="bytes=5-", If_Range='"another"').content == BODY
    assert got(Range="bytes=5-", If_Range=f"W/{tag}").content == BODY
    beyond = got(Range=f"bytes={len(BODY)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(BODY)}")
    assert got(Range="bytes=-0").status_code == 416
    assert (got(If_None_Match=f'"x", {tag}').status_code, got(If_None_Match='"x"').status_code) == (304, 200)
    empty = client.post(UPLOADS, files={"file": ("empty", b"")}).json()["id"]
    assert client.get(f"{UPLOADS}/{empty}/content").content == b""


def test_too_large(client: TestClient) -> None:
    """What is too large is refused before it is read, or when it becomes too large; so is too much together."""
    large = b"x" * (1 << 20)
    assert client.post(UPLOADS, files={"file": ("a", large + b"y")}).status_code == 413
    assert client.post(UPLOADS, files={"file": ("a", large * 3)}).status_code == 413
    assert client.post(RESUMABLE, headers={**TUS, "Upload-Length": str(len(large) + 1)}).status_code == 413
    place = begin(client, 10)
    assert patch(client, place, 0, b"x" * 11).status_code == 413
    assert client.head(place, headers=TUS).headers["upload-offset"] == "0"
    for n in range(2):
        assert client.post(UPLOADS, files={"file": ("a", large[:-1] + bytes([n]))}).status_code == 201
    full = client.post(UPLOADS, files={"file": ("a", large)})
    assert (full.status_code, "together" in full.json()["detail"]) == (413, True)


def test_tus(client: TestClient) -> None:
    """A file in pieces: where it stands is told, a wrong offset is refused, the last piece makes it whole."""
    place = begin(client, len(BODY), "权重.h5")
    assert patch(client, place, 0, BODY[:1000]).headers["upload-offset"] == "1000"
    wrong = patch(client, place, 500, BODY[500:])
    assert wrong.status_code == 409
    assert wrong.headers["tus-resumable"] == "1.0.0"
    head = client.head(place, headers=TUS)
    assert (head.headers["upload-offset"], head.headers["upload-length"]) == ("1000", str(len(BODY)))
    assert head.headers["cache-control"] == "no-store"
    assert client.get(f"{UPLOADS}/{place[-22:]}/content").status_code == 409
    assert patch(client, place, 1000, BODY[1000:]).status_code == 204
    found = client.get(place).json()
    assert (found["whole"], found["name"]) == (True, "权重.h5")
    assert found["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert client.get(f"{UPLOADS}/{found['id']}/content").content == BODY
    assert patch(client, place, len(BODY), b"").status_code == 409
    assert client.delete(place, headers=TUS).status_code == 204
    assert client.head(place, headers=TUS).status_code == 404


def test_tus_by_the_letter(client: TestClient) -> None:
    """Versions, types and headers that the protocol asks for."""
    options = client.options(RESUMABLE)
    assert options.status_code == 204
    assert options.headers["tus-extension"] == "creation,termination,expiration"
    assert options.headers["tus-max-size"] == str(1 << 20)
    place = begin(client, 3)
    assert (
        client.options(place).status_code == 405
    )  # asked where uploads are begun: one that was removed would answer too
    old = client.head(place, headers={"Tus-Resumable": "0.2.2"})
    assert (old.status_code, old.headers["tus-version"]) == (412, "1.0.0")
    assert client.post(RESUMABLE, headers={"Upload-Length": "3"}).status_code == 412
    assert client.post(RESUMABLE, headers=TUS).status_code == 422
    assert client.post(RESUMABLE, headers={**TUS, "Upload-Length": "-3"}).status_code == 422
    bad = {**TUS, "Upload-Length": "3", "Upload-Metadata": "filename ???"}
    assert client.post(RESUMABLE, headers=bad).status_code == 400
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "text/plain"}
    assert client.patch(place, content=b"abc", headers=headers).status_code == 415
    empty = begin(client, 0, "empty.txt")
    assert client.get(empty).json()["whole"] is True


def test_expired(database_url: str, make_app: Callable[..., FastAPI], program: Callable[..., TestClient]) -> None:
    """An upload whose time is over is not found, also before it is swept away."""
    app = make_app(database=database_url, keep_uploads_hours=0.5 / 3600)
    client = program(app)
    place = begin(client, 5)
    time.sleep(0.6)
    for response in (client.head(place, headers=TUS), patch(client, place, 0, b"abcde"), client.get(place)):
        assert response.status_code == 404
    assert client.get(UPLOADS).json()["items"] == []
    assert app.state.service.uploads.sweep() == 1


def test_a_broken_connection_loses_nothing(serve: Serve) -> None:
    """What arrived before a connection broke is kept, and the rest follows where it stopped."""
    body = bytes(3_000_000)
    with serve() as address, httpx.Client(base_url=address, timeout=60) as client:
        place = begin(client, len(body))
        at = urlsplit(address)
        with socket.create_connection((at.hostname, at.port)) as raw:
            raw.sendall(
                f"PATCH {place} HTTP/1.1\r\nHost: {at.netloc}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n"
                f"Content-Type: {OFFSET}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                + body[:2_000_000]
            )
        offset = 0
        for _ in range(100):
            offset = int(client.head(place, headers=TUS).headers["upload-offset"])
            if offset:
                break
            time.sleep(0.05)
        assert 1_000_000 < offset <= 2_000_000
        assert patch(client, place, offset, body[offset:]).status_code == 204
        assert client.get(place).json()["sha256"] == hashlib.sha256(body).hexdigest()


def resident() -> int:
    """The memory of this process, in MiB."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) // 256


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_large_files_take_no_memory(serve: Serve) -> None:
    """200 MB by form and by tus leave the process as large as it was."""
    size, piece = 200_000_000, bytes(1_000_000)

    def zeros(head: bytes = b"", tail: bytes = b"") -> Iterator[bytes]:
        yield head
        for _ in range(size // len(piece)):
            yield piece
        yield tail

    most = 0
    with serve() as address, httpx.Client(base_url=address, timeout=120) as client:
        assert client.post(UPLOADS, files={"file": ("small", b"x" * 3_000_000)}).status_code == 201
        before = resident()
        head, tail = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n', b"\r\n--b--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        headers["Content-Length"] = str(len(head) + size + len(tail))
        form = client.post(UPLOADS, content=zeros(head, tail), headers=headers)
        most = max(most, resident())
        place = begin(client, size)
        patched = patch(client, place, 0, zeros())
        most = max(most, resident())
        assert (form.status_code, patched.status_code) == (201, 204)
        assert client.get(place).json()["sha256"] == form.json()["sha256"]
    assert most - before < 30
