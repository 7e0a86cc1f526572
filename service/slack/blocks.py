"""What of a reply a message in Slack tells: a diagnosis in short, with buttons, or what the short form left out."""

from __future__ import annotations

from ...diagnostics.diagnosis import Diagnosis
from ...diagnostics.diagnosis_page import answer, write_blind, write_finding, write_part
from ...diagnostics.page import EVIDENCE, Part, parts_of, shown_findings
from ...knowledge.text import Text
from ..pages import reply_page
from ..reply import Reply
from .fitting import MAX_FALLBACK, MAX_VALUE, clipped
from .paper import SlackPaper, escaped
from .rich_text import Json

WHY = Text("Why", "为什么")
DETAILS = Text("Details", "详细信息")
HELPED = Text("Helped", "有帮助")
NOT_HELPED = Text("Didn't help", "没有帮助")
NO_MORE = Text("There is nothing more to tell.", "没有更多内容了。")
BRIEF: tuple[Part, ...] = ("fix", "question", "advice")


def reply_blocks(reply: Reply, value: str, *, details: bool = False, base: str = "") -> tuple[str, list[Json]]:
    """The fallback text and the blocks of a reply.

    Args:
        reply: what is said. A diagnosis is told in short, with buttons.
        value: what the buttons carry, at most 200 characters: Slack takes 2000, but all buttons together count.
        details: tell what the short form of a diagnosis left out, without buttons.
        base: the address of the service, for links to topics.

    Raises:
        ValueError: the value is longer.
    """
    if len(value) > MAX_VALUE:
        raise ValueError(f"a button's value of {len(value)} characters, expected at most {MAX_VALUE}")
    paper = SlackPaper(reply.lang, value, base)
    if reply.kind != "diagnosis" or reply.diagnosis is None:
        reply_page(paper, reply)
    elif details:
        _details(paper, reply.diagnosis)
    else:
        if reply.lead:
            paper.plain(reply.lead.say(reply.lang))
        _brief(paper, reply.diagnosis)
        paper.buttons(_buttons(reply.diagnosis))
    return _fallback(reply), paper.message()


def _fallback(reply: Reply) -> str:
    """What a notification shows."""
    diagnosis, lang = reply.diagnosis, reply.lang
    told = [reply.lead.say(lang)] if reply.lead else []
    if diagnosis and diagnosis.title:
        told.append(diagnosis.title.say(lang))
    if diagnosis and (reply.kind == "diagnosis" or not told):
        told.append(diagnosis.summary.say(lang))
    if reply.mended and reply.mended.proof:
        told.append(reply.mended.proof.text.say(lang))
    return escaped(clipped(" – ".join(told) or "kerasdoctor", MAX_FALLBACK))


def _brief(paper: SlackPaper, diagnosis: Diagnosis) -> None:
    answer(paper, diagnosis)
    for part in parts_of(diagnosis):
        if part == "evidence":
            _faults(paper, diagnosis)
        elif part in BRIEF or (diagnosis.topic is None and part == "reasons"):
            write_part(paper, diagnosis, part)


def _faults(paper: SlackPaper, diagnosis: Diagnosis) -> None:
    """What was found; where no probe could look at anything, why."""
    seen = shown_findings(diagnosis)
    found = [each for each in seen.findings if each.finding.outcome in ("finding", "crashed")]
    blind = () if found or seen.silent else seen.blind
    if found or blind:
        paper.heading(EVIDENCE.say(diagnosis.lang))
    for each in found:
        write_finding(paper, each, diagnosis.lang)
    for group in blind:
        write_blind(paper, group, diagnosis.lang)


def _left_out(diagnosis: Diagnosis) -> list[Part]:
    said = (*BRIEF, "reasons") if diagnosis.topic is None else BRIEF
    return [part for part in parts_of(diagnosis) if part not in said]


def _details(paper: SlackPaper, diagnosis: Diagnosis) -> None:
    parts = _left_out(diagnosis)
    for part in parts:
        write_part(paper, diagnosis, part)
    if not parts:
        paper.plain(NO_MORE.say(diagnosis.lang))


def _buttons(diagnosis: Diagnosis) -> list[tuple[str, Text]]:
    why = [("kd:why", WHY)] if diagnosis.why else []
    more = [("kd:details", DETAILS)] if _left_out(diagnosis) else []
    helped = [("kd:helped", HELPED), ("kd:not_helped", NOT_HELPED)] if diagnosis.topic else []
    return [*why, *more, *helped]
