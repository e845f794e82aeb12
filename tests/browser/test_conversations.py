"""What is kept and what can be done with answers, in a real Chromium: one server and one page for all tests."""

import json
import re
from datetime import date

import pytest
from barriers import barriers
from fakes import WordEncoder
from playwright.sync_api import Page, expect
from scripted import PASSAGE, QUOTE, Scripted, served

from index.article import Article
from index.config import IndexConfig
from index.index import Index
from index.update import add
from qa.config import Settings
from ui.history import History
from ui.loader import Loader

pytestmark = pytest.mark.browser

TEXT = (
    f"{PASSAGE} “Kami menyambut kunjungan itu,” kata Park Jin. Ia bertemu Sergei Lavrov pada 14 Maret 2023 di Moskow. "
    + "\n\nBerita lain menyusul." * 60
)
QUESTION = "when will Blinken arrive?"
ATTACK = "<img src=x onerror='window.hacked = 1'> ![x](https://evil.example/x.png)"


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    settings = Settings(index=IndexConfig(path=tmp_path_factory.mktemp("index")))
    articles = [
        Article(
            id="blinken", title="Blinken ke Seoul", text=TEXT, language="id", source="VOA Indonesia",
            url="https://example.org/blinken", published=date(2023, 11, 1), published_from="dateline",
        ),
        Article(id="hostile", title=ATTACK, text=f"A tram runs in Basel. {ATTACK}", source=ATTACK, language="en"),
    ]  # fmt: skip
    add(articles, folder=settings.index.path, settings=settings, encoder=WordEncoder())
    with Index(settings.index.path, settings, WordEncoder()) as index:
        yield Scripted(index, start=TEXT.index(QUOTE))


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    opened = History(tmp_path_factory.mktemp("history") / "history.sqlite")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def address(assistant, history):
    loader = Loader(lambda: assistant)
    loader.start()
    with served(loader, history=history, examples=[(QUESTION, "en")]) as found:
        yield found


@pytest.fixture(scope="module")
def shared_page(address, open_pages) -> Page:  # in this order: the page is closed before its server stops
    return open_pages(address, permissions=["clipboard-read", "clipboard-write"])


@pytest.fixture
def page(shared_page, address) -> Page:
    """The page with a new conversation; a page that a test has left is opened again."""
    if not shared_page.url.startswith(address) or "/shared/" in shared_page.url:
        shared_page.goto(address)
    shared_page.keyboard.press("Escape")
    shared_page.wait_for_function("window.kabar?.open")
    shared_page.evaluate("window.kabar.open('')")
    expect(shared_page.locator(".opening")).to_be_visible()
    return shared_page


def ask(page: Page, question: str = QUESTION):
    page.locator("#question textarea").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#current .question")).to_have_text(question)
    expect(page.locator("#current .acts")).to_be_visible()
    return page.locator("#current .answer")


def drawer(page: Page):
    page.locator(".open-drawer").click()
    expect(page.locator("#drawer .conversations, #drawer .none").first).to_be_visible()
    return page.locator("#drawer")


# History


def test_reloading_keeps_the_conversation_and_a_new_one_begins_another(page):
    ask(page)
    first = page.url
    assert "conversation=" in first
    ask(page, "and who comes?")
    assert page.url == first
    page.reload()
    expect(page.locator("#past .question")).to_have_text(QUESTION)
    expect(page.locator("#current .question")).to_have_text("and who comes?")
    page.locator(".restart").click()
    expect(page.locator(".opening")).to_be_visible()
    ask(page)
    assert page.url != first


