"""Every page: for axe-core in light and dark, for phones, for search engines, and what is shown where something went wrong."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import EXAMPLES, Open, Visitor, answers, paste, started, stopped, violations, width_of

PAGES = {
    "front": "/", "topics": "/topics", "topic": "/topics/data-cardinality?lang=zh", "topic with tables": "/topics/nan-loss",
    "search": "/search?q=input+shape", "nothing found": "/search?q=zzzzqqq", "environment": "/environment", "report": "/report",
    "sign-in": "/sign-in",
}  # fmt: skip
LOOKS: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_pages_are_accessible(visit: Open, look: str) -> None:
    """No violation of WCAG 2.2 AA on any page, and on a phone of 320 pixels nothing sticks out."""
    page = visit("/", color_scheme=look, viewport={"width": 320, "height": 640})
    site = page.url.rstrip("/")
    for name, path in PAGES.items():
        page.goto(site + path)
        assert violations(page) == [], name
        assert width_of(page) == 320, name


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_conversations_are_accessible(visit: Open, look: str, width: int) -> None:
    """The same for an answer with evidence and all its parts unfolded, a question, a word and "not known"."""
    page = visit(
        color_scheme=look, viewport={"width": width, "height": 800}, locale="zh-CN" if width == 390 else "en-US"
    )
    page.locator("form[action$=traceback] button").click()
    answers(page)
    for number, said in enumerate(("why?", "my loss is nan and the accuracy is stuck", "helped, thanks"), 2):
        paste(page, said)
        answers(page, number)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert violations(page) == []
    assert width_of(page) == width


@pytest.mark.parametrize(("locale", "widths"), [("en-US", (320, 1200)), ("zh-CN", (390,))])
def test_work_under_way_is_accessible(visit: Open, locale: str, widths: tuple[int, ...], tmp_path: Path) -> None:
    """The same while files are uploaded, when something was refused, while a model is run, before a repair and after it."""
    (tmp_path / "large.csv").write_bytes(b"epoch,loss\n" + b"1,0.5\n" * 500_000)
    page = visit(locale=locale)
    line = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 20, "downloadThroughput": -1, "uploadThroughput": 100_000}
    line.send("Network.emulateNetworkConditions", slow)
    page.locator("input[type=file]").set_input_files([tmp_path / "large.csv", EXAMPLES / "churn.h5"])
    page.locator(".chip progress").first.wait_for()
    _is_accessible(page, *widths)
    expect(page.locator(".chip progress")).to_have_count(1)
    page.locator(".chip button").first.click()
    line.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    expect(page.locator(".chip input[name=uploads]")).to_have_count(1)
    page.evaluate("document.querySelector('textarea').value = 'x'.repeat(1100000)")
    page.locator("[data-send]").click()
    page.locator("[data-error]").wait_for()
    _is_accessible(page, *widths)
    page.locator("textarea").fill("")
    page.locator("input[name=live]").check()
    page.locator("[data-send]").click()
    page.locator(".steps li").first.wait_for()
    assert violations(page) == []
    expect(page.locator(".progress")).to_have_count(1)
    _is_accessible(page, 390)
    answers(page)
    page.locator(".acts summary").last.click()
    _is_accessible(page, *widths)
    page.locator(".acts form[action$=repair] button").click()
    page.locator(".progress").wait_for()
    assert violations(page) == []
    page.locator(".answer.repair").wait_for(timeout=60_000)
    _is_accessible(page, *widths)


def _is_accessible(page: Page, *widths: int) -> None:
    """Whether nothing is wrong in these widths, in light and in dark."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        for look in LOOKS:
            page.emulate_media(color_scheme=look)
            assert violations(page) == [], (width, look)
        assert width_of(page) == width


