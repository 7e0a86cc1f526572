"""One request, as the middlewares and the routes tell each other of it."""

from __future__ import annotations

import ipaddress
import re
import uuid
from dataclasses import dataclass, field
from typing import Literal

from starlette.datastructures import Headers
from starlette.types import Scope

OwnerKind = Literal["browser", "key", "slack", "local", "nobody"]
SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_PLACE = "kerasdoctor"


@dataclass(frozen=True)
class Owner:
    """Whom chats and uploads belong to."""

    id: str
    kind: OwnerKind


# Who only looks around: nothing belongs to it, and no row is made for it.
NOBODY = Owner("", "nobody")


@dataclass(frozen=True)
class Room:
    """What is left of a limit: `left` of `limit` in the window, which ends in `ends_in` seconds."""

    name: str
    limit: int
    left: int
    ends_in: int


@dataclass
class Visit:
    """A request: its id, where it came from, who asks, and what is to be told in the answer's headers.

    `max_body` is the most bytes that are taken; `owner` is None until it was found.
    """

    id: str
    address: str
    max_body: int
    owner: Owner | None = None
    room: Room | None = None
    cookies: list[str] = field(default_factory=list)


def begin_visit(scope: Scope, max_body: int) -> Visit:
    """Put the visit of a request into its scope."""
    asked = Headers(scope=scope).get("x-request-id", "")
    name = asked if SANE_ID.fullmatch(asked) else uuid.uuid4().hex
    visit = Visit(name, network(scope["client"][0] if scope.get("client") else ""), max_body)
    scope[_PLACE] = visit
    return visit


def visit_of(scope: Scope) -> Visit:
    """The visit of a request."""
    visit: Visit = scope[_PLACE]
    return visit


def network(address: str) -> str:
    """What counts as one address: of IPv6 the /64 that one customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)


def route_of(scope: Scope) -> str:
    """The template of the route that answered, for logs and metrics: ids and tokens in paths are not told."""
    context = scope.get("fastapi", {}).get("effective_route_context")
    template = getattr(context, "path_format", None) or getattr(scope.get("route"), "path_format", None)
    if template:
        return str(template)
    mounted = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return f"{mounted}/*" if mounted else "-"
