"""The API as programs use it: diagnoses, chats, feedback, topics. What streams is in test_api_streams.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.diagnostics.schema import diagnosis_schema
from kerasdoctor.knowledge.entry import topic_ids
from kerasdoctor.service.database import Database
from kerasdoctor.service.keys import new_key

PASTE = "ValueError: Shapes (None, 1) and (None, 10) are incompatible"
NOBODY_S = "A" * 22  # an id that is nobody's
API = "/api/v1"


@pytest.fixture
def app(database_url: str, make_app: Callable[..., FastAPI]) -> FastAPI:
    """The application, on both kinds of database."""
    return make_app(database=database_url, messages_per_minute=1000, requests_per_minute=10000)


@pytest.fixture
def client(app: FastAPI, program: Callable[..., TestClient]) -> TestClient:
    return program(app)


def ok(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json() if response.content else None


def test_a_text_gets_its_diagnosis_by_the_published_schema(client: TestClient) -> None:
    """What comes is a diagnosis of the published schema, plus its id, and it can be had again."""
    given = ok(client.post(f"{API}/diagnoses", json={"text": PASTE}))
    again = ok(client.get(f"{API}/diagnoses/{given['id']}"))
    assert again == given
    ident = given.pop("id")
    assert len(ident) == 22
    assert given["topic"] == "target-shape"
    published = ok(client.get(f"{API}/schemas/diagnosis.json"))
    assert published == json.loads(json.dumps(diagnosis_schema()))
    jsonschema.Draft202012Validator(published).validate(given)


def test_the_language_is_asked_for(client: TestClient) -> None:
    """`lang` counts most, then Accept-Language, then the language of the text; a diagnosis can be had in either."""

    def title(header: str, **asked: str) -> tuple[str, str]:
        response = client.post(f"{API}/diagnoses", json={"text": PASTE, **asked}, headers={"Accept-Language": header})
        return response.headers["content-language"], ok(response)["title"]

    english, chinese = title("en-US,en;q=0.9"), title("fr, zh-CN;q=0.8, en;q=0.7")
    assert (english[0], chinese[0]) == ("en", "zh")
    assert english[1] != chinese[1]
    assert title("zh", lang="en") == english
    assert title("fr") == english
    given = ok(client.post(f"{API}/diagnoses", json={"text": f"为什么会报错？{PASTE}"}))
    assert given["lang"] == "zh"
    assert ok(client.get(f"{API}/diagnoses/{given['id']}?lang=en"))["title"] == english[1]


def test_a_diagnosis_as_markdown(client: TestClient) -> None:
    """For an issue: by `format`, or where Accept asks for it."""
    given = ok(client.post(f"{API}/diagnoses", json={"text": PASTE}))
    asked = client.get(f"{API}/diagnoses/{given['id']}?format=markdown")
    accepted = client.get(f"{API}/diagnoses/{given['id']}", headers={"Accept": "text/markdown"})
    assert asked.headers["content-type"].startswith("text/markdown")
    assert given["title"] in asked.text
    assert accepted.text == asked.text


BAD_INPUT: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "body"),
    ({"text": ""}, "body"),
    ({"text": 5}, "body.text"),
    ({"text": "x", "more": 1}, "body.more"),
    ({"text": "x", "uploads": ["../etc/passwd"]}, "body.uploads.0"),
    ({"text": "x", "uploads": [NOBODY_S] * 21}, "body.uploads"),
    ({"text": "x", "keras": "latest"}, "body.keras"),
    ({"text": "x", "lang": "de"}, "body.lang"),
    ({"text": "x", "live": "yes"}, "body.live"),
)


def test_input_is_strict(client: TestClient) -> None:
    """What is not as described is refused, with the field."""
    for body, field in BAD_INPUT:
        problem = ok(client.post(f"{API}/diagnoses", json=body), 422)
        assert [error["field"] for error in problem["errors"]] == [field]


def test_what_a_text_may_hold(client: TestClient) -> None:
    """Characters that a database does not take, and broken ones, are no error of the service; a text that is too long is."""
    assert ok(client.post(f"{API}/diagnoses", json={"text": f"\0{PASTE}\0"}))["topic"] == "target-shape"
    broken = client.post(
        f"{API}/diagnoses", content=b'{"text": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert broken.status_code in {200, 422}
    ok(client.post(f"{API}/diagnoses", json={"text": "x" * (1 << 20) + "y"}), 413)


def test_secrets_are_not_kept(client: TestClient, database_url: str) -> None:
    """A key in a paste is masked before anything is stored."""
    ok(
        client.post(
            f"{API}/diagnoses", json={"text": f"api_key = 'sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD'\n{PASTE}"}
        )
    )
    database = Database(database_url)
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT text, body FROM diagnoses").all()
    database.close()
    assert "sk-abcdefghijkl" not in str(rows)
    assert "Shapes (None, 1)" in str(rows)


def test_chats_are_begun_listed_and_removed(client: TestClient) -> None:
    """The last changed comes first, page by page; a removed chat is gone."""
    ids = [ok(client.post(f"{API}/chats"), 201)["id"] for _ in range(5)]
    first = ok(client.get(f"{API}/chats?limit=2"))
    second = ok(client.get(f"{API}/chats?limit=2&before={first['next']}"))
    third = ok(client.get(f"{API}/chats?limit=2&before={second['next']}"))
    assert [chat["id"] for page in (first, second, third) for chat in page["items"]] == ids[::-1]
    assert third["next"] is None
    ok(client.delete(f"{API}/chats/{ids[0]}"), 204)
    ok(client.get(f"{API}/chats/{ids[0]}"), 404)
    ok(client.delete(f"{API}/chats/{ids[0]}"), 404)


def test_a_message_is_answered(client: TestClient) -> None:
    """A message is taken at once; its answer is a message of the chat, and its job is done."""
    chat = ok(client.post(f"{API}/chats"), 201)["id"]
    response = client.post(f"{API}/chats/{chat}/messages", json={"text": PASTE})
    taken = ok(response, 202)
    assert (taken["message"]["number"], taken["message"]["text"]) == (1, PASTE)
    assert response.headers["location"] == f"{API}/jobs/{taken['job']['id']}"
    told = client.get(taken["events"])
    assert told.headers["content-type"].startswith("text/event-stream")
    asked, answer = ok(client.get(f"{API}/chats/{chat}/messages"))["items"]
    assert asked == taken["message"]
    assert answer["answers"] == asked["id"]
    assert answer["reply"]["diagnosis"]["topic"] == "target-shape"
    assert ok(client.get(f"{API}/jobs/{taken['job']['id']}"))["state"] == "done"
    known = ok(client.get(f"{API}/chats/{chat}"))
    assert (known["topic"], known["diagnosis"], known["jobs"]) == ("target-shape", answer["diagnosis"], [])
    chinese = ok(client.get(f"{API}/chats/{chat}/messages?lang=zh"))["items"][1]["reply"]
    assert chinese["lang"] == chinese["diagnosis"]["lang"] == "zh"


def test_what_is_under_way_can_be_stopped(client: TestClient) -> None:
    """Stopping where nothing is under way is no error."""
    chat = ok(client.post(f"{API}/chats"), 201)["id"]
    ok(client.delete(f"{API}/chats/{chat}/jobs"), 204)
    taken = ok(client.post(f"{API}/chats/{chat}/messages", json={"text": PASTE}), 202)
    ok(client.delete(f"{API}/chats/{chat}/jobs"), 204)
    client.get(taken["events"])
    assert ok(client.get(f"{API}/jobs/{taken['job']['id']}"))["state"] in {"cancelled", "done"}


def test_a_chat_is_shared_by_a_link(client: TestClient) -> None:
    """A second time gives the same link; taken back, the next one is another."""
    chat = ok(client.post(f"{API}/chats"), 201)["id"]
    link = ok(client.put(f"{API}/chats/{chat}/share"))
    assert ok(client.put(f"{API}/chats/{chat}/share")) == link
    assert ok(client.get(f"{API}/chats/{chat}"))["shared"] == link["address"]
    ok(client.delete(f"{API}/chats/{chat}/share"), 204)
    ok(client.delete(f"{API}/chats/{chat}/share"), 204)
    assert ok(client.put(f"{API}/chats/{chat}/share")) != link


def test_feedback_and_the_report(client: TestClient) -> None:
    """The last word counts; the report names topics by how they helped, and pastes that were not known."""
    given = ok(client.post(f"{API}/diagnoses", json={"text": PASTE}))
    ok(client.post(f"{API}/feedback", json={"diagnosis": given["id"], "helped": True}), 204)
    ok(client.post(f"{API}/feedback", json={"diagnosis": given["id"], "helped": False, "reason": "no\0thing"}), 204)
    unknown = ok(client.post(f"{API}/diagnoses", json={"text": "KeyError: 'left in my own program'"}))
    assert unknown["topic"] is None
    report = ok(client.get(f"{API}/report"))
    assert report["topics"] == [{"topic": "target-shape", "named": 1, "helped": 0, "not_helped": 1}]
    assert [(each["diagnosis"], each["times"]) for each in report["unknown"]] == [(unknown["id"], 1)]
    ok(client.post(f"{API}/feedback", json={"diagnosis": NOBODY_S, "helped": True}), 404)


def test_two_keys_see_nothing_of_each_other(
    database_url: str, make_app: Callable[..., FastAPI], program: Callable[..., TestClient]
) -> None:
    """What belongs to one key is not found by another, whatever is done with it."""
    app = make_app(database=database_url, keys=True)
    database: Database = app.state.service.database
    mine, other = program(app, new_key(database, "mine")), program(app, new_key(database, "other"))
    ok(program(app).post(f"{API}/chats"), 401)
    upload = ok(mine.post(f"{API}/uploads", files={"file": ("a.txt", b"secret")}), 201)["id"]
    chat = ok(mine.post(f"{API}/chats"), 201)["id"]
    job = ok(mine.post(f"{API}/chats/{chat}/messages", json={"text": "what is nan loss?", "uploads": [upload]}), 202)
    given = ok(mine.post(f"{API}/diagnoses", json={"text": "KeyError: 'mine alone'"}))["id"]
    for method, path, body in (
        ("GET", f"/chats/{chat}", None),
        ("DELETE", f"/chats/{chat}", None),
        ("GET", f"/chats/{chat}/messages", None),
        ("POST", f"/chats/{chat}/messages", {"text": "x"}),
        ("GET", f"/chats/{chat}/events", None),
        ("DELETE", f"/chats/{chat}/jobs", None),
        ("PUT", f"/chats/{chat}/share", None),
        ("POST", f"/chats/{chat}/repairs", {"upload": upload, "target": "keras3"}),
        ("GET", f"/jobs/{job['job']['id']}", None),
        ("GET", f"/uploads/{upload}", None),
        ("GET", f"/uploads/{upload}/content", None),
        ("DELETE", f"/uploads/{upload}", None),
        ("GET", f"/uploads/resumable/{upload}", None),
        ("POST", "/diagnoses", {"uploads": [upload]}),
        ("GET", f"/diagnoses/{given}", None),
        ("POST", "/feedback", {"diagnosis": given, "helped": True}),
    ):
        assert ok(other.request(method, API + path, json=body), 404)["status"] == 404, path
    own = ok(other.post(f"{API}/chats"), 201)["id"]
    ok(other.post(f"{API}/chats/{own}/messages", json={"uploads": [upload]}), 404)
    ok(other.post(f"{API}/chats/{own}/repairs", json={"upload": upload, "target": "keras3"}), 404)
    assert ok(other.get(f"{API}/uploads"))["items"] == []
    assert [each["id"] for each in ok(other.get(f"{API}/chats"))["items"]] == [own]
    assert ok(other.get(f"{API}/report"))["unknown"] == []
    assert len(ok(mine.get(f"{API}/report"))["unknown"]) == 1
    ok(mine.get(f"{API}/chats/{chat}"))


def test_topics_probes_and_repairs(client: TestClient) -> None:
    """All topics by id, some by words, one with all that is known, in both languages."""
    listed = ok(client.get(f"{API}/topics"))
    assert [item["topic"] for item in listed["items"]] == topic_ids()
    found = ok(client.get(f"{API}/topics", params={"q": "损失 nan"}))
    assert (found["lang"], found["items"][0]["topic"]) == ("zh", "nan-loss")
    topic = ok(client.get(f"{API}/topics/nan-loss", headers={"Accept-Language": "zh"}))
    assert [section["heading"] for section in topic["sections"]] == ["现象", "原因", "怎么办", "如何验证"]
    assert {block["role"] for block in topic["code"]} >= {"fixed"}
    assert ok(client.get(f"{API}/topics/no-such-topic"), 404)["detail"].startswith("there is no topic")
    assert {probe["subject"] for probe in ok(client.get(f"{API}/probes"))["items"]} >= {"model", "live", "environment"}
    assert "from-logits" in {repair["repair"] for repair in ok(client.get(f"{API}/repairs?lang=zh"))["items"]}


def test_the_script_is_a_download(client: TestClient) -> None:
    """One file of Python that the browser saves."""
    response = client.get(f"{API}/environment.py")
    assert response.headers["content-disposition"] == 'attachment; filename="environment.py"'
    compile(response.text, "environment.py", "exec")


def test_a_model_is_examined(client: TestClient, digits: bytes) -> None:
    """A file sent before is examined with the text; one that is not whole is refused."""
    upload = ok(client.post(f"{API}/uploads", files={"file": ("digits.keras", digits)}), 201)["id"]
    given = ok(client.post(f"{API}/diagnoses", json={"text": PASTE, "uploads": [upload]}))
    assert {finding["subject"] for finding in given["findings"]} == {"digits.keras"}
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"}
    begun = client.post(f"{API}/uploads/resumable", headers=headers).headers["location"].rpartition("/")[2]
    ok(client.post(f"{API}/diagnoses", json={"uploads": [begun]}), 409)
    ok(client.post(f"{API}/diagnoses", json={"uploads": [NOBODY_S]}), 404)
