"""The Articles page in a real Chromium: every way to change what is indexed, followed live."""

import json
import re
from pathlib import Path

import pytest
from articles_desk import Desk, served
from barriers import barriers
from playwright.sync_api import Browser, Page, expect
from web_server import Reply, WebServer

from index.article import Article
from index.index import Index

pytestmark = pytest.mark.browser

ARTICLES = [
    {
        "id": "bridge",
        "title": "Bridge opens",
        "text": "The bridge opened in Hull.",
        "source": "Daily",
        "day": "2024-05-01",
    },
    {
        "id": "port",
        "title": "ميناء جديد في الشرق",
        "text": "افتتح الميناء الجديد أمس.",
        "language": "ar",
        "day": "2024-05-03",
    },
    {
        "id": "busan",
        "title": "Paduan suara",
        "text": "Paduan suara tiba di Busan.",
        "language": "id",
        "day": "2024-06-02",
    },
]
ATTACK = "<img src=x onerror='window.hacked = 1'><script>window.hacked = 1</script>"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    news = tmp_path / "news"
    news.mkdir()
    for article in ARTICLES:
        fields = {**article, "published": article["day"], "url": f"https://example.org/{article['id']}"}
        (news / f"{article['id']}.json").write_text(json.dumps(fields), encoding="utf-8")
    (news / "plain.txt").write_text("Dermaga baru\nDermaga dibuka di Palembang.", encoding="utf-8")
    made = Desk(tmp_path, places=[news])
    made.index()
    return made


@pytest.fixture
def address(desk: Desk):
    with served(desk) as found:
        yield found


@pytest.fixture
def page(address: str, open_page) -> Page:  # the address first: a page must close before its server does
    return open_page(address, wait=".listing")


def bare(browser: Browser, address: str) -> Page:
    """A page whose console may complain of a form that was refused."""
    page = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-US").new_page()
    page.goto(address)
    return page


def titles(page: Page):
    return page.locator(".listing td.title")


def unfold(page: Page) -> None:
    page.locator(".adding > summary").click()


