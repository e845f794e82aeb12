"""Parts: made on one machine, merged on another, the same index."""

import gzip
import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fakes import WordEncoder
from index_contents import contents, farthest

from index.config import IndexSettings
from index.errors import ArticleError, DamagedError, EncoderMismatchError, StoreError
from index.merge import make_parts, merge_parts
from index.part_files import part_files
from index.parts import read_item, rows_of, table_of, with_vectors
from index.place import open_place
from index.read_ahead import ReadAhead
from index.update import sync


@pytest.fixture
def news(tmp_path: Path, sample_article: Path) -> Path:
    folder = tmp_path / "news"
    folder.mkdir()
    (folder / "visit.txt").write_bytes(sample_article.read_bytes())
    entries = [
        {
            "id": f"n{number}",
            "title": f"Ferry {number}",
            "text": f"The ferry number {number} left on Monday. It arrived a day late.",
            "published": "2024-05-14T08:00:00+07:00",
            "url": f"https://news.example/{number}",
            "source": "The Harbour",
        }
        for number in range(5)
    ]
    lines = [*map(json.dumps, entries), "{ this is no JSON"]
    (folder / "wire.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    (folder / "empty.txt").write_text("")
    (folder / "copy.txt").write_bytes(sample_article.read_bytes())
    for file in folder.iterdir():
        os.utime(file, (1_700_000_000, 1_700_000_000))  # so long ago that a listing is believed
    return folder


def settings(tmp_path: Path, name: str, **sections: dict[str, object]) -> IndexSettings:
    return IndexSettings.model_validate({"index": {"path": tmp_path / name}, **sections})


def made(news: Path, tmp_path: Path, name: str = "parts") -> Path:
    make_parts(news, folder=tmp_path / name, config=settings(tmp_path, "unused"), encoder=WordEncoder())
    return tmp_path / name


def test_an_index_of_parts_is_the_one_that_sync_makes(news: Path, tmp_path: Path) -> None:
    here = sync(news, config=settings(tmp_path, "here"), encoder=WordEncoder())
    encoder = WordEncoder()
    report = make_parts(news, folder=tmp_path / "parts", config=settings(tmp_path, "unused"), encoder=encoder)
    assert not (tmp_path / "unused").exists()
    elsewhere = WordEncoder()
    merged = merge_parts([tmp_path / "parts"], config=settings(tmp_path, "merged"), encoder=elsewhere)
    assert contents(tmp_path / "merged") == contents(tmp_path / "here")
    assert farthest(tmp_path / "merged", tmp_path / "here") == 0
    assert not elsewhere.encoded
    assert (merged.added, merged.encoded, merged.problems) == (here.added, here.encoded, here.problems)
    assert (report.items, report.articles, report.problems) == (4, 7, here.problems)


def test_what_is_merged_twice_or_read_later_is_known(news: Path, tmp_path: Path) -> None:
    parts, config = made(news, tmp_path), settings(tmp_path, "merged")
    merge_parts([parts], config=config, encoder=WordEncoder())
    again = merge_parts([parts], config=config, encoder=WordEncoder())
    assert (again.added, again.changed, again.removed, again.encoded) == (0, 0, 0, 0)
    encoder = WordEncoder()
    later = sync(news, config=config, encoder=encoder)
    assert (later.added, later.changed, later.removed, encoder.encoded) == (0, 0, 0, [])


def test_a_run_is_continued(news: Path, tmp_path: Path) -> None:
    parts = made(news, tmp_path)
    (news / "zebra.txt").write_text("A zebra was seen in the harbour.")
    encoder = WordEncoder()
    report = make_parts(news, folder=parts, config=settings(tmp_path, "unused"), encoder=encoder)
    assert (report.items, report.unchanged, len(part_files(parts))) == (1, 4, 2)
    assert [text for text in encoder.encoded if "zebra" not in text] == []
    merge_parts([parts], config=settings(tmp_path, "merged"), encoder=WordEncoder())
    sync(news, config=settings(tmp_path, "here"), encoder=WordEncoder())
    assert contents(tmp_path / "merged")["passages"] == contents(tmp_path / "here")["passages"]


def test_the_schema_says_what_it_is(news: Path, tmp_path: Path) -> None:
    (file,) = part_files(made(news, tmp_path))
    metadata = {key.decode(): value.decode() for key, value in pq.read_schema(file).metadata.items()}
    assert metadata["kabar.parts"] == "1"
    assert metadata["kabar.encoder"] == "words/1"
    page = (Path(__file__).parents[2] / "docs" / "parts.md").read_text()
    for field in pq.read_schema(file):
        assert f"`{field.name}`" in page
    for key in metadata:
        assert not key.startswith("kabar.") or f"`{key}`" in page


@pytest.mark.parametrize(
    ("sections", "encoder", "error", "words"),
    [
        ({}, WordEncoder("words/2"), EncoderMismatchError, "encoded by words/1, here it is words/2"),
        ({"sources": {"megabytes": 3}}, WordEncoder(), StoreError, "read with other settings"),
    ],
)
def test_parts_of_another_origin_are_refused(
    news: Path, tmp_path: Path, sections: dict, encoder: WordEncoder, error: type[StoreError], words: str
) -> None:
    parts = made(news, tmp_path)
    with pytest.raises(error, match=words):
        merge_parts([parts], config=settings(tmp_path, "merged", **sections), encoder=encoder)
    with pytest.raises(error, match=words):
        make_parts(news, folder=parts, config=settings(tmp_path, "merged", **sections), encoder=encoder)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("kabar.parts", "2", "parts of format 2"), ("kabar.version", "0.0.1", "made by kabar 0.0.1")],
)
def test_parts_of_another_version_are_refused(news: Path, tmp_path: Path, key: str, value: str, words: str) -> None:
    (file,) = part_files(made(news, tmp_path))
    table = pq.read_table(file)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, key.encode(): value}), file)
    with pytest.raises(StoreError, match=words):
        merge_parts([file.parent], config=settings(tmp_path, "merged"), encoder=WordEncoder())


