import contextlib
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import ArticleError
from index.sources.entry import Entry
from index.sources.feed import read_feed
from index.sources.fragment import fragment_text

URL = "https://news.example/world/feed.xml"
NOON = datetime(2023, 11, 8, 12, tzinfo=UTC)
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>North &amp; South</title><link>https://news.example/</link><language>id-ID</language>
{items}
</channel></rss>"""
ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://news.example/blog/" xml:lang="de">
<title type="html">Der &lt;b&gt;Tag&lt;/b&gt;</title>
<entry><id>tag:news.example,2023:1</id><title>Brücke offen</title><link href="bruecke.html"/>
<link rel="enclosure" href="https://cdn.example/a.mp3"/>
<updated>2023-11-05T10:00:00Z</updated><published>2023-11-01T23:30:00-05:00</published>
<summary>Kurz.</summary>
<content type="html">&lt;p&gt;Die Brücke ist offen.&lt;/p&gt;&lt;p&gt;Seit Montag.&lt;/p&gt;</content>
</entry></feed>"""


def rss(*items: str) -> bytes:
    return RSS.format(items="".join(f"<item>{item}</item>" for item in items)).encode()


def entries(content: bytes | str, **options: object) -> list[Entry]:
    return read_feed(content.encode() if isinstance(content, str) else content, url=URL, **options)  # type: ignore[arg-type]


def entry(item: str) -> Entry:
    (found,) = entries(rss(item))
    return found


def test_rss():
    found = entry(
        "<title>Jembatan &lt;b&gt;dibuka&lt;/b&gt;</title><link>/2023/jembatan?utm_source=rss#top</link>"
        '<guid isPermaLink="false">news-17</guid><pubDate>Wed, 01 Nov 2023 00:30:00 +0700</pubDate>'
        "<description>Singkat.</description>"
        "<content:encoded><![CDATA[<p>Jembatan itu dibuka.</p><script>no()</script><p>Senin.</p>]]></content:encoded>"
    )
    assert found.identity == "news-17"
    assert found.url == "https://news.example/2023/jembatan?utm_source=rss"
    assert found.title == "Jembatan dibuka"
    assert found.text == "Jembatan itu dibuka.\n\nSenin."
    assert (found.source, found.language) == ("North & South", "id-ID")
    assert found.day(NOON) == date(2023, 11, 1)


def test_atom():
    (found,) = entries(ATOM)
    assert (found.identity, found.url) == ("tag:news.example,2023:1", "https://news.example/blog/bruecke.html")
    assert (found.title, found.source, found.language) == ("Brücke offen", "Der Tag", "de")
    assert found.text == "Die Brücke ist offen.\n\nSeit Montag."
    assert found.day(NOON) == date(2023, 11, 1)


@pytest.mark.parametrize(
    ("stated", "day"),
    [
        ("Thu, 09 Nov 2023 05:00:00 +0900", date(2023, 11, 8)),  # it is the eighth in Tokyo, at the time of the fetch
        ("Wed, 08 Nov 2023 05:00:00 +0900", date(2023, 11, 8)),  # and was in UTC the seventh
        ("Wed, 08 Nov 2023 23:00:00 GMT", date(2023, 11, 8)),
        ("Thu, 09 Nov 2023 11:00:00 GMT", date(2023, 11, 8)),  # tomorrow: a clock is wrong, or the feed is ahead
        ("Fri, 01 Jan 2038 00:00:00 GMT", None),
        ("2023-11-01", date(2023, 11, 1)),
        ("2023-11-01T10:00:00+02:00", date(2023, 11, 1)),
        ("yesterday, I think", None),
        ("", None),
    ],
)
def test_date_is_the_publishers_and_never_after_the_fetch(stated, day):
    assert entry(f"<title>x</title><link>/a</link><pubDate>{stated}</pubDate>").day(NOON) == day


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "file:///etc/passwd", "http://u:p@news.example/", "http://[", ""]
)
def test_links_that_lead_nowhere(link):
    found = entry(f"<title>x</title><link>{link}</link><guid isPermaLink='false'>7</guid>")
    assert (found.url, found.identity) == (None, "7")


def test_entries_without_a_guid_and_with_a_shared_one():
    found = entries(
        rss(
            "<title>a</title><link>/a</link>",
            "<title>b</title><link>/b</link><guid>g</guid>",
            "<title>c</title><link>/c</link><guid>g</guid>",
            "<title>d</title><description>text</description>",
            "<title>a</title><link>/a</link>",
        )
    )
    assert len({item.identity for item in found}) == len(found) == 4
    assert [item.title for item in found] == list("abcd")


