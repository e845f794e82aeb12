"""The chat page in a real Chromium, with an assistant that says what the test wants."""

import re
import threading
import time

import pytest
from playwright.sync_api import Page, expect
from scripted import PASSAGE, QUOTE, Scripted, served

from ui.loader import Loader

pytestmark = pytest.mark.browser

EXAMPLES = [("when will Blinken arrive?", "en"), ("متى يصل بلينكن؟", "ar")]


@pytest.fixture(scope="module")
def address():
    loader = Loader(Scripted)
    loader.start()
    with served(loader, examples=EXAMPLES) as found:
        yield found


@pytest.fixture
def page(open_page, address) -> Page:
    return open_page(address)


def ask(page: Page, question: str) -> None:
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")


def answer(page: Page):
    return page.locator("#current .answer")


def test_question_can_be_typed_at_once(page):
    expect(page.locator("#question textarea")).to_be_focused()
    page.keyboard.type("when will Blinken arrive?")
    page.keyboard.press("Enter")
    expect(answer(page).locator(".fact")).to_have_text("Wednesday, 8 November 2023")
    expect(page.locator("#question textarea")).to_have_value("")
    expect(page.locator(".opening")).to_be_hidden()


def test_shift_enter_begins_a_new_line(page):
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    expect(page.locator("#question textarea")).to_have_value("one\ntwo")
    expect(page.locator(".turn")).to_have_count(0)


def test_send_button_sends(page):
    page.locator("#question textarea").fill("when will Blinken arrive?")
    page.locator("#question .submit-button").click()
    expect(answer(page)).to_be_visible()


def test_example_is_asked_by_a_click(page):
    page.locator(".example", has_text="when will Blinken arrive?").click()
    expect(page.locator("#current .question")).to_have_text("when will Blinken arrive?")
    expect(answer(page).locator(".fact")).to_have_text("Wednesday, 8 November 2023")


def test_citation_opens_the_passage_with_its_quotation_marked(page):
    ask(page, "when will Blinken arrive?")
    answer(page).locator(".mark").click()
    panel = page.get_by_role("dialog")
    expect(panel).to_be_visible()
    expect(panel.locator("mark")).to_have_text(QUOTE)
    expect(panel.locator(".passage")).to_have_text(PASSAGE)
    expect(panel).to_contain_text("VOA Indonesia")
    expect(panel).to_contain_text("1 November 2023 is inferred")
    link = panel.get_by_role("link")
    expect(link).to_have_attribute("href", "https://example.org/blinken")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    expect(panel).to_have_attribute("aria-labelledby", "panel-title")
    expect(page.locator("#panel-title")).to_have_text("Blinken ke Seoul")


