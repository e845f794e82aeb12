import json
from datetime import date
from pathlib import Path

import pytest

from index.article import Article
from index.errors import ArticleError
from index.sources import Problem, find_files, read_file


def read(path: Path, content: bytes | str) -> list[Article | Problem]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_file(path, root=path.parent))


def one(path: Path, content: bytes | str) -> Article:
    (article,) = read(path, content)
    assert isinstance(article, Article), article
    return article


def test_plain_text_is_kept_exactly_crlf_included(tmp_path: Path) -> None:
    text = "Jembatan dibuka\r\n\r\nJembatan itu dibuka pada hari Senin di kota Palembang.\r\n"
    article = one(tmp_path / "a.txt", text)
    assert article.text == text
    assert (article.title, article.language, article.id) == ("Jembatan dibuka", "id", "a.txt")


def test_front_matter_gives_the_fields(tmp_path: Path) -> None:
    article = one(
        tmp_path / "a.txt",
        "---\ntitle: 'A: b'\nsource: North Wire\nurl: https://example.org/1\nlanguage: en-GB\n"
        "published: 2024-02-03\n---\nBody.",
    )
    assert article.text == "Body."
    assert (article.title, article.source, article.url) == ("A: b", "North Wire", "https://example.org/1")
    assert (article.language, article.published, article.published_from) == ("en", date(2024, 2, 3), "metadata")


def test_markdown_becomes_its_words(tmp_path: Path) -> None:
    article = one(
        tmp_path / "a.md",
        "---\ntitle: T\n---\n# Head\n\nThe **mayor** said [so](http://x.example/) ![pic](http://x.example/p.png).\n"
        "\n- one\n",
    )
    assert article.text == "Head\n\nThe mayor said so .\n\none"


def test_json_object_list_and_other_names(tmp_path: Path) -> None:
    item = {
        "headline": "H",
        "articleBody": "Text here.",
        "publisher": {"name": "P"},
        "datePublished": "2024-02-03T04:05:06Z",
    }
    article = one(tmp_path / "a.json", json.dumps(item))
    assert (article.title, article.text, article.source) == ("H", "Text here.", "P")
    assert article.published == date(2024, 2, 3)
    assert [item.id for item in read(tmp_path / "b.json", json.dumps([item, item]))] == ["b.json#1", "b.json#2"]


def test_broken_line_of_json_lines_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    lines = [json.dumps({"id": f"n{number}", "title": "T", "text": f"Text {number}."}) for number in range(1, 11)]
    lines[6] = '{"id": "n7", "text": '
    found = read(tmp_path / "a.jsonl", "\n".join(lines))
    problems = [item for item in found if isinstance(item, Problem)]
    assert [problem.where for problem in problems] == [f"{tmp_path / 'a.jsonl'}:7"]
    assert "not valid JSON" in problems[0].reason
    assert [item.id for item in found if isinstance(item, Article)] == [f"n{n}" for n in range(1, 11) if n != 7]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "binary file"),
        (b"", "no text"),
        (b" \n\t ", "no text"),
        (b"---\ntitle: [\n---\nText.", "front matter is not valid YAML"),
        (b"---\njust words\n---\nText.", "front matter must be"),
        (b"---\npublished: soonish\n---\nText.", "'published' is 'soonish', not a date"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (problem,) = read(tmp_path / "a.txt", content)
    assert isinstance(problem, Problem)
    assert problem.lost
    assert str(tmp_path / "a.txt") in problem.where
    assert reason in problem.reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[1, 2", "not valid JSON"),
        ("3", "expected an object"),
        ('{"title": "x"}', "no text"),
        ('{"text": 7}', "not a string"),
    ],
)
def test_json_that_is_no_article_says_why(tmp_path: Path, content: str, reason: str) -> None:
    (problem,) = read(tmp_path / "a.json", content)
    assert isinstance(problem, Problem)
    assert reason in problem.reason


def test_deeply_nested_json_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    (problem,) = read(tmp_path / "a.json", "[" * 200_000)
    assert isinstance(problem, Problem)


def test_a_few_broken_bytes_are_replaced_and_reported(tmp_path: Path) -> None:
    problem, article = read(tmp_path / "a.txt", b"Line one is long enough to hold this. " * 20 + b"\nbro\xffken")
    assert isinstance(problem, Problem)
    assert not problem.lost
    assert "line 2" in problem.reason
    assert isinstance(article, Article)
    assert article.text.endswith("bro\N{REPLACEMENT CHARACTER}ken")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1251"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    text = "Мост в Казани открыли в понедельник. На церемонии выступил глава района. " * 4
    found = read(tmp_path / "a.txt", text.encode(encoding))
    assert isinstance(found[-1], Article)
    assert found[-1].text == text


def test_javascript_address_is_no_link(tmp_path: Path) -> None:
    article = one(tmp_path / "a.json", json.dumps({"title": "T", "text": "Text.", "url": "javascript:alert(1)"}))
    assert article.url is None


def test_lone_surrogate_becomes_a_replacement_character(tmp_path: Path) -> None:
    assert one(tmp_path / "a.json", '{"title": "T", "text": "a\\ud800b"}').text == "a\N{REPLACEMENT CHARACTER}b"


def test_file_time_is_the_last_resort_and_a_poor_guess(tmp_path: Path) -> None:
    article = one(tmp_path / "a.txt", "The bridge is long.")
    assert article.published_from == "file"
    assert article.published_certainty < 0.5


def test_find_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a.jsonl", "c.pdf", ".hidden.txt", "questions.json", "sub/d.MD", ".git/e.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert [path.relative_to(tmp_path).as_posix() for path in find_files(tmp_path)] == ["a.jsonl", "b.txt", "sub/d.MD"]
    with pytest.raises(ArticleError, match="no such file or folder"):
        find_files(tmp_path / "none")


def test_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    (problem,) = list(read_file(tmp_path / "gone.txt", root=tmp_path))
    assert isinstance(problem, Problem)
    assert "No such file" in problem.reason
