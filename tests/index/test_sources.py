import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from index.article import Article
from index.config import SourcesConfig
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


def configured(path: Path, content: str, **fields: str) -> list[Article | Problem]:
    path.write_text(content, encoding="utf-8")
    return list(read_file(path, root=path.parent, config=SourcesConfig(fields=fields)))


def test_configured_names_come_before_the_usual_ones(tmp_path: Path) -> None:
    item = {"corpo": "Texto aqui.", "text": "Other.", "meta": {"datas": [{"pub": "2024-02-03"}]}, "a.b": "T"}
    names = {"text": "corpo", "published": "meta.datas.0.pub", "title": "a.b"}
    for name, content in (("a.json", json.dumps([item])), ("a.jsonl", json.dumps(item))):
        (article,) = configured(tmp_path / name, content, **names)
        assert isinstance(article, Article)
        assert (article.text, article.title, article.published) == ("Texto aqui.", "T", date(2024, 2, 3))
    (article,) = configured(tmp_path / "a.txt", "---\nmanchete: M\n---\nTexto.", title="manchete", source="x.y.0.z")
    assert isinstance(article, Article)
    assert article.title == "M"


@pytest.mark.parametrize(
    "stated", [1698832800, 1698832800.5, 1698832800000, "1698832800", "Wed, 01 Nov 2023 10:00 GMT"]
)
def test_times_of_machines(tmp_path: Path, stated: object) -> None:
    article = one(tmp_path / "a.json", json.dumps({"title": "T", "text": "Text.", "published": stated}))
    assert (article.published, article.published_from) == (date(2023, 11, 1), "metadata")


def test_paragraphs_and_items(tmp_path: Path) -> None:
    article = one(tmp_path / "a.json", json.dumps({"items": [{"title": "T", "text": ["One.", "Two."]}]}))
    assert article.text == "One.\n\nTwo."
    (problem,) = read(tmp_path / "b.json", json.dumps({"title": "T", "text": ["One.", 2]}))
    assert isinstance(problem, Problem)


def test_a_few_lines_of_yaml_that_stand_for_gigabytes(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    (problem,) = read(tmp_path / "a.md", "---\n" + "\n".join([*lines, "title: *a11"]) + "\n---\nText.")
    assert isinstance(problem, Problem)
    assert "aliases" in problem.reason
    (problem,) = read(tmp_path / "b.md", "---\ntitle: " + "[" * 5000 + "\n---\nText.")
    assert isinstance(problem, Problem)


def test_a_file_over_the_limit_is_not_read_whole(tmp_path: Path) -> None:
    for name in ("a.txt", "a.json", "a.jsonl", "a.html", "a.xml"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(2_000_000_000)  # no block of it is written
        (problem,) = list(read_file(tmp_path / name, root=tmp_path, config=SourcesConfig(megabytes=2)))
        assert isinstance(problem, Problem)
        assert "larger than 2 MB; sources.megabytes raises the limit" in problem.reason


def test_json_lines_may_be_longer_than_the_limit_of_an_article(tmp_path: Path) -> None:
    line = json.dumps({"text": "word " * 20_000, "language": "en", "published": "2024-01-01"}) + "\n"
    path = tmp_path / "a.jsonl"
    path.write_text(line * 15, encoding="utf-8")
    assert len(list(read_file(path, root=tmp_path, config=SourcesConfig(megabytes=1)))) == 15


def test_an_article_of_five_million_words(tmp_path: Path) -> None:
    article = one(tmp_path / "a.txt", "a story " * 2_500_000)
    assert len(article.text) == 20_000_000


@pytest.mark.parametrize(
    "name", ["a.txt", "a.md", "a.json", "a.jsonl", "a.html", "a.xml", "a.warc", "a.zip", "a.txt.gz"]
)
def test_an_empty_file_is_one_problem(tmp_path: Path, name: str) -> None:
    (problem,) = read(tmp_path / name, b"")
    assert isinstance(problem, Problem)
    assert problem.where == str(tmp_path / name)


def test_nul_bytes(tmp_path: Path) -> None:
    assert one(tmp_path / "a.json", '{"title": "T", "text": "a\\u0000b"}').text == "a\N{REPLACEMENT CHARACTER}b"
    assert one(tmp_path / "a.txt", b"word " * 2000 + b"\0end").text.endswith("\N{REPLACEMENT CHARACTER}end")
    (problem,) = read(tmp_path / "b.txt", b"Text\0more")
    assert isinstance(problem, Problem)
    text = "Jembatan itu dibuka pada hari Senin."
    assert one(tmp_path / "c.txt", text.encode("utf-16-le")).text == text


def test_links_that_lead_to_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The bridge.", encoding="utf-8")
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to(tmp_path)
    (tmp_path / "folder" / "linked.txt").symlink_to(tmp_path / "a.txt")
    found = {path.name: list(read_file(path, root=tmp_path)) for path in find_files(tmp_path)}
    assert sorted(found) == ["a.txt", "gone.txt", "linked.txt", "loop.txt"]
    assert found["loop.txt"] == [Problem(str(tmp_path / "loop.txt"), "Too many levels of symbolic links")]
    assert found["gone.txt"] == [Problem(str(tmp_path / "gone.txt"), "No such file or directory")]


def test_names_of_several_lines_fit_one(tmp_path: Path) -> None:
    article = one(tmp_path / "two\nlines\u202e.txt", "The bridge.")
    assert article.id == "two\\nlines\\u202e.txt"
    (problem,) = read(tmp_path / "three\n\nlines.json", "{")
    assert isinstance(problem, Problem)
    assert "\n" not in problem.where
    assert article.id.encode()


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    assert find_files(tmp_path) == []
    (problem,) = list(read_file(tmp_path / "a.txt", root=tmp_path))
    assert isinstance(problem, Problem)


def test_times_of_files_that_cannot_be_true(tmp_path: Path) -> None:
    for seconds in (0, 315532800, 32503680000):  # 1970, 1980, 3000
        path = tmp_path / "a.txt"
        path.write_text("The bridge.", encoding="utf-8")
        os.utime(path, (seconds, seconds))
        (article,) = list(read_file(path, root=tmp_path))
        assert isinstance(article, Article)
        assert article.fetched is not None
        assert abs((article.fetched - datetime.now(tz=UTC)).days) <= 1
