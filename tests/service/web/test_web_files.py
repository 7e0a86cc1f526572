"""Files in a real browser: probes as they happen, repair and download, cancelling, and networks that break."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from .conftest import EXAMPLES, Open, Visitor, answers, paste, relayed, started, stopped, width_of


def test_a_dropped_model_is_examined_and_drawn(visit: Open) -> None:
    """Files are uploaded with progress, may be taken out again, and each probe's finding stands in the answer with the picture."""
    page = visit()
    page.locator("input[type=file]").set_input_files([EXAMPLES / "digits.keras", EXAMPLES / "churn.h5"])
    expect(page.locator(".chip input[name=uploads]")).to_have_count(2)
    page.get_by_role("button", name="Remove churn.h5").click()
    expect(page.locator(".chip")).to_have_count(1)
    paste(page, (EXAMPLES / "error.txt").read_text(encoding="utf-8"))
    answer = answers(page)
    expect(answer.locator(".findings .finding")).to_contain_text("hands uint8 to 'conv2d'")
    answer.get_by_text("probes found nothing wrong").click()
    assert answer.locator(".silent li").count() > 5
    picture = answer.locator("[data-picture]")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth") > 100
    expect(page.locator(".side .files")).to_contain_text("digits.keras")


def test_files_can_be_dropped_on_the_page(visit: Open) -> None:
    """Anywhere on it, also in a conversation; a log is drawn as curves."""
    page = visit()
    paste(page, "Training looks good, but on new data the model is bad.")
    answers(page)
    content = (EXAMPLES / "training.csv").read_text(encoding="utf-8")
    drop = """([kind, text]) => { const dataTransfer = new DataTransfer(); dataTransfer.items.add(new File([text], 'training.csv'));
        document.querySelector('h1').dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true })) }"""
    page.evaluate(drop, ["dragenter", content])
    expect(page.locator("html")).to_have_class(re.compile("dropping"))
    page.evaluate(drop, ["drop", content])
    expect(page.locator(".chip input[name=uploads]")).to_have_count(1)
    page.get_by_role("button", name="Send").click()
    expect(answers(page, 2).locator(".picture figcaption")).to_contain_text("Training curves of training.csv")
    expect(page.locator("html")).not_to_have_class(re.compile("dropping"))


def test_a_copy_is_repaired_and_downloaded_over_a_broken_network(
    careless_visit: Visitor, site: str, tmp_path: Path
) -> None:
    """A repair is cancelled, begun again, its connection cut in the middle; the copy arrives, proved, and is saved."""
    with relayed(site) as network:
        page = careless_visit(site=network.address)
        page.locator("input[type=file]").set_input_files(EXAMPLES / "churn.h5")
        expect(page.locator(".chip input[name=uploads]")).to_have_count(1)
        page.get_by_role("button", name="Diagnose").click()
        answers(page)
        _repair(page)
        page.locator(".progress").get_by_role("button", name="Cancel").click()
        expect(answers(page, 2)).to_contain_text("Stopped, as you asked.")
        _repair(page)
        page.locator(".progress").wait_for()
        network.cut()
        expect(page.locator("[data-state]").first).to_have_text("The connection was lost. It is tried again.")
        network.mend()
        copy = page.locator(".answer.repair")
        copy.wait_for(timeout=30_000)
        expect(copy.locator("h2")).to_have_text("churn-keras-3.keras")
        expect(copy.locator(".proof")).to_be_visible()
        expect(copy.locator(".diff .after").first).to_be_visible()
        expect(page.locator(".progress")).to_have_count(0)
        with page.expect_download() as download:
            copy.get_by_role("link", name="Download churn-keras-3.keras").click()
        download.value.save_as(tmp_path / "copy.keras")
        assert "model.weights.h5" in zipfile.ZipFile(io.BytesIO((tmp_path / "copy.keras").read_bytes())).namelist()


def _repair(page: object) -> None:
    page.get_by_text("Repair a copy").last.click()  # type: ignore[attr-defined]
    page.get_by_role("button", name="Repair it").click()  # type: ignore[attr-defined]


def test_an_upload_goes_on_after_a_break(careless_visit: Visitor, site: str, tmp_path: Path) -> None:
    """A file of several pieces, cut off in the middle, arrives whole."""
    large = tmp_path / "large.csv"
    large.write_bytes(b"epoch,loss\n" + b"1,0.5\n" * 5_000_000)
    with relayed(site) as network:
        page = careless_visit(site=network.address)
        page.locator("input[type=file]").set_input_files(large)
        expect(page.locator(".chip progress")).not_to_have_js_property("value", value=0)
        network.cut()
        network.mend()
        expect(page.locator(".chip input[name=uploads]")).to_have_count(1, timeout=15_000)


def test_who_sends_is_told_what_is_waited_for(careless_visit: Visitor, site: str, tmp_path: Path) -> None:
    """Where the connection is lost under an upload, that stands at the box; the message goes when the file is there."""
    large = tmp_path / "large.csv"
    large.write_bytes(b"epoch,loss\n" + b"1,0.5\n" * 5_000_000)
    with relayed(site) as network:
        page = careless_visit(site=network.address, locale="zh-CN")
        page.locator("input[type=file]").set_input_files(large)
        expect(page.locator(".chip progress")).not_to_have_js_property("value", value=0)
        network.cut()
        expect(page.locator("[data-note]")).to_have_text("连接中断，恢复后会自动继续。")
        page.get_by_role("button", name="开始诊断").click()
        network.mend()
        page.wait_for_url("**/chats/**", timeout=30_000)


