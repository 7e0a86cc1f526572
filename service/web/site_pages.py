"""Everything that is no chat: topics, search, the environment, signing in, the report, what robots ask for."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from ...diagnostics.catalogue import listed_probes
from ...diagnostics.environment_download import NAME, environment_script
from ...diagnostics.phrases import line_name
from ...errors import NotFoundError
from ...knowledge.entry import Entry, has_entry, load_entries, load_entry
from ...knowledge.search import search_topics
from ..access import Asker, whose_pastes
from ..headers import is_secure
from ..languages import COOKIE as LANGUAGE_COOKIE
from ..languages import language_of
from ..service import TheService
from ..sign_in import OWN_PATH
from .rendering import THEME, THEMES, TYPES, page, site_of, static_files
from .routes import page_router

router = page_router()
open_router = page_router()
FOR_EVER = "public, max-age=31536000, immutable"
A_YEAR = 31_536_000
MAX_QUERY = 400
FOUND = 20
MOST_UNKNOWN = 100
KINDS = ("error", "pitfall", "howto")


@open_router.get("/static/{version}/{name}")
def static(version: str, name: str) -> Response:
    """A file that browsers load; its address changes with it."""
    del version
    content = static_files().get(name)
    if content is None:
        raise NotFoundError("there is no such file")
    kind = TYPES[name[name.rindex(".") :]]
    return Response(content, media_type=kind, headers={"Cache-Control": FOR_EVER})


@open_router.get("/favicon.ico")
def favicon() -> Response:
    """For browsers that ask for it unasked."""
    return Response(static_files()["favicon.svg"], media_type="image/svg+xml", headers={"Cache-Control": FOR_EVER})


@open_router.get("/robots.txt")
def robots(request: Request, service: TheService) -> PlainTextResponse:
    """Topics are for everyone; conversations are not."""
    hidden = "".join(f"Disallow: /{each}\n" for each in ("chats", "shared", "uploads", "api", "report", "search"))
    return PlainTextResponse(f"User-agent: *\n{hidden}Sitemap: {site_of(request, service)}/sitemap.xml\n")


@open_router.get("/sitemap.xml")
def sitemap(request: Request) -> Response:
    """The pages that are indexed, in both languages."""
    response = page(request, "sitemap.xml", paths=["/", "/topics", *(f"/topics/{entry.id}" for entry in entries())])
    response.headers["Content-Type"] = "application/xml"
    return response


@router.get("/topics")
def topics(request: Request) -> HTMLResponse:
    """All topics, by kind."""
    lang = language_of(request)
    by_kind = [(kind, sorted(_of_kind(kind), key=lambda e: e.title.say(lang).lower())) for kind in KINDS]
    return page(request, "topics.html", here="topics", kinds=by_kind, number=len(entries()))


@router.get("/topics/{topic}")
def topic(topic: str, request: Request) -> HTMLResponse:
    """One topic, with all that is known of it."""
    if not has_entry(topic):
        raise NotFoundError(f"there is no topic {topic[:60]}", f"没有主题 {topic[:60]}")
    entry, lang = load_entry(topic), language_of(request)
    return page(
        request,
        "topic.html",
        here="topics",
        entry=entry,
        blocks=[(block, " / ".join(line_name(line).say(lang) for line in block.lines)) for block in entry.blocks],
        probes=[probe for probe in listed_probes() if entry.id in probe.topics],
        related=[(load_entry(each.id), each.differs) for each in entry.related],
    )


@router.get("/search")
def search(request: Request, service: TheService, q: str = "") -> HTMLResponse:
    """Topics by words."""
    words = q.strip()[:MAX_QUERY]
    hits = search_topics(words, service.doctor.matcher.index, FOUND) if words else []
    return page(request, "search.html", here="search", words=words, found=[load_entry(hit.topic) for hit in hits])


@router.get("/environment")
def environment(request: Request) -> HTMLResponse:
    """How to have a machine examined that is not this one."""
    return page(request, "environment.html", here="environment", script=NAME)


@router.get("/environment.py")
def script() -> PlainTextResponse:
    """The script that reports an environment."""
    headers = {"Content-Disposition": f'attachment; filename="{NAME}"'}
    return PlainTextResponse(environment_script(), media_type="text/x-python", headers=headers)


@router.get("/report")
def report(request: Request, owner: Asker, service: TheService) -> HTMLResponse:
    """What helped and what is missing, for those who write topics."""
    by_topic = service.feedbacks.by_topic()
    unknown = service.feedbacks.unknown(MOST_UNKNOWN, whose_pastes(service, owner))
    titles = {each.topic: load_entry(each.topic).title for each in by_topic if has_entry(each.topic)}
    return page(request, "report.html", titles=titles, topics=by_topic, unknown=unknown)


@open_router.get("/sign-in")
def sign_in(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002 - the name in the address
    """Where a key is asked for."""
    return page(request, "sign_in.html", next=next if OWN_PATH.fullmatch(next) else "/", wrong=False)


@open_router.post("/choices")
def choices(
    request: Request,
    service: TheService,
    back: Annotated[str, Form(max_length=2000)] = "/",
    lang: Annotated[str, Form(max_length=10)] = "",
    theme: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Remember a language or a look, in cookies."""
    response = RedirectResponse(back if OWN_PATH.fullmatch(back) else "/", 303)
    chosen = {LANGUAGE_COOKIE: lang if lang in ("en", "zh") else "", THEME: theme if theme in THEMES else ""}
    secure = is_secure(request.scope, service.settings)
    for name, value in chosen.items():
        if value:
            response.set_cookie(name, value, max_age=A_YEAR, httponly=True, secure=secure, samesite="lax")
    return response


@cache
def entries() -> tuple[Entry, ...]:
    """All topics."""
    return tuple(load_entries())


def _of_kind(kind: str) -> list[Entry]:
    return [entry for entry in entries() if entry.kind == kind]
