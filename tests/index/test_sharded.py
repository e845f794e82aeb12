"""An index in shards against the same index in one folder, without a cluster: hits, scores and order are the same."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes import WordEncoder

from index import matching
from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.errors import NoIndexError, StoreError, SupersededError
from index.index import Hit, Index
from index.passage_dates import Days
from index.sharding.index import ShardedIndex
from index.sharding.layout import At, folder_of, publish, read_published, shard_of
from index.sharding.reader import ShardReader
from index.sharding.split import remove_others, split
from index.update import add, remove

SHARDS = 3
LANGUAGES = ("en", "id", "ja")


class LocalShards:
    """Asks readers in this process."""

    def __init__(self, root: Path, count: int = SHARDS) -> None:
        self.readers = [ShardReader(root, shard) for shard in range(count)]
        self.asked: list[str] = []

    def ask(self, method: str, *arguments: Any) -> list[Any]:
        self.asked.append(method)
        return [getattr(reader, method)(*arguments) for reader in self.readers]

    def ask_one(self, shard: int, method: str, *arguments: Any) -> Any:
        return getattr(self.readers[shard], method)(*arguments)

    def streams(self, method: str, *arguments: Any) -> list[Iterator[Any]]:
        return [getattr(reader, method)(*arguments) for reader in self.readers]


def made(number: int, chance: random.Random, revision: int = 0) -> Article:
    """An article of words that are the rarer the higher their number; every fifth one is a copy of one before it."""
    if number % 5 == 0 and number:
        chance = random.Random(number - 1)
    count = chance.randint(1, 5)
    text = " ".join(
        f"Word{min(int(chance.paretovariate(0.7)), 900)} "
        + " ".join(f"word{min(int(chance.paretovariate(0.7)), 900)}" for _ in range(chance.randint(4, 14)))
        + "."
        for _ in range(count)
    )
    day = date(2024, 1, 1) + timedelta(days=chance.randint(0, 300)) if chance.random() < 0.9 else None
    known = {"published": day, "published_from": "metadata"} if day else {}
    spoken = f" It opens on 1{chance.randint(0, 9)} March 2024." if chance.random() < 0.3 else ""
    return Article.model_validate(
        {
            "id": f"news/{number}",
            "title": f"Story word{chance.randint(1, 500)} {revision or ''}",
            "text": text + spoken,
            "language": chance.choice(LANGUAGES),
            "source": chance.choice(["Wire", "Post", None]),
            **known,
        }
    )


def articles(count: int, revision: int = 0) -> list[Article]:
    return [made(number, random.Random(number + 10_000 * revision), revision) for number in range(count)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> IndexSettings:
    """An index of some thousand passages, changed a little after it was made."""
    config = IndexSettings(index=IndexConfig(path=tmp_path_factory.mktemp("sharded") / "index"))
    add(articles(150), folder=config.index.path, settings=config, encoder=WordEncoder(dimension=16))
    add(articles(20, 1), folder=config.index.path, settings=config, encoder=WordEncoder(dimension=16))
    return config


@pytest.fixture(scope="module")
def root(settings: IndexSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    publish(folder, split(settings.index.path, folder, SHARDS))
    return folder


@pytest.fixture
def whole(settings: IndexSettings) -> Iterator[Index]:
    with Index(settings.index.path, settings, WordEncoder(dimension=16)) as index:
        yield index


@pytest.fixture
def sharded(settings: IndexSettings, root: Path) -> Iterator[ShardedIndex]:
    shards = LocalShards(root)
    yield ShardedIndex(root, shards, settings, WordEncoder(dimension=16))
    for reader in shards.readers:
        reader.close()


def questions(count: int) -> list[str]:
    chance = random.Random(1)
    return [
        " ".join(f"word{min(int(chance.paretovariate(0.5)), 950)}" for _ in range(chance.randint(1, 8)))
        for _ in range(count)
    ]


FILTERS: list[dict[str, Any]] = [
    {},
    {"published_after": date(2024, 3, 1), "published_before": date(2024, 5, 1)},
    {"sources": ["Wire"], "languages": ["ja", "en"]},
    {"days": [Days(date(2024, 3, 10), date(2024, 3, 14))]},
    {"article_ids": [f"news/{number}" for number in range(0, 60, 5)]},
    {"sources": ["Nobody"]},
    {"published_after": date(2024, 9, 1), "count": 40},
]


def compare(whole: Index, sharded: Index, count: int) -> list[Hit]:
    everything = []
    for place, question in enumerate([*questions(count), "", "?!", "nowhere"]):
        filters = FILTERS[place % len(FILTERS)]
        expected = whole.search(question, **filters)
        assert sharded.search(question, **filters) == expected, (question, filters)
        everything += expected
    return everything


def test_hits_scores_and_ties_are_those_of_the_whole_index(whole: Index, sharded: ShardedIndex) -> None:
    hits = compare(whole, sharded, 60)
    assert any(hit.copies for hit in hits)
    assert any(hit.similarity is None for hit in hits)


@pytest.mark.parametrize("rows", [40, 300])
def test_words_of_many_passages_are_counted_as_in_the_whole_index(
    whole: Index, sharded: ShardedIndex, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    from index.sharding import snapshot, words

    for module in (matching, snapshot, words):
        monkeypatch.setattr(module, "ROWS", rows)
    compare(whole, sharded, 30)


def test_a_search_asks_all_shards_four_times(sharded: ShardedIndex) -> None:
    shards = sharded._shards
    assert isinstance(shards, LocalShards)
    shards.asked.clear()
    assert sharded.search("word12 word77 word3")
    assert shards.asked == ["nearest", "ranked", "details", "read"]


def test_the_rest_is_the_same_too(whole: Index, sharded: ShardedIndex) -> None:
    for filters in FILTERS[:4]:
        assert sharded.newest(12, **filters) == whole.newest(12, **filters)
    assert len(sharded) == len(whole)
    assert sharded.generation == whole.generation
    assert list(sharded) == list(whole)
    with whole.snapshot() as one, sharded.snapshot() as other:
        assert list(other.summaries()) == list(one.summaries())
        assert (other.languages(), other.period()) == (one.languages(), one.period())
        assert list(other.languages()) == list(one.languages())
        assert (other.count("passages"), other.is_empty()) == (one.count("passages"), False)
    assert sharded.article("news/7") == whole.article("news/7")
    assert sharded.article("nothing") is None
    assert sharded.passages_of("news/3") == whole.passages_of("news/3")
    assert sharded.places("news/3") == whole.places("news/3")


def test_every_article_is_in_the_shard_that_its_id_says(settings: IndexSettings, root: Path) -> None:
    record = read_published(root)
    assert record is not None
    for shard in range(SHARDS):
        with Index(folder_of(root, shard, SHARDS, record.half), settings) as index:
            assert len(index) > 30
            assert {shard_of(article.id, SHARDS) for article in index} == {shard}


def test_the_hash_never_changes() -> None:
    assert [shard_of(f"news/{number}", 7) for number in range(12)] == [4, 1, 2, 3, 3, 1, 0, 3, 4, 6, 5, 0]


@pytest.fixture
def small(tmp_path: Path) -> IndexSettings:
    config = IndexSettings(index=IndexConfig(path=tmp_path / "index"))
    add(articles(30), folder=config.index.path, settings=config, encoder=WordEncoder())
    return config


def passage_numbers(folder: Path) -> dict[str, int]:
    from index.store import ARTICLES_FILE, connect

    connection = connect(folder, ARTICLES_FILE)
    rows = dict(connection.execute("SELECT article_id, min(id) FROM passages GROUP BY article_id").fetchall())
    connection.close()
    return rows


def test_shards_follow_the_index_and_searches_never_mix_generations(small: IndexSettings, tmp_path: Path) -> None:
    folder, shards = small.index.path, tmp_path / "shards"
    first = split(folder, shards, SHARDS)
    publish(shards, first)
    assert split(folder, shards, SHARDS) == first, "nothing has changed"
    local = LocalShards(shards)
    encoder = WordEncoder()
    searched = ShardedIndex(shards, local, small, encoder)
    with Index(folder, small, encoder) as whole:
        before = whole.search("word1 word2", count=50)
        with searched.snapshot() as held:
            add(articles(40, 1)[25:], folder=folder, settings=small, encoder=encoder)
            remove(["news/3"], folder=folder)
            second = split(folder, shards, SHARDS)
            assert (second.half, second.generation) == ("b", whole.generation)
            assert searched.search("word1 word2", count=50) == before, "not published yet"
            publish(shards, second)
            assert searched.search("word1 word2", count=50) == whole.search("word1 word2", count=50) != before
            assert held.passages_of("news/3"), "the earlier generation is still there"
        remove(["news/4"], folder=folder)
        third = split(folder, shards, SHARDS)
        assert (third.half, held.passages_of("news/3")) == ("a", held.passages_of("news/3"))
        publish(shards, third)
        assert searched.article("news/4") is None
        with pytest.raises(SupersededError, match=r"shard \d of 3 does not hold generation 1 any more"):
            held.passages_of("news/3")
        assert searched.search("word1 word2", count=50) == whole.search("word1 word2", count=50)
        everything = {}
        for shard in range(SHARDS):
            everything |= passage_numbers(folder_of(shards, shard, SHARDS, third.half))
        assert everything == passage_numbers(folder)


def test_a_shard_that_starts_late_knows_what_is_published(small: IndexSettings, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    publish(shards, split(small.index.path, shards, 2))
    remove(["news/4"], folder=small.index.path)
    publish(shards, second := split(small.index.path, shards, 2))
    reader = ShardReader(shards, 0)
    assert reader.facts(second.at).articles == len(passage_numbers(folder_of(shards, 0, 2, "b")))
    reader.prepare(At(1, "a", second.origin))
    with pytest.raises(SupersededError):
        reader.facts(At(7, "a", second.origin))
    with pytest.raises(SupersededError):
        reader.facts(At(1, "a", "another index"))
    reader.close()


def test_another_number_of_shards_or_another_index_makes_all_anew(small: IndexSettings, tmp_path: Path) -> None:
    import shutil

    folder, shards = small.index.path, tmp_path / "shards"
    publish(shards, split(folder, shards, 2))
    publish(shards, record := split(folder, shards, 3))
    remove_others(shards, 3)
    assert sorted(path.name for path in shards.glob("*-of-*")) == ["1-of-3", "2-of-3", "3-of-3"]
    shutil.rmtree(folder)
    add(articles(30, 5), folder=folder, settings=small, encoder=WordEncoder())
    publish(shards, split(folder, shards, 3))
    publish(shards, again := split(folder, shards, 3))
    assert again.origin != record.origin
    local = LocalShards(shards)
    with Index(folder, small, WordEncoder()) as whole:
        assert ShardedIndex(shards, local, small, WordEncoder()).search("word1") == whole.search("word1")


def test_another_encoder_gives_the_shards_its_vectors(small: IndexSettings, tmp_path: Path) -> None:
    folder, shards = small.index.path, tmp_path / "shards"
    publish(shards, split(folder, shards, 2))
    publish(shards, split(folder, shards, 2))
    other = WordEncoder("words/2", dimension=32)
    changed = small.model_copy(update={"encoder": small.encoder.model_copy(update={"model": "another"})})
    for revision in (1, 2):  # both halves
        add(articles(2, revision), folder=folder, settings=changed, encoder=other)
        publish(shards, split(folder, shards, 2))
        with Index(folder, changed, other) as whole:
            searched = ShardedIndex(shards, LocalShards(shards, 2), changed, other)
            assert searched.search("word1 word2") == whole.search("word1 word2")


def test_a_shard_that_is_missing_is_named(small: IndexSettings, tmp_path: Path) -> None:
    import shutil

    shards = tmp_path / "shards"
    with pytest.raises(NoIndexError, match="no shards here"):
        ShardReader(shards, 0)
    publish(shards, split(small.index.path, shards, 3))
    shutil.rmtree(shards / "2-of-3")
    for attempt in (lambda: split(small.index.path, shards, 3), lambda: ShardReader(shards, 1)):
        with pytest.raises(StoreError, match=r"shard 2 of 3 is missing: no index in .*2-of-3/a"):
            attempt()
    ShardReader(shards, 0).close()


def test_a_record_that_is_damaged_is_named(small: IndexSettings, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    publish(shards, split(small.index.path, shards, 2))
    (shards / "published.json").write_text("{")
    with pytest.raises(StoreError, match=r"published\.json: damaged; remove it"):
        split(small.index.path, shards, 2)


def test_an_index_that_became_empty_finds_nothing(small: IndexSettings, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    remove([f"news/{number}" for number in range(30)], folder=small.index.path)
    publish(shards, split(small.index.path, shards, 2))
    searched = ShardedIndex(shards, LocalShards(shards, 2), small, WordEncoder())
    assert searched.search("word1") == []
    assert len(searched) == 0
