"""Conversations in a real browser: a paste, its answer, what follows, and what hostile people paste."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import EXAMPLES, Open, answers, paste, width_of

ERROR = (EXAMPLES / "error.txt").read_text(encoding="utf-8")
DISCONNECTED = (
    "ValueError: Graph disconnected: cannot obtain value for tensor KerasTensor(name='x') at layer \"dense\"."
)


def test_a_paste_is_answered_and_followed_up(visit: Open) -> None:
    """A traceback gets its topic, its fix and its sources; "why?" is then asked with a button, the fix in words."""
    page = visit()
    paste(page, ERROR)
    answer = answers(page)
    expect(answer.locator("h2")).to_have_text("The operation does not exist for this dtype")
    expect(answer.locator(".sure")).to_contain_text("% sure")
    expect(answer.locator(".fix .code code")).to_contain_text("Rescaling")
    expect(answer.locator(".ran")).to_contain_text("This code was run with keras 3")
    expect(page.locator(".side .facts")).to_contain_text("dtype-not-allowed")
    answer.get_by_role("button", name="Why?").click()
    expect(answers(page, 2).locator("h3").first).to_have_text("Why it happens")
    paste(page, "show the fix")
    expect(answers(page, 3)).to_have_class(re.compile("fix"))
    assert page.locator(".acts").count() == 1  # of the newest answer only
    page.reload()
    expect(page.locator(".message")).to_have_count(6)
    expect(page.locator(".asks .label")).to_have_text("Why?")


def test_what_did_not_help_is_ruled_out_with_a_reason(visit: Open) -> None:
    """The reason is kept, the topic is not named again, and the report counts it."""
    page = visit()
    paste(page, "my loss is nan after a few batches")
    first = answers(page).locator("h2").inner_text()
    page.get_by_text("It didn't help").click()
    page.get_by_label("What is missing?").fill("the gradients were clipped already")
    page.get_by_role("button", name="Rule it out").click()
    expect(answers(page, 2).locator("h2")).not_to_have_text(first)
    expect(page.locator(".asks").last).to_contain_text("the gradients were clipped already")


def test_a_question_is_answered_by_a_button(visit: Open) -> None:
    """Each option of the one question is a button; the answer that follows counts it."""
    page = visit(locale="zh-CN")
    paste(page, "训练的时候 loss 一直不下降，验证集准确率也不动")
    question = answers(page).locator(".question")
    label = question.get_by_role("button").first.inner_text()
    question.get_by_role("button").first.click()
    answers(page, 2)
    expect(page.locator(".asks .label")).to_contain_text(label)


def test_not_known_is_an_answer(visit: Open) -> None:
    """What is no failure of Keras is not guessed at; what would help is said."""
    page = visit()
    paste(page, "psycopg2.OperationalError: could not connect to server: Connection refused")
    answer = answers(page)
    expect(answer.locator("h2")).to_contain_text("Not known")
    expect(answer.locator(".advice li").first).to_be_visible()
    assert page.get_by_role("button", name="It helped").count() == 0


def test_chinese_is_answered_in_chinese(visit: Open) -> None:
    """The interface follows the browser's language and the switch; an answer keeps its own."""
    page = visit(locale="zh-CN")
    expect(page.locator("h1")).to_have_text("哪里出错了？")
    paste(page, "训练的时候 loss 变成 nan 了，怎么办")
    answer = answers(page)
    expect(answer).to_have_attribute("lang", "zh-Hans")
    expect(answer.get_by_role("button", name="没有用")).to_have_count(0)  # it is a summary, which unfolds
    expect(answer.get_by_text("没有用")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(".answer")).to_have_attribute("lang", "zh-Hans")


