"""The pages of chats: the front page, a conversation, its messages, its public link, and the forms on them."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from ...diagnostics.catalogue import listed_probes
from ...diagnostics.repair import Target
from ...errors import NotFoundError
from ...knowledge.entry import topic_ids
from ..access import Asker, count_message
from ..api.values import Id, PathId
from ..case import Asked, Case
from ..languages import language_of
from ..markdown import chat_markdown
from ..reply import Reply
from ..service import Service, TheService
from ..tables import Chat, Message
from .examples import EXAMPLES, example_text
from .forms import TakesForm, asked_of, read_form
from .rendering import page, site_of
from .routes import page_router
from .texts import texts
from .view import View

router = page_router()
RECENT = 8
MOST = 10**9
COUNTED = [Depends(count_message)]
PLAIN = {"Content-Security-Policy": "default-src 'none'; sandbox"}


@router.get("/")
def front(request: Request, owner: Asker, service: TheService) -> HTMLResponse:
    """The box that everything begins with."""
    counts = {"topics": len(topic_ids()), "probes": len(listed_probes())}
    recent = service.chats.of(owner.id, RECENT)
    shown = [example.shown(language_of(request)) for example in EXAMPLES]
    return page(request, "front.html", examples=shown, recent=recent, counts=counts)


@router.post("/chats", dependencies=COUNTED)
async def begin(request: Request, owner: Asker, service: TheService, _: TakesForm) -> Response:
    """Begin a chat with its first message."""
    async with read_form(request, service) as form:
        asked = await asked_of(request, service, owner.id, form)
    return await run_in_threadpool(_begun, service, owner.id, asked)


@router.post("/examples/{name}", dependencies=COUNTED)
def example(name: str, request: Request, owner: Asker, service: TheService) -> Response:
    """Begin a chat with one of the examples."""
    chosen = next((each for each in EXAMPLES if each.id == name), None)
    if chosen is None:
        raise NotFoundError("there is no such example", "没有这个例子")
    lang, kept = language_of(request), []
    for file in chosen.files:
        content = (files("kerasdoctor") / "examples" / file).read_bytes()
        upload = service.uploads.begin(owner.id, file, len(content))
        with service.uploads.part(owner.id, upload.id, 0) as part:
            part.write(content)
        kept.append(upload.id)
    return _begun(service, owner.id, Asked(text=example_text(chosen, lang), uploads=tuple(kept), lang=lang))


@router.get("/chats/{chat}.md")
def export(chat: PathId, owner: Asker, service: TheService, request: Request) -> Response:
    """The conversation as Markdown, for an issue."""
    found = service.chats.get(owner.id, chat)
    messages = [(m.role, m.text, Reply.from_json(m.reply) if m.reply else None) for m in found.messages]
    lang = language_of(request)
    text = chat_markdown(found.title or texts(lang)["CONVERSATION"], messages, lang, site_of(request, service))
    name = f"kerasdoctor-{Case.from_json(found.case).topic or 'chat'}.md"
    headers = PLAIN | {"Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, media_type="text/markdown", headers=headers)


@router.get("/chats/{chat}")
def conversation(
    chat: PathId, request: Request, owner: Asker, service: TheService, again: Annotated[int, Query(ge=0, le=MOST)] = 0
) -> HTMLResponse:
    """A conversation, with what is under way in it.

    `again` counts how often it came without scripts: an address that differs in its fragment alone is not loaded anew.
    """
    last = service.chats.last_event(chat)  # before the messages: what comes in between is streamed, not lost
    jobs = service.chats.open_jobs(chat)
    found = service.chats.get(owner.id, chat)
    view = View(service, found, language_of(request))
    if jobs:
        service.jobs.watched(chat)
    return page(
        request,
        "chat.html",
        chat=found,
        messages=view.messages(),
        side=view.side(),
        open_jobs=view.running(jobs),
        last_event=last,
        again=again,
    )


@router.get("/chats/{chat}/side")
def side(chat: PathId, request: Request, owner: Asker, service: TheService) -> HTMLResponse:
    """What stands beside a conversation."""
    found = service.chats.get(owner.id, chat)
    return page(request, "side.html", chat=found, side=View(service, found, language_of(request)).side())


@router.get("/chats/{chat}/messages/{message}")
def message(chat: PathId, message: PathId, request: Request, owner: Asker, service: TheService) -> HTMLResponse:
    """One message of a conversation, as a piece of its page."""
    found = service.chats.get(owner.id, chat)
    view = View(service, found, language_of(request))
    return page(request, "fragment.html", chat=found, view=view.message(_message(found, message)))


@router.get("/chats/{chat}/messages/{message}/text")
def text(chat: PathId, message: PathId, owner: Asker, service: TheService) -> PlainTextResponse:
    """The whole text of a message."""
    return PlainTextResponse(_message(service.chats.get(owner.id, chat), message).text, headers=PLAIN)


@router.post("/chats/{chat}/messages", dependencies=COUNTED)
async def say(chat: PathId, request: Request, owner: Asker, service: TheService, _: TakesForm) -> Response:
    """Say something in a chat."""
    async with read_form(request, service) as form:
        asked = await asked_of(request, service, owner.id, form)
    return await run_in_threadpool(_said, service, owner.id, chat, asked)


@router.post("/chats/{chat}/repair", dependencies=COUNTED)
def repair(
    chat: PathId, owner: Asker, service: TheService, upload: Annotated[Id, Form()], target: Annotated[Target, Form()]
) -> Response:
    """Have a copy of a model mended."""
    service.uploads.check(owner.id, (upload,))
    service.chats.repair(owner.id, chat, upload, target)
    return _to(f"/chats/{chat}#under-way")


@router.post("/chats/{chat}/cancel")
def cancel(chat: PathId, owner: Asker, service: TheService) -> Response:
    """Stop what is under way."""
    service.chats.cancel(owner.id, chat)
    return _to(f"/chats/{chat}")


@router.post("/chats/{chat}/share")
def share(chat: PathId, owner: Asker, service: TheService, shared: Annotated[bool, Form()]) -> Response:
    """Make the public link, or take it back."""
    service.chats.share(owner.id, chat, shared=shared)
    return _to(f"/chats/{chat}")


@router.post("/chats/{chat}/remove")
def remove(chat: PathId, owner: Asker, service: TheService) -> Response:
    """Remove a chat."""
    service.chats.remove(owner.id, chat)
    return _to("/")


@router.get("/shared/{token}")
def shared(token: str, request: Request, service: TheService) -> HTMLResponse:
    """A chat that its owner shared, to be read by whoever has the link."""
    found = service.chats.shared(token[:100])
    messages = View(service, found, language_of(request), owned=False).messages()
    return page(request, "shared.html", chat=found, messages=messages)


def _begun(service: Service, owner: str, asked: Asked) -> Response:
    chat = service.chats.begin(owner)
    return _said(service, owner, chat.id, asked)


def _said(service: Service, owner: str, chat: str, asked: Asked) -> Response:
    message, _ = service.chats.say(owner, chat, asked)
    return _to(f"/chats/{chat}#m{message.number}")


def _message(chat: Chat, message: str) -> Message:
    found = next((each for each in chat.messages if each.id == message), None)
    if found is None:
        raise NotFoundError(f"there is no message {message[:40]}", "没有这条消息")
    return found


def _to(address: str) -> Response:
    return RedirectResponse(address, 303)