def test_fingerprint_follows_what_the_feed_says_of_the_article():
    first = entry("<title>a</title><link>/a</link><description>one</description>")
    assert (
        first.fingerprint
        == entry("<title>a</title><link>/a</link><description><![CDATA[<i>one</i>]]></description>").fingerprint
    )
    assert first.fingerprint != entry("<title>a</title><link>/a</link><description>two</description>").fingerprint


def test_charset_from_the_header():
    content = b'<rss version="2.0"><channel><item><title>\xcf\xd0\xc8\xd2</title><link>/a</link></item></channel></rss>'
    (found,) = entries(content, charset="koi8-r")
    assert found.title == b"\xcf\xd0\xc8\xd2".decode("koi8-r")


@pytest.mark.parametrize("encoding", ["iso-8859-1", "windows-1252", "utf-16"])
def test_charset_from_the_declaration(encoding):
    content = (
        rss("<title>Größe – ñ</title><link>/a</link>".replace("–", "-"))
        .decode()
        .replace("UTF-8", encoding)
        .encode(encoding)
    )
    assert entries(content)[0].title == "Größe - ñ"


def test_bad_xml_gives_what_can_be_read():
    content = rss("<title>one</title><link>/1</link>", "<title>two & <b>three</title><link>/2</link>").replace(
        b"</channel></rss>", b""
    )
    assert [item.url for item in entries(content)] == ["https://news.example/1", "https://news.example/2"]


def test_feed_that_was_cut_loses_the_entry_at_the_cut():
    content = rss(*(f"<title>number {n}</title><link>/story/{n}</link>" for n in range(100)))
    found = entries(content[: len(content) // 2], cut=True)
    assert 30 < len(found) < 60
    assert [item.url for item in found] == [f"https://news.example/story/{n}" for n in range(len(found))]


def test_entities_are_not_expanded_without_end_and_open_no_files(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    content = (
        rss("<title>a &l11; &x;</title><link>/a</link>")
        .decode()
        .replace("<rss", f'<!DOCTYPE r [<!ENTITY l0 "lol">{laughs}<!ENTITY x SYSTEM "{secret.as_uri()}">]><rss')
    )
    with contextlib.suppress(ArticleError):
        assert all(len(item.title or "") < 1000 and "hunter2" not in repr(item) for item in entries(content))


def test_content_that_names_a_file_is_not_opened(tmp_path, monkeypatch):
    (tmp_path / "feed").write_bytes(rss("<title>local</title><link>/a</link>"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArticleError):
        entries(b"feed")


@pytest.mark.parametrize(
    "content", [b"", b"\0\xff", b"<html><body>no feed</body></html>", b"{}", b"<?xml version='1.0'?>"]
)
def test_what_is_no_feed(content):
    with pytest.raises(ArticleError, match="not a feed that can be read") as raised:
        entries(content)
    assert raised.value.where == URL


PIECES = [
    *"<rss> <item> </item> <entry> </entry> </title> '/> <link>http://[</link> <guid> </guid>".split(),
    *"<pubDate> </pubDate> </div></content> <![CDATA[ ]]> &#x110000; &#xD800; &nbsp;".split(),
    *"<updated>99999-01-01</updated> '>]> <source><title> <content:encoded>".split(),
    "<rss version='2.0'><channel>",
    "<feed xmlns='http://www.w3.org/2005/Atom'>",
    "<title type='html'>",
    "<link href='",
    "<content type='xhtml'><div>",
    "<!DOCTYPE x [<!ENTITY a '",
    "<?xml version='1.0' encoding='utf-99'?>",
    "Wed, 99 Nov 0000",
]


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=8)).map("".join).map(lambda s: s.encode("utf-8", "ignore"))
    | st.binary(max_size=200),
    st.booleans(),
)
def test_no_feed_raises_anything_but_its_own_error(content, cut):
    with contextlib.suppress(ArticleError):
        for item in read_feed(content, url=URL, cut=cut):
            assert item.identity
            assert len(item.fingerprint) == 64
            item.day(NOON)


@settings(deadline=None, max_examples=80)
@given(
    st.text()
    | st.lists(
        st.sampled_from(["<p>", "</p>", "<br>", "<script>", "&amp;", "&#0;", "<!--", "<table><td>", "\0", "x y"])
    ).map("".join)
)
def test_any_fragment_has_a_text(html):
    text = fragment_text(html)
    assert "\n\n\n" not in text


def test_fragment_keeps_paragraphs_and_drops_what_is_no_text():
    html = (
        "One <a href='x'>two</a>\n three<br>four<style>p{}</style><ul><li>a<li>b</ul><!-- c -->"
        "<figure><img alt='d'></figure> e &lt;f&gt;"
    )
    assert fragment_text(html) == "One two three\n\nfour\n\na\n\nb\n\ne <f>"


def test_deep_nesting_ends():
    assert "x" in fragment_text("<div>" * 100_000 + "x") + "x"
