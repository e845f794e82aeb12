"""The whole house: `kabar serve` in a process of its own, real models, a fresh index, and a real Chromium."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.models, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/")
SAMPLE = "blinken-korea-selatan.txt"


class Serving:
    """A `kabar serve`, what it writes, and its address once it is known."""

    def __init__(self, folder: Path) -> None:
        config = folder / "config.yaml"
        config.write_text(f"index:\n  path: index\n  articles: ['{ROOT / 'articles'}']\n", encoding="utf-8")
        self.lines: list[str] = []
        self.address = ""
        self._known = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", "serve", "--port", "0", "--config", str(config)],
            cwd=ROOT,
            env=os.environ | {"XDG_DATA_HOME": str(folder / "data")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._known.wait(60), self.lines
        assert self.address, self.lines

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)
            if not self.address and (found := ADDRESS.search(line)):
                self.address = found[0]
                self._known.set()
        self._known.set()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        self._reader.join(10)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    running = Serving(tmp_path_factory.mktemp("serve"))
    yield running
    if running.process.poll() is None:
        running.stop()


def ask(page: Page, question: str):
    expect(page.locator("#question textarea")).to_be_visible()
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#current .question")).to_have_text(question)
    answer = page.locator("#current .answer")
    expect(answer).to_be_visible(timeout=180_000)
    return answer


def evidence(page: Page, answer):
    answer.locator(".mark").first.click()
    panel = page.get_by_role("dialog")
    expect(panel).to_be_visible()
    return panel


def test_question_can_be_typed_within_three_seconds_of_the_address(serving, open_page):
    """While the models load; the best of three, because other work on the machine counts too."""
    seconds = []
    for _ in range(3):
        begun = time.monotonic()
        page = open_page(serving.address)
        page.locator("#question textarea").fill("when will")
        seconds.append(time.monotonic() - begun)
    assert min(seconds) < 3, seconds


def test_the_case_that_must_always_work(serving, open_page):
    page = open_page(serving.address)
    answer = ask(page, "when will Blinken arrive?")
    expect(answer.locator(".fact")).to_contain_text("8 November 2023")
    panel = evidence(page, answer)
    marked = panel.locator("mark")
    expect(marked).to_contain_text("Blinken akan tiba di Seoul pada Rabu depan")
    article = (ROOT / "articles" / SAMPLE).read_text(encoding="utf-8")
    assert marked.text_content() in article
    assert marked.text_content() in panel.locator(".passage").text_content()
    expect(panel).to_contain_text("1 November 2023")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


@pytest.mark.parametrize(
    ("question", "fact", "direction"),
    [
        ("블링컨은 언제 도착하나요?", "2023년 11월 8일", "ltr"),
        ("متى سيصل بلينكن؟", "8 نوفمبر 2023", "rtl"),
        ("ブリンケン氏はいつ到着しますか?", "2023年11月8日", "ltr"),
    ],
)
def test_the_same_sentence_answers_in_other_languages(serving, open_page, question, fact, direction):
    page = open_page(serving.address)
    answer = ask(page, question)
    expect(answer).to_have_attribute("dir", direction)
    expect(answer.locator(".fact")).to_contain_text(fact)
    expect(evidence(page, answer).locator("mark")).to_contain_text("Rabu depan")


def test_code_in_a_question_is_text(serving, open_page):
    page = open_page(serving.address)
    attack = "<img src=x onerror='window.hacked = 1'> when will Blinken arrive?"
    ask(page, attack)
    assert page.locator("#current img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_what_the_articles_do_not_hold_is_said_plainly(serving, open_page):
    page = open_page(serving.address)
    answer = ask(page, "What is the boiling point of tungsten?")
    expect(answer).to_contain_text("The articles do not say.")


def test_a_question_of_any_length_gets_an_answer_or_a_clear_message(serving, open_page):
    page = open_page(serving.address)
    page.locator("#question textarea").fill("x" * 100_000)
    page.keyboard.press("Enter")
    error = page.locator("#current .error")
    expect(error).to_be_visible(timeout=60_000)
    expect(error).not_to_contain_text("logged as")


def test_empty_page_says_what_the_articles_cover(serving, open_page):
    page = open_page(serving.address)
    with urllib.request.urlopen(serving.address + "ready") as response:
        assert json.load(response) == {"status": "ready"}
    expect(page.locator(".about")).to_contain_text(re.compile(r"\d+ news articles in .*Indonesian"))


def test_server_ends_when_told_to(serving):
    assert serving.stop() == 0
    assert not [line for line in serving.lines if "Traceback" in line]