def test_nothing_is_sent_without_a_file_that_failed(careless_visit: Visitor, tmp_path: Path) -> None:
    """What was refused is told in the reader's language and stays until it is taken out."""
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_bytes(b"epoch,loss\n" + b"1,0.5\n" * 100_000 + name.encode())
    (tmp_path / "large.csv").write_bytes(b"1,0.5\n" * 400_000)
    process, site = started(tmp_path / "service", "--max-stored-mib", "1", "--max-upload-mib", "2")
    page = careless_visit(site=site, locale="zh-CN")
    page.locator("input[type=file]").set_input_files(tmp_path / "large.csv")
    expect(page.locator("[data-error]")).to_have_text("large.csv 超过上限 2 MiB。")
    page.locator("input[type=file]").set_input_files([tmp_path / "one.csv", tmp_path / "two.csv"])
    expect(page.locator("[data-error]")).to_contain_text("two.csv 上传失败")
    expect(page.locator("[data-error]")).not_to_contain_text(re.compile("[a-z]+ [a-z]+ [a-z]+"))
    page.locator("textarea").fill("loss is nan")
    page.get_by_role("button", name="开始诊断").click()
    expect(page.locator("[data-error]")).to_contain_text("移除")
    page.get_by_role("button", name="移除 two.csv").click()
    page.get_by_role("button", name="开始诊断").click()
    answers(page)
    stopped(process)


def test_a_button_without_connection_says_so(careless_visit: Visitor) -> None:
    """Beside the button, in the reader's language; it can be pressed again."""
    page = careless_visit(locale="zh-CN")
    page.locator("form[action$=log] button").click()
    button = answers(page).get_by_role("button", name="为什么？")
    page.context.set_offline(True)
    button.click()
    expect(page.locator(".acts .form-error")).to_have_text("发送失败：没有网络连接")
    page.context.set_offline(False)
    button.click()
    answers(page, 2)


def test_a_long_name_is_cut_not_wide(visit: Open, tmp_path: Path) -> None:
    """A phone shows a file whose name has no place to break, in the box, in the message, in the evidence and beside."""
    long = tmp_path / f"{'model_of_somebody_' * 9}.h5"
    long.write_bytes((EXAMPLES / "churn.h5").read_bytes())
    page = visit(viewport={"width": 320, "height": 700})
    page.locator("input[type=file]").set_input_files([long, EXAMPLES / "training.csv"])
    expect(page.locator(".chip input[name=uploads]")).to_have_count(2)
    assert width_of(page) == 320
    page.get_by_role("button", name="Diagnose").click()
    figures = answers(page).locator("figure.picture")
    expect(figures).to_have_count(2)
    expect(page.locator("figure.picture").last).to_be_hidden()  # of the other file, behind a click
    assert width_of(page) == 320


def test_what_cannot_be_read_has_no_picture(visit: Open, tmp_path: Path) -> None:
    """No empty frame is shown for it."""
    (tmp_path / "no-model.h5").write_bytes(b"no model")
    page = visit()
    page.locator("input[type=file]").set_input_files(tmp_path / "no-model.h5")
    expect(page.locator(".chip input[name=uploads]")).to_have_count(1)
    page.get_by_role("button", name="Diagnose").click()
    expect(answers(page)).to_contain_text("could not look")
    assert page.locator(".picture").count() == 0


def test_a_file_is_removed_at_once(visit: Open) -> None:
    """From the list beside the conversation; its message shows that it is gone."""
    page = visit()
    page.locator("form[action$=log] button").click()
    answers(page)
    page.get_by_role("button", name="Remove training.csv").click()
    expect(page.locator(".side .files")).to_have_count(0)
    page.reload()
    expect(page.locator(".chip.gone")).to_be_visible()


def test_a_picture_has_the_look_of_the_page(visit: Open) -> None:
    """Dark in a dark page and light in a light one, whatever the system has, and it changes with the switch."""
    page = visit(color_scheme="light")
    page.locator("form[action$=log] button").click()
    picture = answers(page).locator("[data-picture]")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("complete", value=True)
    shown = {}
    for look in ("Light", "Dark"):
        with page.expect_response("**/choices"):
            page.get_by_role("button", name=look).click()
        shown[look] = _brightness(page, picture.screenshot())
    assert shown["Light"] > 200
    assert shown["Dark"] < 80


def _brightness(page: Page, image: bytes) -> float:
    """How bright a picture is on the whole, from 0 to 255, as the browser reads it."""
    code = """async data => { const image = await createImageBitmap(new Blob([Uint8Array.from(data)]));
        const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d'); canvas.drawImage(image, 0, 0);
        const values = canvas.getImageData(0, 0, image.width, image.height).data; let sum = 0;
        for (let i = 0; i < values.length; i += 4) sum += values[i] + values[i + 1] + values[i + 2];
        return sum / values.length * 4 / 3 }"""
    return float(page.evaluate(code, list(image)))