def test_keyboard_alone_opens_and_closes_the_panel(page):
    ask(page, "when will Blinken arrive?")
    answer(page).locator(".mark").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".panel-close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(answer(page).locator(".mark")).to_be_focused()
    page.keyboard.press("Tab")
    expect(answer(page).locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    expect(answer(page).locator("details")).to_contain_text("Counted from the article's date, 1 November 2023.")
    page.keyboard.press("Tab")
    expect(answer(page).locator(".card")).to_be_focused()


def test_directions_mix_in_one_conversation(page):
    ask(page, "متى يصل بلينكن؟")
    expect(answer(page)).to_have_attribute("dir", "rtl")
    ask(page, "블링컨은 언제 도착하나요?")
    expect(answer(page)).to_have_attribute("dir", "ltr")
    earlier = page.locator("#past .answer")
    expect(earlier).to_have_attribute("dir", "rtl")
    expect(earlier.locator("blockquote")).to_have_attribute("dir", "ltr")
    box = earlier.locator(".fact").bounding_box()
    words = page.evaluate(
        "(e) => { const r = document.createRange(); r.selectNodeContents(e); return r.getBoundingClientRect().right; }",
        earlier.locator(".fact").element_handle(),
    )
    assert abs(words - (box["x"] + box["width"])) < 2, "Arabic begins at the right edge"


def test_earlier_evidence_stays_with_its_answer(page):
    ask(page, "when will Blinken arrive?")
    expect(answer(page)).to_be_visible()
    ask(page, "<b>another</b>")
    expect(answer(page).locator(".fact")).to_have_text(re.compile("another"))
    page.locator("#past .mark").click()
    expect(page.locator("#panel-title")).to_have_text("Blinken ke Seoul")
    answer(page).locator(".card").click()
    expect(page.locator("#panel-title")).to_have_text("<b>another</b>")


@pytest.mark.parametrize(
    "attack",
    [
        "<script>window.hacked = 1</script>",
        "<img src=x onerror='window.hacked = 1'>",
        "<svg onload=window.hacked=1> ${window.hacked = 1} {{constructor.constructor('window.hacked = 1')()}}",
        "<a href='javascript:window.hacked = 1'>x</a> ![x](https://example.org/x.png) [x](javascript:alert(1))",
        "</textarea></section><iframe srcdoc='<script>parent.hacked = 1</script>'>",
    ],
)
def test_code_in_question_answer_title_and_passage_is_text(page, attack):
    ask(page, attack)
    expect(page.locator("#current .question")).to_have_text(attack)
    expect(answer(page).locator(".card .title")).to_have_text(attack)
    answer(page).locator(".card").click()
    expect(page.locator("#panel .passage")).to_contain_text(attack)
    assert (
        page.locator("#current :is(script, img, svg, iframe, a), #panel :is(script, img, svg, iframe, a)").count() == 0
    )
    assert page.evaluate("window.hacked") is None


def test_no_answer_is_said_plainly(page):
    ask(page, "Who won the World Cup?")
    expect(answer(page).locator(".text")).to_have_text("The articles do not say.")
    expect(answer(page).locator(".rubric")).to_have_text("The nearest passages:")
    answer(page).locator(".card").click()
    expect(page.locator("#panel mark")).to_have_text(PASSAGE)


def test_errors_are_seen_and_the_conversation_goes_on(page):
    ask(page, "too long")
    expect(page.locator("#current .error")).to_have_text("The question is too long; ask in at most 2000 characters")
    ask(page, "broken")
    expect(page.locator("#current .error")).to_have_text(re.compile("logged as [0-9a-f]{12}"))
    ask(page, "   ")
    expect(page.locator("#current .error")).to_have_text("Please type a question.")
    ask(page, "when will Blinken arrive?")
    expect(answer(page)).to_be_visible()
    expect(page.locator("#past .error")).to_have_count(3)
    expect(page.locator("#past")).not_to_contain_text("secret")


def test_new_conversation_forgets_the_old(page):
    ask(page, "when will Blinken arrive?")
    expect(answer(page)).to_be_visible()
    page.locator(".restart").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator(".opening")).to_be_visible()


