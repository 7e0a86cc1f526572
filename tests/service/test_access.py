"""Who asks: keys, cookies, this machine's programs; and that no other site can act for a visitor."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from kerasdoctor.errors import InputError, NotFoundError
from kerasdoctor.service.access import Asker, forget_browsers
from kerasdoctor.service.database import Database
from kerasdoctor.service.keys import all_keys, has_keys, new_key, revoke_key
from kerasdoctor.service.tables import Browser, Chat, DiagnosisRow, Owner, Upload
from sqlalchemy import func, select

MakeApp = Callable[..., FastAPI]
Client = Callable[..., TestClient]
HERE = "http://127.0.0.1"
router = APIRouter(prefix="/api/v1")


@router.get("/who")
def who(owner: Asker) -> dict[str, str]:
    """Tell who asks."""
    return {"id": owner.id, "kind": owner.kind}


@router.post("/who")
def write(owner: Asker) -> dict[str, str]:
    """Do something as the owner."""
    return {"id": owner.id, "kind": owner.kind}


def rows(database: Database, table: Any) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def outside(make_app: MakeApp, **settings: Any) -> Any:
    """A service that is reached by https from elsewhere."""
    return make_app(router, host="0.0.0.0", public_url="https://doctor.example.org", **settings)  # noqa: S104


PUBLIC = "https://doctor.example.org"


def test_a_program_on_this_machine_is_local(make_app: MakeApp, program: Client) -> None:
    """Without keys, on loopback, every program is one owner, reading and writing."""
    client = program(make_app(router))
    assert client.get("/api/v1/who").json() == {"id": "local", "kind": "local"}
    assert client.post("/api/v1/who").json() == {"id": "local", "kind": "local"}


def test_a_key_is_its_owner(make_app: MakeApp, database_url: str, clock: Any, program: Client) -> None:
    """A key opens, a wrong or a revoked one does not, and the answer says what is expected."""
    app = outside(make_app, database=database_url)
    database = app.state.service.database
    key, other = new_key(database, "alice"), new_key(database, "bob")
    assert re.fullmatch(r"kd_[\w-]{43}", key)
    owner = program(app, key, PUBLIC).get("/api/v1/who").json()
    assert owner["kind"] == "key"
    assert program(app, other, PUBLIC).get("/api/v1/who").json()["id"] != owner["id"]
    for wrong in ("", key[:-1] + ("A" if key[-1] != "A" else "B"), "kd_" + "ü".encode().hex(), "x"):
        refused = program(app, wrong, PUBLIC).get("/api/v1/who")
        assert (refused.status_code, refused.json()["status"]) == (401, 401)
        assert "Bearer kd_" in refused.json()["detail"]
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    revoke_key(database, next(k.id for k in all_keys(database) if k.name == "alice"), clock())
    assert program(app, key, PUBLIC).get("/api/v1/who").status_code == 401
    assert program(app, other, PUBLIC).get("/api/v1/who").status_code == 200


def test_a_second_key_of_a_name_has_the_same_owner(database: Database, clock: Any) -> None:
    """A key can be replaced: what belongs to it stays. None of it is kept as it is."""
    first, second = new_key(database, "alice"), new_key(database, "alice")
    one, two = all_keys(database)
    assert one.owner_id == two.owner_id
    assert first not in (one.hash, two.hash)
    revoke_key(database, one.id, clock())
    assert has_keys(database)
    revoke_key(database, two.id, clock())
    assert not has_keys(database)
    with pytest.raises(NotFoundError, match="keys list"):
        revoke_key(database, one.id, clock())
    with pytest.raises(InputError, match="printable"):
        new_key(database, "\x1b[2J")
    assert second != first


def test_when_a_key_was_used_is_kept_to_the_minute(make_app: MakeApp, clock: Any, program: Client) -> None:
    """Not every request writes."""
    app = outside(make_app)
    database = app.state.service.database
    client = program(app, new_key(database, "alice"), PUBLIC)
    used = []
    for seconds in (0, 30, 31):
        clock.move(seconds=seconds)
        client.get("/api/v1/who")
        used.append(all_keys(database)[0].used_at)
    assert used[0] == used[1]
    assert used[2] == clock()


def test_a_browser_becomes_an_owner_when_it_writes(make_app: MakeApp, database_url: str, browser: Client) -> None:
    """A visitor who only looks, as a crawler does, leaves no row; the first write gives a cookie, which stays its owner's."""
    app = make_app(router, database=database_url)
    database = app.state.service.database
    before = rows(database, Owner)
    client = browser(app)
    looked = client.get("/api/v1/who")
    assert looked.json()["kind"] == "nobody"
    assert "set-cookie" not in looked.headers
    assert (rows(database, Owner), rows(database, Browser)) == (before, 0)
    wrote = client.post("/api/v1/who")
    cookie = wrote.headers["set-cookie"]
    assert re.fullmatch(r"kerasdoctor=[\w-]{43}; Path=/; Max-Age=7776000; HttpOnly; SameSite=Lax", cookie), (
        "no Secure over http, where a browser would drop it"
    )
    assert client.get("/api/v1/who").json() == wrote.json()
    assert browser(app).post("/api/v1/who").json()["id"] != wrote.json()["id"]
    with database.reading() as session:
        assert client.cookies["kerasdoctor"] not in session.scalars(select(Browser.hash)).all()


