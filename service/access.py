"""Who asks: a program by its key, a browser by its cookie, everyone on this machine where no keys are needed.

A route takes `Asker` and gets an `Owner`. Without a key or a cookie, a program on this machine is the owner `local`; a browser
becomes an owner of its own with the first thing that it writes, and until then is `NOBODY`, to whom nothing belongs.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from sqlalchemy import delete, exists, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ..errors import NoAccessError
from . import tables
from .database import Database
from .headers import is_secure
from .keys import BEGINNING, find_key, hashed, note_use
from .limits import spend
from .service import Service, TheService
from .visit import NOBODY, SAFE, Owner, OwnerKind, Visit, visit_of

COOKIES = ("__Host-kerasdoctor", "kerasdoctor")
KEPT = timedelta(days=90)
RENEWED = timedelta(days=1)
LOCAL = Owner("local", "local")
NEEDS_KEY = "A key is needed: `Authorization: Bearer kd_…`; whoever runs the service makes one with `kerasdoctor keys new NAME`."
BAD_KEY = "This key is not valid, or it was revoked; expected `Authorization: Bearer kd_…`."
SCHEME = HTTPBearer(auto_error=False, scheme_name="key", description="A key, made with `kerasdoctor keys new NAME`.")


def visit(request: Request, service: TheService, _: Annotated[object, Depends(SCHEME)]) -> Visit:
    """Find who asks and count the request.

    Raises:
        TooManyError: the limit of requests is used up.
        NoAccessError: a key came that is not valid.
    """
    here = visit_of(request.scope)
    refused = None
    try:
        here.owner = find_owner(request, service)
    except NoAccessError as error:
        refused = error
    spend(service, here, "requests", service.settings.requests_per_minute)
    if refused:
        raise refused
    return here


TheVisit = Annotated[Visit, Depends(visit)]


def owner(request: Request, service: TheService, here: TheVisit) -> Owner:
    """Who asks; made now where a browser writes for the first time.

    Raises:
        NoAccessError: a key is needed and none came.
    """
    if here.owner is None:
        here.owner = _stranger(request, service)
    return here.owner


Asker = Annotated[Owner, Depends(owner)]


def count_passing(request: Request, service: TheService) -> None:
    """Count a request to what answers everyone, for its address alone. For routes without an owner: `Depends(count_passing)`.

    Raises:
        TooManyError: the limit of requests is used up.
    """
    spend(service, visit_of(request.scope), "requests", service.settings.requests_per_minute)


def count_message(service: TheService, here: TheVisit) -> None:
    """Count a message or a diagnosis. For routes that give work: `dependencies=[Depends(count_message)]`.

    Raises:
        TooManyError: the limit of messages is used up.
    """
    spend(service, here, "messages", service.settings.messages_per_minute)


def find_owner(request: Request, service: Service) -> Owner | None:
    """The owner by the key or the cookie of a request, or `local`; None where none of them fits.

    Raises:
        NoAccessError: a key came that is not valid.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme:
        return _by_key(service, key.strip() if scheme.lower() == "bearer" else "")
    cookie = request.cookies.get(cookie_name(request, service))
    found = _by_cookie(request, service, cookie) if cookie else None
    by_browser = bool(cookie) or "sec-fetch-site" in request.headers or "origin" in request.headers
    local = service.settings.on_loopback and not service.settings.keys and not by_browser
    return LOCAL if local else found


def _by_key(service: Service, secret: str) -> Owner:
    with service.database.reading() as session:
        key = find_key(session, secret) if secret.startswith(BEGINNING) else None
        if key is None:
            raise NoAccessError(BAD_KEY)
    note_use(service.database, key, service.clock())
    return Owner(key.owner_id, "key")