def test_what_is_no_part_is_refused(news: Path, tmp_path: Path) -> None:
    config = settings(tmp_path, "merged")
    with pytest.raises(StoreError, match="no parts here"):
        merge_parts([tmp_path / "nowhere"], config=config, encoder=WordEncoder())
    (file,) = part_files(made(news, tmp_path))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedError, match=r"part-00000\.parquet: this part cannot be read"):
        merge_parts([file.parent], config=config, encoder=WordEncoder())
    pq.write_table(pq.read_table(made(news, tmp_path, "others")).select(["item"]).replace_schema_metadata(None), file)
    with pytest.raises(StoreError, match="not a part that kabar made"):
        merge_parts([file.parent], config=config, encoder=WordEncoder())


def test_a_damaged_page_changes_nothing(news: Path, tmp_path: Path) -> None:
    (file,) = part_files(made(news, tmp_path))
    content = bytearray(file.read_bytes())
    place = pq.ParquetFile(file).metadata.row_group(0).column(8).data_page_offset + 60
    content[place] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(DamagedError):
        merge_parts([file.parent], config=settings(tmp_path, "merged"), encoder=WordEncoder())
    sync(news, config=settings(tmp_path, "merged"), encoder=WordEncoder())
    sync(news, config=settings(tmp_path, "here"), encoder=WordEncoder())
    assert contents(tmp_path / "merged")["passages"] == contents(tmp_path / "here")["passages"]


def test_an_item_without_its_end_loses_no_article(news: Path, tmp_path: Path) -> None:
    config = settings(tmp_path, "merged")
    (file,) = part_files(made(news, tmp_path))
    merge_parts([file.parent], config=config, encoder=WordEncoder())
    (news / "wire.jsonl.gz").write_bytes(gzip.compress(b'{"id": "n0", "title": "Ferry", "text": "One is left."}'))
    table = pq.read_table(made(news, tmp_path, "cut") / "part-00000.parquet")
    kept = [number for number, row in enumerate(table.select(["item", "kind"]).to_pylist()) if not _ends(row)]
    pq.write_table(table.take(kept), tmp_path / "cut" / "part-00000.parquet")
    report = merge_parts([tmp_path / "cut"], config=config, encoder=WordEncoder())
    assert report.removed == 0
    assert any("its end is not in the parts" in problem.reason for problem in report.problems)


def _ends(row: dict) -> bool:
    return row["kind"] == "end" and row["item"].endswith("wire.jsonl.gz")


def test_what_is_known_is_not_prepared(news: Path, tmp_path: Path) -> None:
    config = settings(tmp_path, "unused")
    item = next(item for item in open_place(news, config).items(lambda _: None) if item.name.endswith("wire.jsonl.gz"))
    rows = list(read_item(item, "p", characters=300))
    articles = [row for row in rows_of(with_vectors(table_of(rows), WordEncoder())) if row.kind == "article"]
    known = {row.found.content_hash for row in articles[:3]}
    encoder = WordEncoder()
    table = with_vectors(table_of(list(read_item(item, "p", characters=300, known=known))), encoder)
    again = [row for row in rows_of(table) if row.kind == "article"]
    assert [row.found for row in again] == [row.found for row in articles]
    assert [row.prepared is None for row in again] == [True] * 3 + [False] * 2
    assert not any("number 0" in text for text in encoder.encoded)
    for one, other in zip(again[3:], articles[3:], strict=True):
        assert [passage[:3] for passage in one.prepared] == [passage[:3] for passage in other.prepared]
    same = list(read_item(item, "p", characters=300, digest=item.digest()))
    assert [row["kind"] for row in same] == ["item", "end"]


def test_an_item_that_cannot_be_read_is_told(tmp_path: Path, news: Path) -> None:
    config = settings(tmp_path, "here")

    def lose(files: object, writer: object) -> list:
        raise ArticleError("a worker", "it is gone")

    with pytest.raises(ArticleError, match="a worker: it is gone"):
        sync(news, config=config, encoder=WordEncoder(), ahead=ReadAhead(lose))
    report = sync(news, config=config, encoder=WordEncoder(), ahead=ReadAhead(lambda _files, _writer: ()))
    assert report.added == 0
    assert {problem.reason for problem in report.problems} == {"it is not in the parts; make them again"}