def test_the_cookie_under_https_is_the_host_s_own(make_app: MakeApp, browser: Client) -> None:
    """Under https the name has the prefix that no other host of the domain can set, and the other name does not count."""
    app = outside(make_app, open=True)
    client = browser(app, PUBLIC)
    told = client.post("/api/v1/who")
    assert re.match(r"__Host-kerasdoctor=.*; Path=/; .*; Secure$", told.headers["set-cookie"])
    token = client.cookies["__Host-kerasdoctor"]
    planted = browser(app, PUBLIC)
    planted.cookies.set("kerasdoctor", token, domain="doctor.example.org")
    assert planted.get("/api/v1/who").json()["kind"] == "nobody"


def test_a_cookie_ends_and_is_renewed(make_app: MakeApp, clock: Any, browser: Client) -> None:
    """It lasts 90 days after the last visit; it is not written at each one."""
    client = browser(make_app(router))
    made = client.post("/api/v1/who").json()
    assert "set-cookie" not in client.get("/api/v1/who").headers
    clock.move(days=80)
    assert "Max-Age=7776000" in client.get("/api/v1/who").headers["set-cookie"]
    clock.move(days=80)
    assert client.get("/api/v1/who").json() == made
    clock.move(days=91)
    assert client.get("/api/v1/who").json()["kind"] == "nobody"


def test_signing_in_with_a_key(make_app: MakeApp, clock: Any, program: Client, browser: Client) -> None:
    """Where keys are needed a browser signs in; the cookie is the key's owner until sign-out, or until the key is revoked."""
    app = outside(make_app)
    database = app.state.service.database
    key = new_key(database, "alice")
    owner = program(app, key, PUBLIC).get("/api/v1/who").json()
    client = browser(app, PUBLIC)
    assert client.post("/api/v1/who").status_code == 401
    assert client.get("/chats").status_code == 404
    signed = client.post("/sign-in?next=/chats%3Fa=1", data={"key": f" {key} "})
    assert (signed.status_code, signed.headers["location"]) == (303, "/chats?a=1")
    assert client.post("/api/v1/who").json() == owner
    first = client.cookies["__Host-kerasdoctor"]
    client.post("/sign-in", data={"key": key})
    assert client.cookies["__Host-kerasdoctor"] != first
    assert rows(database, Browser) == 1, "the cookie that was there before ended"
    assert client.post("/sign-out").headers["location"] == "/"
    assert client.get("/api/v1/who").status_code == 401
    client.post("/sign-in", data={"key": key})
    assert client.get("/api/v1/who").status_code == 200
    revoke_key(database, all_keys(database)[0].id, clock())
    assert client.get("/api/v1/who").status_code == 401


