"""A real Chromium, and pages in it that notice what they must not do."""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=15_000)

LEAVING = ("AbortError", "errored out")
"""What Gradio says when a page is left while it listens to the server."""
STOPPING = ("/gradio_api/cancel", "/gradio_api/reset")
"""What Gradio asks for by no number, which is refused, if it stops an event before it is told the event's number."""


@pytest.fixture(scope="module")  # as long as it lives, nothing else in this thread can run an event loop
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium on this machine; install one to run the browser tests")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield running
        running.close()


@contextlib.contextmanager
def opening(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address in a context of its own; at the end no page has complained or asked beyond this machine."""
    contexts, complaints, requested = [], [], []

    def complain(message: str, address: str = "") -> None:
        if not (any(part in message for part in LEAVING) or ("422" in message and address.endswith(STOPPING))):
            complaints.append(f"{address} {message}")

    def open_page(address: str, *, wait: str = ".opening h2", **options) -> Page:
        options = {"viewport": {"width": 1280, "height": 860}, "locale": "en-US"} | options
        context = browser.new_context(**options)
        contexts.append(context)
        context.on("request", lambda request: requested.append(request.url))
        page = context.new_page()
        page.on("console", lambda said: complain(said.text, said.location["url"]) if said.type == "error" else None)
        page.on("pageerror", lambda error: complain(str(error)))
        page.goto(address)
        page.wait_for_selector(wait)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert requested
    assert {urlsplit(url).hostname for url in requested if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    with opening(browser) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def open_pages(browser: Browser) -> Iterator[Callable[..., Page]]:
    """The same for pages that all tests of a module share."""
    with opening(browser) as open_page:
        yield open_page


@pytest.fixture(scope="session")
def screenshot(tmp_path_factory) -> Callable[[Page, str], None]:
    """Keep a picture of the page, in the folder that SCREENSHOTS names if it is set."""
    named = os.environ.get("SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return lambda page, name: page.screenshot(path=folder / f"{name}.png") and None
