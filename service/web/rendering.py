"""Turns templates into pages, in the reader's language and look."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...knowledge.text import Lang
from ..languages import language_of
from ..service import Service, service_of
from ..settings import MIB
from .filters import FILTERS
from .texts import SCRIPTS, texts

HERE = Path(__file__).parent
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
THEME = "kerasdoctor_theme"
THEMES = ("light", "dark", "auto")


@cache
def environment() -> Environment:
    """Jinja's: everything is escaped, and a name that is not there is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= FILTERS
    return made


@cache
def static_files() -> Mapping[str, bytes]:
    """The files that browsers load, by name."""
    return {path.name: path.read_bytes() for path in sorted((HERE / "static").iterdir()) if path.suffix in TYPES}


@cache
def script_texts(lang: Lang) -> str:
    """What the scripts say, as JSON."""
    return json.dumps({name: texts(lang)[name] for name in SCRIPTS}, ensure_ascii=False)


@cache
def static_folder() -> str:
    """The address of these files. It changes with them, so that they may be kept for ever."""
    digest = hashlib.sha256()
    for name, content in static_files().items():
        digest.update(name.encode() + content)
    return f"/static/{digest.hexdigest()[:12]}"


def site_of(request: Request, service: Service) -> str:
    """The address by which people reach the service, without a slash at its end."""
    return (service.settings.public_url or str(request.base_url)).rstrip("/")


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - of templates
    """A page."""
    return HTMLResponse(rendered(request, template, **values), status)


def rendered(request: Request, template: str, **values: Any) -> str:  # noqa: ANN401 - of templates
    """A template as HTML."""
    lang, service = language_of(request), service_of(request)
    site = site_of(request, service)
    theme = request.cookies.get(THEME)

    def hreflang(path: str) -> Markup:
        link = Markup('<link rel="alternate" hreflang="{}" href="{}">')
        languages = ((name, f"{site}{path}?lang={each}") for name, each in (("en", "en"), ("zh-Hans", "zh")))
        return Markup("").join([*(link.format(*pair) for pair in languages), link.format("x-default", site + path)])

    shared = {
        "t": texts(lang),
        "lang": lang,
        "theme": theme if theme in ("light", "dark") else None,
        "static": static_folder(),
        "script_texts": script_texts(lang),
        "site": site,
        "path": back_to(request),
        "here": "",
        "hreflang": hreflang,
        "limits": {"text": service.settings.max_text_mib * MIB, "upload": service.settings.max_upload_mib * MIB},
        "may_run": service.settings.live,
        "signed_in": service.settings.needs_keys and "/sign-in" not in request.url.path,
    }
    return environment().get_template(template).render(shared | values)


def back_to(request: Request) -> str:
    """The path of this page, for a form that comes back to it; the language that its address asks for is left out."""
    query = "&".join(
        part for part in urlsplit(str(request.url)).query.split("&") if part and not part.startswith("lang=")
    )
    return request.url.path + (f"?{query}" if query else "")
