"""Topics, probes and repairs: what is known, what is checked, what can be mended."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from ...diagnostics.catalogue import listed_probes
from ...diagnostics.probe import SubjectKind
from ...diagnostics.progress import STEPS
from ...diagnostics.repair import all_repairs
from ...errors import NotFoundError
from ...knowledge.entry import HEADINGS, Entry, Kind, has_entry, load_entries, load_entry
from ...knowledge.lines import Line
from ...knowledge.matcher import Matcher
from ...knowledge.parser import parse
from ...knowledge.recorded import seen_on
from ...knowledge.search import search_topics
from ...knowledge.text import Lang
from .values import OPEN, Output, PathTopic, Reader, Storable

router = APIRouter(tags=["topics"])
MAX_WORDS = 500
MOST = 50


class TopicListed(Output):
    """A topic in a list."""

    topic: str = Field(examples=["shape-mismatch"])
    kind: Kind
    title: str
    summary: str
    score: float | None = Field(description="of a search: how well it fits, from 0 to 1")


class TopicList(Output):
    """Topics: all by their ids, or those that fit a search, the best first."""

    lang: Lang
    items: list[TopicListed]


class SectionOut(Output):
    """A part of a topic's text."""

    heading: str
    text: str = Field(description="Markdown")


class BlockOut(Output):
    """A piece of code that fails, or that works."""

    role: Literal["broken", "fixed"]
    language: str
    lines: list[Line] = Field(description="the Keras lines that it is for")
    seen_on: list[str] = Field(description="the releases that it was run on")
    code: str


class RelatedOut(Output):
    """Another topic that looks alike."""

    topic: str
    title: str
    differs: str = Field(description="how to tell the two apart")


class SourceOut(Output):
    """Where a fact is documented."""

    title: str
    url: str


class TopicOut(Output):
    """All that is known about a topic."""

    topic: str
    lang: Lang
    kind: Kind
    title: str
    summary: str
    sections: list[SectionOut] = Field(description="what you see, why, what to do, how to check")
    code: list[BlockOut]
    signatures: list[str] = Field(description="the messages by which it is known; … stands for what varies")
    questions: list[str] = Field(description="how people ask about it")
    related: list[RelatedOut]
    sources: list[SourceOut]


class ProbeOut(Output):
    """A check of a subject."""

    probe: str
    subject: SubjectKind
    promise: str = Field(description="what it looks at")
    topics: list[str] = Field(description="the topics that it speaks to")


class StepOut(Output):
    """A step of a job that is no probe."""

    step: str
    text: str


class ProbeList(Output):
    """All probes, and the other steps that a job tells of."""

    lang: Lang
    items: list[ProbeOut]
    steps: list[StepOut]


class RepairOut(Output):
    """A change to a copy of a model."""

    repair: str
    promise: str
    targets: list[str] = Field(description="the Kerases that it is for")


class RepairList(Output):
    """All repairs, in the order in which they run."""

    lang: Lang
    items: list[RepairOut]


@router.get("/topics", openapi_extra=OPEN, summary="The topics, or a search", response_description="Topics")
def list_topics(
    reader: Reader,
    response: Response,
    q: Annotated[
        Storable | None, Query(max_length=MAX_WORDS, description="words, in English or Chinese", examples=["nan loss"])
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="how many topics a search gives at most")] = 8,
) -> TopicList:
    """All topics, or those that fit some words. The language is by default that of the words."""
    if q is None:
        lang = reader or "en"
        items = [_listed(entry, lang) for entry in load_entries()]
    else:
        lang = reader or ("zh" if parse(q).language == "zh" else "en")
        found = search_topics(q, Matcher.load().index, limit)
        items = [_listed(load_entry(hit.topic), lang, hit.score) for hit in found]
    _say(response, lang)
    return TopicList(lang=lang, items=items)


@router.get("/topics/{topic}", openapi_extra=OPEN, summary="A topic", response_description="All that is known about it")
def get(topic: PathTopic, reader: Reader, response: Response) -> TopicOut:
    """What you see, why, what to do, how to check, with code that was run."""
    if not has_entry(topic):
        raise NotFoundError(f"there is no topic {topic}; /api/v1/topics lists them, and finds some by words")
    lang: Lang = reader or "en"
    _say(response, lang)
    return _topic(load_entry(topic), lang)


@router.get("/probes", openapi_extra=OPEN, summary="The probes", response_description="All probes")
def probes(reader: Reader, response: Response) -> ProbeList:
    """What is checked of models, weights, logs, data samples and environments."""
    lang: Lang = reader or "en"
    _say(response, lang)
    return ProbeList(
        lang=lang,
        items=[
            ProbeOut(probe=p.id, subject=p.subject, promise=p.promise.say(lang), topics=list(p.topics))
            for p in listed_probes()
        ],
        steps=[StepOut(step=step, text=text.say(lang)) for step, text in STEPS.items()],
    )


@router.get("/repairs", openapi_extra=OPEN, summary="The repairs", response_description="All repairs")
def repairs(reader: Reader, response: Response) -> RepairList:
    """What can be mended in a copy of a model."""
    lang: Lang = reader or "en"
    _say(response, lang)
    items = [RepairOut(repair=r.id, promise=r.promise.say(lang), targets=list(r.targets)) for r in all_repairs()]
    return RepairList(lang=lang, items=items)


def _say(response: Response, lang: Lang) -> None:
    response.headers["Content-Language"] = lang
    response.headers["Vary"] = "Accept-Language"


def _listed(entry: Entry, lang: Lang, score: float | None = None) -> TopicListed:
    return TopicListed(
        topic=entry.id,
        kind=entry.kind,
        title=entry.title.say(lang),
        summary=entry.summary.say(lang),
        score=None if score is None else round(score, 4),
    )


def _topic(entry: Entry, lang: Lang) -> TopicOut:
    return TopicOut(
        topic=entry.id,
        lang=lang,
        kind=entry.kind,
        title=entry.title.say(lang),
        summary=entry.summary.say(lang),
        sections=[SectionOut(heading=head, text=entry.sections[lang][head]) for head in HEADINGS[lang]],
        code=[
            BlockOut(
                role=block.role,
                language=block.language,
                lines=list(block.lines),
                seen_on=list(seen_on(block)),
                code=block.code,
            )
            for block in entry.blocks
        ],
        signatures=list(entry.signatures),
        questions=list(entry.questions[lang]),
        related=[
            RelatedOut(topic=r.id, title=load_entry(r.id).title.say(lang), differs=r.differs.say(lang))
            for r in entry.related
        ],
        sources=[SourceOut(title=source.title, url=source.url) for source in entry.sources],
    )
