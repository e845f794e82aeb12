import json
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from fakes import WordEncoder

from index.config import IndexConfig, IndexSettings
from index.errors import ArticleError, BusyError, WriteError
from index.index import Index
from index.store import Writer
from index.update import Change, Progress, SyncReport, sync


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three articles to index."""
    place = tmp_path / "news"
    place.mkdir()
    (place / "bridge.txt").write_text("Bridge opens\nThe bridge opened in Hull. It cost nine pounds.", encoding="utf-8")
    (place / "ferry.txt").write_text("Ferry sails\nThe ferry sailed from Aomori at dawn.", encoding="utf-8")
    (place / "robot.txt").write_text("Robot heals\nA robot mixes medicine in Chengdu.", encoding="utf-8")
    return place


@pytest.fixture
def settings(tmp_path: Path) -> IndexSettings:
    return IndexSettings(index=IndexConfig(path=tmp_path / "index"))


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def run(folder: Path, settings: IndexSettings, encoder: WordEncoder) -> Callable[[], SyncReport]:
    return lambda: sync(folder, config=settings, encoder=encoder)


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    return report.added, report.changed, report.removed, report.unchanged


def found(settings: IndexSettings, encoder: WordEncoder, question: str) -> list[str]:
    with Index(settings.index.path, settings, encoder) as index:
        return [hit.article.id for hit in index.search(question)]


def test_new_changed_and_removed_files(
    run: Callable[[], SyncReport], folder: Path, settings: IndexSettings, encoder: WordEncoder
) -> None:
    assert counts(run()) == (3, 0, 0, 0)
    assert counts(run()) == (0, 0, 0, 3)
    (folder / "bridge.txt").write_text("Bridge opens\nThe bridge opened in Goole.", encoding="utf-8")
    (folder / "ferry.txt").unlink()
    (folder / "tram.txt").write_text("Tram\nA tram runs in Basel.", encoding="utf-8")
    encoder.encoded.clear()
    assert counts(run()) == (1, 1, 1, 1)
    assert encoder.encoded == ["Bridge opens\nThe bridge opened in Goole.", "Tram\nA tram runs in Basel."]
    assert "ferry.txt" not in found(settings, encoder, "ferry Aomori dawn")
    with Index(settings.index.path, settings, encoder) as index:
        assert "Hull" not in "".join(hit.passage.text for hit in index.search("bridge Hull"))


def test_touched_but_equal_file_is_unchanged(run: Callable[[], SyncReport], folder: Path) -> None:
    run()
    os.utime(folder / "bridge.txt", (1, 1))
    assert counts(run()) == (0, 0, 0, 3)


def test_an_unchanged_run_loads_no_encoder_and_makes_no_generation(
    run: Callable[[], SyncReport], folder: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    generation = run().generation
    monkeypatch.setattr("index.update._open_encoder", lambda _: pytest.fail("the encoder was loaded"))
    assert sync(folder, config=settings).generation == generation


def test_a_renamed_file_is_the_same_article_and_is_not_encoded_again(
    run: Callable[[], SyncReport], folder: Path, settings: IndexSettings, encoder: WordEncoder
) -> None:
    run()
    (folder / "ferry.txt").rename(folder / "boat.txt")
    encoder.encoded.clear()
    assert counts(run()) == (0, 0, 0, 3)
    assert encoder.encoded == []
    assert found(settings, encoder, "ferry Aomori")[0] == "ferry.txt"


def test_another_encoder_encodes_everything_again(
    run: Callable[[], SyncReport], folder: Path, settings: IndexSettings
) -> None:
    run()
    other = WordEncoder("words/2", 32)
    changed = settings.model_copy(update={"encoder": settings.encoder.model_copy(update={"language_fair": False})})
    report = sync(folder, config=changed, encoder=other)
    assert report.encoded == 3
    assert found(changed, other, "ferry Aomori")[0] == "ferry.txt"


def test_empty_or_missing_folder_leaves_the_index_alone(
    run: Callable[[], SyncReport], folder: Path, settings: IndexSettings, encoder: WordEncoder, tmp_path: Path
) -> None:
    run()
    shutil.rmtree(folder)
    with pytest.raises(ArticleError, match="no such file or folder"):
        run()
    folder.mkdir()
    with pytest.raises(ArticleError, match="no articles here"):
        run()
    assert found(settings, encoder, "ferry Aomori")[0] == "ferry.txt"


def test_the_same_article_from_two_places_is_one(
    folder: Path, settings: IndexSettings, encoder: WordEncoder, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    sync(folder, config=settings, encoder=encoder)
    assert counts(sync(copy, config=settings, encoder=encoder)) == (0, 0, 0, 3)
    (copy / "bridge.txt").unlink()
    assert counts(sync(copy, config=settings, encoder=encoder)) == (0, 0, 0, 2)
    (folder / "bridge.txt").unlink()
    assert counts(sync(folder, config=settings, encoder=encoder)) == (0, 0, 1, 2)


def test_one_folder_by_two_names_is_one_place(folder: Path, settings: IndexSettings, encoder: WordEncoder) -> None:
    sync(folder, config=settings, encoder=encoder)
    (folder / "sub").mkdir()
    (folder / "ferry.txt").unlink()
    report = sync(folder / "sub" / ".." / "." / "..//news", config=settings, encoder=encoder)
    assert counts(report) == (0, 0, 1, 2)


def test_ten_thousand_copies_are_one_article(folder: Path, settings: IndexSettings, encoder: WordEncoder) -> None:
    (folder / "copies").mkdir()
    for number in range(10_000):
        os.link(folder / "ferry.txt", folder / "copies" / f"{number}.txt")
    assert counts(sync(folder, config=settings, encoder=encoder)) == (3, 0, 0, 10_000)
    assert len(encoder.encoded) == 3
    (folder / "ferry.txt").unlink()
    assert counts(sync(folder, config=settings, encoder=encoder)) == (0, 0, 0, 10_002)
    shutil.rmtree(folder / "copies")
    assert counts(sync(folder, config=settings, encoder=encoder)) == (0, 0, 1, 2)


def test_an_article_far_over_the_limit_costs_no_more_than_its_checksum(
    folder: Path, settings: IndexSettings, encoder: WordEncoder
) -> None:
    with (folder / "huge.txt").open("wb") as file:
        file.truncate(300_000_000)  # no block of it is written
    careful = settings.model_copy(update={"sources": settings.sources.model_copy(update={"megabytes": 1})})
    report = sync(folder, config=careful, encoder=encoder)
    assert counts(report) == (3, 0, 0, 0)
    assert [problem.reason[:17] for problem in report.problems] == ["larger than 1 MB;"]


def test_files_of_one_name_in_two_folders_are_two_articles(
    folder: Path, settings: IndexSettings, encoder: WordEncoder, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "bridge.txt").write_text("Another bridge\nThis one is in Cork.", encoding="utf-8")
    sync(folder, other, config=settings, encoder=encoder)
    assert {"bridge.txt", "other/bridge.txt"} <= set(found(settings, encoder, "bridge"))
    assert counts(sync(folder, other, config=settings, encoder=encoder)) == (0, 0, 0, 4)


def test_what_is_broken_today_stays_as_it_was_and_is_looked_at_again(
    run: Callable[[], SyncReport], folder: Path, settings: IndexSettings, encoder: WordEncoder
) -> None:
    run()
    good = (folder / "ferry.txt").read_bytes()
    (folder / "ferry.txt").write_bytes(b"\0\0\0")
    for _ in range(2):
        report = run()
        assert [problem.reason for problem in report.problems] == ["binary file, not text"]
        assert report.removed == 0
    assert found(settings, encoder, "ferry Aomori")[0] == "ferry.txt"
    (folder / "ferry.txt").write_bytes(good)
    assert not run().problems


def test_an_encoder_that_fails_leaves_the_index_as_it_was(
    run: Callable[[], SyncReport], folder: Path, settings: IndexSettings, encoder: WordEncoder
) -> None:
    run()
    (folder / "tram.txt").write_text("Tram\nA tram runs in Basel.", encoding="utf-8")

    class Failing(WordEncoder):
        def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        sync(folder, config=settings, encoder=Failing())
    assert "tram.txt" not in found(settings, encoder, "tram Basel")
    assert counts(run()) == (1, 0, 0, 3)


def test_a_second_writer_is_refused_at_once(run: Callable[[], SyncReport], settings: IndexSettings) -> None:
    run()
    with Writer(settings.index.path), pytest.raises(BusyError, match="another process is writing"):
        run()
    run()


def test_progress_reaches_the_end(folder: Path, settings: IndexSettings, encoder: WordEncoder) -> None:
    seen: list[Progress] = []
    sync(folder, config=settings, encoder=encoder, progress=seen.append)
    assert seen[-1][:2] == (3, 3)
    assert [step.files for step in seen] == sorted(step.files for step in seen)


def test_progress_goes_on_within_a_long_file(
    folder: Path, settings: IndexSettings, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.update._LOT", 8)
    with (folder / "all.jsonl").open("w", encoding="utf-8") as file:
        for number in range(400):
            text = f"In the town number {number} there are trams. " + "They run. " * 50
            file.write(json.dumps({"title": f"Town {number}", "text": text}) + "\n")
    seen: list[Progress] = []
    sync(folder / "all.jsonl", config=settings, encoder=encoder, progress=seen.append)
    size = (folder / "all.jsonl").stat().st_size
    assert seen[-1][3:] == (size, size)
    assert [step.done for step in seen] == sorted(step.done for step in seen)
    assert sum(0.2 * size < step.done < 0.8 * size for step in seen) > 10


def test_a_full_disk_is_one_clear_error_and_the_index_is_as_it_was(
    run: Callable[[], SyncReport],
    folder: Path,
    settings: IndexSettings,
    encoder: WordEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run()
    (folder / "long.txt").write_text(
        "Long\n" + "A sentence about Lagos and its many trams. " * 20_000, encoding="utf-8"
    )
    plain = Writer._prepare

    def small(writer: Writer) -> None:
        # SQLite's own way to make a database full: no more pages than it has now.
        pages = writer.connection.execute("PRAGMA page_count").fetchone()[0]
        writer.connection.execute(f"PRAGMA max_page_count = {pages + 10}")
        plain(writer)

    monkeypatch.setattr(Writer, "_prepare", small)
    with pytest.raises(WriteError, match="full"):
        run()
    monkeypatch.undo()
    assert "long.txt" not in found(settings, encoder, "Lagos trams")
    assert found(settings, encoder, "ferry Aomori")[0] == "ferry.txt"


def test_a_reader_sees_the_new_generation_without_reopening_and_never_half_of_it(
    run: Callable[[], SyncReport], folder: Path, settings: IndexSettings, encoder: WordEncoder
) -> None:
    run()
    errors: list[BaseException] = []
    stop = threading.Event()
    with Index(settings.index.path, settings, encoder) as index:

        def ask() -> None:
            try:
                while not stop.is_set():
                    ids = {hit.article.id for hit in index.search("tram Basel ferry", count=20)}
                    # The two trams come and go together.
                    assert ("tram-1.txt" in ids) == ("tram-2.txt" in ids)
            except BaseException as error:  # noqa: BLE001 -- handed to the main thread
                errors.append(error)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(15):
            for name, town in (("tram-1.txt", "Basel"), ("tram-2.txt", "Lagos")):
                if number % 2:
                    (folder / name).unlink()
                else:
                    (folder / name).write_text(f"Tram {name}\nIn {town} runs tram {number}.", encoding="utf-8")
            run()
            ids = {hit.article.id for hit in index.search("tram Basel", count=20)}
            assert ("tram-1.txt" in ids) == (number % 2 == 0)
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []


def test_a_long_run_is_searchable_as_it_goes_and_the_next_one_goes_on(
    folder: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.update._SECONDS", 0.0)
    for number in range(20):
        (folder / f"tram-{number:02}.txt").write_text(f"Tram {number}\nTram {number} runs in Basel.", encoding="utf-8")

    class Failing(WordEncoder):
        def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
            if len(self.encoded) >= 10:
                raise RuntimeError("out of memory")
            return super().encode_passages(texts)

    failing = Failing()
    with pytest.raises(RuntimeError, match="out of memory"):
        sync(folder, config=settings, encoder=failing)
    with Index(settings.index.path, settings, failing) as index:
        assert 0 < len(index) < 23
        assert all(index.search(article.title, count=30) for article in index)
    encoder = WordEncoder()
    report = sync(folder, config=settings, encoder=encoder)
    assert report.added + report.unchanged == 23
    assert not set(encoder.encoded) & set(failing.encoded)
    assert counts(sync(folder, config=settings, encoder=encoder)) == (0, 0, 0, 23)


def test_a_very_long_article_is_encoded_bit_by_bit(
    folder: Path, settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lots = []

    class Counting(WordEncoder):
        def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
            lots.append(len(texts))
            return super().encode_passages(texts)

    monkeypatch.setattr("index.update._LOT", 8)
    text = "".join(f"In the town number {number} there are trams to {number} other towns. " for number in range(500))
    (folder / "long.txt").write_text(text, encoding="utf-8")
    assert sync(folder, config=settings, encoder=Counting()).passages == sum(lots)
    assert max(lots) <= 8
    assert found(settings, WordEncoder(), "town number 499")[0] == "long.txt"


def test_a_folder_that_goes_away_during_the_run_loses_nothing(
    run: Callable[[], SyncReport], folder: Path, settings: IndexSettings, encoder: WordEncoder, tmp_path: Path
) -> None:
    run()
    for name in ("tram.txt", "zebra.txt"):
        (folder / name).write_text(f"About {name}\nIt is about {name} in Basel.", encoding="utf-8")

    def unmount(progress: Progress) -> None:
        if progress.files == 1:
            folder.rename(tmp_path / "away")

    with pytest.raises(ArticleError, match="went away while it was read"):
        sync(folder, config=settings, encoder=encoder, progress=unmount)
    assert found(settings, encoder, "ferry Aomori")[0] == "ferry.txt"
    (tmp_path / "away").rename(folder)
    assert counts(run()) == (2, 0, 0, 3)


def test_a_file_that_is_written_while_it_is_read_is_read_again(
    folder: Path, settings: IndexSettings, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index import folder as reading

    plain = reading.read_file

    def slow(path: Path, **known: object) -> object:
        yield from plain(path, **known)
        if path.name == "bridge.txt":
            path.write_text("Bridge opens\nThe bridge opened in Goole.", encoding="utf-8")

    for path in folder.iterdir():
        os.utime(path, (1_600_000_000, 1_600_000_000))
    monkeypatch.setattr(reading, "read_file", slow)
    sync(folder, config=settings, encoder=encoder)
    monkeypatch.undo()
    assert counts(sync(folder, config=settings, encoder=encoder)) == (0, 1, 0, 2)
    assert "Goole" in Index(settings.index.path, settings, encoder).search("bridge")[0].passage.text


def test_a_file_that_was_written_in_the_same_moment_as_it_was_read_is_looked_at_again(
    run: Callable[[], SyncReport], folder: Path
) -> None:
    run()
    before = (folder / "ferry.txt").stat()
    (folder / "ferry.txt").write_text("Ferry sails\nThe ferry sailed from Aomori at noon.", encoding="utf-8")
    os.utime(folder / "ferry.txt", ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert counts(run()) == (0, 1, 0, 2)


def test_an_index_that_cannot_be_written_is_one_clear_error(folder: Path, encoder: WordEncoder, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(WriteError, match="could not write the index"):
        sync(folder, config=IndexSettings(index=IndexConfig(path=tmp_path / "taken" / "index")), encoder=encoder)


def test_changes_are_told_once_they_can_be_found(folder: Path, settings: IndexSettings, encoder: WordEncoder) -> None:
    told = []

    def tell(change: Change) -> None:
        told.append(change)
        with Index(settings.index.path, settings, encoder) as index:
            assert (index.article(change.article_id) is None) == (change.kind == "removed")

    sync(folder, config=settings, encoder=encoder, changes=tell)
    (folder / "ferry.txt").unlink()
    sync(folder, config=settings, encoder=encoder, changes=tell)
    assert told[0] == ("added", "bridge.txt", "Bridge opens", str(folder / "bridge.txt"))
    assert told[3:] == [("removed", "ferry.txt", "Ferry sails", "")]


def test_places_of_copies(run: Callable[[], SyncReport], folder: Path, settings: IndexSettings) -> None:
    shutil.copy(folder / "ferry.txt", folder / "boat.txt")
    assert counts(run()) == (3, 0, 0, 1)
    with Index(settings.index.path, settings) as index:
        (name,) = {article.id for article in index} - {"bridge.txt", "robot.txt"}
        assert index.places(name) == [str(folder / "boat.txt"), str(folder / "ferry.txt")]


def test_another_way_of_reading_reads_everything_again(
    folder: Path, settings: IndexSettings, encoder: WordEncoder
) -> None:
    (folder / "tram.json").write_text('{"title": "Trams", "text": "Trams run.", "corpo": "Trams run in Basel."}')
    sync(folder, config=settings, encoder=encoder)
    mapped = settings.model_copy(update={"sources": settings.sources.model_copy(update={"fields": {"text": "corpo"}})})
    assert counts(sync(folder, config=mapped, encoder=encoder)) == (0, 1, 0, 3)
    with Index(settings.index.path, settings, encoder) as index:
        assert index.search("trams")[0].passage.text == "Trams run in Basel."
