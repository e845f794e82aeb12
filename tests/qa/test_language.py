"""The language of questions, and kabar's own words."""

import json
import random
import string
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from qa.language import direction, identify, name, sentence, small_talk

QUESTIONS = {
    "en": [
        "when will Blinken arrive?",
        "Who is Park Jin?",
        "how many people were hurt?",
        "Where was the summit held?",
        "what did Lavrov say?",
        "How much does the bridge cost?",
        "why was the opening delayed",
        "Which carrier visited South Korea?",
        "When is the Yogyakarta festival?",
        "WHEN DOES THE FERRY LEAVE",
        "And who will he meet there?",
    ],
    "id": [
        "Kapan Blinken tiba?",
        "Siapa Park Jin?",
        "Di mana jembatan itu?",
        "Berapa lama kunjungannya?",
        "Berapa lama?",
        "Apa kata Lavrov?",
        "Mengapa pembukaan ditunda?",
        "kapan festival salju di Kazan dimulai",
        "Bagaimana cara membuat rendang?",
        "Siapakah Menteri Luar Negeri Korea Selatan?",
        "Berapakah harga tiket feri?",
        "Ada berita apa hari ini?",
    ],
    "ms": [
        "Bilakah Blinken akan tiba?",
        "Bila jambatan itu dibuka?",
        "Kenapa polis menutup bandar itu?",
        "Berapakah kos jambatan baharu itu?",
        "Bila pilihan raya akan berlangsung?",
        "Apa yang berlaku kerana banjir?",
        "Macam mana hendak beli tiket?",
        "Syarikat mana membina hospital itu?",
    ],
    "ko": [
        "블링컨은 언제 도착하나요?",
        "박진은 누구인가요?",
        "USS Ronald Reagan은 어디에 있나요?",
        "달빛도서관 개관일은?",
        "얼마나 걸립니까",
        "WHO는 언제 발표했나요?",
        "회담은 어디서 열리나요?",
    ],
    "ja": [
        "ブリンケン氏はいつ到着しますか?",
        "朴振とは誰ですか?",
        "USS Ronald Reaganはどこにいますか",
        "運賃はいくら?",
        "なぜ延期されたのですか?",
        "The Beatlesはいつ解散しましたか?",
        "何人が参加しましたか?",
    ],
    "zh": [
        "布林肯什么时候到达?",
        "朴振是谁?",
        "桥有多长?",
        "谁赢得了选举?",
        "票价是多少",
        "Blinken什么时候去首尔?",
        "布林肯何時抵達首爾?",
    ],
    "ar": [
        "متى سيصل بلينكن؟",
        "من هو بارك جين؟",
        "كم عدد الجرحى؟",
        "أين يقع الجسر؟",
        "لماذا تأجل الافتتاح؟",
        "ما هي تكلفة المشروع؟",
        "متى تبدأ المحطة العمل",
        "أين USS Ronald Reagan؟",
    ],
    "fa": [
        "بلینکن کی می‌رسد؟",
        "پارک جین کیست؟",
        "چند نفر زخمی شدند؟",
        "پل کجا است؟",
        "چرا افتتاح به تعویق افتاد؟",
        "هزینه پروژه چقدر بود؟",
        "چه کسی برنده انتخابات شد؟",
    ],
    "ur": [
        "بلنکن کب پہنچیں گے؟",
        "پارک جن کون ہے؟",
        "کتنے لوگ زخمی ہوئے؟",
        "پل کہاں ہے؟",
        "افتتاح کیوں ملتوی ہوا؟",
        "ٹکٹ کی قیمت کیا ہے؟",
    ],
    "ru": [
        "Когда прибудет Блинкен?",
        "Кто такой Пак Чин?",
        "Сколько стоит билет?",
        "Где пройдёт фестиваль?",
        "Почему открытие отложили?",
        "Что сказал Лавров?",
        "Сколько человек пострадало",
        "Когда Apple представит iPhone?",
    ],
    "uk": [
        "Коли прибуде Блінкен?",
        "Хто такий Пак Чин?",
        "Скільки коштує квиток?",
        "Де відбудеться фестиваль?",
        "Чому відклали відкриття?",
        "Що сказав міністр?",
        "Як довго триватиме візит?",
    ],
    "bg": [
        "Кога пристига Блинкен?",
        "Кой е Пак Джин?",
        "Колко струва билетът?",
        "Къде ще се проведе фестивалът?",
        "Защо беше отложено откриването?",
        "Какво каза министърът?",
    ],
    "sr": ["Када стиже Блинкен?", "Ко је Пак Џин?", "Колико кошта карта?", "Где је мост?", "Зашто је отказано?"],
    "es": [
        "¿Cuándo llegará Blinken?",
        "¿Quién es Park Jin?",
        "cuanto cuesta el billete",
        "¿Dónde está el puente?",
        "¿Por qué se aplazó la inauguración?",
        "¿Cuántos heridos hubo?",
        "¿Qué dijo Lavrov?",
        "cuando llega Blinken",
    ],
    "pt": [
        "Quando chegará Blinken?",
        "Quem é Park Jin?",
        "Quanto custa o bilhete?",
        "Onde fica a ponte?",
        "Por que a inauguração foi adiada?",
        "Quantas pessoas ficaram feridas?",
        "O que disse Lavrov?",
        "Qual é o nome do navio?",
    ],
    "fr": [
        "Quand Blinken arrivera-t-il ?",
        "Qui est Park Jin ?",
        "Combien coûte le billet ?",
        "Où se trouve le pont ?",
        "Pourquoi l'ouverture a-t-elle été reportée ?",
        "Qu'a dit Lavrov ?",
        "Quel est le nom du navire ?",
        "C’est quand, l’élection ?",
    ],
    "it": [
        "Quando arriverà Blinken?",
        "Chi è Park Jin?",
        "Quanto costa il biglietto?",
        "Dove si trova il ponte?",
        "Perché l'apertura è stata rinviata?",
        "Quante persone sono rimaste ferite?",
        "Che cosa ha detto Lavrov?",
        "Com'è andata la votazione?",
    ],
    "de": [
        "Wann kommt Blinken an?",
        "Wer ist Park Jin?",
        "Wie viel kostet die Brücke?",
        "Wo steht der Flugzeugträger?",
        "Warum wurde die Eröffnung verschoben?",
        "Wie viele Menschen wurden verletzt?",
        "Was sagte Lawrow?",
        "Seit wann regiert Kim?",
    ],
    "nl": [
        "Wanneer komt Blinken aan?",
        "Wie is Park Jin?",
        "Hoeveel kost het kaartje?",
        "Waar ligt de brug?",
        "Waarom is de opening uitgesteld?",
        "Wat zei Lavrov?",
        "Hoe lang duurt het bezoek?",
    ],
    "pl": [
        "Kiedy przyjedzie Blinken?",
        "Kim jest Park Jin?",
        "Ile kosztuje bilet?",
        "Gdzie jest most?",
        "Dlaczego otwarcie przełożono?",
        "Co powiedział Ławrow?",
        "Kto wygrał wybory?",
    ],
    "cs": [
        "Kdy přijede Blinken?",
        "Kdo je Park Jin?",
        "Kolik stojí lístek?",
        "Kde je ten most?",
        "Proč bylo otevření odloženo?",
        "Co řekl Lavrov?",
    ],
    "tr": [
        "Blinken ne zaman gelecek?",
        "Park Jin kimdir?",
        "Bilet kaç lira?",
        "Köprü nerede?",
        "Açılış neden ertelendi?",
        "Kaç kişi yaralandı?",
        "Lavrov ne dedi?",
    ],
    "vi": [
        "Khi nào Blinken đến?",
        "Park Jin là ai?",
        "Vé giá bao nhiêu?",
        "Cây cầu ở đâu?",
        "Tại sao lễ khai trương bị hoãn?",
        "Có bao nhiêu người bị thương?",
        "Ông Lavrov nói gì?",
        "bao gio Blinken den Seoul",
    ],
    "th": [
        "บลิงเคนจะมาถึงเมื่อไร",
        "พัค จิน คือใคร",
        "ตั๋วราคาเท่าไร",
        "สะพานอยู่ที่ไหน",
        "Blinken จะไปโซลเมื่อไร",
        "ทำไมจึงเลื่อนการเปิด",
    ],
    "hi": [
        "ब्लिंकन कब पहुँचेंगे?",
        "पार्क जिन कौन हैं?",
        "टिकट कितने का है?",
        "पुल कहाँ है?",
        "उद्घाटन क्यों टला?",
        "कितने लोग घायल हुए?",
        "लावरोव ने क्या कहा?",
    ],
    "mr": ["ब्लिंकन कधी येणार आहेत?", "पार्क जिन कोण आहे?", "पूल कुठे आहे?", "तिकीट किती रुपयांना आहे?", "काय झाले?"],
    "ne": ["ब्लिंकन कहिले आउने हो?", "पार्क जिन को हुन्?", "पुल कहाँ छ?", "टिकटको मूल्य कति हो?", "किन ढिला भयो?"],
    "sw": [
        "Blinken atawasili lini?",
        "Park Jin ni nani?",
        "Soko liko wapi?",
        "Tiketi ni shilingi ngapi?",
        "Kwa nini ufunguzi uliahirishwa?",
        "Watu wangapi walijeruhiwa?",
        "Waziri alisema nini?",
    ],
    "ro": [
        "Când sosește Blinken?",
        "Cine este Park Jin?",
        "Cât costă biletul?",
        "Unde se află podul?",
        "De ce a fost amânată deschiderea?",
        "Ce a spus Lavrov?",
    ],
    "hu": [
        "Mikor érkezik Blinken?",
        "Ki az a Park Jin?",
        "Mennyibe kerül a jegy?",
        "Hol van a híd?",
        "Miért halasztották el a megnyitót?",
        "Mit mondott Lavrov?",
    ],
    "sv": [
        "När kommer Blinken?",
        "Vem är Park Jin?",
        "Hur mycket kostar biljetten?",
        "Var ligger bron?",
        "Varför sköts öppningen upp?",
        "Vad sa Lavrov?",
    ],
    "da": [
        "Hvornår ankommer Blinken?",
        "Hvad koster billetten?",
        "Hvad sagde Lavrov?",
        "Hvornår åbner broen?",
        "Hvad hedder skibet?",
    ],
    "fi": [
        "Milloin Blinken saapuu?",
        "Kuka on Park Jin?",
        "Paljonko lippu maksaa?",
        "Missä silta on?",
        "Miksi avajaiset siirrettiin?",
        "Mitä Lavrov sanoi?",
    ],
    "el": ["Πότε φτάνει ο Μπλίνκεν;", "Ποιος είναι ο Park Jin;", "Πού είναι η γέφυρα;", "Πόσο κοστίζει;"],
    "he": ["מתי יגיע בלינקן?", "מי זה פארק ג'ין?", "איפה הגשר?", "כמה עולה הכרטיס?"],
    "tl": ["Kailan darating si Blinken?", "Sino si Park Jin?", "Magkano ang tiket?", "Nasaan ang tulay?"],
    "hr": ["Tko je Park Jin?", "Gdje je most?", "Što je rekao Lavrov?", "Kada dolazi Blinken i tko ga čeka?"],
    "bn": ["ব্লিঙ্কেন কখন পৌঁছাবেন?", "পার্ক জিন কে?", "সেতু কোথায়?"],
    "ta": ["பிளிங்கன் எப்போது வருவார்?", "பார்க் ஜின் யார்?"],
    "ka": ["როდის ჩამოვა ბლინკენი?", "ვინ არის პაკ ჯინი?"],
}
TABLE = [(language, question) for language, questions in QUESTIONS.items() for question in questions]