def test_the_look_is_switched_and_remembered(visit: Open) -> None:
    """The switch counts for more than the system, and there is no flash of the other look: the server knows."""
    page = visit(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    with page.expect_response("**/choices"):
        page.get_by_role("button", name="Dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    with page.expect_response("**/choices"):
        page.get_by_role("button", name="Auto").click()
    assert page.evaluate(ground) == light


def test_topics_are_for_search_engines(visit: Open) -> None:
    """A topic has a title, a description, an address of its own in each language, and says where the others are."""
    page = visit("/topics/data-cardinality?lang=zh")
    site = "/".join(page.url.split("/")[:3])
    assert page.title().startswith("样本数不一致")
    assert "第一维" in (page.locator("meta[name=description]").get_attribute("content") or "")
    assert page.locator("link[rel=canonical]").get_attribute("href") == f"{site}/topics/data-cardinality?lang=zh"
    assert {each.get_attribute("hreflang") for each in page.locator("link[rel=alternate]").all()} == {
        "en",
        "zh-Hans",
        "x-default",
    }
    assert page.locator("meta[name=robots]").count() == 0
    expect(page.locator(".block.broken h3").first).to_contain_text("Keras 3")
    page.locator(".related a").first.click()
    expect(page.locator("h1")).to_be_visible()
    listed = ET.fromstring(page.request.get(f"{site}/sitemap.xml").text())  # noqa: S314 - our own
    addresses = [each.text for each in listed.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert f"{site}/topics/data-cardinality?lang=en" in addresses
    assert "Disallow: /chats" in page.request.get(f"{site}/robots.txt").text()


def test_topics_are_searched_in_both_languages(visit: Open) -> None:
    """The best topic comes first; a search that finds nothing says what to do."""
    page = visit("/topics")
    page.get_by_label("Search the topics").fill("loss nan")
    page.keyboard.press("Enter")
    expect(page.locator(".hits h2").first).to_contain_text("nan")
    page.get_by_label("Search the topics").fill("<script>alert(1)</script>")
    page.keyboard.press("Enter")
    expect(page.locator("input[name=q]")).to_have_value("<script>alert(1)</script>")


def test_the_environment_script_is_handed_out(visit: Open) -> None:
    """It is downloaded, is one file of Python, and what it writes can be dropped on the page."""
    page = visit("/environment")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download environment.py").click()
    source = download.value.path().read_text(encoding="utf-8")
    compile(source, "environment.py", "exec")
    assert "import tensorflow" not in source.split("PARTS", maxsplit=1)[0]


def test_what_went_wrong_is_said_in_the_readers_language(careless_visit: Visitor) -> None:
    """A page that is not there, and a text that is too long, have a page with a way back."""
    page = careless_visit("/chats/" + "x" * 22, locale="zh-CN")
    expect(page.locator("h1")).to_have_text("这里没有内容")
    assert violations(page) == []
    page.get_by_role("link", name="返回首页").click()
    answer = page.request.post(page.url + "chats", multipart={"text": "x" * 1_100_000}, headers={"Accept": "text/html"})
    assert answer.status == 413
    assert "That is too large" in answer.text()
    assert page.request.post(page.url + "chats", form={"text": "x" * 8_000_000}).status == 413  # it would lie in memory
    assert page.request.post(page.url + "chats", multipart={"text": " "}).status == 400
    assert page.request.post(page.url + "chats", multipart={"act": "dance"}).status == 400
    assert page.request.post(page.url + "chats", multipart={"uploads": "x" * 22}).status == 404


@pytest.fixture(scope="module")
def locked_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A service that asks for keys, and a key."""
    folder = tmp_path_factory.mktemp("locked")
    command = [
        sys.executable,
        "-c",
        "from kerasdoctor.cli import main; main()",
        "keys",
        "--database",
        f"sqlite:///{folder}/kerasdoctor.db",
    ]
    told = subprocess.run([*command, "new", "tests"], capture_output=True, text=True, check=True).stdout
    process, address = started(folder, "--keys")
    yield address, next(word for word in told.split() if word.startswith("kd_"))
    stopped(process)


def test_signing_in_with_a_key(browser: Browser, locked_site: tuple[str, str]) -> None:
    """Where keys are needed the front page leads to the form; a wrong key is told so; topics are open to all."""
    site, key = locked_site
    visitor = Visitor(browser, site)
    page = visitor("/")
    expect(page.locator("h1")).to_have_text("Sign in")
    page.get_by_label("Key").fill("kd_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    page.get_by_label("Key").fill(key)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("What failed?")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert visitor("/topics").locator("h1").inner_text() == "All topics"
    visitor.close()


def test_who_was_signed_out_is_told(browser: Browser, locked_site: tuple[str, str]) -> None:
    """A form of somebody whose cookie ended leads to the sign-in; a script says it where the text still stands."""
    site, key = locked_site
    visitor = Visitor(browser, site)
    page = visitor("/", locale="zh-CN")
    page.get_by_label("密钥").fill(key)
    page.keyboard.press("Enter")
    paste(page, "loss is nan")
    answers(page)
    page.context.clear_cookies()
    paste(page, "why?")
    expect(page.locator("[data-error]")).to_have_text("发送失败：登录已失效，请在另一个标签页登录后再发送")
    expect(page.locator("textarea")).to_have_value("why?")
    page.get_by_role("button", name="生成公开链接").click()
    expect(page.locator(".side .form-error")).to_contain_text("登录已失效")
    shown = page.request.post(
        f"{site}/chats", form={"text": "x"}, headers={"Accept": "text/html", "Accept-Language": "zh", "Origin": site}
    )
    assert shown.status == 401
    assert "登录已失效" in shown.text()
    assert 'href="/sign-in"' in shown.text()
    visitor.close()
