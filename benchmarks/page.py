"""Seconds from the address that ``kabar serve`` prints to a page that a question can be typed into.

The models load meanwhile; it needs a Chromium, which is started before the clock.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import machine
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks" / "results" / "page.json"
TIMES = 5


def measure(chromium: str) -> float:
    """One start, one visit."""
    environment = {**os.environ, "KABAR_SERVER__PORT": "0", "PYTHONPATH": str(ROOT)}
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page()
        server = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", "serve"], cwd=ROOT, env=environment, text=True, stderr=subprocess.PIPE
        )
        try:
            assert server.stderr
            said = next((line for line in server.stderr if "http://" in line), "")
            began = time.perf_counter()
            found = re.search(r"http://\S+", said)
            assert found, "kabar serve did not say its address"
            page.goto(found[0], wait_until="commit")
            box = page.locator("#question textarea")
            box.fill("when will Blinken arrive?")
            seconds = time.perf_counter() - began
            assert box.input_value() == "when will Blinken arrive?"
        finally:
            server.terminate()
            server.wait(60)
            browser.close()
    return seconds


def main() -> None:
    """Measure, print, and write the result."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no Chromium on this machine; install one to measure the page")
    seconds = [round(measure(chromium), 2) for _ in range(TIMES)]
    result = {"machine": machine(), "seconds": seconds, "median": statistics.median(seconds), "limit": 3}
    text = json.dumps(result, indent=2) + "\n"
    print(text)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
