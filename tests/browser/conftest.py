"""A real Chromium, and pages in it that notice what they must not do."""

import os
import shutil
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium on this machine; install one to run the browser tests")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open an address in a context of its own; at the end no page has complained or asked beyond this machine."""
    contexts, complaints, requested = [], [], []

    def open_page(address: str, **options) -> Page:
        options = {"viewport": {"width": 1280, "height": 860}, "locale": "en-US"} | options
        context = browser.new_context(**options)
        contexts.append(context)
        context.on("request", lambda request: requested.append(request.url))
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.wait_for_selector(".opening h2")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert requested
    assert {urlsplit(url).hostname for url in requested if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}
