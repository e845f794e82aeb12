import contextlib
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import ArticleError
from index.sources.kind import kind_of
from index.sources.sitemap import read_sitemap

URL = "https://news.example/sitemap.xml"
NEWS = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"
  xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url>
<image:image><image:loc>https://cdn.example/a.jpg</image:loc><image:title>A picture</image:title></image:image>
<loc> /2023/bridge?a=1&amp;b=2 </loc><lastmod>2023-11-05</lastmod>
<n:news><n:publication>
<n:name>North Wire</n:name><n:language>en</n:language></n:publication>
<n:publication_date>2023-11-01T23:30:00-05:00</n:publication_date>
<n:title>Bridge opens &#8211; at last</n:title></n:news>
</url><url><loc>https://news.example/b</loc></url><url><loc>https://news.example/b</loc></url>
<url><loc>ftp://news.example/c</loc></url><url/></urlset>"""
INDEX = b"""<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>https://news.example/1.xml.gz</loc>
<lastmod>2023-11-01</lastmod></sitemap><sitemap><loc>2.xml</loc></sitemap></sitemapindex>"""


def test_news_sitemap():
    first, second = read_sitemap(NEWS, url=URL).entries
    assert first.url == first.identity == "https://news.example/2023/bridge?a=1&b=2"
    assert (first.title, first.source, first.language) == ("Bridge opens \N{EN DASH} at last", "North Wire", "en")
    assert first.day(datetime(2023, 11, 8, tzinfo=UTC)) == date(2023, 11, 1)
    assert (first.modified, first.text) == ("2023-11-05", "")
    assert second.url == "https://news.example/b"
    assert second.published is None
    assert second.fingerprint == read_sitemap(NEWS, url=URL).entries[1].fingerprint


def test_index():
    found = read_sitemap(INDEX, url=URL)
    assert found.sitemaps == ["https://news.example/1.xml.gz", "https://news.example/2.xml"]
    assert found.entries == []


def test_newest_first_then_in_the_order_of_the_sitemap():
    dated = "".join(
        f"<url><loc>/{day or 'none'}</loc><lastmod>{day}</lastmod></url>" for day in ("", "2023-11-02", "2024")
    )
    content = f"<urlset><url><loc>/first</loc></url>{dated}</urlset>"
    found = [entry.url for entry in read_sitemap(content.encode(), url=URL).entries]
    assert [url.rpartition("/")[2] for url in found if url] == ["2024", "2023-11-02", "first", "none"]


def test_damaged_one_gives_what_stands_before_the_damage():
    whole = b"<urlset>" + b"".join(b"<url><loc>/%d</loc></url>" % n for n in range(50))
    assert len(read_sitemap(whole + b"<url><loc>/50", url=URL).entries) >= 50
    assert len(read_sitemap(whole + b"<url><loc>&broken\0</urlset>", url=URL).entries) >= 50


def test_empty_one_is_one():
    assert read_sitemap(b"<urlset/>", url=URL) == ([], [])


def test_entities_open_no_files(tmp_path):
    (tmp_path / "secret").write_text("hunter2")
    system = (tmp_path / "secret").as_uri().encode()
    content = b'<!DOCTYPE u [<!ENTITY x SYSTEM "' + system + b'">]><urlset><url><loc>/a&x;</loc></url></urlset>'
    assert "hunter2" not in repr(read_sitemap(content, url=URL))


@pytest.mark.parametrize("content", [b"", b"\0", b"<html/>", b"text", b"<urlse"])
def test_what_is_no_sitemap(content):
    with pytest.raises(ArticleError, match="not a sitemap"):
        read_sitemap(content, url=URL)


PIECES = [
    *b"<urlset> </urlset> <url> </url> <loc> </loc> /a http://[ &x; <n:title> </n:title> <sitemap> </sitemap>".split(),
    *b"<publication_date> 2023-99-01T </publication_date> ]> \xff <?a?> <!---->".split(),
    b"<!DOCTYPE u [",
]


@settings(deadline=None, max_examples=80)
@given(st.lists(st.sampled_from(PIECES)).map(b"".join) | st.binary(max_size=100))
def test_no_sitemap_raises_anything_but_its_own_error(content):
    kind_of(content, "text/xml")
    with contextlib.suppress(ArticleError):
        for entry in read_sitemap(content, url=URL).entries:
            assert entry.url is not None
            entry.day(datetime(2023, 11, 8, tzinfo=UTC))


@pytest.mark.parametrize(
    ("content", "media_type", "kind"),
    [
        (NEWS, "text/plain", "sitemap"),
        (INDEX, "text/html", "sitemap"),
        (b"\xef\xbb\xbf <?xml version='1.0'?><!-- a <html> --><rss version='2.0'>", "text/html", "feed"),
        (b"<rdf:RDF xmlns='http://purl.org/rss/1.0/'>", "text/xml", "feed"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'>", "", "feed"),
        ("<?xml version='1.0'?><rss>".encode("utf-16"), "text/xml", "feed"),
        (b"<!DOCTYPE rss [<!ENTITY a 'b'>\n]><rss>", "application/xml", "feed"),
        (b"<!doctype html>\n<html lang=id>", "text/html", "page"),
        (b"<!-- saved --><HTML>", "text/plain", "page"),
        (b"<p>only a piece</p>", "text/html", "page"),
        (b"no tags at all", "text/html", "page"),
        (b"no tags at all", "", "page"),
        (b"<nitf>", "text/xml", ".xml"),
        (b"<newsItem xmlns='http://iptc.org/std/nar/2006-10-01/'>", "application/xml", ".xml"),
        (b'{"title": "x"}', "application/json", ".json"),
        (b'[{"title": "x"}]', "application/octet-stream", ".json"),
        (b'{"a": 1}\n{"a": 2}', "application/x-ndjson", ".jsonl"),
        (b"# Title", "text/markdown", ".md"),
        (b"Title", "text/plain", ".txt"),
        (b"WARC/1.1\r\n", "application/octet-stream", ".warc"),
        (b"PK\x03\x04", "application/zip", ".zip"),
        (b"\x89PNG\r\n\x1a\n", "image/png", None),
        (b"%PDF-1.7", "application/pdf", None),
        (b"", "text/html", "page"),
    ],
)  # fmt: skip
def test_kind(content, media_type, kind):
    assert kind_of(content, media_type) == kind
