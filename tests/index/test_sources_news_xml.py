"""NewsML-G2 and NITF files."""

from datetime import date
from pathlib import Path

import pytest

from index.article import Article
from index.sources import Problem, read_file

NITF = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nitf SYSTEM "http://www.nitf.org/IPTC/NITF/3.5/specification/dtd/nitf-3-5.dtd">
<nitf xml:lang="fr-CH">
 <head><title>bridge-story</title><docdata><doc-id id-string="ats-2023-114"/>
 <date.issue norm="20231101T093000+0100"/><doc.copyright holder="Agence"/></docdata></head>
 <body><body.head><hedline><hl1>Le pont rouvre</hl1><hl2>Un an de retard</hl2></hedline>
 <byline>Par <person>A. Roux</person></byline><distributor>Agence des Alpes</distributor>
 <dateline><location>SION</location>, 1er novembre</dateline></body.head>
 <body.content><p>Le pont du <em>Rh&ocirc;ne</em> a rouvert &#224; midi &amp; sans f&ecirc;te.</p>
 <media media-type="image"><media-caption>Le pont vu de loin</media-caption></media>
 <block><p>Il mesure deux cents m&egrave;tres.</p></block></body.content>
 <body.end><tagline>ar/lm</tagline></body.end></body>
</nitf>"""

ITEM = """<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="urn:newsml:wire.example:20231101:{number}"
 version="3" standard="NewsML-G2" standardversion="2.29" xml:lang="en">
 <itemMeta><itemClass qcode="ninat:text"/><provider><name>Wire</name></provider>
  <versionCreated>2023-11-03T08:00:00Z</versionCreated><firstCreated>2023-11-01T08:00:00Z</firstCreated>
  <pubStatus qcode="stat:{status}"/></itemMeta>
 <contentMeta>{created}<infoSource><name>The Daily Wire</name></infoSource>
  <language tag="en-GB"/><headline>Bridge opened</headline></contentMeta>
 <contentSet>{content}</contentSet>
</newsItem>"""
XHTML = """<inlineXML contenttype="application/xhtml+xml"><html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title>
 </head><body><h1>Bridge opened</h1><p>The bridge was opened on <b>Monday</b>.</p><ul><li>It is long.</li></ul></body>
 </html></inlineXML>"""
MESSAGE = '<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>{}</itemSet></newsMessage>'


def item(content: str = XHTML, status: str = "usable", created: str = "", number: int = 1) -> str:
    return ITEM.format(content=content, status=status, created=created, number=number)


def read(folder: Path, content: str | bytes, name: str = "a.xml") -> list[Article | Problem]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_file(path, root=folder))


@pytest.mark.parametrize("name", ["a.xml", "a.nitf"])
def test_nitf(tmp_path, name):
    (article,) = read(tmp_path, NITF, name)
    assert article.text == (
        "SION, 1er novembre\n\nLe pont du Rhône a rouvert à midi & sans fête.\n\nIl mesure deux cents mètres."
    )
    assert (article.id, article.title, article.language) == ("ats-2023-114", "Le pont rouvre", "fr")
    assert (article.source, article.published, article.published_from) == (
        "Agence des Alpes",
        date(2023, 11, 1),
        "metadata",
    )


def test_newsml_with_xhtml(tmp_path):
    (article,) = read(tmp_path, item())
    assert article.text == "Bridge opened\n\nThe bridge was opened on Monday.\n\nIt is long."
    assert (article.id, article.title) == ("urn:newsml:wire.example:20231101:1", "Bridge opened")
    assert (article.source, article.language) == ("The Daily Wire", "en")
    assert article.published == date(2023, 11, 1)


def test_newsml_with_nitf_keeps_what_the_item_says(tmp_path):
    nitf = NITF[NITF.index("<nitf") :]
    story = f"<inlineXML contenttype='application/nitf+xml'>{nitf}</inlineXML>"
    for name, character in (("&ocirc;", "ô"), ("&ecirc;", "ê"), ("&egrave;", "è")):
        story = story.replace(name, character)
    (article,) = read(tmp_path, item(story, created="<contentCreated>2023-10-31T22:00:00Z</contentCreated>"))
    assert (article.title, article.published) == ("Bridge opened", date(2023, 10, 31))
    assert "Le pont du Rhône a rouvert" in article.text


def test_newsml_with_plain_text(tmp_path):
    (article,) = read(tmp_path, item("<inlineData contenttype='text/plain'>The bridge.\n\nIt opened.</inlineData>"))
    assert article.text == "The bridge.\n\nIt opened."


def test_message_with_many_items(tmp_path):
    items = item(number=1) + item(status="canceled", number=2) + item("<remoteContent href='a.jpg'/>", number=3)
    first, cancelled, picture, last = read(tmp_path, MESSAGE.format(items + item(number=4)))
    assert (first.id[-1], last.id[-1]) == ("1", "4")
    assert cancelled == Problem(f"{tmp_path / 'a.xml'}#2", "its publisher has cancelled it")
    assert picture == Problem(f"{tmp_path / 'a.xml'}#3", "no text in it")


def test_entities_are_not_expanded_and_no_file_is_read(tmp_path):
    (tmp_path / "secret.txt").write_text("the password is swordfish", encoding="utf-8")
    declared = f'<!ENTITY a "haha"><!ENTITY f SYSTEM "file://{tmp_path}/secret.txt">'
    body = "<body><body.content><p>It said &a;&f; and no more.</p></body.content></body>"
    (found,) = read(tmp_path, f"<!DOCTYPE nitf [{declared}]><nitf>{body}</nitf>")
    assert isinstance(found, Article)
    assert found.text == "It said and no more."


def test_entity_bomb_is_one_problem(tmp_path):
    lines = [f'<!ENTITY a{n} "' + f"&a{n - 1};" * 10 + '">' for n in range(1, 10)]
    body = "<body><body.content><p>It said &a9;.</p></body.content></body>"
    bomb = f'<!DOCTYPE nitf [<!ENTITY a0 "ha">{"".join(lines)}]><nitf>{body}</nitf>'
    (found,) = read(tmp_path, bomb)
    assert len(str(found)) < 1000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "not valid XML"),
        ("<nitf><body>", "not valid XML"),
        ("<nitf/>", "no text"),
        ("<rss><channel/></rss>", "neither NewsML-G2 nor NITF: it begins with <rss>"),
        (item(created="<contentCreated>yesterday</contentCreated>"), "'yesterday', not a date"),
        (NITF.replace("20231101T093000+0100", "20231341"), "not a date"),
        ("<nitf>" + "<p>" * 100_000, "not valid XML"),
        (b"<nitf>\x00</nitf>", "not valid XML"),
        (b"\xff\xfe<\x00n\x00", "not valid XML"),
    ],
)
def test_what_is_no_story_is_one_problem(tmp_path, content, reason):
    (problem,) = read(tmp_path, content)
    assert isinstance(problem, Problem)
    assert reason in problem.reason
    assert "\n" not in problem.reason