def test_a_new_conversation_stays_empty_though_the_last_question_is_only_being_sent(page):
    held = []

    def hold_answers(route):
        # The first request hands the question over; the second asks for its answer.
        held.append(route)
        if len(held) != 2:
            route.continue_()

    page.route("**/queue/join*", hold_answers)
    page.locator("#question textarea").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator("#current .question")).to_have_text(QUESTION)
    for _ in range(500):
        if len(held) == 2:
            break
        page.wait_for_timeout(20)
    page.evaluate("window.kabar.open('')")
    expect(page.locator("#current .question")).to_have_count(0)
    with page.expect_response("**/queue/join*"):
        held[1].continue_()
    page.unroute("**/queue/join*")
    ask(page, "and who comes?")
    expect(page.locator("#past .question")).to_have_count(0)


def test_a_conversation_that_is_not_there_is_said_to_be_gone(page, address):
    page.goto(f"{address}?conversation=anothers")
    expect(page.locator("#current .error")).to_contain_text("does not exist")
    page.goto(address)


def test_conversations_are_found_opened_renamed_and_deleted(page, history):
    ask(page, "when will Blinken arrive in Busan?")
    ask(page, ATTACK)
    page.locator(".restart").click()
    expect(page.locator(".opening")).to_be_visible()
    shown = drawer(page)
    shown.locator(".search").fill("BUSAN?")
    expect(shown.locator(".conversations > li")).to_have_count(1)
    shown.locator("[data-open]").click()
    expect(page.locator("#past .question")).to_have_text("when will Blinken arrive in Busan?")
    expect(page.locator("#current .question")).to_have_text(ATTACK)
    shown = drawer(page)
    item = shown.locator("li", has=page.locator("[aria-current]"))
    item.locator(".menu > summary").click()
    item.locator(".rename input").fill(ATTACK)
    item.locator(".rename button").click()
    expect(item.locator("[data-open]")).to_have_text(ATTACK)
    assert shown.locator("img").count() == 0
    kept = len(history.find(""))
    item.locator(".menu > summary").click()
    item.locator(".delete summary").click()
    item.locator("[data-history=delete]").click()
    expect(shown.locator("[aria-current]")).to_have_count(0)
    expect(page.locator(".turn")).to_have_count(0)
    assert len(history.find("")) == kept - 1
    assert page.evaluate("window.hacked") is None


def test_files_are_saved_and_a_link_shows_it_until_it_is_taken_back(page, address, open_page):
    ask(page)
    shown = drawer(page)
    item = shown.locator("li", has=page.locator("[aria-current]"))
    item.locator(".menu > summary").click()
    with page.expect_download() as saved:
        item.get_by_text("Save as JSON").click()
    turns = json.loads(saved.value.path().read_text(encoding="utf-8"))["turns"]
    assert turns[0]["answer"]["citations"][0]["quote"] == QUOTE
    item.locator("[data-history=share]").click()
    link = item.locator(".link").input_value()
    assert link.startswith(f"{address}shared/")
    other = open_page(link, wait=".answer")
    expect(other.locator(".fact")).to_have_text("Wednesday, 8 November 2023")
    expect(other.locator("textarea, .acts, [data-act]")).to_have_count(0)
    other.locator(".mark").click()
    expect(other.locator("#panel mark")).to_have_text(QUOTE)
    item.locator("[data-history=unshare]").click()
    expect(item.locator("[data-history=share]")).to_have_count(1)
    assert page.request.get(link).status == 404


# What can be done with an answer