HOSTILE = {
    "markup": "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><b>bold</b>",
    "template": "{{ 7 * 7 }} {% raw %} ${7*7} </textarea></pre></main>",
    "link": "[click](javascript:alert(1)) <a href='javascript:alert(1)'>x</a> http://evil.example/x.png ![x](http://evil.example)",
    "style": "</style><style>body{display:none}</style><link rel=stylesheet href=//evil.example><base href=//evil.example>",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_markup_in_a_paste_is_text(visit: Open, kind: str) -> None:
    """Whatever is pasted is shown as it is, in the message, the title, the list and the export; nothing of it is run."""
    text = HOSTILE[kind]
    page = visit()
    paste(page, f"ValueError: {text}\nValueError: Graph disconnected {text}")
    answers(page)
    expect(page.locator(".said-by-person")).to_contain_text(text)
    assert page.title() != "owned"
    page.goto(f"{page.url.split('#')[0]}")
    expect(page.locator(".said-by-person")).to_contain_text(text)
    assert page.locator("main img:not([data-picture]), main script, main base, main style, main b").count() == 0
    page.goto("/".join(page.url.split("/")[:3]) + "/")
    expect(page.locator(".rows")).to_contain_text(f"ValueError: Graph disconnected {text}"[:60])


def test_what_steers_terminals_and_text_is_shown_or_taken_out(visit: Open) -> None:
    """Colours go, control characters and bidirectional overrides show as what they are, and nothing is wider than the page."""
    page = visit(viewport={"width": 360, "height": 700})
    page.evaluate(
        "text => document.querySelector('textarea').value = text",
        "\x1b[31mValueError\x1b[0m: a\u202eb\u0007c \u2066d " + "x" * 4000,
    )
    page.get_by_role("button", name="Diagnose").click()
    answers(page)
    said = page.locator(".said-by-person").inner_text()
    assert "ValueError: a⟨U+202E⟩b␇c ⟨U+2066⟩d" in said
    assert "\u202e" not in page.content()
    assert width_of(page) == 360


def test_a_megabyte_stays_smooth(visit: Open) -> None:
    """A paste of 1 MB is taken within a moment; more is refused where it is written, and kept there."""
    page = visit()
    text = (
        "I0000 00:00:1795150962.814191 5922 port.cc:153] oneDNN custom operations are on. You may see slightly\n"
        * 10_100
    )
    page.locator("textarea").focus()
    took = page.evaluate(
        """text => { const clipboardData = new DataTransfer(); clipboardData.setData('text/plain', text);
        const begun = performance.now();
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, cancelable: true }));
        document.body.offsetHeight; return performance.now() - begun }""",
        text + DISCONNECTED,
    )
    assert took < 1500, took
    assert len(page.locator("textarea").input_value()) > 1_000_000
    page.keyboard.press("Control+Enter")
    expect(answers(page).locator("h2")).to_contain_text("disconnected")
    expect(page.locator(".whole summary").first).to_contain_text("Show all")
    assert len(page.content()) < 300_000
    page.get_by_text("Show all").click()
    whole = page.get_by_text("Open the whole text")
    whole.click()
    page.wait_for_url("**/text")
    page.go_back()
    page.evaluate("document.querySelector('textarea').value = 'x'.repeat(1100000)")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-error]")).to_contain_text("over 1 MiB")


def test_two_tabs_have_one_conversation(visit: Open) -> None:
    """What was said in one is in the other as soon as that one is used, and both get their answers."""
    page = visit()
    paste(page, DISCONNECTED)
    answers(page)
    other = page.context.new_page()
    other.goto(page.url)
    for number, (tab, said) in enumerate(((page, "why?"), (other, "show the fix"), (page, "sources")), 2):
        paste(tab, said)
        answers(tab, number)
        expect(tab.locator(".message")).to_have_count(2 * number)
        expect(tab.locator(".acts")).to_have_count(1)
        expect(tab.locator(".progress")).to_have_count(0)


def test_paper_is_white(visit: Open) -> None:
    """What is printed is the conversation, in light, with what is folded and without what can be clicked."""
    page = visit(color_scheme="dark")
    paste(page, DISCONNECTED)
    answers(page)
    page.get_by_role("button", name="Dark").click()
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.answer')).backgroundColor") == "rgb(255, 255, 255)"
    expect(page.locator(".why .md")).to_be_visible()
    for each in (".bar", ".acts", ".side", ".composer"):
        expect(page.locator(each)).to_be_hidden()


def test_the_keyboard_is_enough(visit: Open) -> None:
    """From the skip link to the answer's buttons, everything is reached and seen in its turn."""
    page = visit()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("textarea")).to_be_focused()
    page.keyboard.insert_text(DISCONNECTED)
    page.keyboard.press("Control+Enter")
    answers(page)
    reached = _tabbed(page, 40)
    assert [name for name in reached if name in ("why", "helped", "text")][:3] == ["why", "helped", "text"]
    page.locator(".reasons summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".reasons li").first).to_be_visible()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def _tabbed(page: Page, times: int) -> list[Any]:
    names = []
    page.locator(".answer").evaluate("element => { element.tabIndex = -1; element.focus() }")
    for _ in range(times):
        page.keyboard.press("Tab")
        names.append(page.evaluate("document.activeElement.value && document.activeElement.name === 'act' ? "
                                   "document.activeElement.value : document.activeElement.name || ''"))  # fmt: skip
    return names


def test_what_happens_is_told_to_those_who_listen(visit: Open) -> None:
    """The live region says that the answer is there, with its title."""
    page = visit()
    paste(page, DISCONNECTED)
    answers(page)
    paste(page, "why?")
    answers(page, 2)
    expect(page.locator("#said[aria-live=polite]")).to_contain_text("The answer is here.")
