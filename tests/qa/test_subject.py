"""Evidence from articles that know nothing of what the question names counts for less."""

from datetime import date

import pytest

from index import Article
from index.index import Hit
from index.passage import split_article
from qa.names import mentions
from qa.subject import weigh_subject
from qa.turn import Evidence, Turn

STORM = "Bão Mây Trắng đổ bộ vào Quy Nhơn đêm thứ Bảy, làm tốc mái 430 căn nhà và khiến năm người bị thương."


@pytest.mark.parametrize(
    ("question", "language", "said"),
    [
        ("How many people died when Marapi erupted?", "en", False),
        ("How many people were hurt in Quy Nhon?", "en", True),
        ("How many were hurt in Vietnam, and was Marapi quiet?", "en", False),
        ("How many people were hurt by the storm?", "en", None),
        ("¿Cuántas personas murieron en París?", "es", False),
        ("¿Cuántas personas resultaron heridas?", "es", None),
        ("¿Dónde?", "es", None),
        ("Hoeveel huizen zijn er beschadigd door de Nhơn-storm?", "nl", True),
        ("Wie viele Menschen wurden verletzt?", "de", None),
        ("Сколько человек погибло в Париже?", "ru", False),
        ("阿尔及尔有多少人死亡？", "zh", False),
        ("有多少人受伤？", "zh", None),
    ],
)
def test_whether_a_text_mentions_what_is_named(question: str, language: str, said: bool | None) -> None:
    assert mentions(STORM, "vi", question, language) is said


def evidence(text: str, language: str, probability: float, published: date | None = None) -> Evidence:
    dated = {} if published is None else {"published": published, "published_from": "metadata"}
    article = Article(id=text[:8], title="", text=text, language=language, **dated)
    passage = split_article(article)[0]
    return Evidence(Hit(passage, article, 1.0, 0.9), 0, len(text), text[:9], probability, probability)


def test_what_is_of_another_subject_is_less_probable() -> None:
    eruption = evidence("Gunung Marapi meletus dan menewaskan 24 orang.", "id", 0.3)
    storm = evidence(STORM, "vi", 0.6)
    doubtful = evidence("Dört kişi yaralandı.", "tr", 0.05)
    question = "How many people died when Marapi erupted?"
    turn = Turn(question, query=question, language="en")
    found = weigh_subject(turn, [storm, eruption, doubtful])
    assert [one.hit.article.id for one in found] == [one.hit.article.id for one in (eruption, storm, doubtful)]
    assert found[0].probability == pytest.approx(0.3 / (0.3 + 0.6 / 6 + 0.05 + 0.05))
    assert sum(one.probability for one in found) < 1


def test_a_question_without_names_leaves_all_as_it_is() -> None:
    given = [evidence(STORM, "vi", 0.6), evidence("Gunung Marapi meletus dan menewaskan 24 orang.", "id", 0.3)]
    question = "How many people died?"
    found = weigh_subject(Turn(question, query=question, language="en"), given)
    assert [one.probability for one in found] == pytest.approx([0.6, 0.3])
    assert weigh_subject(Turn(question, query=question, language="en"), []) == []


@pytest.mark.parametrize(
    ("question", "language", "share"),
    [
        ("Who was king in 1466?", "en", 1 / 6),
        ("Who opened the school in 1998 or 1999?", "en", 1),
        ("Quem abriu a escola em 2024?", "pt", 1),
        ("कौन ने २००१ में स्कूल खोला?", "hi", 1 / 6),
        ("ใครเปิดโรงเรียนในปี 2541", "th", 1),
        ("Who gave 1466000 for the school?", "en", 1),
        ("Which queen gave 1500 books?", "en", 1),
    ],
)
def test_years_of_which_an_article_knows_nothing_make_it_doubtful(question: str, language: str, share: float) -> None:
    one = evidence("The school was opened by a queen in 1998, with 1,500 books.", "en", 0.5, published=date(2023, 5, 1))
    (found,) = weigh_subject(Turn(question, query=question, language=language), [one])
    assert found.probability == pytest.approx(0.5 * share / (0.5 * share + 0.5))
