"""What hostile visitors send, and what they must not get: each of these was an attack on the running service."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.service.keys import all_keys, new_key, revoke_key
from kerasdoctor.service.tables import Message
from sqlalchemy import select

MakeApp = Callable[..., FastAPI]
Client = Callable[..., TestClient]


def form(*parts: tuple[str, bytes], charset: str = "") -> dict[str, Any]:
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
    assert time.perf_counter() - began < 3  # quadratic, it would take longer


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


# What answers everyone, also where keys are needed: nothing in it belongs to anybody.
OPEN = """
GET /api/v1/openapi.json, HEAD /api/v1/openapi.json, GET /api/v1/health/live, GET /api/v1/health/ready, POST /sign-in, POST /sign-out,
GET /sign-in, GET /static/{version}/{name}, GET /favicon.ico, GET /robots.txt, GET /sitemap.xml, POST /choices, GET /api/v1/topics,
GET /api/v1/topics/{topic}, GET /api/v1/probes, GET /api/v1/repairs, GET /api/v1/environment.py, GET /api/v1/schemas/diagnosis.json,
OPTIONS /api/v1/uploads/resumable, GET /topics, GET /topics/{topic}, GET /search,
GET /environment, GET /environment.py, GET /shared/{token}
"""
# What Slack signs, or comes with the webhook's token; see test_slack.py.
SIGNED = """
POST /slack/events, POST /slack/commands, POST /slack/interactions, GET /slack/install, GET /slack/oauth_redirect, POST /slack/webhook
"""
# What a key opens, and in which everyone has their own.
OWN = """
POST /api/v1/diagnoses, POST /api/v1/chats, GET /api/v1/chats, POST /api/v1/uploads/resumable, POST /api/v1/uploads,
GET /api/v1/uploads, GET /api/v1/report,
GET /metrics, POST /mcp, GET /, POST /chats, POST /examples/{name}, GET /report
"""
NO_PAGES = ("GET /api/", "GET /slack/", "GET /mcp", "GET /metrics")
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
# What belongs to one owner, and what it is sent.
THEIRS: dict[str, dict[str, Any]] = {
    "GET /api/v1/diagnoses/{diagnosis}": {},
    "GET /api/v1/chats/{chat}": {},
    "DELETE /api/v1/chats/{chat}": {},
    "PUT /api/v1/chats/{chat}/share": {},
    "DELETE /api/v1/chats/{chat}/share": {},
    "POST /api/v1/chats/{chat}/messages": {"json": {"text": "why?"}},
    "GET /api/v1/chats/{chat}/messages": {},
    "POST /api/v1/chats/{chat}/repairs": {"json": {"upload": "{upload}", "target": "keras3"}},
    "DELETE /api/v1/chats/{chat}/jobs": {},
    "GET /api/v1/chats/{chat}/events": {},
    "GET /api/v1/jobs/{job}": {},
    "HEAD /api/v1/uploads/resumable/{upload}": {"headers": TUS},
    "GET /api/v1/uploads/resumable/{upload}": {},
    "PATCH /api/v1/uploads/resumable/{upload}": {"headers": PIECE, "content": b"x"},
    "DELETE /api/v1/uploads/resumable/{upload}": {"headers": TUS},
    "GET /api/v1/uploads/{upload}": {},
    "GET /api/v1/uploads/{upload}/content": {},
    "DELETE /api/v1/uploads/{upload}": {},
    "POST /api/v1/feedback": {"json": {"diagnosis": "{diagnosis}", "helped": True}},
    "GET /chats/{chat}.md": {},
    "GET /chats/{chat}": {},
    "GET /chats/{chat}/side": {},
    "GET /chats/{chat}/messages/{message}": {},
    "GET /chats/{chat}/messages/{message}/text": {},
    "POST /chats/{chat}/messages": {"data": {"text": "why?"}},
    "POST /chats/{chat}/repair": {"data": {"upload": "{upload}", "target": "keras3"}},
    "POST /chats/{chat}/cancel": {},
    "POST /chats/{chat}/share": {"data": {"shared": "true"}},
    "POST /chats/{chat}/remove": {},
    "GET /uploads/{upload}/picture.svg": {},
    "GET /uploads/{upload}/file": {},
    "POST /uploads/{upload}/remove": {},
}
PASTE = "ValueError: Shapes (None, 1) and (None, 10) are incompatible"


def named(table: str) -> set[str]:
    return {each.strip() for each in table.split(",")}


def with_heads(routes: Iterable[str]) -> set[str]:
    """Routes, and HEAD of the pages among them: it answers whom GET answers."""
    pages = [each for each in routes if each.startswith("GET /") and not each.startswith(NO_PAGES)]
    return {*routes, *(each.replace("GET", "HEAD") for each in pages)}


def routes_of(app: FastAPI) -> set[str]:
    """Every method and path that the application answers."""
    found = set()
    for route in app.routes:
        each = route.effective_route_contexts() if hasattr(route, "effective_route_contexts") else [route]
        found |= {f"{method} {getattr(r, 'path_format', '')}" for r in each for method in r.methods}
    return found


def belongings(client: TestClient) -> dict[str, str]:
    """Ids of what somebody has: one of each kind."""
    chat = client.post("/api/v1/chats").json()["id"]
    said = client.post(f"/api/v1/chats/{chat}/messages", json={"text": PASTE}).json()
    upload = client.post("/api/v1/uploads", **form(('name="file"; filename="log.csv"', b"loss\n1\n"))).json()["id"]
    diagnosis = client.post("/api/v1/diagnoses", json={"text": PASTE}).json()["id"]
    ids = {"chat": chat, "message": said["message"]["id"], "job": said["job"]["id"]}
    return ids | {"upload": upload, "diagnosis": diagnosis}


def asked(client: TestClient, route: str, ids: dict[str, str]) -> Any:
    """What a route answers with these ids in its path and in what it is sent."""
    method, path = route.split()
    sent = THEIRS.get(route, {})
    for kind in ("json", "data"):
        if kind in sent:
            sent = sent | {kind: {k: v.format(**ids) if isinstance(v, str) else v for k, v in sent[kind].items()}}
    return client.request(method, path.format(**ids | {"name": "nan-loss"}), **sent, follow_redirects=False)


def test_every_route_is_decided(make_app: MakeApp) -> None:
    """A new route must be put into one of the tables above: it is open, signed, everyone's own, or somebody's."""
    tables = [with_heads(table) for table in (named(OPEN), named(SIGNED), named(OWN), THEIRS)]
    assert set.union(*tables) == routes_of(make_app())
    assert sum(map(len, tables)) == len(set.union(*tables))


def test_whose_things_are_whose(make_app: MakeApp, database_url: str, clock: Any, program: Client) -> None:
    """Without a key, and with one that was revoked, nothing is given; with another's key, others' things are not there."""
    app = make_app(keys=True, database=database_url, requests_per_minute=1000, messages_per_minute=1000)
    database = app.state.service.database
    alice, bob, eve = (program(app, new_key(database, name)) for name in ("alice", "bob", "eve"))
    ids = belongings(alice)
    revoke_key(database, next(key.id for key in all_keys(database) if key.name == "eve"), clock())
    for route in [*with_heads(THEIRS), *with_heads(named(OWN))]:
        for stranger in (program(app), eve):
            assert asked(stranger, route, ids).status_code == 401, route
    for route in with_heads(THEIRS):
        assert asked(bob, route, ids).status_code == 404, route
    for path in ("/api/v1/chats", "/api/v1/uploads"):
        assert bob.get(path).json()["items"] == []
        assert len(alice.get(path).json()["items"]) == 1
    assert alice.get(f"/api/v1/uploads/{ids['upload']}/content").content == b"loss\n1\n"


def test_others_ids_in_what_is_sent(make_app: MakeApp, program: Client) -> None:
    """Ids of others' things open nothing either where they stand in JSON, in forms, in queries or in tools' arguments."""
    app = make_app(keys=True)
    database = app.state.service.database
    alice, bob = (program(app, new_key(database, name)) for name in ("alice", "bob"))
    hers, his = belongings(alice), belongings(bob)
    chat, upload = his["chat"], hers["upload"]
    assert bob.post("/api/v1/diagnoses", json={"uploads": [upload]}).status_code == 404
    assert bob.post(f"/api/v1/chats/{chat}/messages", json={"uploads": [upload]}).status_code == 404
    wanted = {"upload": upload, "target": "keras3"}
    assert bob.post(f"/api/v1/chats/{chat}/repairs", json=wanted).status_code == 404
    assert bob.post(f"/chats/{chat}/repair", data=wanted).status_code == 404
    assert bob.post(f"/chats/{chat}/messages", data={"uploads": upload}).status_code == 404
    assert bob.get(f"/chats/{chat}/messages/{hers['message']}").status_code == 404
    assert bob.get(f"/api/v1/chats?before={hers['chat']}").status_code == 404
    call = {"name": "examine_file", "arguments": {"file": upload}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    told = bob.post("/mcp", json=body, headers={"Accept": "application/json, text/event-stream"}).json()
    assert told["result"]["isError"]
    assert "there is no upload" in told["result"]["content"][0]["text"]


def test_a_choice_is_masked(make_app: MakeApp, program: Client) -> None:
    """Nothing of a secret is stored, also not in the small fields of a message."""
    app = make_app()
    client = program(app)
    client.post("/chats", data={"text": "loss is nan", "choice": "password=hunter2hunter2"}, follow_redirects=False)
    with app.state.service.database.reading() as session:
        (asked,) = session.scalars(select(Message.asked).where(Message.role == "asks"))
    assert "hunter2" not in str(asked)


def test_every_diagnosis_over_mcp_is_counted(make_app: MakeApp, program: Client) -> None:
    """A file within the request is work like any other: the limit of messages holds."""
    client = program(make_app(messages_per_minute=2))
    call = {"name": "examine_content", "arguments": {"name": "log.csv", "content": "bG9zcwoxCg=="}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    told = [client.post("/mcp", json=body, headers={"Accept": "application/json, text/event-stream"}) for _ in range(3)]
    assert [each.json()["result"]["isError"] for each in told] == [False, False, True]


def test_uploads_leave_the_disk_usable(make_app: MakeApp, program: Client, tmp_path: Path) -> None:
    """Who drops the cookie is a new owner with new room where all are let in: together they must not fill the disk."""
    client = program(make_app(max_upload_mib=1 << 40, max_stored_mib=1 << 40))
    free = shutil.disk_usage(tmp_path).free
    told = [client.post("/api/v1/uploads/resumable", headers=TUS | {"Upload-Length": str(size)}) for size in (1, free)]
    assert [answer.status_code for answer in told] == [201, 413]
    assert "no room" in told[1].json()["detail"]
    sent = form(('name="file"; filename="a"', b"x"))
    # While its length is not known all the room is its; in between somebody else may write to this disk.
    assert any(
        client.post("/api/v1/uploads", **sent | {"content": iter([sent["content"]])}).status_code == 201
        for _ in range(20)
    )


def test_no_stream_is_opened_for_nothing(make_app: MakeApp, program: Client) -> None:
    """A stream of /mcp would stay for ever, uncounted, and tell nothing: the protocol lets a server refuse it."""
    for method in ("GET", "DELETE"):
        answer = program(make_app()).request(method, "/mcp", headers={"Accept": "text/event-stream, text/html"})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert answer.headers["Content-Type"] == "application/problem+json"  # a page would be for a person


@pytest.mark.parametrize("text", ["ValueError: \\ud800 x", "\\udfff", "\\u0000"])
def test_half_a_surrogate_pair(make_app: MakeApp, program: Client, text: str) -> None:
    """JSON can write what no UTF-8 holds; it is shown as unknown, and the answer is one."""
    client = program(make_app())
    given = client.post(
        "/api/v1/diagnoses", content=f'{{"text": "{text}"}}', headers={"Content-Type": "application/json"}
    )
    assert given.status_code == 200
    chat = client.post("/api/v1/chats").json()["id"]
    place = f"/api/v1/chats/{chat}/messages"
    taken = client.post(place, content=f'{{"text": "{text}"}}', headers={"Content-Type": "application/json"})
    assert taken.status_code == 202
    assert "\N{REPLACEMENT CHARACTER}" in taken.json()["message"]["text"]
    assert client.get(place).status_code == client.get(f"/chats/{chat}").status_code == 200


@pytest.mark.parametrize("path", ["/topics/", "/api/v1/topics/"])
def test_a_name_that_no_file_can_have(make_app: MakeApp, program: Client, path: str) -> None:
    """It is not there, and not a failure of the disk."""
    assert program(make_app()).get(path + "a" * 5000).status_code in (404, 422)


def test_an_odd_choice_is_no_failure(make_app: MakeApp, program: Client) -> None:
    """No option of a question has such a value."""
    client = program(make_app())
    place = f"/api/v1/chats/{client.post('/api/v1/chats').json()['id']}/messages"
    said = b'{"act": "choose", "choice": "\\ud800"}'
    assert client.post(place, content=said, headers={"Content-Type": "application/json"}).status_code in (202, 422)
