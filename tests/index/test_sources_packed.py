"""gzip, zip and WARC files, whole, damaged and hostile."""

import gzip
import hashlib
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from index.article import Article
from index.config import SourcesConfig
from index.errors import ArticleError
from index.sources import Problem, find_files, packed, read_file

LINES = b'{"title": "One", "text": "The first."}\n{"title": "Two", "text": "The second."}\n'
PAGE = (
    "<html lang=en><head><title>Bridge opened</title></head><body><article><h1>Bridge opened</h1>"
    "<p>The bridge over the river was opened to traffic on Monday, a year later than the town had hoped for.</p>"
    "<p>It is two hundred metres long, and most of the eleven million it cost came from the province.</p></article>"
)


def read(path: Path, content: bytes | None = None, **config: int) -> list[Article | Problem]:
    if content is not None:
        path.write_bytes(content)
    return list(read_file(path, root=path.parent, config=SourcesConfig(**config)))


def only_problem(found: list[Article | Problem]) -> Problem:
    (problem,) = found
    assert isinstance(problem, Problem)
    assert "\n" not in problem.where + problem.reason
    return problem


def zipped(path: Path, members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def warc(*pages: tuple[str, bytes], compressed: bool = False, kind: str = "response", **headers: str) -> bytes:
    """A WARC file by hand: ISO 28500, section 4."""
    out = b""
    for url, content in pages:
        block = content
        if kind == "response":
            media = headers.get("media", "text/html; charset=windows-1252")
            block = f"HTTP/1.1 {headers.get('status', '200 OK')}\r\nContent-Type: {media}\r\n\r\n".encode() + content
        media = "application/http;msgtype=response" if kind == "response" else "text/html"
        head = (
            f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2023-11-02T06:00:00Z\r\n"
            f"WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: {media}\r\nContent-Length: {len(block)}\r\n\r\n"
        )
        record = head.encode() + block + b"\r\n\r\n"
        out += gzip.compress(record) if compressed else record
    return out


def test_gzip_of_each_format(tmp_path):
    assert [item.id for item in read(tmp_path / "a.jsonl.gz", gzip.compress(LINES))] == ["a.jsonl.gz#1", "a.jsonl.gz#2"]
    (article,) = read(tmp_path / "the-bridge.txt.gz", gzip.compress(b"The bridge was opened."))
    assert (article.id, article.title, article.text) == ("the-bridge.txt.gz", "The bridge", "The bridge was opened.")
    (article,) = read(tmp_path / "b.HTML.GZ", gzip.compress(PAGE.encode()))
    assert article.title == "Bridge opened"


def test_gzip_of_two_parts_is_read_whole(tmp_path):
    first, second = LINES.splitlines(keepends=True)
    assert len(read(tmp_path / "a.jsonl.gz", gzip.compress(first) + gzip.compress(second))) == 2


def test_what_came_before_the_damage_is_read(tmp_path):
    line = '{"title": "T", "language": "en", "published": "2023-11-01", "text": "Story %s of the day."}\n'
    lines = "".join(line % hashlib.sha256(bytes([number])).hexdigest() for number in range(256))
    *articles, problem = read(tmp_path / "a.jsonl.gz", gzip.compress(lines.encode())[:-1000])
    assert len(articles) > 50
    assert all(isinstance(article, Article) for article in articles)
    assert isinstance(problem, Problem)
    assert problem.where == str(tmp_path / "a.jsonl.gz")
    assert "damaged" in problem.reason


@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz", "a.html.gz", "a.warc.gz", "a.zip"])
@pytest.mark.parametrize("content", [b"", b"not packed at all", gzip.compress(LINES)[:20], b"PK\x03\x04", b"\x1f\x8b"])
def test_no_archive_at_all_is_one_problem(tmp_path, name, content):
    only_problem(read(tmp_path / name, content))


@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz", "a.warc.gz", "a.xml.gz"])
def test_gzip_bomb_is_one_problem(tmp_path, name):
    bomb = gzip.compress(b"\0" * 60_000_000)
    reason = only_problem(read(tmp_path / name, bomb)).reason
    assert "250 times" in reason or (name == "a.warc.gz" and "headers do not end" in reason)


def test_zip_is_a_folder(tmp_path):
    members = {
        "2023/bridge.txt": "The bridge was opened.",
        "news.jsonl": LINES,
        "page.htm": PAGE,
        "__MACOSX/2023/._bridge.txt": "x",
        ".hidden.txt": "x",
        "questions.json": "{}",
        "picture.jpg": b"\xff\xd8",
        "empty/": b"",
    }
    found = read(zipped(tmp_path / "a.zip", members))
    assert [item.id for item in found] == [
        "a.zip!2023/bridge.txt",
        "a.zip!news.jsonl#1",
        "a.zip!news.jsonl#2",
        "a.zip!page.htm",
    ]
    assert found[0].title == "Bridge"
    assert find_files(tmp_path) == [tmp_path / "a.zip"]


def test_members_that_cannot_be_read_stop_no_other(tmp_path):
    members = {
        "a.txt": "",
        "b.jsonl": '{"text": ',
        "c.zip": b"PK",
        "d.txt.gz": gzip.compress(b"x"),
        "big.txt": "x y " * 400_000,
        "last.txt": "The last one.",
    }
    *problems, article = read(zipped(tmp_path / "a.zip", members, zipfile.ZIP_STORED), megabytes=1)
    assert [problem.where.removeprefix(str(tmp_path)) for problem in problems] == [
        "/a.zip!a.txt",
        "/a.zip!b.jsonl:1",
        "/a.zip!c.zip",
        "/a.zip!d.txt.gz",
        "/a.zip!big.txt",
    ]
    assert isinstance(article, Article)
    assert article.id == "a.zip!last.txt"


def test_names_in_a_zip_stay_names(tmp_path):
    members = {"../../up.txt": "Up.", "/root.txt": "Root.", "new\nline\u202e.txt": "Line.", "con.txt ": "x"}
    (tmp_path / "in").mkdir()
    found = read(zipped(tmp_path / "in" / "a.zip", members))
    assert [item.id for item in found] == ["a.zip!../../up.txt", "a.zip!/root.txt", "a.zip!new\\nline\\u202e.txt"]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.zip", "in"]


def test_zip_bomb_costs_its_member_only(tmp_path):
    members = {"a.txt": "Before.", "bomb.txt": b"a " * 30_000_000, "z.txt": "After."}
    before, problem, after = read(zipped(tmp_path / "a.zip", members))
    assert (before.text, after.text) == ("Before.", "After.")
    assert problem == Problem(
        f"{tmp_path / 'a.zip'}!bomb.txt", "unpacks to more than 250 times its size; not read further"
    )


def test_members_that_share_their_bytes_are_counted_together():
    total = packed._Meter(lambda: 1000)
    allowed = 250 * (1000 + 65_536)
    for _ in range(10):
        packed._Meter(lambda: 10**9, total).add(allowed // 10)
    assert not total.is_over()
    with pytest.raises(ArticleError, match="250 times"):
        packed._Meter(lambda: 10**9, total).add(10)
    assert total.is_over()


def test_encrypted_and_otherwise_packed_members_say_so(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a.txt": "Secret text."}, zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + offset] |= 1
    assert "encrypted" in only_problem(read(path, bytes(content))).reason
    other = zipped(tmp_path / "b.zip", {"a.txt": "Text."}, zipfile.ZIP_BZIP2)
    assert "deflate" in only_problem(read(other)).reason


@pytest.mark.parametrize("compressed", [False, True])
def test_warc_gives_each_page(tmp_path, compressed):
    accent = PAGE.replace("town", "café").encode("cp1252")
    content = warc(
        ("https://paper.example/1", accent), ("https://paper.example/2", PAGE.encode()), compressed=compressed
    )
    first, second = read(tmp_path / ("a.warc.gz" if compressed else "a.warc"), content)
    assert (first.id, second.id) == ("https://paper.example/1", "https://paper.example/2")
    assert first.url == first.id
    assert "the café had hoped" in first.text
    assert first.fetched == datetime(2023, 11, 2, 6, tzinfo=UTC)
    assert first.published is not None
    assert first.published <= date(2023, 11, 2)


@pytest.mark.parametrize(
    "record",
    [
        warc(("https://paper.example/1", b"x"), status="404 Not Found"),
        warc(("https://paper.example/1", b"x"), status="301 Moved"),
        warc(("https://paper.example/1.jpg", b"x"), media="image/jpeg"),
        warc(("https://paper.example/robots.txt", b"x"), kind="metadata"),
    ],
)
def test_warc_records_that_are_no_pages_are_passed_over(tmp_path, record):
    found = read(tmp_path / "a.warc", record + warc(("https://paper.example/2", PAGE.encode())))
    assert [item.id for item in found] == ["https://paper.example/2"]


def test_warc_resource_is_a_page(tmp_path):
    (article,) = read(tmp_path / "a.warc", warc(("https://paper.example/2", PAGE.encode()), kind="resource"))
    assert article.title == "Bridge opened"


def test_truncated_warc_keeps_what_is_whole(tmp_path):
    content = warc(("https://paper.example/1", PAGE.encode()), ("https://paper.example/2", PAGE.encode()))
    article, problem = read(tmp_path / "a.warc", content[:-200])
    assert article.id == "https://paper.example/1"
    assert isinstance(problem, Problem)
    assert "ends inside a record" in problem.reason


def test_warc_page_without_an_article_is_one_problem(tmp_path):
    content = warc(("https://paper.example/app", b"<div id=app></div>"), ("https://paper.example/2", PAGE.encode()))
    problem, article = read(tmp_path / "a.warc", content)
    assert problem.where == f"{tmp_path / 'a.warc'}#1 (https://paper.example/app)"
    assert article.id == "https://paper.example/2"


def test_warc_record_over_the_limit_is_one_problem(tmp_path):
    content = warc(("https://paper.example/1", b"x" * 1_200_000), ("https://paper.example/2", PAGE.encode()))
    problem, article = read(tmp_path / "a.warc", content, megabytes=1)
    assert "larger than 1 MB" in problem.reason
    assert article.id == "https://paper.example/2"


@pytest.mark.parametrize(
    "content",
    [
        b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n",
        b"WARC/1.0\r\nContent-Length: many\r\n\r\n",
        b"WARC/1.0\r\n" + b"X" * 2_000_000,
        b"hello\n" * 100,
        b"\0" * 2_000_000,
    ],
    ids=["no address", "no length", "no end of headers", "text", "zeros"],
)
def test_damaged_warc_is_at_most_one_problem(tmp_path, content, capsys):
    assert [type(item) for item in read(tmp_path / "a.warc", content)] in ([], [Problem])
    assert capsys.readouterr().err == ""
