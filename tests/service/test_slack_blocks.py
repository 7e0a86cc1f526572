"""Slack's blocks: always within Slack's documented limits, and nothing of a paste or a file is a mention, a link or markup."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kerasdoctor.diagnostics.diagnosis import Diagnosis, Option, Question
from kerasdoctor.diagnostics.doctor import Doctor
from kerasdoctor.diagnostics.mended import Made, Mended
from kerasdoctor.diagnostics.page import parts_of
from kerasdoctor.diagnostics.probe import Finding
from kerasdoctor.diagnostics.proving import Proof
from kerasdoctor.diagnostics.repair import Change
from kerasdoctor.knowledge.entry import Entry
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.knowledge.recorded import traces_of
from kerasdoctor.knowledge.text import LANGS, Lang, Text
from kerasdoctor.service.reply import Reply, ReplyKind
from kerasdoctor.service.slack.blocks import reply_blocks
from kerasdoctor.service.slack.paper import CUT, SlackPaper
from kerasdoctor.service.slack.rich_text import from_markdown

from .slack_checks import Json, actions, check, runs, words

BASE = "https://doctor.example.org"
TRICKS = [
    "<!channel>", "<@U012AB3CD>", "<#C1>", "<!subteam^S1>", "<http://e.org|your bank>", "@here @channel",
    "*b* _i_ ~s~ `c` ```f```", "> q", ":boom:", "&lt;!here&gt;", "http://e.org", "a\nb", "\x1b[31m\u202ered", "", " ", "`", "``",
    "é" * 400, "x`y" * 100, "\udcff",
]  # fmt: skip


@pytest.fixture(scope="module")
def doctor(matcher: Matcher) -> Doctor:
    return Doctor(matcher)


class Diagnoses(list[Diagnosis]):
    """Several; hypothesis prints arguments, and these are long."""

    def __repr__(self) -> str:
        return f"{len(self)} diagnoses"


@pytest.fixture(scope="module")
def diagnoses(doctor: Doctor) -> Diagnoses:
    """Known in both languages, not known, undecided."""
    texts = ["loss is nan", "KeyError: 'Age'", "GPU 用不了，训练很慢", "val_loss 上升而 loss 下降"]
    return Diagnoses(doctor.diagnose(text, lang=lang) for text in texts for lang in LANGS)


def test_every_topic(doctor: Doctor, entries: list[Entry]) -> None:
    """Short and in detail, in both languages: within the limits, the code whole, both together tell all parts."""
    for entry in entries:
        for lang in LANGS:
            pasted = next(iter(traces_of(entry.id).values()), [entry.questions[lang][0]])[0]
            diagnosis = doctor.diagnose(pasted, lang=lang)
            reply = Reply("diagnosis", lang, None, diagnosis)
            short, more = reply_blocks(reply, "v", base=BASE), reply_blocks(reply, "v", details=True)
            check(*short)
            check(*more)
            assert CUT.say(lang) not in str(more)
            code = diagnosis.fix.code.strip("\n") if diagnosis.fix else ""
            assert CUT.say(lang) not in str(short), entry.id
            assert code in words(short[1])
            title = (diagnosis.title or diagnosis.summary).say(lang)
            assert short[1][0]["text"]["text"] == title.replace("`", "")
            told = words([*short[1], *more[1]])
            assert all(f"{title}" in told for title, _ in diagnosis.sources)
            plain = [run["text"] for run in runs([*short[1], *more[1]]) if "code" not in run.get("style", {})]
            assert not [t for t in plain if t != code and re.search(r"\*\*|`|\]\(http", t)], entry.id


tricks = st.sampled_from(TRICKS) | st.text(max_size=60)
texts = st.builds(lambda text: Text(f"saw {text}", text), tricks)
findings = st.builds(
    Finding,
    st.sampled_from(["objective", "shapes", "memory"]) | tricks,
    tricks,
    st.sampled_from(["finding", "nothing", "could_not_look", "crashed"]),
    st.sampled_from([(), ("softmax-on-one-unit",), ("no-such-topic",)]),
    st.just(()),
    st.lists(texts, max_size=3).map(tuple),
    st.booleans(),
)
options = st.lists(st.builds(Option, texts, st.just("nan-loss")), max_size=8).map(lambda some: tuple(some) * 4)
KINDS: list[ReplyKind] = ["diagnosis", "diagnosis", "why", "fix", "evidence", "sources", "failed"]


@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=80)
@given(
    which=st.integers(0, 7),
    found=st.lists(findings, max_size=4).map(tuple),
    told=st.lists(texts, max_size=4).map(tuple),
    question=st.none() | st.builds(Question, st.just("topics"), texts, options, st.just(1.0)),
    lead=st.none() | texts,
    kind=st.sampled_from(KINDS),
    times=st.sampled_from([1, 40]),
)
def test_any_diagnosis_is_a_message(
    diagnoses: Diagnoses,
    which: int,
    found: tuple[Finding, ...],
    told: tuple[Text, ...],
    question: Question | None,
    lead: Text | None,
    kind: ReplyKind,
    times: int,
) -> None:
    """Whatever files are called, messages say and probes saw, and however much of it there is."""
    diagnosis = replace(diagnoses[which], findings=found * times, reasons=told * times, advice=told, question=question)
    for base in ("", BASE):
        for details in (False, True):
            check(*reply_blocks(Reply(kind, diagnosis.lang, lead, diagnosis), "v" * 200, details=details, base=base))


def harmful(value: Any) -> list[Json]:
    """Elements that would do something."""
    return [run for run in runs(value) if run["type"] != "text" and not run["url"].startswith("https://")]


def test_tricks_are_words(diagnoses: Diagnoses) -> None:
    """A mention, a link, a fence in a paste stand in the message as they were written."""
    for trick in TRICKS[:7]:
        each = Text(trick, trick)
        finding = Finding("objective", trick, "finding", evidence=(each,), fault=True)
        for diagnosis in diagnoses:
            reply = Reply("diagnosis", diagnosis.lang, each, replace(diagnosis, reasons=(each,), findings=(finding,)))
            text, blocks = reply_blocks(reply, "v")
            check(text, blocks)
            assert "<" not in text
            assert not harmful(blocks)
            assert trick.replace("`", "") in words(blocks).replace("`", "")
            assert not [e for b in blocks if b["type"] == "context" for e in b["elements"] if trick in e["text"]]


def test_the_first_message_is_short_and_the_details_hold_the_rest(doctor: Doctor) -> None:
    """Title, how sure, summary, steps, code, faults and the question first; no part is in neither."""
    fault = Finding(
        "objective", "churn.h5", "finding", ("softmax-on-one-unit",), evidence=(Text("softmax!", "！"),), fault=True
    )
    silent = Finding("shapes", "churn.h5", "nothing")
    for found in ((), (silent,), (fault, silent)):
        diagnosis = replace(doctor.diagnose("loss is nan"), findings=found)
        reply = Reply("diagnosis", "en", None, diagnosis)
        _, short = reply_blocks(reply, "v")
        _, more = reply_blocks(reply, "v", details=True)
        assert short[0]["type"] == "header"
        assert "What to do" in words(short)
        assert ("softmax!" in words(short)) == (fault in found)
        assert ("found nothing wrong" in words(more)) == (silent in found)
        assert "found nothing wrong" not in words(short)
        assert not actions(more)
        both = words([*short, *more])
        headings = {
            "reasons": "Why we think so",
            "check": "How to check",
            "why": "Why it happens",
            "sources": "Sources",
        }
        assert all(heading in both for part, heading in headings.items() if part in parts_of(diagnosis))


def test_buttons(doctor: Doctor) -> None:
    """Each with the value that the caller gave; the options of a question by number, in their order."""
    value = "chat:1"
    known = reply_blocks(Reply("diagnosis", "en", None, doctor.diagnose("GPU 用不了，训练很慢")), value)[1]
    assert actions(known) == [
        *(f"kd:choose:{n}" for n in range(3)),
        "kd:why",
        "kd:details",
        "kd:helped",
        "kd:not_helped",
    ]
    assert {e["value"] for block in known if block["type"] == "actions" for e in block["elements"]} == {value}
    unknown = reply_blocks(
        Reply("diagnosis", "zh", None, replace(doctor.diagnose("KeyError: 'Age'"), question=None)), value
    )[1]
    assert "kd:helped" not in actions(unknown)
    assert "kd:why" not in actions(unknown)


@pytest.mark.parametrize("lang", LANGS)
def test_where_no_probe_could_look_the_first_message_says_why(doctor: Doctor, lang: Lang) -> None:
    """A file that cannot be read is no silence."""
    blind = Finding("shapes", "README.md", "could_not_look", evidence=(Text("no model", "不是模型"),))
    diagnosis = replace(doctor.diagnose("loss is nan", lang=lang), findings=(blind,))
    assert "README.md" in words(reply_blocks(Reply("diagnosis", lang, None, diagnosis), "v")[1])


def test_an_empty_text_takes_nothing_with_it(doctor: Doctor) -> None:
    """Slack refuses an empty piece: it is left out, what comes behind it stays."""
    empty = Text("", "")
    found = Finding("objective", "", "finding", evidence=(empty, Text("behind it", "后面")), fault=True)
    diagnosis = replace(doctor.diagnose("loss is nan"), findings=(found,), reasons=(empty, Text("reason", "理由")))
    for kind, word in (("diagnosis", "behind it"), ("why", "reason")):
        text, blocks = reply_blocks(Reply(kind, "en", empty, diagnosis), "v")  # type: ignore[arg-type]
        check(text, blocks)
        assert word in words(blocks)
        assert CUT.en not in str(blocks)


def test_a_value_that_is_too_long_is_refused() -> None:
    """All buttons carry it."""
    with pytest.raises(ValueError, match="at most 200"):
        reply_blocks(Reply("said", "en", Text("a", "b")), "v" * 201)


@pytest.mark.parametrize("lang", LANGS)
def test_a_repair(lang: Lang) -> None:
    """What was changed, with pieces before and after, and the proof; a dry run too."""
    changes = tuple(Change(Text(f"<!here> {n}", f"<!here> {n}"), "a" * 300, "b```" * 300, "c\n") for n in range(9))
    proof = Proof("same", "tf_keras 2", "keras 3", 0.0, Text("the same outputs", "输出相同"))
    for mended in (
        Mended((Made("keras3-format", changes),) * 30, proof, "m.keras", (Text("note", "注"),) * 40),
        Mended((Made("keras3-format", changes[:1]),), None, None, ()),
        Mended((), None, None, ()),
    ):
        check(*reply_blocks(Reply("repair", lang, None, mended=mended, copy="abc"), "v"))


def test_a_reply_that_is_only_said() -> None:
    """No diagnosis: the lead alone."""
    text, blocks = reply_blocks(Reply("said", "en", Text("Thanks & <bye>", "谢谢")), "v")
    check(text, blocks)
    assert text == "Thanks &amp; &lt;bye&gt;"
    assert words(blocks) == "Thanks & <bye>"


def test_markdown_of_entries() -> None:
    """Numbered lists go on behind what is nested in them; tables become items; styles and links are kept."""
    elements = from_markdown(
        "Do **this**:\n\n1. one `x`\n   - inner *em*\n2. two\n\n[doc](https://e.org/a)\n\n| a | b |\n|---|---|\n| 1 | `2` |"
    )
    kinds = [(e["type"], e.get("style"), e.get("indent", 0), e.get("offset", 0)) for e in elements]
    assert kinds == [
        ("rich_text_section", None, 0, 0),
        ("rich_text_list", "ordered", 0, 0),
        ("rich_text_list", "bullet", 1, 0),
        ("rich_text_list", "ordered", 0, 1),
        ("rich_text_section", None, 0, 0),
        ("rich_text_list", "bullet", 0, 0),
    ]
    assert [run.get("style") for run in runs(elements)][:5] == [None, {"bold": True}, None, None, {"code": True}]
    assert {"type": "link", "url": "https://e.org/a", "text": "doc"} in runs(elements)
    assert "1 – b: 2" in words([{"type": "rich_text", "elements": elements}])


def test_very_long_code_is_cut_at_a_line_and_says_so() -> None:
    """Nobody copies half a line."""
    paper = SlackPaper("en", "v")
    paper.code("\n".join(f"line_{n} = {n}" for n in range(500)))
    blocks = paper.message()
    check("x", blocks)
    kept = words(blocks).split("\n")
    assert re.fullmatch(r"… \d+ more lines", kept[-1])
    assert len(kept) - 1 + int(kept[-1].split()[1]) == 500


def test_long_steps_leave_the_code_its_room() -> None:
    """The code is what is copied: it has a block of its own."""
    paper = SlackPaper("en", "v")
    steps, code = "word " * 500, "x = 1\n" * 400
    paper.markdown(steps)
    paper.code(code)
    blocks = paper.message()
    check("x", blocks)
    assert words(blocks) == steps.strip() + code.strip("\n")
