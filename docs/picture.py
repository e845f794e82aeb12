"""Make the pictures of the documentation from the running chat page: real server, models, index and browser.

    python docs/picture.py

writes chat.png, chat-dark.png, right-to-left.png, phone.png and articles.png beside this file. It needs a Chromium on
the PATH.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
MOST_BYTES = 400_000


@contextmanager
def chat_page() -> Iterator[str]:
    """The address of a `kabar serve` that has just read the sample articles into an index of its own."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(f"index:\n  path: index\n  articles: ['{ROOT / 'articles'}']\n", encoding="utf-8")
        command = [sys.executable, "-m", "ui.cli", "serve", "--port", "0", "--config", str(config)]
        log = Path(folder) / "log"
        with log.open("w") as errors, subprocess.Popen(command, cwd=ROOT, stderr=errors) as server:
            try:
                yield _address(log, server)
            finally:
                server.terminate()
                print(log.read_text(encoding="utf-8"), file=sys.stderr)


def _address(log: Path, server: subprocess.Popen[bytes]) -> str:
    while server.poll() is None:
        if found := re.search(r"http://\S+/", log.read_text(encoding="utf-8")):
            return found[0]
        time.sleep(0.1)
    sys.exit("kabar serve ended before it had an address")


def take(browser: Browser, address: str, name: str, questions: list[str], **options: object) -> None:
    """Ask the questions on a fresh page, open the evidence of the last answer, and keep the picture."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(address)
    expect(page.locator(".opening h2")).to_be_visible()
    expect(page.locator("#state .loading")).to_have_count(0)
    for number, question in enumerate(questions, start=1):
        page.locator("#question textarea").fill(question)
        page.keyboard.press("Enter")
        expect(page.locator(f"#current [data-turn='{number}'] .answer")).to_be_visible()
    expect(page.locator("#current .timeline")).to_be_visible()
    if options["viewport"] == DESK:
        page.locator("#current .card").first.click()
        expect(page.locator("#panel [data-whole] mark")).to_be_in_viewport()
        page.mouse.move(0, 0)
    keep(page, name)
    context.close()


def take_articles(browser: Browser, address: str) -> None:
    """Keep the picture of the Articles page."""
    context = browser.new_context(viewport={"width": 1280, "height": 1100}, locale="en-US")
    page = context.new_page()
    page.goto(f"{address}articles")
    expect(page.locator(".listing tbody tr").first).to_be_visible()
    keep(page, "articles.png")
    context.close()


def keep(page: Page, name: str) -> None:
    """The picture of what the page shows, beside this file."""
    page.wait_for_timeout(600)  # until nothing moves any more
    file = DOCS / name
    page.screenshot(path=file)
    size = file.stat().st_size
    print(f"{name}: {size} bytes")
    if size > MOST_BYTES:
        sys.exit(f"{name} has {size} bytes, more than {MOST_BYTES}: make its window smaller")


def main() -> None:
    """Make all pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("There is no Chromium on the PATH; install one to make the pictures")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=180_000)
    with chat_page() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        english, arabic = "when will Blinken arrive?", "متى سيصل بلينكن؟"
        take(browser, address, "chat.png", [english], viewport=DESK, locale="en-US")
        take(browser, address, "chat-dark.png", [english], viewport=DESK, locale="en-US", color_scheme="dark")
        take(browser, address, "right-to-left.png", [arabic], viewport=DESK, locale="ar")
        take(browser, address, "phone.png", [english], viewport=PHONE, locale="en-US")
        take_articles(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
