"""Which names are served, and that no page of another site acts for its visitor.

A page on the internet can make a browser send requests to this machine. Two things stop it: a request must name a host that is
ours (else a name of theirs could be pointed at 127.0.0.1: DNS rebinding), and what changes something must come from our own
pages or from no browser at all, by the rules of Go's http.CrossOriginProtection (https://pkg.go.dev/net/http).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import urlsplit

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ..knowledge.text import Text
from .access import COOKIES
from .problems import problem_response
from .settings import Settings
from .visit import SAFE

HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d+)?")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not bound
OTHER_HOST = Text(
    "This host name is not served here; whoever runs the service can add it to the settings `public_url` or `hosts`.",
    "这里不提供这个主机名的服务；管理者可以把它加进设置 `public_url` 或 `hosts`。",
)
OTHER_SITE = Text(
    "A page of another site may not do this; use the service's own pages, or a program that sends no Origin.",
    "其他网站的页面不能这样做；请使用本服务自己的页面，或不发送 Origin 的程序。",
)


class Origins:
    """ASGI middleware: refuses requests that came by another name, or from another site."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.names = names_of(settings)
        self.any_address = settings.host.strip("[]") in EVERYWHERE
        self.public = settings.public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer with the problem."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if not self.serves(request.headers.get("host", "")):
            await problem_response(request, 421, OTHER_HOST)(scope, receive, send)
        elif not self.same_site(request):
            await problem_response(request, 403, OTHER_SITE)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def serves(self, host: str) -> bool:
        """Whether a Host header names this service. An address cannot be pointed elsewhere, as a name can."""
        found = HOST.fullmatch(host)
        name = found[1].lower().strip("[]") if found else ""
        return name in self.names or (self.any_address and _is_address(name))

    def same_site(self, request: Request) -> bool:
        """Whether a request that changes something comes from our pages, or from a program."""
        if request.method in SAFE:
            return True
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if site is not None:
            return site in ("same-origin", "none")
        if origin is not None:
            return origin == self.public or urlsplit(origin).netloc == request.headers.get("host")
        return not any(name in request.cookies for name in COOKIES)


def names_of(settings: Settings) -> frozenset[str]:
    """The names by which the service is reached, as they stand in Host headers."""
    named = {name.strip().lower() for name in settings.hosts.split(",") if name.strip()}
    if settings.public_url:
        named.add(urlsplit(settings.public_url).hostname or "")
    host = settings.host.strip("[]").lower()
    here = {socket.gethostname().lower()} if host in EVERYWHERE else {host}
    return LOOPBACK | named | here


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