def errors_in(questions: list[tuple[str, str]], candidates: tuple[str, ...] | None = None) -> list[tuple[str, str]]:
    found = [(identify(question, candidates), language, question) for language, question in questions]
    return [(f"{said} for {language}", question) for said, language, question in found if said != language]


def test_table_is_large_enough() -> None:
    assert len(TABLE) >= 200
    assert len(QUESTIONS) >= 24


def test_short_questions_are_identified() -> None:
    errors = errors_in(TABLE)
    assert len(errors) <= 0.03 * len(TABLE), errors


def test_candidates_do_not_override_evidence() -> None:
    errors = errors_in(TABLE, ("id", "en", "ko", "ja", "ar", "es", "ru", "zh"))
    assert len(errors) <= 0.03 * len(TABLE), errors


def test_lower_case_and_no_question_mark_do_not_matter() -> None:
    typed = [(language, question.lower().rstrip("?؟;")) for language, question in TABLE]
    errors = errors_in(typed)
    assert len(errors) <= 0.05 * len(TABLE), errors


@pytest.mark.parametrize(
    "text", ["", "   ", "?", "12345", "\N{THUMBS UP SIGN}", "USS Ronald Reagan?", "Blinken?", "qwerty"]
)
def test_no_language_shows(text: str) -> None:
    assert identify(text) == "und"
    assert identify(text, default="id") == "id"


