"""Large indexes, made small: approximate parts, how they are made in the background, and what is found in them."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import faiss
import numpy as np
import pytest
from damage import DAMAGES, damage

from index import approximate, background, nearest, vectors
from index.article import Article
from index.compaction import compact
from index.config import IndexConfig, IndexSettings, RetrieverConfig
from index.index import Index
from index.integrity import find_damage, leftovers
from index.repair import repair
from index.snapshot import Snapshot
from index.store import ARTICLES_FILE, BUILDING, Writer, connect, meta
from index.update import add, remove, sync

ROOT = Path(__file__).resolve().parents[2]
COUNT = 600
EXACT_UP_TO = 300
DIMENSION = 24


class Clustered:
    """Vectors of a few clusters, the same for the same text."""

    def __init__(self, fingerprint: str = "clustered/1") -> None:
        self.fingerprint = fingerprint

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
        rows = []
        for text in texts:
            chance = np.random.default_rng(list(f"{self.fingerprint}{text}".encode()))
            center = np.random.default_rng(int(chance.integers(40))).normal(size=DIMENSION)
            rows.append(center + chance.normal(scale=0.7, size=DIMENSION))
        found = np.asarray(rows, dtype=np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    encode_queries = encode_passages


def article(number: int) -> Article:
    return Article(
        id=f"a{number}", title=f"Town {number}", text=f"Town{number} has a bridge.", language="en",
        source=f"Paper {number % 3}", published=date(2020, 1, 1) + timedelta(days=number), published_from="metadata",
    )  # fmt: skip


def settings_for(folder: Path) -> IndexSettings:
    return IndexSettings(index=IndexConfig(path=folder), retriever=RetrieverConfig(exact_up_to=EXACT_UP_TO))


def put(folder: Path, articles: Sequence[Article], encoder: Clustered | None = None) -> None:
    add(articles, folder=folder, settings=settings_for(folder), encoder=encoder or Clustered())


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that has grown too large for exact search; nothing is done about it yet."""
    folder = tmp_path_factory.mktemp("exact") / "index"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(background, "start", lambda *_: None)
        put(folder, [article(number) for number in range(COUNT)])
    return folder


