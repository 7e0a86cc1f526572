"""Signing in with a key, for browsers, where keys are needed: the cookie stands for the key's owner until the key is revoked."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import delete

from ..errors import NoAccessError
from .access import BAD_KEY, COOKIES, add_browser, give_cookie
from .keys import find_key, hashed
from .limits import spend
from .service import Service, TheService
from .tables import Browser
from .visit import visit_of

ATTEMPTS = 10  # in a minute, from one address
OWN_PATH = re.compile(r"/(?![/\\])[!-~]*")  # of this host: "//evil.example" and "/\evil.example" are others
router = APIRouter(include_in_schema=False)


@router.post("/sign-in")
def sign_in(
    request: Request,
    service: TheService,
    key: Annotated[str, Form(max_length=200)],
    then: Annotated[str, Query(alias="next", max_length=500)] = "/",
) -> Response:
    """Take a key, give a cookie; a cookie that was there before ends."""
    spend(service, visit_of(request.scope), "sign-ins", ATTEMPTS)
    _forget(request, service)
    with service.database.session() as session:
        found = find_key(session, key.strip())
        if found is None:
            raise NoAccessError(BAD_KEY)
        cookie = add_browser(session, service, found.owner_id, found.id)
    give_cookie(request, service, cookie)
    return RedirectResponse(then if OWN_PATH.fullmatch(then) else "/", 303)


@router.post("/sign-out")
def sign_out(request: Request, service: TheService) -> Response:
    """End the cookie, here and in the browser."""
    _forget(request, service)
    give_cookie(request, service, "")
    return RedirectResponse("/", 303)


def _forget(request: Request, service: Service) -> None:
    held = [hashed(request.cookies[name]) for name in COOKIES if name in request.cookies]
    if held:
        with service.database.session() as session:
            session.execute(delete(Browser).where(Browser.hash.in_(held)))
