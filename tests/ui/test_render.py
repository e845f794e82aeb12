"""An answer as HTML: what is shown where, in which direction, and that text stays text."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.answer import Answer, Citation, DateMention
from ui import render

PASSAGE = "Menlu Blinken bertolak pekan ini. Blinken akan tiba di Seoul pada Rabu depan. Ia akan bertemu Park Jin."
QUOTE = "Blinken akan tiba di Seoul pada Rabu depan."
NEXT_WEDNESDAY = DateMention(
    text="Rabu depan",
    start=QUOTE.index("Rabu depan"),
    end=QUOTE.index("Rabu depan") + len("Rabu depan"),
    value="2023-11-08",
    kind="relative",
    derived="next Wednesday after 2023-11-01",
)
VOID = {"br", "hr", "img", "input", "link", "meta"}


class Page(HTMLParser):
    """Elements of some HTML as (tag, attributes, text inside), and whether every one is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(html)
        self.close()
        assert not self._open, "an element is not closed"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes), []))
        if tag not in VOID:
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag):
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data):
        for place in self._open:
            self.elements[place][2].append(data)

    def all(self, tag: str, kind: str | None = None) -> list[tuple[dict[str, str | None], str]]:
        return [
            (attributes, "".join(texts))
            for name, attributes, texts in self.elements
            if name == tag and (kind is None or kind in (attributes.get("class") or "").split())
        ]

    def one(self, tag: str, kind: str | None = None) -> tuple[dict[str, str | None], str]:
        (found,) = self.all(tag, kind)
        return found


def cited(**changes) -> Citation:
    fields = {
        "number": 1,
        "article_id": "blinken",
        "title": "Blinken ke Seoul",
        "url": "https://example.org/blinken",
        "source": "VOA Indonesia",
        "language": "id",
        "published": "2023-11-01",
        "published_from": "metadata",
        "passage": PASSAGE,
        "passage_start": PASSAGE.index(QUOTE),
        "start": 100,
        "end": 100 + len(QUOTE),
        "quote": QUOTE,
    }
    return Citation(**(fields | changes))


def answered(**changes) -> Answer:
    fields = {
        "question": "when will Blinken arrive?",
        "text": "Wednesday, 8 November 2023. Blinken will arrive in Seoul. [1]",
        "short": "Wednesday, 8 November 2023",
        "answerable": True,
        "confidence": 0.9,
        "language": "en",
        "dates": (NEXT_WEDNESDAY,),
        "citations": (cited(),),
    }
    return Answer(**(fields | changes))


def page(**changes) -> Page:
    return Page(render.answer(answered(**changes), turn=3))


def test_fact_stands_alone_and_first():
    shown = page()
    assert shown.one("p", "fact")[1] == "Wednesday, 8 November 2023"
    assert shown.one("p", "text")[1] == "Blinken will arrive in Seoul.1"
    assert [name for name, *_ in shown.elements[:2]] == ["div", "p"]


@pytest.mark.parametrize(
    ("short", "text", "fact", "sentence"),
    [
        ("Park Jin", "Park Jin. He is minister. [1]", "Park Jin", "He is minister.1"),
        ("朴振", "朴振。他是部长。[1]", "朴振", "他是部长。1"),
        ("الأربعاء", "الأربعاء. يصل بلينكن. [1]", "الأربعاء", "يصل بلينكن.1"),
        ("Park Jin", "Park Jin met Blinken. [1]", "Park Jin", "Park Jin met Blinken.1"),
        ("two days", "He stays two days. [1]", "two days", "He stays two days.1"),
        ("two days", "two days [1]", "two days1", None),
        ("It rains.", "It rains. [1]", "It rains.1", None),
    ],
)
def test_fact_is_said_once_when_it_is_a_sentence_of_its_own(short, text, fact, sentence):
    shown = page(short=short, text=text)
    assert shown.one("p", "fact")[1] == fact
    assert [found for _, found in shown.all("p", "text")] == ([sentence] if sentence else [])


def test_long_fact_inside_the_text_is_not_repeated():
    shown = page(short=QUOTE * 2, text=f"In Indonesian: “{QUOTE * 2}” [1]")
    assert not shown.all("p", "fact")
    assert shown.one("p", "lead")[1].startswith("In Indonesian")


