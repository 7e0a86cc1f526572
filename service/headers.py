"""The headers of every answer: what browsers may do with it, the request's id, what is left of a limit, cookies."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .settings import MIB, Settings
from .visit import Visit, begin_visit

CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# The referrer is told to ourselves: with `no-referrer` browsers send `Origin: null` with a form, and a form could not be told
# from one of another site (Fetch, "append a request Origin header").
FIXED = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
BODY_SLACK = MIB // 4  # what JSON and a form need around a text


def is_secure(scope: Scope, settings: Settings) -> bool:
    """Whether people come by https."""
    return scope["scheme"] == "https" or settings.public_url.startswith("https://")


class Headers:
    """ASGI middleware, the outermost: begins the visit, and sets the headers of its answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        # A form writes three characters for a byte of a text, and JSON not more, but for control characters.
        self.max_body = 3 * settings.max_text_mib * MIB + BODY_SLACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = begin_visit(scope, self.max_body)
        secure = is_secure(scope, self.settings)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _set(MutableHeaders(scope=message), visit, secure)
            await send(message)

        await self.app(scope, receive, with_headers)


def _set(headers: MutableHeaders, visit: Visit, secure: bool) -> None:
    for name, value in FIXED.items():
        headers.setdefault(name, value)
    if secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    headers["X-Request-ID"] = visit.id
    headers.setdefault("Cache-Control", "no-store")  # a route whose answer is for everyone says so
    if room := visit.room:
        headers["RateLimit-Policy"] = f'"{room.name}";q={room.limit};w=60'
        headers["RateLimit"] = f'"{room.name}";r={room.left};t={room.ends_in}'
    for cookie in visit.cookies:
        headers.append("Set-Cookie", cookie)
        headers["Cache-Control"] = "no-store"
