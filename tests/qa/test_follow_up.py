"""Follow-up questions: which lean on what was said before, and what they mean then."""

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.follow_up import follow_up, has_no_topic, last_language, leaning
from qa.turn import Turn
from qa.understand import understand

ARRIVAL = ("user", "when will Blinken arrive?")
DATE = ("assistant", "Wednesday, 8 November 2023. In Indonesian: “Blinken akan tiba di Seoul pada Rabu depan.” [1]")
MEETING = ("user", "And who will he meet there?")
PERSON = ("assistant", "Park Jin. In Indonesian: “Blinken akan bertemu dengan Park Jin.” [1]")


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "And who will he meet there?"), ("en", "How long?"), ("en", "When was that?"), ("en", "Who won?"),
        ("en", "What is its top speed?"), ("en", "At what time?"),
        ("id", "Berapa lama?"), ("id", "Siapa kepala proyeknya?"), ("id", "Kapan itu terjadi?"),
        ("ms", "Siapakah yang memimpin mereka?"),
        ("es", "¿Y dónde?"), ("es", "¿Cuándo asumirá?"), ("es", "¿Con quién se reunirá allí?"),
        ("fr", "Quel âge a-t-elle ?"), ("fr", "À quelle heure ?"), ("fr", "Qui rencontrera-t-il ?"),
        ("de", "Warum?"), ("de", "Wie lange bleibt er dort?"), ("it", "E quanti anni ha?"), ("nl", "En hoe lang?"),
        ("pt", "Quantos anos tem ele?"), ("ru", "Сколько ему лет?"), ("ru", "А где?"), ("uk", "Коли це було?"),
        ("pl", "Kiedy to było?"), ("tr", "Peki kaç gün sürecek?"), ("vi", "Còn ở đâu?"), ("hi", "वह कब आएगा?"),
        ("ko", "그는 누구를 만나나요?"), ("ko", "얼마나 머무르나요?"), ("ja", "そこで誰に会いますか？"),
        ("ja", "いつですか？"),
        ("zh", "她说了什么？"), ("zh", "持续几天？"), ("th", "แล้วที่ไหน"), ("ar", "ومن سيقابل هناك؟"),
        ("ar", "كم مدة ذلك؟"),
        ("fa", "او چند سال دارد؟"), ("sw", "Na meneja wake ni nani?"),
    ],
)  # fmt: skip
def test_these_lean(language: str, question: str) -> None:
    assert leaning(question, language) == "leans"


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Who won the World Cup?"), ("en", "And when does the Ellerby Bridge open?"), ("en", "Where is Busan?"),
        ("en", "When does the Ellerby Bridge open, and how long is it?"), ("en", "Who was in Seoul this week?"),
        ("en", "What happened last week?"), ("en", "Is there a hotel in Busan?"),
        ("id", "Siapa presiden Korea Selatan?"), ("es", "¿Cuál es la capital de Australia?"),
        ("fr", "Quand Blinken arrivera-t-il ?"), ("de", "Wann traf der Sturm „Hedda“ Rostock?"),
        ("ru", "Когда прибудет Блинкен?"), ("pt", "Quem foi preso ontem?"), ("ko", "서울은 어디에 있나요?"),
        ("ja", "ブリンケン氏はいつ到着しますか？"), ("ar", "متى تأسست «محطة المرجان»؟"), ("tr", "Türkiye nerede?"),
    ],
)  # fmt: skip
def test_these_stand_alone(language: str, question: str) -> None:
    assert leaning(question, language) == "alone"


@pytest.mark.parametrize(
    ("language", "question"),
    [("en", "And in Busan?"), ("en", "What about Lavrov?"), ("es", "¿Y en Corea del Sur?"), ("en", "And last week?")],
)
def test_these_replace_a_part(language: str, question: str) -> None:
    assert leaning(question, language) == "replaces"


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "How much will the repair cost?"),
        ("ko", "젖은 책은 몇 권인가요?"),
        ("en", "who wrote the divine comedy?"),
        ("en", "How many farms grow rice on land that the river took from them?"),
    ],
)
def test_what_names_nothing_may_lean(language: str, question: str) -> None:
    assert leaning(question, language) == "maybe"


def test_without_a_history_nothing_leans() -> None:
    assert follow_up("How long?", "en", []).leaning == "alone"
    assert follow_up("How long?", "en", [("user", "hello"), ("assistant", "Hello!")]).leaning == "alone"


