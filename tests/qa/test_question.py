import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import QuestionError
from qa.question import LONGEST_QUESTION, asks_for_amount, asks_for_time, clean_question


@pytest.mark.parametrize("text", ["", "   ", "\n\t\r", "\x00\x01\x07", "???", "\ud800", "\u200b\u200e"])
def test_a_question_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(QuestionError, match="empty") as refused:
        clean_question(text)
    assert refused.value.key == "empty_question"


def test_a_question_of_100000_characters_is_refused() -> None:
    with pytest.raises(QuestionError, match="100,000 characters") as refused:
        clean_question("a" * 100_000)
    assert refused.value.key == "too_long"


def test_control_characters_and_line_ends_become_spaces() -> None:
    assert clean_question(" when\x00will\r\nBlinken\tarrive? ") == "when will Blinken arrive?"


@given(st.text(max_size=LONGEST_QUESTION))
def test_any_text_is_cleaned_to_one_line_or_refused(text: str) -> None:
    try:
        cleaned = clean_question(text)
    except QuestionError:
        return
    assert cleaned == " ".join(cleaned.split())
    assert clean_question(cleaned) == cleaned


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "When will Blinken arrive?"),
        ("id", "Kapan Blinken tiba?"),
        ("ms", "Bilakah Blinken akan tiba?"),
        ("ko", "블링컨은 언제 도착하나요?"),
        ("ja", "ブリンケンはいつ到着しますか"),
        ("zh", "布林肯什么时候到达？"),
        ("ar", "متى سيصل بلينكن؟"),
        ("es", "¿Cuándo llega Blinken?"),
        ("fr", "Quand arrive Blinken ?"),
        ("de", "Wann kommt Blinken an?"),
        ("it", "Quando arriva Blinken?"),
        ("nl", "Wanneer komt Blinken aan?"),
        ("pt", "Quando chega Blinken?"),
        ("ru", "Когда прибудет Блинкен?"),
        ("uk", "Коли прибуде Блінкен?"),
        ("pl", "Kiedy przyleci Blinken?"),
        ("tr", "Blinken ne zaman gelecek?"),
        ("vi", "Khi nào Blinken đến?"),
        ("th", "บลิงเคนจะมาถึงเมื่อไร"),
        ("hi", "ब्लिंकन कब पहुँचेंगे?"),
        ("fa", "بلینکن چه زمانی می‌رسد؟"),
        ("sw", "Blinken atafika lini?"),
    ],
)
def test_when_asks_for_a_time(language: str, question: str) -> None:
    assert asks_for_time(question, language)


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "Who is the whenever man?"),
        ("id", "Siapa Park Jin?"),
        ("de", "Wer kommt an?"),
        ("xx", "when?"),
        ("en", "How many people died when Marapi erupted?"),
        ("en", "How many people died on the day when Marapi erupted?"),
        ("en", "Where was the minister when the storm came?"),
        ("es", "¿Cuántos murieron cuando entró en erupción el Marapi?"),
        ("fr", "Combien de personnes étaient à bord quand le pont a cédé ?"),
        ("it", "Chi era a bordo quando il ponte è crollato?"),
        ("ms", "Berapa orang terkorban bila Marapi meletus?"),
        ("nl", "Hoeveel mensen stierven wanneer de vulkaan uitbarstte?"),
        ("pl", "Ile osób zginęło, kiedy wybuchł wulkan?"),
        ("pt", "O que disse o ministro quando chegou?"),
        ("ru", "Сколько человек погибло, когда началось извержение?"),
        ("uk", "Хто був на мосту, коли він упав?"),
    ],
)
def test_other_questions_do_not(language: str, question: str) -> None:
    assert not asks_for_time(question, language)


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "What was the exact date when the museum opened?"),
        ("en", "In which year was the bridge built?"),
        ("en", "When and where will they meet?"),
        ("en", "Do you know when he comes?"),
        ("fr", "Quel est le jour quand il arrive ?"),
        ("ru", "В каком году построили мост?"),
        ("pl", "Którego dnia przyleci Blinken?"),
        ("it", "In che data arriva Blinken?"),
        ("ms", "Pada hari apa dia tiba?"),
    ],
)
def test_a_time_that_is_asked_for_in_more_words_is_one(language: str, question: str) -> None:
    assert asks_for_time(question, language)


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "How long will Blinken stay in Seoul?"),
        ("en", "How many people died when Marapi erupted?"),
        ("id", "Berapa lama Blinken berada di Seoul?"),
        ("ms", "Berapakah kos jambatan itu?"),
        ("ko", "다리의 길이는 얼마인가요?"),
        ("ko", "블링컨의 방문은 며칠 동안인가요?"),
        ("ko", "회의는 몇 시간 걸렸나요?"),
        ("ja", "ブリンケン氏の訪問は何日間ですか？"),
        ("zh", "布林肯将停留几天？"),
        ("ar", "كم يوما سيبقى بلينكن في سيول؟"),
        ("es", "¿Cuántos días estará Blinken en Seúl?"),
        ("fr", "Combien de temps restera-t-il ?"),
        ("de", "Wie lange bleibt Blinken?"),
        ("it", "Quanti giorni resterà?"),
        ("nl", "Hoeveel dagen blijft hij?"),
        ("pt", "Quantos dias ele ficará?"),
        ("ru", "Сколько дней он пробудет в Сеуле?"),
        ("uk", "Скільки днів він пробуде в Сеулі?"),
        ("pl", "Ile dni tam będzie?"),
        ("tr", "Ziyaret kaç gün sürecek?"),
        ("vi", "Chuyến đi kéo dài bao lâu?"),
        ("th", "เขาจะอยู่ที่โซลกี่วัน"),
        ("hi", "वह कितने दिन रुकेंगे?"),
        ("fa", "او چند روز می‌ماند؟"),
        ("sw", "Atakaa siku ngapi?"),
    ],
)
def test_how_many_asks_for_an_amount(language: str, question: str) -> None:
    assert asks_for_amount(question, language)
    assert not asks_for_time(question, language)


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("en", "When will he arrive, and how many days will he stay?"),
        ("en", "What time does it open?"),
        ("id", "Tanggal berapa dia tiba?"),
        ("id", "Tahun berapakah jembatan itu dibangun?"),
        ("id", "Apa saja beberapa sebabnya?"),
        ("ko", "몇 시에 문을 여나요?"),
        ("zh", "他几点到？"),
        ("ar", "من أصدر الحُكم؟"),
        ("th", "เรื่องนี้เกี่ยวกับใคร"),
        ("de", "Um wie viel Uhr öffnet das Museum?"),
        ("xx", "how many?"),
    ],
)
def test_what_asks_for_no_amount(language: str, question: str) -> None:
    assert not asks_for_amount(question, language)
