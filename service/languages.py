"""The language of a reader: as a request asks for it."""

from __future__ import annotations

import re

from fastapi import Request

from ..knowledge.text import LANGS, Lang

COOKIE = "kerasdoctor_language"
_ACCEPTED = re.compile(r"\s*(en|zh)(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*", re.IGNORECASE)


def accepted(header: str) -> Lang | None:
    """The language of an Accept-Language header that is ours and wanted most; None where it names neither."""
    wanted: dict[Lang, float] = {}
    for part in header[:1000].split(","):
        if match := _ACCEPTED.fullmatch(part):
            lang: Lang = "zh" if match[1].lower() == "zh" else "en"
            wanted[lang] = max(wanted.get(lang, 0.0), float(match[2] or 1))
    best = max(wanted.values(), default=0.0)
    return next((lang for lang, quality in wanted.items() if quality == best), None) if best else None


def language_of(request: Request) -> Lang:
    """The language for a person: as the address says, as was chosen, as the browser asks for, else English."""
    for asked in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        for lang in LANGS:
            if asked == lang:
                return lang
    return accepted(request.headers.get("accept-language", "")) or "en"
