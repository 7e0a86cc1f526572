"""Markdown shows what the terminal shows, and nothing of a paste or a file becomes markup, a mention or a reference."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kerasdoctor.diagnostics.diagnosis import Diagnosis
from kerasdoctor.diagnostics.doctor import Doctor
from kerasdoctor.diagnostics.mended import Made, Mended
from kerasdoctor.diagnostics.page import heading_of, parts_of
from kerasdoctor.diagnostics.probe import Finding
from kerasdoctor.diagnostics.proving import Proof
from kerasdoctor.diagnostics.repair import Change
from kerasdoctor.knowledge.entry import Entry
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.knowledge.recorded import traces_of
from kerasdoctor.knowledge.text import LANGS, Lang, Text
from kerasdoctor.service.markdown import chat_markdown, diagnosis_markdown, fenced, inline
from kerasdoctor.service.reply import Reply
from markdown_it import MarkdownIt
from markdown_it.token import Token

GITHUB = MarkdownIt("commonmark").enable(["table", "strikethrough"])
APART = "\N{ZERO WIDTH SPACE}"
HOSTILE = [
    "@octocat and @org/team", "fixes #1, GH-1, o/r#2", "https://example.org/x www.example.org mailto:a@b.c",
    "<b>bold</b><!-- x -->", "[link](javascript:alert(1)) ![i](http://e.org/i.png)", "**bold** _em_ *em* ~~gone~~ ~x~",
    "# heading", "- item", "1. one", "1) one", "99. x", "+ x", "= x", "> quote", "a\n===", "---", "    indented", "```\nfence\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |", "&lt;script&gt; &#64;x", "`code", "\\`a` @b", "``@x``", "<https://e.org>",
    "[ref]: http://e.org", "$x$", "</details>", "__init__.py dense_1_a", "\x1b[31m\u202ered",
]  # fmt: skip


def tokens(markdown: str) -> list[Token]:
    """All tokens, those inside paragraphs too."""
    return [each for token in GITHUB.parse(markdown) for each in (token, *(token.children or []))]


def assert_inert(markdown: str, kinds: set[str]) -> None:
    """No other tokens than these; nothing in the running text that GitHub would make a link of."""
    for token in tokens(markdown):
        assert token.type in kinds, (token.type, markdown)
        if token.type == "text":
            assert not re.search(r"@\w|#\d|://|(?i:\bwww\.|\bGH-\d|mailto:)", token.content), markdown


LINE = {"paragraph_open", "paragraph_close", "inline", "text", "code_inline", "text_special"}


def shown(markdown: str) -> str:
    """The words that a reader sees."""
    return "".join(t.content for t in tokens(markdown) if t.type in ("text", "code_inline", "text_special"))


@given(
    st.text() | st.lists(st.sampled_from([*"`*_[]()<>#@~$|\\-+=1.)&! \na", "GH-1", "www.", "http://x"])).map("".join)
)
@example("a`b``c`@d`e`")
def test_any_text_is_shown_and_nothing_else(text: str) -> None:
    """Whatever a file is called or a message says: one paragraph with those words."""
    assert_inert(inline(text), LINE)
    assert_inert(
        f"x\n\n- {inline(text)}",
        LINE | {f"{kind}_{end}" for kind in ("bullet_list", "list_item") for end in ("open", "close")},
    )
    if "`" not in text and text.isprintable():
        assert shown(inline(text)).replace(APART, "") == " ".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts(text: str) -> None:
    """The tricks that are known, each on its own line and behind an item's mark."""
    assert_inert(inline(text), LINE)
    assert_inert(f"{inline(text)}\n\n**{inline(f'x {text} x')}**", LINE | {"strong_open", "strong_close"})
    assert "\x1b" not in inline(text)


@given(st.text(st.sampled_from("`~ \nab<")))
def test_code_stays_in_its_fence(code: str) -> None:
    """A fence is longer than any run of backticks in it."""
    kinds = [token.type for token in GITHUB.parse(fenced(code, "python"))]
    assert kinds == ["fence"]


@pytest.fixture(scope="module")
def doctor(matcher: Matcher) -> Doctor:
    return Doctor(matcher)


def hostile(diagnosis: Diagnosis, text: str) -> Diagnosis:
    """The same with a text of the user's wherever one can stand."""
    each = Text(f"saw {text} there", f"看到 {text} 了")
    findings = (
        Finding(
            "objective", text, "finding", topics=("softmax-on-one-unit",), evidence=(each, Text(text, text)), fault=True
        ),
        Finding("shapes", text, "could_not_look", evidence=(each,)),
        Finding("memory", text, "crashed", evidence=(each,)),
        Finding("saturated", text, "nothing"),
    )
    return replace(diagnosis, reasons=(each, Text(text, text)), findings=findings)


