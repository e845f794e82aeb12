import random
from datetime import date
from pathlib import Path

import pytest
from fakes import WordEncoder
from hypothesis import given
from hypothesis import strategies as st

from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.duplicates import originals
from index.index import Index
from index.update import add

BRIDGE = (
    "The new Ellerby Bridge over the River Hull will open to traffic next Tuesday, three months behind schedule, the "
    "Hull Crossings Trust said on Thursday. The 212-metre lifting bridge cost £42 million and replaces a crossing that "
    "was closed after a barge struck it in November 2021. Harriet Oakvale, the trust's chief engineer, said the last "
    "inspection was finished on Wednesday evening. About 14,000 vehicles a day are expected to use it."
)
FERRY = (
    "Japan's Hokuto Kisen line will put its first hydrogen-powered ferry, the Hokuto Maru, into service between "
    "Hakodate and Aomori on 3 May, the company said in a statement. The crossing takes three hours and ten minutes."
)
ROBOTS = (
    "成都市锦鳞巷社区医院13日宣布，12台送药机器人将于下周三正式上岗，为周边三公里内的老人送药上门。"
    "这批机器人共花费240万元，由医院和街道各承担一半。院长岑若溪说：“机器人不会代替护士，它们只是替护士跑腿。”"
)
UMBRELLAS = (
    "ปีนี้ช่างฝีมือจาก 14 หมู่บ้านนำร่มมาแสดงทั้งหมด 12,000 คัน "
    "งานใช้งบประมาณ 4.5 ล้านบาท ซึ่งมาจากเงินบริจาคของร้านค้าในเมือง "
    "เมื่อวานนี้ ทีมงานแขวนร่มคันใหญ่ที่สุดซึ่งกว้าง 9 เมตรไว้เหนือลานประตูท่าแพ"
)
STORIES = (BRIDGE, FERRY, ROBOTS, UMBRELLAS)


@pytest.mark.parametrize(
    "copy",
    [
        BRIDGE,
        f"HULL (Agency) — {BRIDGE}",
        BRIDGE.partition(". ")[2],  # without the first sentence
        f"{BRIDGE.rpartition('. ')[0]}. The mayor was pleased.",  # with another last one
        BRIDGE.replace("'", "’").upper(),
        BRIDGE.replace("vehicles", "vehicle"),
    ],
)
def test_copies(copy: str) -> None:
    assert originals([FERRY, BRIDGE, copy]) == [0, 1, 1]


@pytest.mark.parametrize(
    ("then", "now"),
    [("£42", "£46"), ("Harriet", "Moira"), ("14,000", "12,000"), ("three", "six"), ("Tuesday", "Friday")],
)
def test_a_story_that_says_another_thing_in_the_same_place_is_no_copy(then: str, now: str) -> None:
    assert originals([BRIDGE, BRIDGE.replace(then, now)]) == [0, 1]


def test_each_version_of_a_story_keeps_its_copies() -> None:
    corrected = BRIDGE.replace("42", "46")
    assert originals([BRIDGE, corrected, f"{corrected} (Agency)", f"{BRIDGE} (Agency)"]) == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("story", "then", "now"), [(ROBOTS, "12台", "20台"), (ROBOTS, "三", "五"), (UMBRELLAS, "9", "7")]
)
def test_scripts_without_spaces(story: str, then: str, now: str) -> None:
    assert originals([story, story.replace(" ", ""), f"{story}（完）"]) == [0, 0, 0]
    assert originals([story, story.replace(then, now)]) == [0, 1]


def test_stories_of_one_kind_are_not_copies() -> None:
    other = (
        "The new Marsh Lane Bridge over the River Wear will open to traffic next Friday, a year ahead of schedule, the "
        "Wearside Roads Office said on Monday. The 90-metre bridge replaces a ford that was closed in March 2019."
    )
    assert originals([BRIDGE, other]) == [0, 1]


@given(st.lists(st.text(max_size=60), max_size=12))
def test_any_text_is_a_copy_of_itself_and_originals_are_nobodys_copies(texts: list[str]) -> None:
    found = originals(texts)
    assert len(found) == len(texts)
    for number, original in enumerate(found):
        assert original <= number
        assert found[original] == original
    assert originals([*texts, *texts])[len(texts) :] == [found[texts.index(text)] for text in texts]


@given(st.randoms(use_true_random=False))
def test_stories_are_told_apart_in_any_order(order: random.Random) -> None:
    texts = [story for story in STORIES for _ in range(3)]
    order.shuffle(texts)
    assert originals(texts) == [texts.index(text) for text in texts]


def story(name: str, text: str, source: str) -> Article:
    return Article(
        id=name, title=name, text=text, language="en", source=source, url=f"https://{name}.example/",
        published=date(2024, 5, 16), published_from="metadata",
    )  # fmt: skip


def test_hits_are_different_stories_and_name_the_copies(tmp_path: Path) -> None:
    settings = IndexSettings(index=IndexConfig(path=tmp_path / "index", passage_characters=600))
    articles = [
        story("one", BRIDGE, "Agency"),
        story("two", f"HULL (Agency) — {BRIDGE}", "Hull Post"),
        story("three", BRIDGE.partition(". ")[2], "Wire"),
        story("corrected", BRIDGE.replace("42", "46"), "Agency"),
        story("ferry", FERRY, "Wire"),
    ]
    add(articles, folder=settings.index.path, settings=settings, encoder=WordEncoder())
    with Index(settings.index.path, settings, WordEncoder()) as index:
        hits = index.search("When will the Ellerby Bridge open to traffic?", count=3)
        assert {hit.article.id for hit in hits if hit.copies} < {"one", "two", "three"}
        (bridge,) = [hit for hit in hits if hit.copies]
        assert {bridge.article.id, *(copy.article.id for copy in bridge.copies)} == {"one", "two", "three"}
        assert {hit.article.id for hit in hits} == {bridge.article.id, "corrected", "ferry"}
        for copy in bridge.copies:
            assert copy.article.text[copy.passage.start : copy.passage.end]
            assert copy.article.source
        (document, *_) = index.as_retriever(sources=["Agency", "Wire"]).invoke("£42 million bridge")
        assert [copy["article_id"] for copy in document.metadata["copies"]] in (["three"], ["one"])