def test_an_article_opens_beside_the_table_and_gives_the_focus_back(page):
    link = page.get_by_role("link", name="Paduan suara")
    link.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel.locator(".passage")).to_have_text("Paduan suara tiba di Busan.")
    expect(panel).to_contain_text("busan.json")
    expect(panel.get_by_role("link")).to_have_attribute("rel", re.compile("noopener"))
    expect(panel).to_have_attribute("aria-labelledby", "panel-title")
    expect(page.locator(".panel-close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(link).to_be_focused()


def test_search_and_filters_choose_articles_and_stay_in_the_address(page):
    page.get_by_label("Search in titles and texts").fill("palem")
    page.keyboard.press("Enter")
    expect(titles(page)).to_have_text(["Dermaga baru"])
    expect(page).to_have_url(re.compile("search=palem"))
    page.get_by_role("link", name="Show all").click()
    expect(titles(page)).to_have_count(4)
    page.get_by_label("Language").select_option(label="Arabic")
    page.get_by_role("button", name="Show").click()
    expect(titles(page)).to_have_text(["ميناء جديد في الشرق"])
    page.get_by_label("Language").select_option("")
    page.get_by_label("Published from").fill("2024-05-02")
    page.get_by_label("Published until").fill("2024-06-30")
    page.get_by_role("button", name="Show").click()
    expect(titles(page)).to_have_text(["Paduan suara", "ميناء جديد في الشرق"])
    page.go_back()
    expect(titles(page)).to_have_count(1)


def test_a_pasted_article_is_indexed_while_the_bar_shows_how_far_it_is(page, desk):
    unfold(page)
    desk.encoder.gate.clear()
    page.get_by_label("Text", exact=True).fill("The ferry sailed from Aomori.\nIt was dawn.")
    page.locator("[name=title]").fill("Ferry sails")
    page.locator("[name=published]").fill("2024-07-01")
    page.locator("form[action$=paste] button").click()
    job = page.locator(".job")
    expect(job).to_contain_text("Adding: ferry-sails.txt")
    expect(job.get_by_role("progressbar", name="Adding")).to_be_visible()
    expect(job).to_contain_text("Files: 1 of 1. Passages encoded: 0")
    expect(titles(page)).to_have_count(4)
    desk.encoder.gate.set()
    expect(titles(page)).to_have_count(5)
    expect(titles(page).first).to_have_text(re.compile("Ferry sails|Dermaga"))
    expect(page.get_by_role("status").filter(has_text="Done.")).to_contain_text("New: 1, changed: 0")
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_uploaded_files_are_indexed_and_what_is_wrong_with_them_is_named(page, tmp_path):
    unfold(page)
    (tmp_path / "tram.md").write_text("# Tram\n\nA tram runs in Basel.", encoding="utf-8")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    page.locator("[type=file]").set_input_files([tmp_path / "tram.md", tmp_path / "broken.json"])
    page.locator("form[action$=upload] button").click()
    expect(titles(page).filter(has_text="Tram")).to_have_count(1)
    expect(page.locator(".problems")).to_contain_text("Not read: broken.json:")


def test_an_upload_over_the_limit_is_not_begun(page, tmp_path, desk):
    unfold(page)
    (tmp_path / "large.txt").write_text("word " * 300_000, encoding="utf-8")
    page.locator("[type=file]").set_input_files(tmp_path / "large.txt")
    page.locator("form[action$=upload] button").click()
    assert page.locator("[type=file]").evaluate("field => field.validationMessage") == "That is more than 1 MB."
    assert desk.work.jobs() == []


def test_an_address_is_fetched_and_its_article_indexed(page):
    with WebServer() as web:
        body = "<article><h1>Boat sails</h1>" + "<p>The boat sailed from Aomori at dawn with forty people.</p>" * 3
        web.pages["/boat"] = Reply(f"<html><body>{body}</article></body></html>", headers={"Content-Type": "text/html"})
        unfold(page)
        page.get_by_label("Address").fill(web.url("/boat"))
        page.locator("form[action$=fetch] button").click()
        expect(titles(page).filter(has_text="Boat sails")).to_have_count(1)


def test_what_was_wrong_with_a_form_is_said(address, browser):
    page = bare(browser, address)
    unfold(page)
    page.get_by_label("Text", exact=True).fill("—")
    page.locator("form[action$=paste] button").click()
    expect(page.get_by_role("alert")).to_contain_text("no text")
    expect(titles(page)).to_have_count(4)
    page.context.close()


def test_selected_articles_are_removed_after_a_question(page):
    page.get_by_label("Select: Paduan suara").check()
    page.get_by_label("Select: Bridge opens").check()
    page.get_by_role("button", name="Remove the selected articles").click()
    expect(page.get_by_role("heading", name="Remove these articles?")).to_be_visible()
    expect(page.locator(".confirmation li")).to_have_text(["Paduan suara", "Bridge opens"])
    page.get_by_role("link", name="Cancel").click()
    expect(titles(page)).to_have_count(4)
    page.get_by_label("Select all on this page").check()
    page.get_by_label("Select: Dermaga baru").uncheck()
    page.get_by_role("button", name="Remove the selected articles").click()
    page.get_by_role("button", name="Remove").click()
    expect(titles(page)).to_have_text(["Dermaga baru"])
    expect(page.locator(".job")).to_contain_text("removed: 3")


def test_reading_everything_again_finds_what_changed(page, tmp_path):
    (tmp_path / "news" / "bridge.json").unlink()
    (tmp_path / "news" / "tram.txt").write_text("Tram\nA tram runs in Basel.", encoding="utf-8")
    unfold(page)
    page.get_by_role("button", name="Read everything again").click()
    expect(titles(page).filter(has_text="Tram")).to_have_count(1)
    expect(titles(page).filter(has_text="Bridge opens")).to_have_count(0)
    expect(page.locator(".job")).to_contain_text("New: 1, changed: 0, removed: 1, unchanged: 3.")


def test_work_is_stopped_from_the_page(page, desk):
    unfold(page)
    desk.encoder.gate.clear()
    page.get_by_label("Text", exact=True).fill("The ferry sailed from Aomori.")
    page.locator("form[action$=paste] button").click()
    page.get_by_role("button", name="Stop").click()
    desk.encoder.gate.set()
    expect(page.locator(".job")).to_contain_text("Stopped.")


def test_the_table_follows_what_others_index_but_takes_nothing_from_a_hand(page, desk):
    page.get_by_label("Select: Paduan suara").check()
    with Index(desk.settings.index.path, desk.settings, desk.encoder) as index:
        index.add([Article(id="tram", title="Tram", text="A tram runs.", language="de")])
    page.wait_for_timeout(7000)
    expect(titles(page)).to_have_count(4)
    page.get_by_label("Select: Paduan suara").uncheck()
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    expect(titles(page)).to_have_count(5)


def test_picture_shows_articles_over_time_and_by_language(page):
    picture = page.get_by_role("img", name=re.compile("^Articles per (month|year)"))
    expect(picture).to_be_visible()
    assert picture.locator("rect").count() >= 3
    heights = [
        float(height)
        for height in picture.locator("rect").evaluate_all("all => all.map(e => e.getAttribute('height'))")
    ]
    assert min(heights) > 0
    colours = picture.locator("rect").evaluate_all("all => [...new Set(all.map(e => getComputedStyle(e).fill))]")
    assert len(colours) == 3
    expect(page.locator(".by-language tr")).to_have_text(["Indonesian2", "Arabic1", "English1"])
    page.get_by_text("As a table").click()
    expect(page.locator(".figures tbody tr").first).to_be_visible()


def test_titles_run_the_way_of_their_language_on_a_page_of_either(address, open_page, page):
    title = page.locator("bdi", has_text="ميناء")
    expect(title).to_have_attribute("dir", "rtl")
    arabic = open_page(address, wait=".listing", locale="ar")
    expect(arabic.locator("html")).to_have_attribute("dir", "rtl")
    expect(arabic.locator("h1")).to_have_text("المقالات")
    box = arabic.locator(".listing td.title").first.bounding_box()
    last = arabic.locator(".listing td.passages").first.bounding_box()
    assert box["x"] > last["x"], "the first column is on the right"
    expect(arabic.locator("bdi", has_text="Bridge opens")).to_have_attribute("dir", "ltr")
    arabic.get_by_role("link", name="Bridge opens").click()
    assert arabic.get_by_role("dialog").bounding_box()["x"] == 0


def test_code_in_an_article_is_text(desk, address, open_page):
    with Index(desk.settings.index.path, desk.settings, desk.encoder) as index:
        index.add([Article(id=ATTACK, title=ATTACK, text=f"{ATTACK} words.", source=ATTACK, language="en")])
    page = open_page(address, wait=".listing")
    page.get_by_role("link", name=ATTACK).click()
    expect(page.locator("#panel .passage")).to_contain_text(ATTACK)
    page.keyboard.press("Escape")
    page.get_by_label(f"Select: {ATTACK}").check()
    page.get_by_role("button", name="Remove the selected articles").click()
    expect(page.locator(".confirmation li")).to_have_text([ATTACK])
    assert page.locator("main img").count() == 0
    assert page.evaluate("window.hacked") is None


def test_phone_shows_everything_without_scrolling_sideways(address, open_page):
    page = open_page(address, wait=".listing", viewport={"width": 360, "height": 740})
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for part in (".listing td.date", ".listing td.language", ".listing td.passages", ".picture svg"):
        box = page.locator(part).first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    page.get_by_role("link", name="Paduan suara").click()
    box = page.locator("#panel").bounding_box()
    assert (box["x"], box["width"]) == (0, 360)


def test_axe_finds_nothing_serious(address, browser, desk, screenshot):
    (desk.settings.index.articles[0] / "broken.json").write_text("{", encoding="utf-8")
    desk.work.rebuild()
    desk.until_done()
    page = bare(browser, address)
    states = {}

    def check(name: str) -> None:
        states[name] = barriers(page)
        screenshot(page, f"articles-{name}")

    check("folded")
    unfold(page)
    page.get_by_label("Text", exact=True).fill("—")
    page.locator("form[action$=paste] button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator(".problems li")).to_be_visible()
    check("wrong")
    page.emulate_media(color_scheme="dark")
    check("dark")
    page.get_by_role("link", name="Paduan suara").click()
    check("article-dark")
    page.emulate_media(color_scheme="light")
    check("article")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 360, "height": 740})
    check("phone")
    page.get_by_label("Select: Paduan suara").check()
    page.get_by_role("button", name="Remove the selected articles").click()
    check("question")
    page.context.close()
    assert {name: bad for name, bad in states.items() if bad} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_drawn_stands_out(address, open_page, scheme):
    """3:1, as WCAG asks of graphics (1.4.11); axe looks at what is written alone."""
    found = open_page(address, wait=".listing", color_scheme=scheme).evaluate(SHADES)
    assert len(found) == 6
    assert min(found) >= 3


SHADES = """() => {
  const linear = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parse = (colour) => colour.match(/[\\d.]+/g).map((value) => linear(Number(value) / 255));
  const luminance = ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b;
  const paper = luminance(parse(getComputedStyle(document.body).backgroundColor));
  return ["0", "1", "2", "3", "4", "5"].map((shade) => {
    const bar = document.querySelector(".by-language .bar span");
    bar.className = `shade-${shade}`;
    const ink = luminance(parse(getComputedStyle(bar).backgroundColor));
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  });
}"""