@pytest.fixture(scope="module")
def finished(exact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with an approximate part."""
    folder = tmp_path_factory.mktemp("finished") / "index"
    shutil.copytree(exact, folder)
    assert background.work(folder, EXACT_UP_TO) == 1
    return folder


@pytest.fixture
def grown(exact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(background, "start", lambda *_: None)
    return shutil.copytree(exact, tmp_path / "grown")


@pytest.fixture
def folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(background, "start", lambda *_: None)
    return shutil.copytree(finished, tmp_path / "folder")


def records(folder: Path) -> list[vectors.Record]:
    with closing(connect(folder, ARTICLES_FILE)) as connection:
        return vectors.records(connection)


def kinds(folder: Path) -> list[tuple[bool, int]]:
    return [(record.approximate, record.count) for record in records(folder)]


def all_vectors(folder: Path) -> dict[int, np.ndarray]:
    """Those of all passages, as SQLite holds them."""
    with closing(connect(folder, ARTICLES_FILE)) as connection, closing(connect(folder, "vectors.sqlite")) as stored:
        hashes = dict(connection.execute("SELECT id, hash FROM passages").fetchall())
        found = vectors.present(stored, meta(connection, "encoder") or "", hashes)
    assert len(found) == len(hashes)
    return found


def questions(count: int) -> np.ndarray:
    return Clustered().encode_queries([f"question {number}" for number in range(count)])


def recall(folder: Path, only: np.ndarray | None = None, count: int = 10) -> float:
    """Share of the ``count`` nearest that are found; none may be found that is not allowed, nor in another order."""
    right = 0
    known = all_vectors(folder)
    allowed = known.keys() if only is None else set(only.tolist()) & known.keys()
    rows = questions(30)
    snapshot = Snapshot(folder)
    for question in rows:
        best = sorted(allowed, key=lambda number: (-float(known[number] @ question), number))
        found = snapshot.nearest(question, count, only)
        numbers = [number for number, _ in found]
        assert numbers == [number for number in best if number in set(numbers)]
        assert len(numbers) == min(count, len(best))
        right += len(set(numbers) & set(best[:count]))
    snapshot.close()
    return right / (len(rows) * min(count, len(best)) or 1)


# What is found


def test_one_approximate_part_takes_the_place_of_the_exact_ones(grown: Path, folder: Path) -> None:
    assert all(not approximate for approximate, _ in kinds(grown))
    assert kinds(folder) == [(True, COUNT)]
    assert find_damage(folder) == []
    assert [path.name for path in folder.glob("*.faiss")] == [records(folder)[0].file]
    assert not (folder / BUILDING).exists()


def test_recall_against_brute_force(folder: Path, grown: Path) -> None:
    assert recall(grown) == 1.0
    assert recall(folder) >= 0.97


def test_only_some_groups_are_looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "_PROBES", 2)
    faiss.cvar.indexIVF_stats.reset()
    assert recall(folder) >= 0.9
    assert faiss.cvar.indexIVF_stats.ndis < 0.5 * COUNT * len(questions(30))


@pytest.mark.parametrize("probes", [0.1, 8])
def test_as_many_are_found_as_are_wanted(folder: Path, monkeypatch: pytest.MonkeyPatch, probes: float) -> None:
    """Though the groups that are nearest hold fewer, or none that a filter allows."""
    monkeypatch.setattr(approximate, "_PROBES", probes)
    monkeypatch.setattr(nearest, "_FEW", 0)
    known = all_vectors(folder)
    snapshot = Snapshot(folder)
    question = questions(1)[0]
    farthest = sorted(known, key=lambda number: float(known[number] @ question))[:90]
    assert len(snapshot.nearest(question, 300)) == 300
    assert len(snapshot.nearest(question, 300, np.sort(farthest))) == 90
    if probes > 1:
        assert [number for number, _ in snapshot.nearest(question, 3, np.sort(farthest))] == farthest[:-4:-1]
    snapshot.close()


@pytest.mark.parametrize("size", [1, 100, 300, 500])
def test_filters_are_exact(folder: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(nearest, "_FEW", 50)
    only = np.sort(np.random.default_rng(size).permutation(np.arange(1, COUNT + 1))[:size])
    assert recall(folder, only) >= (1.0 if size <= 50 else 0.97)


def test_a_few_passages_are_compared_one_by_one(folder: Path) -> None:
    assert recall(folder, np.asarray([3, 5, 8, COUNT + 99]), count=4) == 1.0
    assert recall(folder, np.asarray([], dtype=np.int64)) == 0.0


def test_more_wanted_than_there_are(folder: Path) -> None:
    snapshot = Snapshot(folder)
    found = snapshot.nearest(questions(1)[0], 10 * COUNT)
    assert len({number for number, _ in found}) == len(found) <= COUNT
    assert snapshot.nearest(questions(1)[0], 0) == []
    snapshot.close()


def test_similarities_are_those_of_the_stored_vectors(folder: Path, grown: Path) -> None:
    first, second = Snapshot(folder), Snapshot(grown)
    question = questions(1)[0]
    scores = dict(second.nearest(question, COUNT))
    assert all(score == pytest.approx(scores[number], abs=1e-6) for number, score in first.nearest(question, 10))
    assert first.likeness(1, [2, 3]) == pytest.approx(second.likeness(1, [2, 3]), abs=1e-6)
    first.close()
    second.close()


def test_search_with_words_and_filters(folder: Path) -> None:
    with Index(folder, settings_for(folder), Clustered()) as index:
        hits = index.search("Town77", sources=["Paper 2"], published_before=date(2020, 6, 1))
        assert hits[0].article.id == "a77"
        assert {hit.article.source for hit in hits} == {"Paper 2"}
        assert index.search("Town77", sources=["Nobody"]) == []


# Changes


def test_what_is_removed_is_found_no_more(folder: Path) -> None:
    question = Clustered().encode_queries(["Town 5\nTown5 has a bridge."])[0]
    with Index(folder, settings_for(folder), Clustered()) as index:
        assert index.search("x", vector=question)[0].article.id == "a5"
        index.remove(["a5"])
        assert "a5" not in {hit.article.id for hit in index.search("x", vector=question, count=50)}
    assert kinds(folder) == [(True, COUNT)], "the large file is left as it is"
    assert recall(folder) >= 0.97
    assert find_damage(folder) == []


def test_what_is_added_is_found_at_once_and_the_large_file_stays(folder: Path) -> None:
    before = records(folder)
    put(folder, [article(5000 + number) for number in range(60)])
    assert records(folder)[0] == before[0]
    assert kinds(folder)[1:] == [(False, 60)]
    assert recall(folder) >= 0.97
    assert background.work(folder, EXACT_UP_TO) == 0, "too few to be worth it"
    assert find_damage(folder) == []


def test_a_run_that_changes_much_leaves_the_large_file_too(folder: Path) -> None:
    before = records(folder)
    remove([f"a{number}" for number in range(200)], folder=folder)
    assert records(folder) == before
    assert recall(folder) >= 0.97


def test_newer_parts_become_approximate_and_are_joined_when_they_are_as_many(folder: Path) -> None:
    sizes = []
    for lot in range(4):
        put(folder, [article(5000 + 200 * lot + number) for number in range(200)])
        assert background.work(folder, EXACT_UP_TO) == 1
        sizes.append([count for _, count in kinds(folder)])
        assert all(approximate for approximate, _ in kinds(folder))
    assert sizes == [[600, 200], [600, 400], [600, 400, 200], [1400]]
    assert recall(folder) >= 0.97
    assert find_damage(folder) == []


def test_a_part_of_which_much_is_gone_is_made_again(folder: Path) -> None:
    remove([f"a{number}" for number in range(200)], folder=folder)
    assert background.work(folder, EXACT_UP_TO) == 1
    assert kinds(folder) == [(True, COUNT - 200)]
    assert recall(folder) >= 0.97
    assert find_damage(folder) == []


def test_compaction_takes_out_what_is_gone(folder: Path) -> None:
    remove(["a1", "a2"], folder=folder)
    compact(folder)
    assert kinds(folder) == [(True, COUNT - 2)]
    assert set(approximate.held(approximate.read(folder / records(folder)[0].file)).tolist()).isdisjoint({2, 3})
    assert recall(folder) >= 0.97
    assert find_damage(folder) == []


def test_another_encoder_makes_everything_anew(folder: Path) -> None:
    other = Clustered("clustered/2")
    put(folder, [article(0).model_copy(update={"text": "Town0 has two bridges."})], other)
    assert not any(approximate for approximate, _ in kinds(folder))
    assert background.work(folder, EXACT_UP_TO) == 1
    assert kinds(folder) == [(True, COUNT)]
    assert find_damage(folder) == []


def test_nothing_is_due_in_a_small_index(grown: Path) -> None:
    assert background.work(grown, COUNT) == 0
    assert not any(approximate for approximate, _ in kinds(grown))


def test_no_part_grows_beyond_a_bound(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "_LARGEST", 100)
    monkeypatch.setattr(background, "_LARGEST", 300)
    rewritten(grown)
    assert background.work(grown, EXACT_UP_TO) == 2
    assert kinds(grown) == [(True, 300), (True, 300)]
    assert recall(grown) >= 0.97


def rewritten(folder: Path) -> None:
    with Writer(folder) as writer:
        writer.set_meta("faiss", "{}")
        vectors.refresh(writer)
        writer.commit()
        vectors.sweep(writer)


# Meanwhile


def meanwhile(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Do something when the vectors have been read, and the file is not in its place yet."""
    done = []
    write = vectors.write

    def writing(*arguments: object, **named: object) -> vectors.Record:
        if not done and named:
            done.append(True)
            do()
        return write(*arguments, **named)

    monkeypatch.setattr(vectors, "write", writing)


def test_what_is_removed_while_a_part_is_made_stays_removed(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def do() -> None:
        remove(["a5"], folder=grown)
        compact(grown)  # no exact part holds it any more, and nothing says that it is gone

    meanwhile(monkeypatch, do)
    assert background.work(grown, EXACT_UP_TO) == 1
    assert kinds(grown) == [(True, COUNT)]
    assert recall(grown) >= 0.97
    assert find_damage(grown) == []


def test_what_is_removed_while_the_file_waits_for_a_run_stays_removed(
    grown: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = vectors.gone_from
    calls = []

    def comparing(*arguments: object) -> object:
        found = compare(*arguments)
        if not calls:
            remove(["a5"], folder=grown)
        calls.append(True)
        return found

    monkeypatch.setattr(vectors, "gone_from", comparing)
    assert background.work(grown, EXACT_UP_TO) == 1
    assert len(calls) == 2
    assert recall(grown) >= 0.97
    assert find_damage(grown) == []


def test_what_is_added_while_a_part_is_made_is_found(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run joins the last of the parts with what is new; the rest of it is written again."""
    meanwhile(monkeypatch, lambda: put(grown, [article(5000 + number) for number in range(20)]))
    assert background.work(grown, EXACT_UP_TO) == 1
    assert kinds(grown) == [(True, COUNT), (False, 20)]
    assert recall(grown) >= 0.97
    assert find_damage(grown) == []


def test_a_part_of_a_former_encoder_is_thrown_away(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = article(0).model_copy(update={"text": "Town0 has two bridges."})
    meanwhile(monkeypatch, lambda: put(grown, [changed], Clustered("clustered/2")))
    assert background.work(grown, EXACT_UP_TO) == 0
    assert not any(approximate for approximate, _ in kinds(grown))
    assert find_damage(grown) == []


def test_an_index_that_is_gone_is_not_made_again(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = background._make

    def making(*arguments: object) -> bool:
        shutil.rmtree(grown)
        return work(*arguments)

    monkeypatch.setattr(background, "_make", making)
    with pytest.raises(background.KabarError):
        background.work(grown, EXACT_UP_TO)
    assert not grown.exists()


def test_it_waits_for_a_run_that_writes(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writers = []

    def release(_: float) -> None:
        writers.pop().__exit__(None, None, None)

    monkeypatch.setattr(time, "sleep", release)
    meanwhile(monkeypatch, lambda: writers.append(Writer(grown)))
    assert background.work(grown, EXACT_UP_TO) == 1
    assert writers == []
    assert kinds(grown) == [(True, COUNT)]


def test_a_run_waits_while_a_part_is_put_in_its_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / BUILDING).mkdir()
    writers = [Writer(folder)]
    monkeypatch.setattr(time, "sleep", lambda _: writers.pop().__exit__(None, None, None))
    put(folder, [article(9000)])
    assert writers == []
    assert leftovers(folder) == []


def test_only_one_process_is_at_work(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = []
    meanwhile(monkeypatch, lambda: second.append((background.work(grown, EXACT_UP_TO), leftovers(grown))))
    assert background.work(grown, EXACT_UP_TO) == 1
    assert second == [(0, [])]


def test_an_open_reader_moves_over(grown: Path) -> None:
    with Index(grown, settings_for(grown), Clustered()) as index:
        question = questions(1)[0]
        before = [hit.passage for hit in index.search("x", vector=question)]
        background.work(grown, EXACT_UP_TO)
        assert [hit.passage for hit in index.search("x", vector=question)] == before
        assert [part.grouped is not None for part in index._snapshot.nearby.parts] == [True]


def test_a_reader_whose_files_are_swept_away_takes_the_newer_state(
    grown: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = vectors.records
    raced = []

    def racing(connection: sqlite3.Connection) -> list[vectors.Record]:
        found = read(connection)
        if not raced:
            raced.append(True)
            background.work(grown, EXACT_UP_TO)
        return found

    monkeypatch.setattr(vectors, "records", racing)
    with Index(grown, settings_for(grown), Clustered()) as index:
        assert [part.grouped is not None for part in index._snapshot.nearby.parts] == [True]


# Kills, damage, and what earlier versions wrote


def command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "index.background", str(folder), str(EXACT_UP_TO)]


def test_kills_at_random_moments(grown: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    chance = random.Random(1)
    begun = time.perf_counter()
    subprocess.run(command(shutil.copytree(grown, grown.parent / "other")), env=environment, check=True)
    longest = time.perf_counter() - begun
    for kill in range(4):
        process = subprocess.Popen(command(grown), env=environment)
        time.sleep(chance.uniform(0.3, 1.0) * longest)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert find_damage(grown) == []
        put(grown, [article(6000 + kill)])
        assert leftovers(grown) == [], "the next run removes what is left"
    background.work(grown, EXACT_UP_TO)
    assert kinds(grown)[0][0]
    assert recall(grown) >= 0.97
    assert find_damage(grown) == []


def test_sync_starts_it_in_a_process_of_its_own(exact: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(exact, tmp_path / "index")
    (tmp_path / "news.txt").write_text("Lagos\nA tram runs in Lagos.")
    sync(tmp_path / "news.txt", config=settings_for(folder), encoder=Clustered())
    for process in background._started:
        assert process.wait(60) == 0
    assert kinds(folder) == [(True, COUNT + 1)]
    with closing(connect(folder, ARTICLES_FILE)) as connection:
        background.start(folder, connection, EXACT_UP_TO)
    assert background._started == []


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_file_is_made_again_from_sqlite(folder: Path, kind: str) -> None:
    (file,) = folder.glob("vectors-*.faiss")
    damage(file, kind)
    assert {found.part for found in find_damage(folder)} == {"faiss"}
    if kind != "a bit":
        assert recall(folder) == 1.0, "it is searched exactly meanwhile"
    repair(folder, settings_for(folder), Clustered)
    assert find_damage(folder) == []
    assert recall(folder) == 1.0
    assert background.work(folder, EXACT_UP_TO) == 1
    assert find_damage(folder) == []


def test_a_missing_file_is_made_again_by_the_next_run(folder: Path) -> None:
    (file,) = folder.glob("vectors-*.faiss")
    file.unlink()
    put(folder, [article(7000)])
    assert find_damage(folder) == []
    assert background.work(folder, EXACT_UP_TO) == 1
    assert kinds(folder) == [(True, COUNT + 1)]


def test_wrong_vectors_in_a_whole_file_are_found(folder: Path) -> None:
    record = records(folder)[0]
    index = faiss.read_index(str(folder / record.file))
    index.remove_ids(np.asarray([7], dtype=np.int64))
    index.add_with_ids(questions(1), np.asarray([7], dtype=np.int64))
    with Writer(folder) as writer:
        part = vectors.Part(index, record.last)
        written = vectors.write(folder, "vectors-wrong.faiss", part, record.first, is_approximate=True)
        assert vectors.replace(writer, written, np.asarray([], dtype=np.int64))
        writer.commit()
    (damage,) = find_damage(folder)
    assert "1 vectors are not those of the passages" in damage.what


def test_files_of_earlier_versions_are_read_and_become_approximate(grown: Path) -> None:
    """They held 32-bit floats, and their record did not say what they are."""
    with Writer(grown) as writer:
        made = vectors.build(writer.connection, writer.vectors, Clustered().fingerprint)
        numbers = faiss.vector_to_array(made.index.id_map)
        flat = faiss.IndexIDMap2(faiss.IndexFlatIP(DIMENSION))
        flat.add_with_ids(made.index.reconstruct_batch(numbers), numbers)
        written = vectors.write(grown, "vectors-old.faiss", vectors.Part(flat, made.last), 0)
        assert vectors.replace(writer, written, np.asarray([], dtype=np.int64))
        writer.set_meta("faiss", (writer.meta("faiss") or "").replace(', "approximate": false', ""))
        writer.commit()
        vectors.sweep(writer)
    assert "approximate" not in str(meta_of(grown))
    assert recall(grown) == 1.0
    assert find_damage(grown) == []
    assert background.work(grown, EXACT_UP_TO) == 1
    assert kinds(grown) == [(True, COUNT)]


def meta_of(folder: Path) -> str | None:
    with closing(connect(folder, ARTICLES_FILE)) as connection:
        return meta(connection, "faiss")