@pytest.mark.parametrize(
    ("text", "candidates", "language"),
    [
        ("apa itu", ("id",), "id"),
        ("apa itu", ("ms",), "ms"),
        ("Siapa Perdana Menteri?", None, "id"),
        ("東京都知事選挙", ("ja", "ko"), "ja"),
        ("東京都知事選挙", ("zh", "ja"), "ja"),
        ("总统选举", ("ja", "zh"), "zh"),
        ("地球公民协会为什么取名「Mercy on the Earth」?", None, "zh"),
        ('Kapan "The Lord of the Rings" tayang?', None, "id"),
        ("When does 달빛도서관 open?", None, "en"),
        ("who is 문가온", None, "en"),
        ("Berapa biaya 달빛도서관 di Jeonju?", None, "id"),
        ("Was sagt die WHO?", None, "de"),
        ("terima kasih", None, "id"),
        ("merci beaucoup", None, "fr"),
    ],
)
def test_mixed_and_close_cases(text: str, candidates: tuple[str, ...] | None, language: str) -> None:
    assert identify(text, candidates) == language


def test_any_text_gets_an_answer() -> None:
    chooser = random.Random(0)
    ranges = [(0x20, 0x7F), (0xA0, 0x24F), (0x370, 0x5FF), (0x600, 0x1FFF), (0x2000, 0x30FF), (0x4E00, 0x1F9FF)]
    for _ in range(300):
        text = "".join(chr(chooser.randint(*chooser.choice(ranges))) for _ in range(chooser.randint(0, 30)))
        assert identify(text) == identify(text)
        assert small_talk(text, "en") in (None, "greeting", "thanks", "about")
    assert identify("kapan " * 100_000) == "id"