def test_the_topic_is_carried_over() -> None:
    meant = follow_up("And who will he meet there?", "en", [ARRIVAL, DATE])
    assert meant.query == "Blinken: who will he meet there?"
    assert "Blinken akan tiba di Seoul" in meant.context
    assert "[1]" not in meant.context


@pytest.mark.parametrize(
    ("language", "first", "second", "query"),
    [
        ("ko", "달빛도서관은 언제 문을 여나요?", "왜 미뤄졌나요?", "달빛도서관은: 왜 미뤄졌나요?"),
        ("zh", "送药机器人什么时候上岗？", "花了多少钱？", "送药机器人: 花了多少钱？"),
        ("en", "who wrote the comedy?", "And when?", "wrote the comedy: when?"),
    ],
)
def test_a_topic_without_a_name(language: str, first: str, second: str, query: str) -> None:
    assert follow_up(second, language, [("user", first)]).query == query


def test_a_chain_leans_on_its_first_question_and_the_last_fact() -> None:
    meant = follow_up("How long?", "en", [ARRIVAL, DATE, MEETING, PERSON])
    assert meant.query == "Blinken, Park Jin: How long?"
    assert meant.base == "when will Blinken arrive?"
    assert "bertemu dengan Park Jin" in meant.context


def test_an_old_topic_ends_with_a_new_one() -> None:
    history = [ARRIVAL, DATE, ("user", "When does the Ellerby Bridge open?"), ("assistant", "On 4 June 2024.")]
    meant = follow_up("Why was it put off?", "en", history)
    assert meant.query == "Ellerby Bridge: Why was it put off?"
    assert "Blinken" not in meant.context


def test_a_refusal_is_no_topic() -> None:
    meant = follow_up("Who?", "en", [ARRIVAL, ("assistant", "The articles do not say.")])
    assert meant.query == "Blinken: Who?"
    assert meant.context.strip() == "when will Blinken arrive?"


def test_what_stands_alone_takes_nothing_along() -> None:
    meant = follow_up("Who won the World Cup?", "en", [ARRIVAL, DATE])
    assert (meant.query, meant.context, meant.base) == ("Who won the World Cup?", "", "")


def test_the_kind_is_that_of_the_new_question() -> None:
    def wants_time(question: str) -> bool:
        return understand(Turn(question, [ARRIVAL, DATE])).wants_time

    assert not wants_time("And who will he meet there?")
    assert wants_time("When was that?")
    assert wants_time("And Lavrov?")


def test_few_words_are_in_the_language_of_the_conversation() -> None:
    portuguese = [("user", "Quem vai conduzir a primeira viagem do elétrico?"), ("assistant", "Aurélio Matosinho.")]
    italian = [("user", "Quando arriverà Blinken a Seul?"), ("assistant", "8 novembre 2023.")]
    assert understand(Turn("Quando?", portuguese)).language == "pt"
    assert understand(Turn("Quando?", italian)).language == "it"
    assert understand(Turn("Berapa lama?", italian)).language in ("id", "ms")
    assert last_language([]) is None
    assert has_no_topic("Quando?", "pt")
    assert not has_no_topic("Quando chega Blinken?", "pt")


@pytest.mark.parametrize("text", ["", "\x00", "x" * 5000, "???", "🙂"])
def test_a_history_of_anything_is_no_error(text: str) -> None:
    history = [("user", text), ("assistant", text), ("other", text)]
    assert follow_up("How long?", "en", history).query


@given(st.text(max_size=40), st.sampled_from(["en", "ja", "th", "ar", "de", "xx"]))
def test_no_text_fails(text: str, language: str) -> None:
    assert leaning(text, language) in ("alone", "maybe", "leans", "replaces")
    assert isinstance(follow_up(text, language, [("user", text), ARRIVAL, DATE]).query, str)


def test_every_language_has_every_list() -> None:
    table = json.loads(files("qa").joinpath("data/follow_up.json").read_text(encoding="utf-8"))
    table.pop("about")
    times = json.loads(files("qa").joinpath("data/time_questions.json").read_text(encoding="utf-8"))
    assert set(table) == set(times) - {"about"}
    for entry in table.values():
        assert {"opener", "leaning", "not", "asking", "plain", "definition"} <= set(entry)
        assert all(word.strip() for words in entry.values() for word in words.split(","))
