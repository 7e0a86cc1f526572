"""A real service, a real Chromium, and a look at each page that nothing on it went wrong."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, Request, sync_playwright

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
MANY = "100000"  # requests a minute: the tests are faster than people

Open = Callable[..., Page]


def started(folder: Path, *flags: str) -> tuple[subprocess.Popen[str], str]:
    """A service on a free port, and its address."""
    command = [
        sys.executable,
        "-c",
        "from kerasdoctor.cli import main; main()",
        "serve",
        "--port",
        "0",
        "--data",
        str(folder),
    ]
    limits = ["--requests-per-minute", MANY, "--messages-per-minute", MANY, "--log-level", "warning", *flags]
    process = subprocess.Popen([*command, *limits], stdout=subprocess.PIPE, text=True, env={**os.environ})
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "http://" in line, line
    return process, line.split()[-1]


def stopped(process: subprocess.Popen[str]) -> None:
    """End a service as an operator does."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(20)
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service that all tests share."""
    process, address = started(tmp_path_factory.mktemp("service"))
    yield address
    stopped(process)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One browser; each test has contexts of its own, as if they were other people's."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI"):
            pytest.fail("CI needs Chromium: apt-get install chromium")
        pytest.skip("Chromium is not installed")
    launched = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
    yield launched
    launched.close()


class Visitor:
    """Opens pages, and keeps what went wrong on them: errors, broken policies, requests to other hosts."""

    def __init__(self, browser: Browser, site: str) -> None:
        self.browser, self.site = browser, site
        self.wrong: list[str] = []
        self.contexts: list[BrowserContext] = []

    def __call__(self, path: str = "/", *, site: str | None = None, **options: Any) -> Page:
        """A page in a context of its own; `options` are Playwright's, of a context."""
        options = {"viewport": {"width": 1200, "height": 800}, "locale": "en-US", "reduced_motion": "reduce"} | options
        context = self.browser.new_context(**options)
        context.set_default_timeout(15_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", self._requested)
        page.goto(f"{site or self.site}{path}")
        return page

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.wrong.append(f"console: {text}")

    def _requested(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            self.wrong.append(f"request: {request.url}")

    def close(self) -> None:
        for context in self.contexts:
            context.close()


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Open]:
    """Opens pages; at the end nothing may have gone wrong on any of them."""
    visitor = Visitor(browser, site)
    yield visitor
    visitor.close()
    assert visitor.wrong == []


@pytest.fixture
def careless_visit(browser: Browser, site: str) -> Iterator[Visitor]:
    """The same, for tests in which something is meant to go wrong."""
    visitor = Visitor(browser, site)
    yield visitor
    visitor.close()


def paste(page: Page, text: str) -> None:
    """Paste into the box that is there and send it with the keyboard."""
    page.locator("textarea").fill(text)
    page.keyboard.press("Control+Enter")


def answers(page: Page, number: int = 1) -> Any:
    """The newest answer, once there are so many."""
    page.locator(".answer").nth(number - 1).wait_for()
    return page.locator(".answer").last


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 AA."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": STANDARDS}})
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for each in found.response["violations"]
        for node in each["nodes"]
    ]


def width_of(page: Page) -> int:
    """How wide the page is, with all that sticks out."""
    return int(page.evaluate("document.documentElement.scrollWidth"))


class Relay:
    """Passes connections on to a service, and can cut them, as a network does."""

    def __init__(self, address: str) -> None:
        self._to = (urlsplit(address).hostname or "", urlsplit(address).port or 80)
        self._open: set[socket.socket] = set()
        self.listener = self._listening(0)
        self.port = self.listener.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"

    def _listening(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._to)
                self._open |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while piece := one.recv(65536):
                other.sendall(piece)
        for each in (one, other):
            self._open.discard(each)
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def cut(self) -> None:
        """End all connections and take none."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Take connections again, at the same address."""
        self.listener = self._listening(self.port)


@contextmanager
def relayed(site: str) -> Iterator[Relay]:
    """A network between the browser and the service."""
    relay = Relay(site)
    try:
        yield relay
    finally:
        relay.cut()
