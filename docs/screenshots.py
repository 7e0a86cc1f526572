"""Takes the two pictures of the README: `PYTHONPATH=.src python docs/screenshots.py`, with Chromium at /usr/bin/chromium."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
EXAMPLES = HERE.parent / "examples"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SERVE = [
    sys.executable,
    "-c",
    "from kerasdoctor.cli import main; main()",
    "serve",
    "--port",
    "0",
    "--log-level",
    "error",
]


def main() -> None:
    """Serve, ask, and look."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        service = subprocess.Popen([*SERVE, "--data", folder], stdout=subprocess.PIPE, text=True)
        try:
            site = (service.stdout.readline() if service.stdout else "").split()[-1]
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1200, "height": 860}, color_scheme="light")
            ask(page, site, "The accuracy does not move, my classifier predicts 1 for every sample.", "churn.h5")
            page.evaluate("scrollTo(0, 0)")
            page.wait_for_timeout(300)
            page.screenshot(path=HERE / "chat.png")
            phone = browser.new_context(
                viewport={"width": 390, "height": 760}, color_scheme="dark", device_scale_factor=1.5, locale="en-US"
            )
            page = phone.new_page()
            ask(page, site, (EXAMPLES / "error.txt").read_text(encoding="utf-8"), "digits.keras")
            page.evaluate("scrollTo(0, document.querySelector('.answer').getBoundingClientRect().top + scrollY - 90)")
            page.wait_for_timeout(300)
            page.screenshot(path=HERE / "chat-phone-dark.png")
            browser.close()
        finally:
            service.terminate()
            service.wait(30)


def ask(page: Page, site: str, text: str, file: str) -> None:
    """Paste, add a file, and wait for all of the answer."""
    page.goto(f"{site}/?lang=en")
    page.locator("input[type=file]").set_input_files(EXAMPLES / file)
    page.locator(".chip input[name=uploads]").wait_for(state="attached")
    page.locator("textarea").fill(text)
    page.keyboard.press("Control+Enter")
    page.locator(".answer").wait_for()
    page.locator("[data-picture]").scroll_into_view_if_needed()
    page.wait_for_timeout(1500)  # the picture is drawn


if __name__ == "__main__":
    main()