def test_next_question_can_be_typed_while_one_is_answered(open_page):
    assistant = Scripted()
    assistant.gate.clear()
    loader = Loader(lambda: assistant)
    loader.start()
    with served(loader) as address:
        page = open_page(address)
        ask(page, "when will Blinken arrive?")
        expect(page.locator("#current .progress")).to_have_text("Looking in 1,204 passages")
        page.locator("#question textarea").fill("and then")
        page.keyboard.press("Enter")  # too early: the question stays in its field
        page.wait_for_timeout(300)
        assistant.gate.set()
        expect(answer(page)).to_be_visible()
        expect(page.locator("#question textarea")).to_have_value("and then")
        expect(page.locator("#question textarea")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#current .question")).to_have_text("and then")
        expect(page.locator("#past .answer")).to_have_count(1)
        expect(answer(page)).to_be_visible()
        assert [question for question, _ in assistant.asked] == ["when will Blinken arrive?", "and then"]


def test_new_conversation_while_one_is_answered(open_page):
    assistant = Scripted()
    assistant.gate.clear()
    loader = Loader(lambda: assistant)
    loader.start()
    with served(loader) as address:
        page = open_page(address)
        ask(page, "when will Blinken arrive?")
        expect(page.locator("#current .progress")).to_have_text("Looking in 1,204 passages")
        page.locator(".restart").click()
        expect(page.locator(".opening")).to_be_visible()
        assistant.gate.set()
        ask(page, "متى يصل بلينكن؟")
        expect(answer(page)).to_have_attribute("lang", "ar")
        expect(page.locator(".turn")).to_have_count(1)


def test_question_asked_while_the_models_load_is_answered_when_they_are_there(open_page):
    begin = threading.Event()
    loader = Loader(lambda: begin.wait(30) and Scripted())
    loader.start()
    try:
        with served(loader) as address:
            page = open_page(address)
            expect(page.locator("#state .loading")).to_contain_text("loading")
            ask(page, "when will Blinken arrive?")
            expect(page.locator("#current .progress")).to_contain_text("loading")
            begin.set()
            expect(answer(page)).to_be_visible()
            expect(page.locator("#state .loading")).to_have_count(0)
    finally:
        begin.set()


def test_empty_page_says_what_the_articles_cover(open_page):
    loader = Loader(Scripted)
    loader.start()
    with served(loader, about=lambda language: f"<36> articles, in {language}") as address:
        page = open_page(address)
        expect(page.locator(".about")).to_have_text("<36> articles, in en")
        page.wait_for_timeout(500)
        expect(page.locator(".about")).to_have_text("<36> articles, in en")


def test_page_speaks_the_browsers_language(open_page, address):
    page = open_page(address, locale="ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("html")).to_have_attribute("lang", "ar")
    expect(page.locator(".opening h2")).to_have_text(re.compile("[\u0600-\u06ff]"))
    ask(page, "متى يصل بلينكن؟")
    answer(page).locator(".mark").click()
    panel = page.locator("#panel")
    expect(panel).to_be_visible()
    assert panel.bounding_box()["x"] == 0, "the panel is on the left of a page that is read from the right"


def test_server_ends_while_a_page_is_open(open_page):
    loader = Loader(Scripted)
    loader.start()
    with served(loader) as address:
        page = open_page(address)
        ask(page, "when will Blinken arrive?")
        expect(answer(page)).to_be_visible()
        begun = time.monotonic()
    assert time.monotonic() - begun < 3
    page.context.close()


def test_phone_shows_everything_without_scrolling_sideways(open_page, address):
    page = open_page(address, viewport={"width": 360, "height": 740})
    ask(page, "when will Blinken arrive?")
    expect(answer(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    answer(page).locator(".mark").click()
    box = page.locator("#panel").bounding_box()
    assert (box["x"], box["width"]) == (0, 360)
    page.locator(".panel-close").click()
    expect(page.locator("#panel")).to_be_hidden()


CONTRAST = """(selectors) => {
  const linear = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const channel = (value) => linear(value / 255);
  const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const selector of selectors) for (const element of document.querySelectorAll(selector)) {
    if (!element.checkVisibility()) continue;
    const pair = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))].sort((a, b) => b - a);
    found[selector] = Math.min(found[selector] ?? 99, (pair[0] + 0.05) / (pair[1] + 0.05));
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_for_aa(open_page, address, scheme):
    page = open_page(address, color_scheme=scheme)
    expect(page.locator(".opening h2")).to_be_visible()
    found = page.evaluate(CONTRAST, [".name", ".opening h2", ".about", ".rubric", ".example", "#question textarea"])
    ask(page, "broken")
    expect(page.locator("#current .error")).to_be_visible()
    ask(page, "when will Blinken arrive?")
    answer(page).locator(".mark").click()
    shown = [".question", ".fact", ".text", ".mark", ".original", ".counting", ".rubric", ".card", ".byline", ".guess"]
    shown += [".error", ".restart"]
    shown += ["#panel .title", "#panel .byline", "#panel .guessed", "#panel .passage", "#panel mark", "#panel a"]
    found |= page.evaluate(CONTRAST, shown)
    assert len(found) == 6 + len(shown) - 1, "a part of the page is not shown"  # .rubric is in both
    assert {part: ratio for part, ratio in found.items() if ratio < 4.5} == {}
