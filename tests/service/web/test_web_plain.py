"""Without JavaScript: everything is a form or a link."""

from __future__ import annotations

from playwright.sync_api import expect

from .conftest import EXAMPLES, Open, violations


def test_everything_works_without_scripts(visit: Open) -> None:
    """A paste with a file, the answer by itself, a button, a link to share, the export, and removing it all."""
    page = visit(java_script_enabled=False)
    page.locator("textarea").fill((EXAMPLES / "error.txt").read_text(encoding="utf-8"))
    page.locator("input[type=file]").set_input_files(EXAMPLES / "digits.keras")
    page.get_by_role("button", name="Diagnose").click()
    page.locator(".answer").wait_for()  # the page loads itself again until it is there
    expect(page.locator(".findings .finding")).to_contain_text("uint8")
    page.get_by_role("button", name="Why?").click()
    page.locator(".answer.why").wait_for()
    page.get_by_text("It didn't help").click()
    page.get_by_label("What is missing?").fill("it is something else")
    page.get_by_role("button", name="Rule it out").click()
    page.locator(".answer").nth(2).wait_for()
    page.get_by_role("button", name="Make a public link").click()
    assert "/shared/" in page.locator("[data-share]").input_value()
    chat = page.url.split("#")[0]
    page.get_by_text("Delete this chat").click()
    page.get_by_role("button", name="Yes, delete it").click()
    expect(page.locator("h1")).to_have_text("What failed?")
    assert page.request.get(chat).status == 404


def test_an_example_and_the_look_without_scripts(visit: Open) -> None:
    """The examples are buttons, the switches come back to the page they were on."""
    page = visit("/topics", java_script_enabled=False)
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("h1")).to_have_text("全部主题")
    assert page.url.endswith("/topics")


def test_a_shared_chat_is_read_by_others_and_exported(visit: Open) -> None:
    """Whoever has the link reads it, without files and buttons; the export is Markdown; taking the link back ends it."""
    page = visit()
    page.locator("form[action$=traceback] button").click()
    page.locator(".answer").wait_for()
    page.get_by_role("button", name="Make a public link").click()
    link = page.locator("[data-share]").input_value()
    stranger = visit("/" + link.split("/", 3)[3])
    expect(stranger.locator(".answer h2").first).to_contain_text("dtype")
    assert stranger.locator(".acts, .picture, .side, .composer, .said-by-person .chip").count() == 0
    assert stranger.locator("meta[name=robots]").get_attribute("content") == "noindex"
    assert violations(stranger) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as Markdown").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert text.startswith("# TypeError: Exception encountered")
    assert "Rescaling" in text
    page.get_by_role("button", name="Take the link back").click()
    expect(page.get_by_role("button", name="Make a public link")).to_be_visible()
    assert stranger.request.get(link).status == 404


def test_another_person_sees_nothing_of_mine(visit: Open) -> None:
    """Chats and files of one browser are not there for another."""
    mine, other = visit(), visit("/topics")
    mine.locator("form[action$=traceback] button").click()
    picture = mine.locator("[data-picture]")
    picture.wait_for()
    site = "/".join(mine.url.split("/")[:3])
    addresses = [mine.url.split("#")[0], site + (picture.get_attribute("src") or "")]
    assert [mine.request.get(each).status for each in addresses] == [200, 200]
    assert [other.request.get(each).status for each in addresses] == [404, 404]
    headers = mine.request.get(addresses[1]).headers
    assert "sandbox" in headers["content-security-policy"]
    assert headers["content-type"] == "image/svg+xml"
