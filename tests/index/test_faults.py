"""The index survives what machines do: kills, full disks, failing encoders, damaged files."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from damage import DAMAGES, damage
from fakes import WordEncoder

from index import compaction, update, vectors
from index.article import Article
from index.compaction import compact
from index.config import IndexConfig, IndexSettings
from index.errors import BusyError, DamagedError, EncoderMismatchError, NoIndexError, WriteError
from index.index import Index
from index.integrity import find_damage, leftovers
from index.repair import repair
from index.store import ARTICLES_FILE, VECTORS_FILE, Writer, connect, read_vectors
from index.update import add, remove, sync

ROOT = Path(__file__).resolve().parents[2]
COUNT = 12


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with news and an index of them, made once and copied by every test."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "news").mkdir()
    for number in range(COUNT):
        text = f"Town {number}\nOn 3 May 2021 a bridge opened in Town{number}. " + f"It is called Span{number}. " * 30
        (folder / "news" / f"{number}.txt").write_text(text, encoding="utf-8")
    settings = IndexSettings(index=IndexConfig(path=folder / "index"))
    report = sync(folder / "news", config=settings, encoder=WordEncoder())
    assert (report.added, report.problems) == (COUNT, ())
    return folder


@pytest.fixture
def news(finished: Path, tmp_path: Path) -> Path:
    """The news, at another place: the index knows them by the place they were read from."""
    return finished / "news"


@pytest.fixture
def settings(finished: Path, tmp_path: Path) -> IndexSettings:
    shutil.copytree(finished / "index", tmp_path / "index")
    return IndexSettings(index=IndexConfig(path=tmp_path / "index"))


@pytest.fixture
def folder(settings: IndexSettings) -> Path:
    return settings.index.path


@pytest.fixture
def encoder() -> WordEncoder:
    return WordEncoder()


def article(name: str, text: str) -> Article:
    return Article(id=name, title=name, text=text, language="en")


def change(folder: Path, file: str, statement: str) -> None:
    with closing(sqlite3.connect(folder / file)) as connection, connection:
        assert connection.execute(statement).rowcount != 0


def holding(folder: Path, words: str) -> list[str]:
    return [path.name for path in sorted(folder.iterdir()) if words.encode() in path.read_bytes()]


def assert_whole(settings: IndexSettings, count: int = COUNT) -> None:
    assert find_damage(settings.index.path) == []
    with Index(settings.index.path, settings, WordEncoder()) as index:
        assert len(index) == count
        assert index.search("Town11 Span11")[0].article.id == "11.txt"


# Kills


def test_kills_at_random_moments(tmp_path: Path) -> None:
    """The benchmark's run, short: adds, changes, removals and compaction, a deep check after every kill."""
    command = [sys.executable, ROOT / "benchmarks" / "faults.py", "--kills", "20", "--articles", "8"]
    done = subprocess.run(
        [*command, "--result", tmp_path / "result.json"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert result["kills"] == 20
    assert result["broken_promises"] == []


# Full disks


class FullDisk:
    """After so many writes by Python, every further one finds no space. SQLite's own are not among them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self.left = after
        for name in ("fsync", "replace"):
            monkeypatch.setattr(os, name, self._limited(getattr(os, name)))

    def _limited(self, call: Callable[..., object]) -> Callable[..., object]:
        def limited(*arguments: object, **named: object) -> object:
            self.left -= 1
            if self.left < 0:
                raise OSError(28, "No space left on device")
            return call(*arguments, **named)

        return limited


@pytest.mark.parametrize("after", range(3))
def test_no_space_for_a_faiss_file(
    settings: IndexSettings, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    tram = article("tram", "A tram runs in Basel.")
    with monkeypatch.context() as patch:
        FullDisk(patch, after)
        with pytest.raises(WriteError, match="No space left on device"):
            add([tram], folder=settings.index.path, settings=settings, encoder=encoder)
    assert_whole(settings)
    encoder.encoded.clear()
    assert add([tram], folder=settings.index.path, settings=settings, encoder=encoder).added == 1
    assert encoder.encoded == [], "its vector was safe"
    assert leftovers(settings.index.path) == []
    assert_whole(settings, COUNT + 1)


FULL = """
import resource, sys
from fakes import WordEncoder
from pathlib import Path
from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.errors import WriteError
from index.update import add

folder, size = Path(sys.argv[1]), int(sys.argv[2])
text = " ".join(f"Sentence {number} is about Lagos and its trams." for number in range(400))
settings = IndexSettings(index=IndexConfig(path=folder))
# No file may grow beyond this: the system refuses the write, as a full disk does.
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    add([Article(id="long", title="long", text=text)], folder=folder, settings=settings, encoder=WordEncoder())
except WriteError as error:
    print("refused:", error)
else:
    print("added")
"""


def test_a_refused_write_at_any_size_is_one_clear_error(settings: IndexSettings, tmp_path: Path) -> None:
    pytest.importorskip("resource")
    said = []
    for size in (1_000, 40_000, 90_000, 180_000, 300_000, 10_000_000):
        arguments = [sys.executable, "-c", FULL, str(settings.index.path), str(size)]
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        done = subprocess.run(arguments, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.partition(":")[0].strip())
        assert_whole(settings, COUNT + (said[-1] == "added"))
        if said[-1] == "added":
            break
    assert said[0] == "refused"
    assert said[-1] == "added"
    assert len(said) > 2


BRIM = """
import sys
from fakes import WordEncoder
from pathlib import Path
from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.errors import WriteError
from index.index import Index
from index.integrity import find_damage
from index.update import add

folder, encoder = Path(sys.argv[1]), WordEncoder()
settings = IndexSettings(index=IndexConfig(path=folder))
with (folder.parent / "fill").open("wb", buffering=0) as fill:
    try:
        while True:
            fill.write(bytes(4096))
    except OSError as error:
        print(error.strerror)
for _ in range(2):
    try:
        add([Article(id="tram", title="Tram", text="A tram runs in Basel.")],
            folder=folder, settings=settings, encoder=encoder)
    except WriteError as error:
        print("refused")
    with Index(folder, settings, encoder) as index:
        print(index.search("Town11 Span11")[0].article.id)
(folder.parent / "fill").unlink()
print(find_damage(folder))
add([Article(id="tram", title="Tram", text="A tram runs in Basel.")], folder=folder, settings=settings, encoder=encoder)
with Index(folder, settings, encoder) as index:
    print(index.search("tram in Basel")[0].article.id)
"""


def test_a_disk_that_is_full_to_the_last_byte(settings: IndexSettings, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("the system lets no test mount a disk of its own")
    steps = [
        f"mount -t tmpfs -o size=3m none {disk}",
        f"cp -r {settings.index.path} {disk}/index",
        f'exec {sys.executable} -c "$SCRIPT" {disk}/index',
    ]
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-ec", "\n".join(steps)],
        env={**os.environ, "PYTHONPATH": path, "SCRIPT": BRIM}, capture_output=True, text=True,
    )  # fmt: skip
    if "mount" in done.stderr:
        pytest.skip("the system lets no test mount a disk of its own")
    assert done.returncode == 0, done.stderr
    expected = ["No space left on device", "refused", "11.txt", "refused", "11.txt", "[]", "tram"]
    assert done.stdout.splitlines() == expected


def test_a_reader_needs_no_space(settings: IndexSettings, encoder: WordEncoder) -> None:
    """It leaves the files that SQLite needs beside the databases as they are: a full disk could not hold new ones."""
    beside = {f"{file}{ending}" for file in (ARTICLES_FILE, VECTORS_FILE) for ending in ("-wal", "-shm")}
    for _ in range(2):
        assert beside <= {path.name for path in settings.index.path.iterdir()}
        assert_whole(settings)


# Failing encoders


def test_an_encoder_that_fails_at_any_lot_leaves_the_index_and_what_was_encoded(
    settings: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update, "_LOT", 2)
    news = [article(f"new{number}", f"Tram{number} runs in Basel.") for number in range(7)]

    class Failing(WordEncoder):
        def encode_passages(self, texts: Sequence[str]) -> np.ndarray:
            if len(self.encoded) >= 4:
                raise MemoryError("the machine has no more")
            return super().encode_passages(texts)

    failing, second = Failing(), WordEncoder()
    with pytest.raises(MemoryError):
        add(news, folder=settings.index.path, settings=settings, encoder=failing)
    assert_whole(settings)
    add(news, folder=settings.index.path, settings=settings, encoder=second)
    assert_whole(settings, COUNT + 7)
    assert len(failing.encoded) == 4
    assert sorted(failing.encoded + second.encoded) == sorted(f"{item.title}\n{item.text}" for item in news)


# Readers


def test_a_reader_that_opens_while_vectors_are_deleted_moves_to_the_new_state(
    settings: IndexSettings, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between seeing a state and reading its vectors, that state goes and its vectors with it."""
    for path in settings.index.path.glob("*.faiss"):
        path.unlink()  # so that vectors are read from SQLite
    raced = []

    def racing(*arguments: object) -> np.ndarray:
        if not raced:
            raced.append(True)
            remove(["3.txt"], folder=settings.index.path)
        return read_vectors(*arguments)

    monkeypatch.setattr(vectors, "read_vectors", racing)
    with Index(settings.index.path, settings, encoder) as index:
        assert len(index) == COUNT - 1
    assert raced


def test_an_idle_reader_does_not_keep_removed_text_on_the_disk(settings: IndexSettings, encoder: WordEncoder) -> None:
    with Index(settings.index.path, settings, encoder) as index:
        assert index.search("Town7")
        remove(["7.txt"], folder=settings.index.path)
        assert compact(settings.index.path).finished
        assert holding(settings.index.path, "Span7.") == []
        assert "7.txt" not in {hit.article.id for hit in index.search("Town7 Span7", count=50)}


def test_readers_ask_without_a_failure_while_all_kinds_of_work_go_on(
    settings: IndexSettings, encoder: WordEncoder
) -> None:
    errors: list[BaseException] = []
    stop = threading.Event()

    def ask() -> None:
        try:
            with Index(settings.index.path, settings, WordEncoder()) as index:
                while not stop.is_set():
                    assert index.search("Town11 Span11")[0].article.id == "11.txt"
        except BaseException as error:  # noqa: BLE001 -- handed to the main thread
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(4):
        add(
            [article(f"tram{number}", "A tram runs in Basel.")],
            folder=settings.index.path,
            settings=settings,
            encoder=encoder,
        )
        remove([f"{number}.txt"], folder=settings.index.path)
        compact(settings.index.path)
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert_whole(settings)


# Compaction


def test_compaction_gives_back_the_space_and_the_words(settings: IndexSettings, folder: Path, news: Path) -> None:
    gone = [f"{number}.txt" for number in range(8)]
    remove(gone, folder=folder)
    assert holding(folder, "Span5.") == [], "removed text is overwritten at once"
    done = compact(folder)
    assert done.finished
    assert done.bytes_after < done.bytes_before
    assert holding(folder, "span5") == [], "and is in the lexical index no more"
    assert holding(folder, "Span11.") == [ARTICLES_FILE]
    with closing(connect(folder, VECTORS_FILE)) as stored, closing(connect(folder, ARTICLES_FILE)) as connection:
        kept = {row[0] for row in stored.execute("SELECT hash FROM vectors")}
        assert kept == {row[0] for row in connection.execute("SELECT hash FROM passages")}
    assert_whole(settings, COUNT - 8)


def test_tidying_is_bounded_and_finishes_in_the_end(
    settings: IndexSettings, folder: Path, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "_VECTORS", 3)

    def stored() -> int:
        with closing(connect(folder, VECTORS_FILE)) as connection:
            return int(connection.execute("SELECT count(*) FROM vectors").fetchone()[0])

    before = stored()
    remove([f"{number}.txt" for number in range(6)], folder=folder)
    counts = [before, stored()]
    while counts[-1] != counts[-2]:
        remove([], folder=folder)
        counts.append(stored())
    assert all(first - second <= 3 for first, second in pairwise(counts))
    with closing(connect(folder, ARTICLES_FILE)) as connection:
        assert counts[-1] == connection.execute("SELECT count(DISTINCT hash) FROM passages").fetchone()[0] < before


def test_compaction_keeps_the_vector_that_another_article_shares(
    settings: IndexSettings, folder: Path, encoder: WordEncoder
) -> None:
    same = [
        Article(id=name, title="Tram", text="A tram runs in Basel.", url=f"https://example.org/{name}") for name in "ab"
    ]
    add(same, folder=folder, settings=settings, encoder=encoder)
    remove(["a"], folder=folder)
    compact(folder)
    assert find_damage(folder) == []


def test_tidying_keeps_what_a_stopped_run_has_encoded(
    settings: IndexSettings, folder: Path, encoder: WordEncoder
) -> None:
    with Writer(folder) as writer:
        writer.put_vectors(encoder.fingerprint, [b"made ahead"], np.ones((1, 64), dtype=np.float32))
    remove(["1.txt"], folder=folder)
    with Writer(folder) as writer:
        assert writer.missing_vectors(encoder.fingerprint, [b"made ahead"]) == set()
    compact(folder)
    with Writer(folder) as writer:
        assert writer.missing_vectors(encoder.fingerprint, [b"made ahead"]) == {b"made ahead"}


def test_faiss_files_that_are_largely_gone_are_written_again(
    settings: IndexSettings, folder: Path, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "_SMALL", 2)
    monkeypatch.setattr(vectors, "_LARGEST", 6)
    monkeypatch.setattr(vectors, "_REWRITE_SHARE", 1.0)
    with Writer(folder) as writer:
        writer.set_meta("faiss", "{}")
        vectors.refresh(writer)
        writer.commit()
    remove(["0.txt", "1.txt"], folder=folder)
    with closing(connect(folder, ARTICLES_FILE)) as connection:
        assert len(vectors.records(connection)) >= 3
    while compaction_left(folder):
        remove([], folder=folder)
    assert_whole(settings, COUNT - 2)


def compaction_left(folder: Path) -> int:
    with closing(connect(folder, ARTICLES_FILE)) as connection:
        return int(connection.execute("SELECT count(*) FROM removed").fetchone()[0])


def test_compaction_needs_an_index_and_the_lock(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(NoIndexError):
        compact(tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with Writer(folder), pytest.raises(BusyError):
        compact(folder)


# Damage and repair

DAMAGE = {
    "an article's text": (
        ARTICLES_FILE,
        "UPDATE articles SET text = replace(text, 'Town7', 'Town8') WHERE id = '7.txt'",
    ),
    "an article's title": (ARTICLES_FILE, "UPDATE articles SET title = 'x' WHERE id = '7.txt'"),
    "a passage's text": (ARTICLES_FILE, "UPDATE passages SET text = 'x' WHERE id = 5"),
    "a passage's offsets": (ARTICLES_FILE, "UPDATE passages SET sentences = '[[3, 9]]' WHERE id = 5"),
    "a passage's hash": (ARTICLES_FILE, "UPDATE passages SET hash = x'00' WHERE id = 5"),
    "a missing passage": (ARTICLES_FILE, "DELETE FROM passages WHERE id = 5"),
    "words of a passage": (ARTICLES_FILE, "UPDATE terms SET words = 'x' WHERE rowid = 5"),
    "the lexical index": (ARTICLES_FILE, "UPDATE terms_data SET block = zeroblob(9) WHERE id > 10"),
    "dates": (ARTICLES_FILE, "DELETE FROM passage_dates"),
    "a link to no article": (ARTICLES_FILE, "UPDATE item_articles SET article_id = 'x' WHERE article_id = '7.txt'"),
    "the record of FAISS files": (ARTICLES_FILE, "UPDATE meta SET value = '{' WHERE key = 'faiss'"),
    "a vector": (VECTORS_FILE, "UPDATE vectors SET vector = zeroblob(128) WHERE id = 5"),
    "a vector's key": (VECTORS_FILE, "UPDATE vectors SET hash = x'00' WHERE id = 5"),
    "a missing vector": (VECTORS_FILE, "DELETE FROM vectors WHERE id = 5"),
}
LOSES = {"an article's text", "an article's title", "a link to no article"}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_found_and_repaired(
    settings: IndexSettings, folder: Path, news: Path, encoder: WordEncoder, kind: str
) -> None:
    change(folder, *DAMAGE[kind])
    assert find_damage(folder)
    done = repair(folder, settings, lambda: encoder)
    assert done.damage
    assert done.encoded == ("vector" in kind)
    assert find_damage(folder) == []
    assert leftovers(folder) == []
    if kind in LOSES:
        assert str(news / "7.txt") in done.sources
    else:
        assert done.lost == {}
    # What could not be saved is read again, and encoded no more.
    encoder.encoded.clear()
    sync(news, config=settings, encoder=encoder)
    assert encoder.encoded == []
    assert_whole(settings)


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_faiss_file_is_found_and_made_again(
    settings: IndexSettings, folder: Path, encoder: WordEncoder, kind: str
) -> None:
    (file,) = folder.glob("vectors-*.faiss")
    damage(file, kind)
    assert {found.part for found in find_damage(folder)} == {"faiss"}
    repair(folder, settings, lambda: encoder)
    assert encoder.encoded == []
    assert_whole(settings)


def test_pages_of_garbage_cost_no_more_than_what_stood_on_them(
    settings: IndexSettings, folder: Path, news: Path, encoder: WordEncoder
) -> None:
    random = np.random.default_rng(1)
    file = folder / ARTICLES_FILE
    content = bytearray(file.read_bytes())
    for page in random.choice(np.arange(2, len(content) // 4096), 4, replace=False):
        content[page * 4096 : (page + 1) * 4096] = random.bytes(4096)
    file.write_bytes(content)
    assert find_damage(folder)
    done = repair(folder, settings, lambda: encoder)
    assert find_damage(folder) == []
    assert len(done.lost) < COUNT
    sync(news, config=settings, encoder=encoder)
    assert encoder.encoded == [], "no vector was damaged"
    assert_whole(settings)


def test_vectors_that_are_no_database_are_encoded_again(
    settings: IndexSettings, folder: Path, encoder: WordEncoder
) -> None:
    (folder / VECTORS_FILE).write_bytes(b"no database " * 1000)
    assert repair(folder, settings, lambda: encoder).encoded == len(set(encoder.encoded)) > COUNT
    assert_whole(settings)


def test_articles_that_are_no_database_are_past_repair_and_left_alone(
    settings: IndexSettings, folder: Path, encoder: WordEncoder
) -> None:
    garbage = b"no database " * 1000
    (folder / ARTICLES_FILE).write_bytes(garbage)
    assert find_damage(folder)
    with pytest.raises(DamagedError, match="remove it and run `kabar index`"):
        repair(folder, settings, lambda: encoder)
    assert (folder / ARTICLES_FILE).read_bytes() == garbage


def test_a_repair_that_fails_leaves_everything_as_it_was(
    settings: IndexSettings, folder: Path, encoder: WordEncoder
) -> None:
    change(folder, *DAMAGE["a vector"])
    before = find_damage(folder)
    with pytest.raises(EncoderMismatchError, match="words/1"):
        repair(folder, settings, lambda: WordEncoder("words/2"))
    assert find_damage(folder) == before
    assert [path.name for path in leftovers(folder)] == ["repair"]
    repair(folder, settings, lambda: encoder)
    assert_whole(settings)


def test_repair_of_a_whole_index_does_nothing(settings: IndexSettings, folder: Path) -> None:
    def none() -> WordEncoder:
        raise AssertionError

    (folder / "vectors-left.faiss.tmp").write_bytes(b"x")
    done = repair(folder, settings, none)
    assert (done.damage, done.encoded, done.lost) == ((), 0, {})
    assert leftovers(folder) == []


def test_an_open_reader_moves_over_to_the_repaired_index(
    settings: IndexSettings, folder: Path, encoder: WordEncoder
) -> None:
    with Index(folder, settings, encoder) as index:
        assert len(index) == COUNT
        change(folder, *DAMAGE["an article's text"])
        repair(folder, settings, lambda: encoder)
        assert len(index) == COUNT - 1


def test_a_question_to_a_damaged_index_is_one_clear_error(
    settings: IndexSettings, folder: Path, encoder: WordEncoder
) -> None:
    content = bytearray((folder / ARTICLES_FILE).read_bytes())
    content[4096:] = b"\x07" * (len(content) - 4096)
    (folder / ARTICLES_FILE).write_bytes(content)
    with pytest.raises(DamagedError, match="kabar doctor"), Index(folder, settings, encoder) as index:
        index.search("Town7")


# Power


def test_a_faiss_file_is_safe_before_anything_names_it(
    settings: IndexSettings, folder: Path, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes, then its name, then the folder that holds the name; then the transaction."""
    steps: list[str] = []

    def noted(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def note(*arguments: object, **named: object) -> object:
            steps.append(name)
            return call(*arguments, **named)

        return note

    monkeypatch.setattr(os, "fsync", noted("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", noted("rename", Path.replace))
    monkeypatch.setattr(Writer, "commit", noted("commit", Writer.commit))
    monkeypatch.setattr(vectors, "sweep", noted("sweep", vectors.sweep))
    add([article("tram", "A tram runs in Basel.")], folder=folder, settings=settings, encoder=encoder)
    assert steps[:5] == ["fsync", "rename", "fsync", "commit", "sweep"]


def test_sqlite_waits_for_the_disk(folder: Path) -> None:
    with Writer(folder) as writer:
        for connection in (writer.connection, writer.vectors):
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
            assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
