"""No reader raises anything but its own error, whatever bytes it is given; benchmarks/fuzz_sources.py looks longer."""

import contextlib
import gzip
import io
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from index.article import Article
from index.config import SourcesConfig
from index.errors import ArticleError
from index.robots import Robots
from index.sources import Origin, Problem
from index.sources.feed import read_feed
from index.sources.html import read_page
from index.sources.registry import source_for
from index.sources.sitemap import read_sitemap

DATA = Path(__file__).resolve().parent.parent / "data"
FETCHED = datetime(2024, 6, 1, tzinfo=UTC)
TEXT = b"---\ntitle: A bridge\npublished: 2023-11-01\n---\nThe *bridge* was [opened](http://a.test) on Monday.\n"
RECORD = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/b\r\nWARC-Date: 2023-11-01T00:00:00Z\r\n"
    b"Content-Type: application/http\r\nContent-Length: 130\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n26\r\n<h1>A bridge</h1><p>The bridge opened.\r\n0\r\n\r\n         \r\n\r\n"
)


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", TEXT)
        archive.writestr("c.json", b'{"title": "T", "text": "Text."}')
    return out.getvalue()


GOOD = {
    "a.txt": TEXT,
    "a.md": TEXT,
    "a.json": b'{"articles": [{"title": "A", "text": "Opened.", "published": "2023-11-01", "source": {"name": "W"}}]}',
    "a.jsonl": b'{"title": "A", "text": "It was opened.", "published": 1698796800}\n{"text": ["Another.", "One."]}\n',
    "a.xml": b'<!DOCTYPE nitf SYSTEM "nitf.dtd"><nitf xml:lang="en"><head><docdata><date.issue norm="20231101"/>'
    b"</docdata></head>"
    b"<body><body.head><hedline>"
    b"<hl1>A</hl1></hedline></body.head><body.content><p>It &eacute; was opened.</p></body.content></body></nitf>",
    "a.warc": RECORD,
    "a.zip": _zip(),
    "a.txt.gz": gzip.compress(TEXT),
    "a.jsonl.gz": gzip.compress(b'{"text": "One."}\n{"text": "Two."}\n'),
    "a.warc.gz": gzip.compress(RECORD),
}
PAGES = ["en-wordpress-yoast", "ja-shift-jis", "en-tables-1999", "fa-jalali"]
CORPUS = sorted((DATA / "corpus").iterdir())


def read(name: str, content: bytes) -> list[Article | Problem]:
    """What a reader gives; anything but an ArticleError fails the test."""
    source = source_for(name)
    assert source is not None
    found: list[Article | Problem] = []
    try:
        found.extend(source.read(io.BytesIO(content), Origin(name, name, FETCHED, SourcesConfig(megabytes=1))))
    except ArticleError as error:
        found.append(Problem(error.where, error.reason))
    for item in found:
        if isinstance(item, Problem):
            assert item.reason
            assert "\n" not in item.reason
        else:
            assert any(map(str.isalnum, item.text))
            item.model_dump_json().encode()
    return found


@st.composite
def mutated(draw: st.DrawFn, content: bytes) -> bytes:
    """A file with some bytes replaced, a stretch cut out, repeated or moved, or its end missing."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        first, last = sorted(draw(st.tuples(st.integers(0, len(data)), st.integers(0, len(data)))))
        match draw(st.sampled_from(["replace", "cut", "repeat", "truncate"])):
            case "replace":
                data[first : first + 8] = draw(st.binary(max_size=8))
            case "cut":
                del data[first : min(last, first + 200)]
            case "repeat":
                data[first:first] = data[first : min(last, first + 200)] * draw(st.integers(1, 20))
            case _:
                del data[last:]
    return bytes(data)


@pytest.mark.parametrize("name", GOOD)
def test_the_files_that_are_damaged_below_are_good(name):
    assert {type(item) for item in read(name, GOOD[name])} <= {Article} or name.startswith("a.warc")


@pytest.mark.parametrize("name", GOOD)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_file(name, data):
    read(name, data.draw(mutated(GOOD[name])))


@pytest.mark.parametrize("name", PAGES)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_page(name, data):
    read("a.html", data.draw(mutated((DATA / "pages" / f"{name}.html").read_bytes())))


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from([*GOOD, "a.html"]), content=st.binary(max_size=300))
def test_any_bytes(name, content):
    read(name, content)


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=100), url=st.text(max_size=30), charset=st.none() | st.text(max_size=12))
@example(content=b"<p>text", url="http://[", charset="utf-16")
@example(content=b"caf\xe9 au lait", url="", charset="unicode_escape")
@example(content=b"caf\xe9 au lait", url="", charset="\0")
def test_any_page_address_and_charset(content, url, charset):
    with contextlib.suppress(ArticleError):
        assert read_page(content, url=url, fetched=FETCHED, charset=charset).text


def test_inputs_that_a_fuzzer_found_to_reach_everything():
    """Without most of the pages, which take long."""
    pages = 0
    with tarfile.open(DATA / "fuzz.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member).read()
            pages += member.name.endswith(".html")
            if member.name.endswith((".feed", ".sitemap")):
                with contextlib.suppress(ArticleError):
                    is_feed = member.name.endswith(".feed")
                    url = "http://a.test/feed"
                    found = read_feed(content, url=url) if is_feed else read_sitemap(content, url=url).entries
                    assert all(entry.identity for entry in found)
            elif member.name.endswith(".robots"):
                Robots(content.decode("utf-8", "replace"), "kabar").allows("http://a.test/b")
            elif not member.name.endswith(".html") or pages % 50 == 0:
                read(member.name, content)
    assert pages > 100


@pytest.mark.parametrize("path", CORPUS, ids=[path.name for path in CORPUS])
def test_what_once_went_wrong(path):
    read(path.name, path.read_bytes())
