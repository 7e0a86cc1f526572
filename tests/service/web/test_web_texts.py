"""What the page does to texts, and that each of its own is there in both languages and used."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kerasdoctor.knowledge.text import Text
from kerasdoctor.service.problems import STATUS
from kerasdoctor.service.web import texts
from kerasdoctor.service.web.filters import day, markdown, percent, safe_line, safe_text, size, ticks, web
from kerasdoctor.service.web.pasted import HEAD_LINES, MOST, pasted
from kerasdoctor.service.web.problem_pages import ADVICE, HEADINGS

WEB = Path(texts.__file__).parent


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x00b\x08c", "a␀b␈c"),
        ("left\u202eright\u2066", "left⟨U+202E⟩right⟨U+2066⟩"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("half \ud800", "half \ufffd"),
        (
            "\U0001f468\u200d\U0001f469 \u0646\u0645\u06cc\u200c\u062e",
            "\U0001f468\u200d\U0001f469 \u0646\u0645\u06cc\u200c\u062e",
        ),
        ("tab\tand\u3000wide", "tab\tand\u3000wide"),
        ("a\r\nb\rc", "a\nb␍c"),
    ],
)
def test_characters_that_steer_are_taken_out_or_shown(text: str, shown: str) -> None:
    """Colours go, everything else that is no text shows as what it is; the result can be written as UTF-8."""
    assert safe_text(text) == shown
    safe_text(text).encode()


def test_sentences_keep_code_and_lose_markup() -> None:
    """Backticks make code; whatever else stands there is text."""
    assert ticks("use `a < b` <b>now</b>") == "use <code>a &lt; b</code> &lt;b&gt;now&lt;/b&gt;"
    assert safe_line(" a\n\tb ") == "a b"


def test_markdown_has_no_html_of_its_own() -> None:
    """HTML in it is shown, links lead to the web only, tables are tables."""
    html = markdown("<script>x</script> [a](javascript:alert(1)) <b>c</b>\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<script" not in html
    assert "<b>" not in html
    assert "href" not in html
    assert "<td>2</td>" in html
    assert web("javascript:alert(1)") == "#"


def test_numbers_are_for_people() -> None:
    """Sizes in SI units, shares in percent that are never 100, dates in both languages."""
    assert [size(n) for n in (0, 999, 1000, 25_208, 3_200_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "25 kB",
        "3.2 GB",
    ]
    assert [percent(share) for share in (0.001, 0.256, 1.0)] == ["<1 %", "26 %", "99 %"]
    moment = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)
    assert (day(moment, "en"), day(moment, "zh")) == ("1 Mar, 09:05 UTC", "3 月 1 日 09:05 UTC")


def test_a_long_paste_is_folded() -> None:
    """The first lines and the last, where the error stands; the rest unfolds, and what is very long is a page of its own."""
    lines = [f"line {number}" for number in range(500)]
    shown = pasted("\n".join([*lines, "ValueError: at the end"]))
    assert shown.head.startswith("line 0\n")
    assert shown.head.endswith("ValueError: at the end")
    assert shown.head.count("\n") == HEAD_LINES
    assert (shown.lines, shown.cut, shown.prose) == (501, False, False)
    assert "line 250" in shown.whole
    huge = pasted("x" * (MOST + 1))
    assert huge.cut
    assert len(huge.head) < 2000
    assert pasted("my loss is nan, why?").prose
    assert pasted("short").whole == ""


def test_texts_are_there_in_both_languages_and_used() -> None:
    """Each has as many gaps in Chinese as in English; templates and modules name each of them, and no other one."""
    named = {name for name, text in vars(texts).items() if isinstance(text, Text)}
    for name in named:
        text = getattr(texts, name)
        assert text.en.count("{") == text.zh.count("{"), name
        assert re.search(r"[\u4e00-\u9fff]", text.zh) or name in (
            "NAME",
            "DOCTOR",
            "API",
            "OTHER_LANGUAGE",
            "KERAS_3",
            "KERAS_2",
        ), name
    sources = "\n".join(
        path.read_text(encoding="utf-8") for path in WEB.rglob("*") if path.suffix in (".html", ".js", ".py")
    )
    computed = {"ONE_", "KIND_"}
    unused = {name for name in named if len(re.findall(rf"\b{name}\b", sources)) < 2}
    assert {name for name in unused if not any(name.startswith(each) for each in computed)} == set()


def test_each_problem_has_a_heading() -> None:
    """Every status that is answered has a heading of its own, and what is advised has one too."""
    answered = {status for _, status in STATUS} | {403, 405, 415, 421, 500}
    assert answered <= set(HEADINGS)
    assert set(ADVICE) <= set(HEADINGS)