def _by_cookie(request: Request, service: Service, cookie: str) -> Owner | None:
    at = service.clock()
    with service.database.reading() as session:
        found = _browser(session, cookie, at)
    if found is None:
        return None
    browser, kind = found
    if browser.key_id is None and service.settings.needs_keys:
        return None
    if browser.ends_at - at < KEPT - RENEWED:
        with service.database.session() as session:
            held = update(tables.Browser).where(tables.Browser.hash == browser.hash)
            session.execute(held.values(ends_at=at + KEPT))
        give_cookie(request, service, cookie)
    return Owner(browser.owner_id, kind)


def _browser(session: Session, cookie: str, at: datetime) -> tuple[tables.Browser, OwnerKind] | None:
    row = session.execute(
        select(tables.Browser, tables.Owner.kind, tables.Key.revoked_at)
        .join(tables.Owner, tables.Owner.id == tables.Browser.owner_id)
        .outerjoin(tables.Key, tables.Key.id == tables.Browser.key_id)
        .where(tables.Browser.hash == hashed(cookie), tables.Browser.ends_at > at)
    ).first()
    if row is None or row.revoked_at is not None or not hmac.compare_digest(row.Browser.hash, hashed(cookie)):
        return None
    return row.Browser, cast("OwnerKind", row.kind)


def _stranger(request: Request, service: Service) -> Owner:
    if service.settings.needs_keys:
        raise NoAccessError(NEEDS_KEY)
    if request.method in SAFE:
        return NOBODY
    with service.database.session() as session:
        made = tables.Owner(kind="browser")
        session.add(made)
        session.flush()
        cookie = add_browser(session, service, made.id, None)
    give_cookie(request, service, cookie)
    return Owner(made.id, "browser")


def add_browser(session: Session, service: Service, owner_id: str, key_id: str | None) -> str:
    """Keep a new cookie, which stands for an owner; gives the cookie."""
    cookie = secrets.token_urlsafe(32)
    ends = service.clock() + KEPT
    session.add(tables.Browser(hash=hashed(cookie), owner_id=owner_id, key_id=key_id, ends_at=ends))
    return cookie


def give_cookie(request: Request, service: Service, cookie: str) -> None:
    """Set the cookie with the answer; an empty one ends it."""
    name = cookie_name(request, service)
    secure = "; Secure" if name == COOKIES[0] else ""
    age = int(KEPT.total_seconds()) if cookie else 0
    visit_of(request.scope).cookies.append(f"{name}={cookie}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")


def cookie_name(request: Request, service: Service) -> str:
    """What the cookie is called; under https so that no other host of the domain can set it."""
    return COOKIES[0] if is_secure(request.scope, service.settings) else COOKIES[1]


def whose_pastes(service: Service, owner: Owner) -> str | None:
    """Of whom the report shows pastes: of all (None) where only people on this machine come, no proxy before it; else of oneself."""
    settings = service.settings
    here = settings.on_loopback and not (settings.needs_keys or settings.public_url or settings.proxies)
    return None if here else owner.id


def make_local(database: Database) -> None:
    """Make the owner `local`, if it is not there."""
    insert = sqlite.insert if database.engine.dialect.name == "sqlite" else postgresql.insert
    with database.session() as session:
        session.execute(insert(tables.Owner).values(id=LOCAL.id, kind=LOCAL.kind).on_conflict_do_nothing())


def forget_browsers(database: Database, at: datetime) -> None:
    """Delete the cookies that are over, and browsers' owners to whom nothing belongs and whom nobody was for a day.

    A program that keeps no cookie is a new owner with each thing that it writes.
    """
    seen = exists().where(tables.Browser.owner_id == tables.Owner.id, tables.Browser.ends_at >= at + KEPT - RENEWED)
    held = [
        exists().where(table.owner_id == tables.Owner.id) for table in (tables.Chat, tables.Upload, tables.DiagnosisRow)
    ]
    with database.session() as session:
        session.execute(delete(tables.Browser).where(tables.Browser.ends_at <= at))
        session.execute(delete(tables.Owner).where(tables.Owner.kind == "browser", not_(or_(seen, *held))))