@pytest.mark.parametrize("lang", LANGS)
def test_a_hostile_diagnosis(doctor: Doctor, lang: Lang) -> None:
    """Its Markdown has the same structure as with harmless words."""
    for text in ("loss is nan", "KeyError: 'Age'"):
        diagnosis = doctor.diagnose(text, lang=lang)
        harmless = [token.type for token in GITHUB.parse(diagnosis_markdown(hostile(diagnosis, "x")))]
        for trick in HOSTILE:
            written = diagnosis_markdown(hostile(diagnosis, trick))
            assert [token.type for token in GITHUB.parse(written)] == harmless, trick
            assert not re.search(r"@(octocat|b)|#1|GH-1|<b>", written)


def test_every_topic_reads_well(doctor: Doctor, entries: list[Entry]) -> None:
    """All headings in order, the code whole, no markup left over in the words, no line break inside a paragraph."""
    for entry in entries:
        for lang in LANGS:
            pasted = next(iter(traces_of(entry.id).values()), [entry.questions[lang][0]])[0]
            diagnosis = doctor.diagnose(pasted, lang=lang)
            written = diagnosis_markdown(diagnosis, "https://doctor.example.org")
            headings = re.findall(
                r"^### (.*)$", re.sub(r"^`{3,}.*?^`{3,}$", "", written, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
            )
            assert headings == [inline(heading_of(diagnosis, part).say(lang)) for part in parts_of(diagnosis)]
            found = tokens(written)
            assert not [t for t in found if t.type in ("softbreak", "hardbreak", "html_block", "html_inline")]
            left = [t.content for t in found if t.type == "text" and re.search(r"\*\*|`|\]\(", t.content)]
            assert not left, (entry.id, left)
            if diagnosis.fix:
                assert [t.content for t in found if t.type == "fence"] == [diagnosis.fix.code + "\n"]
            if diagnosis.topic:
                assert f"(<https://doctor.example.org/topics/{diagnosis.topic}>)" in written


def test_without_an_address_nothing_is_linked_to_it(doctor: Doctor) -> None:
    """A relative link would lead into the repository whose issue it stands in."""
    written = diagnosis_markdown(doctor.diagnose("GPU 用不了，训练很慢"))
    assert "/topics/" not in written
    assert "`gpu-not-visible`" in written


def test_a_chat(doctor: Doctor) -> None:
    """Long pastes are folded, short ones quoted, what was mended is shown, nothing escapes."""
    changes = tuple(Change(Text("rewritten", "已改写"), f"l{n}", "a```" * 90, "b\n") for n in range(5))
    proof = Proof("same", "tf_keras 2", "keras 3", 0.0, Text("the same outputs @all", "输出相同 @all"))
    mended = Mended((Made("keras3-format", changes),), proof, "mended.keras", ())
    answer = Reply("diagnosis", "en", Text("Here it is <b>", "在这里 <b>"), doctor.diagnose("loss is nan"))
    written = chat_markdown(
        "Loss #1 @all",
        [
            ("asks", "why @octocat?", None),
            ("answers", "", answer),
            ("asks", "Traceback\n```\n</details>\n@octocat", None),
            ("answers", "", Reply("repair", "en", None, mended=mended, copy="abc")),
        ],
        "en",
    )
    assert written.count("<details>") == 1
    assert "Pasted text, 4 lines" in written
    assert "abc" not in written
    assert "and 2 more like this" in written
    kinds = [t.type for t in tokens(written)]
    assert kinds.count("html_block") == 2
    assert kinds.count("fence") == 5
    assert_inert(written.replace("<details>", "").replace("</details>", ""), set(kinds))


@pytest.mark.parametrize(
    ("kind", "said"), [("why", "#### Why it happens"), ("fix", "#### How to check"), ("sources", "#### Sources")]
)
def test_a_part_alone(doctor: Doctor, kind: str, said: str) -> None:
    """What was asked for, and not the rest."""
    reply = Reply(kind, "en", None, doctor.diagnose("loss is nan"))  # type: ignore[arg-type]
    written = chat_markdown("loss is nan", [("answers", "", reply)], "en")
    assert said in written
    assert ("#### Sources" in written) == (kind == "sources")
    assert "\n### " not in written


def test_a_name_of_any_bytes(doctor: Doctor, tmp_path: Path) -> None:
    """A file whose name is no text has a page."""
    named = hostile(doctor.diagnose("loss is nan"), str(tmp_path / "m\udcff\n.h5"))
    diagnosis_markdown(named).encode("utf-8")