def test_names_of_languages() -> None:
    assert name("id", "en") == "Indonesian"
    assert name("id", "id") == "bahasa Indonesia"
    assert name("id", "ko") == "인도네시아어"
    assert name("ko", "ms") == "bahasa Korea"
    assert name("qqq", "en") == "qqq"
    assert name("fr", "nowhere") == "French"


@pytest.mark.parametrize(
    ("code", "expected"), [("ar", "rtl"), ("fa", "rtl"), ("he", "rtl"), ("ur", "rtl"), ("ko", "ltr")]
)
def test_direction(code: str, expected: str) -> None:
    assert direction(code) == expected


@pytest.mark.parametrize("code", ["und", "", "zz", "../en", "en_US"])
def test_direction_of_the_unknown_is_left_to_right(code: str) -> None:
    assert direction(code) == "ltr"


def data(file: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        resources.files("qa").joinpath(f"data/language/{file}.json").read_text(encoding="utf-8")
    )
    return loaded


def placeholders(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


SENTENCES = data("sentences")
PROMISED = [
    *("en", "id", "ms", "ko", "ja", "zh", "ar", "es", "fr", "de", "it"),
    *("nl", "pt", "ru", "uk", "pl", "tr", "vi", "th", "hi", "fa", "sw"),
]
# French spells these as English does.
SAME_AS_ENGLISH = {("fr", "source"), ("fr", "sources"), ("fr", "citation")}


def test_every_language_has_sentences() -> None:
    assert list(SENTENCES) == PROMISED


@pytest.mark.parametrize("language", PROMISED)
def test_sentences_are_complete(language: str) -> None:
    english = SENTENCES["en"]
    assert SENTENCES[language].keys() == english.keys()
    for key, text in SENTENCES[language].items():
        assert text.strip() == text != ""
        assert placeholders(text) == placeholders(english[key]), key
        if language != "en" and (language, key) not in SAME_AS_ENGLISH:
            assert text != english[key], key


@pytest.mark.parametrize("language", [language for language in PROMISED if language != "en"])
def test_sentences_are_in_their_language(language: str) -> None:
    prose = [text for text in SENTENCES[language].values() if len(text.split()) >= 4 or language in ("ja", "zh", "th")]
    words = " ".join("".join("" if mark in "{}" else mark for mark in text) for text in prose)
    assert identify(words) in ({"id", "ms"} if language in ("id", "ms") else {language})


def test_sentence_fills_in_values_as_they_are() -> None:
    assert sentence("said_by", "en", source="{evil} <b>") == "According to {evil} <b>:"
    assert sentence("quotation_in", "id", language="bahasa Arab", quote="س") == "Dalam bahasa Arab: “س”"


def test_sentence_is_english_where_there_is_no_translation() -> None:
    assert sentence("not_said", "yo") == sentence("not_said", "en") == "The articles do not say."


def test_unknown_sentence_and_missing_value_are_errors() -> None:
    with pytest.raises(KeyError):
        sentence("nonsense", "en")
    with pytest.raises(KeyError):
        sentence("too_long", "en")


@pytest.mark.parametrize(
    ("text", "language", "kind"),
    [
        ("hi", "ko", "greeting"),
        ("Hiii!!", "en", "greeting"),
        ("Halo, apa kabar?", "id", "greeting"),
        ("안녕하세요", "ko", "greeting"),
        ("السلام عليكم", "ar", "greeting"),
        ("¡Buenos días!", "es", "greeting"),
        ("terima kasih", "id", "thanks"),
        ("Terima kasih \N{PERSON WITH FOLDED HANDS}", "id", "thanks"),
        ("ありがとうございます。", "ja", "thanks"),
        ("thanks, bye", "en", "thanks"),
        ("what can you tell me?", "en", "about"),
        ("Hi, what can you do?", "en", "about"),
        ("Qu’est-ce que c’est ?", "fr", "about"),
        ("Kamu siapa?", "id", "about"),
        ("你是谁?", "zh", "about"),
    ],
)
def test_small_talk(text: str, language: str, kind: str) -> None:
    assert small_talk(text, language) == kind


@pytest.mark.parametrize(
    "text",
    [
        "Hi, when will Blinken arrive?",
        "apa kabar Blinken?",
        "Who are you going to meet, Park Jin?",
        "What can you tell me about North Korea?",
        "who is Kabar?!" * 20,
        "Siapa kamu sebut tadi?",
        "Kapan?",
        "And where?",
        "Berapa lama?",
        "",
        "?",
    ],
)
def test_questions_are_not_small_talk(text: str) -> None:
    assert small_talk(text, "en") is None


def test_no_question_of_the_table_is_small_talk() -> None:
    assert [question for language, question in TABLE if small_talk(question, language)] == []


def test_every_language_with_sentences_has_small_talk() -> None:
    table = data("small_talk")
    assert list(table) == PROMISED
    for language, kinds in table.items():
        for kind, phrases in kinds.items():
            assert len(set(phrases)) == len(phrases) >= 5
            for phrase in phrases:
                assert small_talk(phrase, language) == kind, (language, phrase)
        assert sentence("greeting_reply", language)


def test_import_is_light() -> None:
    code = "import sys, qa.language; print([name for name in ('py3langid', 'babel', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_questions_about_the_sample_articles_are_identified() -> None:
    rows = json.loads((Path(__file__).parents[2] / "articles" / "questions.json").read_text(encoding="utf-8"))
    errors = errors_in([(row["language"], row["question"]) for row in rows])
    assert len(errors) <= 0.03 * len(rows), errors
