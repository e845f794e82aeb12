import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.language import sentence_languages
from qa.open_question import gives_cause, open_question
from qa.question import time_word

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("language", "question", "kind"),
    [
        ("en", "Why was the tram late?", "why"),
        ("en", "How was the tram repaired?", "how"),
        ("en", "What did the mayor say about the tram?", "said"),
        ("en", "What happened to the tram?", "event"),
        ("en", "What’s new about the tram?", "event"),
        ("en", "Which countries are building trams?", "list"),
        ("id", "Mengapa trem itu terlambat?", "why"),
        ("id", "Apa kata wali kota tentang trem itu?", "said"),
        ("ms", "Apakah yang berlaku kepada trem itu?", "event"),
        ("ko", "시장은 전차에 대해 뭐라고 했나요?", "said"),
        ("ja", "なぜ路面電車は遅れたのですか？", "why"),
        ("zh", "电车发生了什么？", "event"),
        ("ar", "كيف تم إصلاح الترام؟", "how"),
        ("es", "¿Por qué se retrasó el tranvía?", "why"),
        ("fr", "Qu’a dit le maire à propos du tramway ?", "said"),
        ("de", "Welche Länder bauen Straßenbahnen?", "list"),
        ("it", "Che cosa è successo al tram?", "event"),
        ("nl", "Hoe werd de tram gerepareerd?", "how"),
        ("pt", "Como foi reparado o elétrico?", "how"),
        ("ru", "Что рассказала мэр о трамвае?", "said"),
        ("uk", "Чому запізнився трамвай?", "why"),
        ("pl", "Co się stało z tramwajem?", "event"),
        ("tr", "Tramvay neden gecikti?", "why"),
        ("vi", "Vì sao tàu điện bị chậm?", "why"),
        ("th", "รถรางซ่อมอย่างไร", "how"),
        ("hi", "ट्राम के साथ क्या हुआ?", "event"),
        ("fa", "چرا تراموا دیر کرد؟", "why"),
        ("sw", "Kwa nini tramu ilichelewa?", "why"),
    ],
)
def test_open_questions_are_known_by_their_words(language: str, question: str, kind: str) -> None:
    found = open_question(question, language)
    assert found is not None
    assert found.kind == kind
    assert found.subject


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Who repaired the tram?"),
        ("en", "How many trams are there?"),
        ("en", "How long is the line?"),
        ("en", "How much did the tram cost?"),
        ("en", "What is New York's oldest tram?"),
        ("en", "When will the news about the tram come?"),
        ("en", "In which country were the trams built?"),
        ("fr", "Comment s'appelle le conducteur ?"),
        ("es", "¿Cómo se llama la alcaldesa?"),
        ("de", "Wie viele Bahnen fahren?"),
        ("de", "Wie heißt der Fahrer?"),
        ("ru", "Как зовут водителя?"),
        ("ko", "정원은 어떻게 되나요?"),
        ("zh", "这种电车叫做什么？"),
        ("ja", "路面電車は英語で何と言いますか？"),
        ("hi", "ट्राम को हिंदी में क्या कहा जाता है?"),
        ("th", "รถชนิดนี้เรียกว่าอะไร"),
        ("xx", "why?"),
    ],
)
def test_questions_for_one_fact_are_left_to_the_reader(language: str, question: str) -> None:
    assert open_question(question, language) is None


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What's new?"),
        ("en", "Summarise this week, please."),
        ("en", "What is the latest news?"),
        ("id", "Rangkum berita pekan ini."),
        ("ko", "이번 주 뉴스를 요약해 주세요."),
        ("ja", "今週のニュースをまとめてください。"),
        ("zh", "请总结一下本周的新闻。"),
        ("ar", "ما هي آخر الأخبار؟"),
        ("es", "¿Qué hay de nuevo hoy?"),
        ("fr", "Quelles sont les dernières nouvelles ?"),
        ("de", "Was gibt es Neues?"),
        ("it", "Quali sono le ultime notizie?"),
        ("nl", "Wat is het laatste nieuws?"),
        ("pt", "Quais são as últimas notícias?"),
        ("ru", "Какие последние новости?"),
        ("uk", "Що нового цього тижня?"),
        ("pl", "Co nowego?"),
        ("tr", "Bu haftanın haberlerini özetle"),
        ("vi", "Tóm tắt tin tức tuần này"),
        ("th", "สรุปข่าวสัปดาห์นี้"),
        ("hi", "ताज़ा खबरें क्या हैं?"),
        ("fa", "آخرین اخبار چیست؟"),
        ("sw", "Kuna habari gani leo?"),
    ],
)
def test_a_question_without_a_subject_asks_for_the_news(language: str, question: str) -> None:
    assert open_question(question, language) == ("event", "")


def test_the_subject_is_what_does_not_ask() -> None:
    assert open_question("What's new about North Korea?", "en") == ("event", "about north korea?")
    assert open_question("What will the choir do in Basel?", "en") == ("event", "the choir in basel?")


def test_the_question_word_that_comes_first_decides() -> None:
    assert time_word("What happened when the storm came?", "en") == 14
    assert open_question("What happened when the storm came?", "en") == ("event", "when the storm came?")
    assert open_question("When did what happened become known?", "en") is None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The tram was late because of snow."),
        ("de", "Die Halle bleibt zu, weil eine Fichte umstürzte."),
        ("es", "Se retira por motivos de salud."),
        ("sw", "Ulichelewa kwa sababu ya mafuriko."),
        ("zh", "因为下雪，电车晚点。"),
    ],
)
def test_a_sentence_that_gives_a_cause_is_known(language: str, text: str) -> None:
    assert gives_cause(text, language)
    assert not gives_cause("1234", language)


def test_every_language_of_kabar_has_its_words() -> None:
    table = json.loads((ROOT / "qa" / "data" / "open_questions.json").read_text(encoding="utf-8"))
    assert set(sentence_languages()) == table.keys() - {"about"}
    kinds = {"why", "how", "said", "list", "event", "never", "filler", "cause"}
    for language, words in table.items():
        if language != "about":
            assert set(words) == kinds
            assert all(words[kind] for kind in kinds - {"never"}), language


def test_few_of_the_questions_for_one_fact_are_taken_for_open_ones() -> None:
    items = json.loads((ROOT / "articles" / "questions.json").read_text(encoding="utf-8"))
    taken = [item["question"] for item in items if open_question(item["question"], item["language"])]
    assert taken == [
        "Why was the opening of the Ellerby Bridge put off?",
        "Bagaimana cara membuat rendang?",
        "สูตรต้มยำกุ้งต้องใส่อะไรบ้าง",
    ]


@pytest.mark.parametrize("file", ["open.json", "open_held_back.json"])
def test_the_open_questions_that_kabar_is_measured_on_are_taken_for_such(file: str) -> None:
    items = json.loads((ROOT / "benchmarks" / "questions" / file).read_text(encoding="utf-8"))
    assert [item["question"] for item in items if not open_question(item["question"], item["language"])] == []


@given(st.text(max_size=200), st.sampled_from(sentence_languages()))
def test_any_text_can_be_looked_at(text: str, language: str) -> None:
    found = open_question(text, language)
    assert found is None or found.kind in ("why", "how", "said", "list", "event")
