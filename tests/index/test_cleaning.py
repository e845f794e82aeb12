import pytest

from index.cleaning import furniture


def left(text: str) -> str:
    for start, end in reversed(furniture(text)):
        text = text[:start] + text[end:]
    return text


def test_headline_glued_to_the_next_sentence_is_cut_at_the_joint() -> None:
    text = "Awal.\nBACA JUGA: Korsel, AS Kutuk Korut karena Amunisi ke RusiaKunjungan tersebut terjadi ketika itu.\n"
    assert left(text) == "Awal.\nKunjungan tersebut terjadi ketika itu.\n"


@pytest.mark.parametrize(
    "line",
    [
        "READ ALSO: Ferry line to open in May",
        "Lea también: Abren nuevo puente en Cádiz",
        "Читайте также: В Казани открыли мост",
        "اقرأ أيضا: افتتاح جسر جديد",
        "相关阅读：成都新桥通车",
        "関連記事：新しい橋が開通",
        "관련 기사: 새 다리 개통",
        "À lire aussi : Un nouveau pont à Lyon",
    ],
)
def test_read_also_lines_go_in_many_languages(line: str) -> None:
    assert left(f"Before.\n{line}\nAfter.") == "Before.\n\nAfter."


@pytest.mark.parametrize("initials", ["[ab/uh]", "(es/ab/uh)", "[ ab ]", "(rs)\n"])
def test_editors_initials_at_the_end_go(initials: str) -> None:
    assert left(f"Satelit itu gagal. {initials}").strip() == "Satelit itu gagal."


@pytest.mark.parametrize(
    "text",
    [
        "Read more books, the mayor said.",
        "Related companies: none were named.".replace(":", ""),
        "Perusahaan McDonald membuka cabang (ab) di kota itu.",
        "",
        "[",
    ],
)
def test_sentences_of_the_article_stay(text: str) -> None:
    assert furniture(text) == []