def test_an_answer_is_copied_with_its_sources(page):
    ask(page)
    page.locator("[data-copy]").click()
    expect(page.locator("[data-copy]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "Wednesday, 8 November 2023" in copied
    assert "[1] Blinken ke Seoul (VOA Indonesia, 2023-11-01, https://example.org/blinken)" in copied


def test_a_question_is_asked_again_changed_and_taken_back(page, assistant):
    ask(page, "World Cup?")
    ask(page)
    first = page.locator("#current .turn").get_attribute("data-id")
    page.locator("[data-act=retry]").click()
    expect(page.locator(f"#current [data-id='{first}']")).to_have_count(0)
    expect(page.locator("#current .acts")).to_be_visible()
    assert assistant.asked[-1] == assistant.asked[-2]
    assert [said for _, said in assistant.asked[-1][1]] == ["World Cup?", "The articles do not say."]
    expect(page.locator(".turn")).to_have_count(2)
    page.locator("[data-edit]").click()
    field = page.locator(".edit textarea")
    expect(field).to_have_value(QUESTION)
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#current .question")).to_be_visible()
    page.locator("[data-edit]").click()
    field.fill("متى يصل بلينكن؟")
    page.keyboard.press("Enter")
    expect(page.locator("#current .answer")).to_have_attribute("lang", "ar")
    expect(page.locator(".turn")).to_have_count(2)
    page.locator("[data-act=undo]").click()
    expect(page.locator("#current .question")).to_have_text("World Cup?")
    page.locator("[data-act=undo]").click()
    expect(page.locator(".opening")).to_be_visible()


def test_feedback_is_kept_and_seen_again(page, history):
    ask(page)
    page.locator("[data-judge=wrong]").click()
    expect(page.locator("[data-judge=wrong]")).to_have_attribute("aria-pressed", "true")
    page.locator(".remark input").fill(ATTACK)
    page.keyboard.press("Enter")
    expect(page.locator(".noted")).to_have_text("Thank you, noted.")
    expect(page.locator(".remark")).to_be_hidden()
    given = history.feedback()[-1]
    assert (given.verdict, given.remark, given.turn.question) == ("wrong", ATTACK, QUESTION)
    assert given.turn.answer.citations[0].quote == QUOTE
    page.reload()
    expect(page.locator("[data-judge=wrong]")).to_have_attribute("aria-pressed", "true")
    page.locator("[data-judge=right]").click()
    expect(page.locator("[data-judge=wrong]")).to_have_attribute("aria-pressed", "false")
    assert history.feedback()[-1].verdict == "right"


# Around an answer


def test_filters_choose_articles(page, assistant):
    page.locator(".filters summary").focus()
    page.keyboard.press("Enter")
    page.locator(".filters [name=after]").fill("2023-11-01")
    page.locator(".filters [name=source]").select_option(ATTACK)
    page.locator(".filters [name=language]").select_option("id")
    expect(page.locator(".filters .active")).to_have_text("(3)")
    ask(page)
    assert assistant.filters[-1] == {
        "published_after": date(2023, 11, 1), "sources": [ATTACK], "languages": ["id"]
    }  # fmt: skip
    expect(page.locator("#current .chosen")).to_contain_text("Published from 1 November 2023")
    page.locator(".filters .clear").click()
    page.locator(".filters [name=last_week]").check()
    ask(page, "and in the last week?")
    assert list(assistant.filters[-1]) == ["published_after"]
    page.locator(".filters .clear").click()
    expect(page.locator(".filters .active")).to_have_text("")
    page.locator(".filters summary").click()


def test_a_citation_opens_the_article_at_its_sentence(page):
    ask(page)
    page.locator("#current .mark").click()
    panel = page.locator("#panel")
    expect(panel.locator("[data-whole] .passage")).to_contain_text("Berita lain menyusul.")
    expect(panel.locator("mark")).to_have_text(QUOTE)
    expect(panel.locator("mark")).to_be_in_viewport()
    assert panel.locator(".panel-body").evaluate("(body) => body.scrollHeight > body.clientHeight")


def test_the_timeline_opens_what_happens_on_a_day(page):
    ask(page)
    timeline = page.locator("#current .timeline")
    expect(timeline.locator(".day")).to_have_count(3)
    expect(timeline.locator(".day time").first).to_have_text("Tuesday, 14 March 2023")
    expect(timeline.locator("circle.answers")).to_have_count(1)
    timeline.locator("circle").first.click()
    expect(page.locator("#panel mark")).to_contain_text("14 Maret 2023")
    page.keyboard.press("Escape")
    timeline.locator(".day").last.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel mark")).to_have_text(QUOTE)
    expect(page.locator("#panel .link a")).to_have_attribute("href", "https://example.org/blinken")


def test_a_next_question_is_asked_by_a_click(page):
    ask(page)
    page.locator("#current .next .example", has_text="What did Park Jin say?").click()
    expect(page.locator("#current .question")).to_have_text("What did Park Jin say?")
    expect(page.locator("#past .next")).to_have_count(1)


def test_one_goes_on_while_next_questions_are_tried_out(page, assistant):
    assistant.considering.clear()
    ask(page)
    expect(page.locator("#current .timeline")).to_be_visible()
    page.locator("#question textarea").fill("and who comes?")
    page.keyboard.press("Enter")
    expect(page.locator("#current .question")).to_have_text("and who comes?")
    assistant.considering.set()
    expect(page.locator("#current .next")).to_be_visible()
    expect(page.locator("#current .question")).to_have_text("and who comes?")
    expect(page.locator("#past .question")).to_have_text(QUESTION)
    expect(page.locator("#past .timeline")).to_be_visible()
    expect(page.locator("#past .next")).to_have_count(0)


def test_numbered_steps_are_shown_while_it_answers(page, assistant):
    assistant.gate.clear()
    page.locator("#question textarea").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator("#current .progress")).to_have_text("Looking in 1,204 passages")
    assistant.gate.set()
    expect(page.locator("#current .acts")).to_be_visible()


def test_the_language_of_the_page_is_switched_and_stays(page, address):
    ask(page)
    for code, direction, words in (("ar", "rtl", "المحادثات"), ("ja", "ltr", "会話"), ("en", "ltr", "Conversations")):
        page.locator("select.languages").select_option(code)
        expect(page.locator("html")).to_have_attribute("lang", code)
        expect(page.locator("html")).to_have_attribute("dir", direction)
        expect(page.locator(".open-drawer")).to_have_text(words)
        expect(page.locator("#current .answer")).to_have_attribute("lang", "en")


# Accessible to all


def test_axe_finds_nothing_serious(page, screenshot):
    states = {}

    def check(name: str) -> None:
        states[name] = barriers(page)
        screenshot(page, name)

    check("empty")
    ask(page)
    page.locator("[data-judge=wrong]").click()
    expect(page.locator(".remark")).to_be_visible()
    page.locator(".filters summary").click()
    check("answer")
    page.locator("#current .mark").click()
    expect(page.locator("#panel [data-whole]")).to_be_visible()
    check("article")
    page.emulate_media(color_scheme="dark")
    check("article-dark")
    page.keyboard.press("Escape")
    page.locator(".filters summary").click()
    shown = drawer(page)
    shown.locator(".menu > summary").first.click()
    check("drawer-dark")
    page.emulate_media(color_scheme="light")
    check("drawer")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 360, "height": 740})
    check("phone")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("select.languages").select_option("ar")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("#current .acts")).to_be_visible()
    check("phone-arabic")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.set_viewport_size({"width": 1280, "height": 860})
    ask(page, "World Cup?")
    check("refused-arabic")
    page.locator("select.languages").select_option("en")
    expect(page.locator("html")).to_have_attribute("dir", "ltr")
    assert {name: found for name, found in states.items() if found} == {}


def test_keyboard_alone_is_enough(page):
    ask(page)
    seen = []
    page.locator(".restart").focus()
    for _ in range(40):
        focused = page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
        seen.append(re.sub(r"\s+", " ", focused))
        page.keyboard.press("Tab")
    whole = "\n".join(seen)
    for part in ("open-drawer", "languages", 'class="mark', "<summary", 'class="card', 'class="day', "data-copy"):
        assert part in whole, part
    for part in ('data-act="retry"', "data-edit", 'data-act="undo"', "data-judge", 'data-act="ask"', "<textarea"):
        assert part in whole, part