def test_number_in_brackets_opens_its_evidence():
    attributes, number = page().one("button", "mark")
    assert number == "1"
    assert attributes["aria-label"] == "Source 1"
    evidence = [found for found, _ in page().all("div", "evidence")]
    assert [found["id"] for found in evidence] == [attributes["data-evidence"]]


def test_number_without_a_citation_stays_text():
    assert page(text="Wednesday, 8 November 2023. See [7]. [1]").one("p", "text")[1] == "See [7].1"


def test_identifiers_differ_between_turns():
    assert 'id="evidence-1-1"' in render.answer(answered(), turn=1)
    assert 'id="evidence-2-1"' in render.answer(answered(), turn=2)


def test_card_shows_title_source_date_and_language():
    _, text = page().one("button", "card")
    for part in ("Blinken ke Seoul", "VOA Indonesia", "1 November 2023", "Indonesian"):
        assert part in text


def test_date_is_worded_in_the_language_of_the_question():
    assert "2023년 11월 1일" in page(language="ko").one("button", "card")[1]


@pytest.mark.parametrize("origin", ["dateline", "file"])
def test_guessed_date_is_called_a_guess(origin):
    shown = page(citations=(cited(published_from=origin),))
    assert shown.one("em", "guess")[1]
    assert "1 November 2023" in shown.one("p", "guessed")[1]


@pytest.mark.parametrize("origin", ["metadata", "page"])
def test_known_date_is_not_called_a_guess(origin):
    shown = page(citations=(cited(published_from=origin),))
    assert not shown.all("em", "guess")
    assert not shown.all("p", "guessed")


def test_article_without_date_and_source_shows_neither():
    shown = page(citations=(cited(published=None, published_from="unknown", source=None),))
    assert not shown.all("time")
    assert shown.one("button", "card")[1] == "1Blinken ke SeoulIndonesian"


def test_exact_quotation_is_marked_in_its_passage():
    shown = page()
    attributes, passage = shown.one("div", "passage")
    assert passage == PASSAGE
    assert attributes["lang"] == "id"
    assert shown.one("mark")[1] == QUOTE


def test_date_expression_is_strong_in_the_quotation():
    assert {text for _, text in page().all("strong")} == {"Rabu depan"}


def test_date_of_reporting_is_neither_strong_nor_counted():
    shown = page(dates=(NEXT_WEDNESDAY.model_copy(update={"reporting": True}),))
    assert not shown.all("strong")
    assert not shown.all("details")


def test_date_whose_place_does_not_fit_the_quotation_is_not_made_strong():
    shown = page(dates=(NEXT_WEDNESDAY.model_copy(update={"start": 0, "end": 10}),))
    assert not shown.all("strong")


def test_relative_date_says_what_it_means_and_what_it_was_counted_from():
    shown = page()
    assert shown.one("summary")[1] == "Rabu depan = 8 November 2023"
    assert "1 November 2023" in shown.one("details")[1]


def test_original_words_stand_beside_an_answer_in_another_language():
    shown = page()
    attributes, quotation = shown.one("blockquote")
    assert (attributes["lang"], attributes["dir"], quotation) == ("id", "ltr", QUOTE)
    assert "Indonesian" in shown.one("figcaption")[1]


def test_original_words_are_not_repeated_in_the_same_language():
    assert not page(language="id").all("blockquote")


def test_answer_that_only_quotes_shows_the_words_once_set_apart():
    shown = page(text=f"Wednesday, 8 November 2023. In Indonesian: “{QUOTE}” [1]")
    assert shown.one("p", "fact")[1] == "Wednesday, 8 November 20231"
    assert not shown.all("p", "text")
    assert shown.one("blockquote")[1] == QUOTE


def test_quotation_inside_the_sentence_keeps_its_direction_and_is_not_repeated():
    shown = page(language="ar", text=f"الأربعاء. قال: «{QUOTE}» [1]", short="الأربعاء")
    attributes, quotation = shown.all("bdi")[0]
    assert (attributes["lang"], attributes["dir"], quotation) == ("id", "ltr", QUOTE)
    assert not shown.all("blockquote")