@pytest.mark.parametrize("there", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", "evil", "/ a"])
def test_signing_in_leads_to_our_own_pages_only(make_app: MakeApp, there: str, browser: Client) -> None:
    """An address in `next` that is not ours leads to the start."""
    app = make_app(router)
    key = new_key(app.state.service.database, "alice")
    answer = browser(app).post("/sign-in", params={"next": there}, data={"key": key})
    assert answer.headers["location"] == "/"


def test_a_wrong_key_brings_its_form_again(make_app: MakeApp, browser: Client) -> None:
    """With what was wrong, and where it shall lead; an address that is not ours is forgotten."""
    client = browser(make_app())
    for there, kept in (("/topics", "/topics"), ("//evil.example", "/")):
        again = client.post("/sign-in", params={"next": there}, data={"key": "kd_x"})
        assert again.status_code == 401
        assert 'class="form-error" role="alert"' in again.text
        assert f'action="/sign-in?next={kept}"' in again.text


def test_keys_are_not_guessed(make_app: MakeApp, clock: Any, browser: Client) -> None:
    """Ten attempts a minute from one address."""
    client = browser(make_app(router))
    assert [client.post("/sign-in", data={"key": "kd_x"}).status_code for _ in range(11)] == [401] * 10 + [429]
    clock.move(seconds=60)
    assert client.post("/sign-in", data={"key": "kd_x"}).status_code == 401


def test_a_cookie_from_before_keys_were_needed_does_not_open(
    make_app: MakeApp, program: Client, browser: Client
) -> None:
    """When an operator starts to ask for keys, strangers' cookies are not enough."""
    before = make_app(router)
    client = browser(before)
    client.post("/api/v1/who")
    after = make_app(router, keys=True)
    late = browser(after)
    late.cookies.set("kerasdoctor", client.cookies["kerasdoctor"], domain="127.0.0.1")
    assert late.get("/api/v1/who").status_code == 401
    assert program(after).get("/api/v1/who").status_code == 401


def test_behind_a_public_address_nobody_is_local(make_app: MakeApp, program: Client) -> None:
    """It listens on loopback, but a proxy leads others to it: they need keys, or with --open each is alone."""
    closed = make_app(router, public_url=PUBLIC)
    assert program(closed, host=PUBLIC).get("/api/v1/who").status_code == 401
    opened = make_app(router, public_url=PUBLIC, open=True)
    assert program(opened, host=PUBLIC).get("/api/v1/who").json()["kind"] == "nobody"
    one, two = program(opened, host=PUBLIC), program(opened, host=PUBLIC)
    assert one.post("/api/v1/who").json()["id"] != two.post("/api/v1/who").json()["id"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": HERE}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:3000"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:3000"}, 403),
        ({"Cookie": "kerasdoctor=abc"}, 403),
    ],
)
def test_pages_of_other_sites_may_not_write(
    make_app: MakeApp, headers: dict[str, str], status: int, program: Client
) -> None:
    """Also where no key is needed: a page on the internet must not use somebody's local service. Looking changes nothing."""
    client = program(make_app(router))
    answer = client.post("/api/v1/who", headers=headers)
    assert answer.status_code == status
    assert client.get("/api/v1/who", headers=headers).status_code == 200
    if status == 403:
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_public_address_is_an_origin_of_ours(make_app: MakeApp, program: Client) -> None:
    """A proxy may rewrite Host; the page's origin is the public one all the same."""
    client = program(make_app(router, public_url=PUBLIC, open=True))
    assert client.post("/api/v1/who", headers={"Origin": PUBLIC}).status_code == 200


@pytest.mark.parametrize(
    ("host", "settings", "served"),
    [
        ("127.0.0.1:8080", {}, True),
        ("localhost", {}, True),
        ("[::1]:8080", {}, True),
        ("LOCALHOST:1", {}, True),
        ("rebound.evil.example", {}, False),
        ("127.0.0.1.evil.example:8080", {}, False),
        ("localhost@evil.example", {}, False),
        ("", {}, False),
        ("10.0.0.7", {}, False),
        ("10.0.0.7", {"host": "0.0.0.0", "open": True}, True),  # noqa: S104
        ("[fe80::1]:8080", {"host": "::", "open": True}, True),
        ("rebound.evil.example", {"host": "0.0.0.0", "open": True}, False),  # noqa: S104
        ("doctor.example.org", {"public_url": PUBLIC, "open": True}, True),
        ("doctor", {"hosts": "doctor, kerasdoctor.default.svc"}, True),
        ("kerasdoctor.default.svc", {"hosts": "doctor, kerasdoctor.default.svc"}, True),
    ],
)
def test_only_our_names_are_served(
    make_app: MakeApp, host: str, settings: dict[str, Any], served: bool, program: Client
) -> None:
    """DNS rebinding: a name of theirs that points at 127.0.0.1 gets no answer; an address cannot be pointed elsewhere."""
    answer = program(make_app(router, **settings)).get("/api/v1/who", headers={"Host": host})
    assert answer.status_code == (200 if served else 421)


def test_the_frame_s_headers(make_app: MakeApp, program: Client) -> None:
    """Each answer, also an error, tells browsers what they may do with it; HSTS only under https."""
    app = make_app(router)
    for path in ("/api/v1/who", "/nothing", "/api/v1/openapi.json"):
        headers = program(app).get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers
    secure = make_app(router, public_url=PUBLIC, open=True)
    assert "strict-transport-security" in program(secure, host=PUBLIC).get("/nothing").headers


def test_what_is_over_is_forgotten(make_app: MakeApp, database_url: str, clock: Any, browser: Client) -> None:
    """Owners to whom nothing belongs go after a day, with their cookies; one who has something stays as long as that."""
    app = make_app(router, database=database_url)
    database = app.state.service.database
    *held, _ = made = [browser(app).post("/api/v1/who").json()["id"] for _ in range(4)]
    with database.session() as session:
        session.add(Chat(owner_id=held[0]))
        session.add(DiagnosisRow(owner_id=held[1], topic="t", confidence=1.0, text="", body={}))
        session.add(Upload(owner_id=held[2], name="a", size=1, parts=[], ends_at=clock()))
    for days, left in ((0, len(made)), (2, len(held)), (80, len(held))):
        forget_browsers(database, clock() + timedelta(days=days))
        assert rows(database, Browser) == left
    forget_browsers(database, clock() + timedelta(days=91))
    assert rows(database, Browser) == 0
    with database.reading() as session:
        assert set(session.scalars(select(Owner.id))) == {"local", *held}