def test_quotation_with_signs_of_patterns_is_found_as_it_is():
    quote = "(a+)+$ [1] \\d.*"
    shown = page(
        text=f"Yes. He wrote {quote} [1]",
        short="Yes",
        dates=(),
        citations=(cited(quote=quote, passage=quote, passage_start=0),),
    )
    assert shown.all("bdi")[0][1] == quote
    assert len(shown.all("button", "mark")) == 1


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("fa", "rtl"), ("en", "ltr"), ("ko", "ltr")])
def test_answer_has_the_direction_of_its_language(language, direction):
    shown = page(language=language)
    assert shown.elements[0][1]["dir"] == direction
    assert shown.one("div", "passage")[0]["dir"] == "ltr"


def test_no_answer_is_said_plainly_with_the_nearest_passages():
    shown = page(text="The articles do not say.", short="", answerable=False, confidence=0)
    assert shown.one("p", "text")[1] == "The articles do not say."
    assert not shown.all("p", "fact")
    assert not shown.all("blockquote")
    assert shown.one("h3", "rubric")[1] == "The nearest passages:"
    assert len(shown.all("button", "card")) == 1


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//example.org/x",
        "/relative",
        "https://",
        "https://[::1",
        "https://example.org/a b",
        "https://example.org/\u202egpj",
        "",
        None,
    ],
)
def test_other_addresses_are_no_links(url):
    assert render.safe_link(url) is None
    assert not page(citations=(cited(url=url),)).all("a")


def test_link_opens_elsewhere_and_tells_nothing():
    attributes, _ = page(citations=(cited(url='https://example.org/?a=1&b="2"'),)).one("a")
    assert attributes["href"] == 'https://example.org/?a=1&b="2"'
    assert attributes["target"] == "_blank"
    assert set((attributes["rel"] or "").split()) == {"noopener", "noreferrer", "nofollow"}


ATTACK = "\"><script>alert(1)</script><img src=x onerror='alert(2)'>`${alert(3)}`{{value}}</div><!--"


def test_text_from_outside_never_becomes_an_element():
    quote = ATTACK + QUOTE
    shown = page(
        question=ATTACK,
        text=ATTACK + " [1]",
        short=ATTACK,
        language=ATTACK,
        dates=(DateMention(text=ATTACK, start=0, end=len(ATTACK), value=ATTACK, kind="relative", derived=ATTACK),),
        citations=(
            cited(
                title=ATTACK,
                source=ATTACK,
                url="https://example.org/" + ATTACK,
                published=ATTACK,
                language=ATTACK,
                passage=ATTACK + quote,
                passage_start=len(ATTACK),
                quote=quote,
            ),
        ),
    )
    assert not {name for name, *_ in shown.elements} & {"script", "img"}
    assert not [name for _, attributes, _ in shown.elements for name in attributes if name.startswith("on")]
    assert shown.one("mark")[1] == quote
    assert not Page(render.question(ATTACK, ATTACK)).all("script")
    assert not Page(render.error(ATTACK, "en")).all("script")
    assert not Page(render.partial(ATTACK)).all("script")


@settings(deadline=None)
@given(
    text=st.text(st.characters(exclude_categories=()), max_size=60), start=st.integers(0, 60), size=st.integers(0, 60)
)
def test_any_passage_is_shown_whole_with_the_quotation_marked(text, start, size):
    start = min(start, len(text))
    quote = text[start : start + size]
    found = render.answer(
        answered(citations=(cited(passage=text, passage_start=start, quote=quote),), dates=()), turn=1
    )
    json.dumps(found).encode("utf-8")
    found.encode("utf-8")  # lone surrogates would end the stream to the browser
    shown = Page(found)
    visible = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")
    assert shown.one("div", "passage")[1].replace("\r", "") == visible.replace("\r", "")


def test_very_long_question_is_shown_shortened():
    shown = Page(render.question("q" * 100_000))
    assert len(shown.one("h2", "question")[1]) < 1100
    assert shown.one("h2", "question")[0]["dir"] == "auto"


def test_week_and_nonsense_as_dates():
    assert "2023" in render.local_date("2023-W45", "en")
    assert render.local_date("soon", "en") == "soon"
