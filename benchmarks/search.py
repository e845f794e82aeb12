"""Measure search in indexes of 10,000 to 1,000,000 passages: time, recall, memory and opening; and rivals beside it.

    python benchmarks/search.py FILE... [--largest 1000000] [--folder FOLDER] [--only-plot]

FILE: questions and paragraphs in SQuAD's JSON, whose encoded vectors everything is made of. Encoding a million passages
takes hours, so they are made up: a passage's vector is a real one plus half the difference of two other real ones (and
of unit length again), which moves it in the directions in which real ones differ, at a cosine of about 0.95; its words
are sentences of the paragraphs in another order. Questions are real. They are asked one at a time, in a process that
opens the index anew, has not loaded the encoder, and is given the questions' vectors. Recall is against a comparison
with all vectors. Writes results/search.json and docs/search.svg. --folder keeps what was made for the next run.
"""

import argparse
import functools
import itertools
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine

from index import background, lexical
from index.article import Article
from index.catalog import Keys
from index.config import IndexConfig, IndexSettings
from index.encoder import Encoder
from index.evaluation import read_squad
from index.index import Index
from index.language import identify
from index.passage import Passage, hash_of, titled
from index.preparation import Analysis, Prepared
from index.sentences import sentences
from index.snapshot import Snapshot
from index.store import ARTICLES_FILE, Writer, connect
from index.vectors import records, refresh, sweep

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "results" / "search.json"
PLOT = ROOT / "docs" / "search.svg"
SIZES = (10_000, 100_000, 300_000, 1_000_000)
RIVALS_UP_TO = 100_000
REAL, QUESTIONS = 3_000, 300
SENTENCES, PASSAGES = 3, 5  # of a passage, of an article
LOT, LOTS = 5_000, 10  # passages that are written together, and how many times until they are safe
FIRST_DAY, DAYS, SOURCES = date(2020, 1, 1), 1800, 20
LIMITS = {"p50": 8, "p99": 40, "recall_at_10": 0.98, "hybrid_p50": 25, "memory_gb": 1.5, "opening": 2}
FILTERS: dict[str, dict[str, Any]] = {
    "hybrid": {},
    "a month": {"published_after": date(2022, 3, 1), "published_before": date(2022, 3, 31)},
    "two years": {"published_after": date(2021, 1, 1), "published_before": date(2022, 12, 31)},
    "a source": {"sources": ["Paper 7"]},
    "a language": {"languages": ["en"]},
}
Vectors = np.ndarray[Any, Any]


# What is searched


class Real:
    """Real passages and questions with their vectors, in ``folder`` once they are encoded."""

    def __init__(self, files: Sequence[Path], folder: Path) -> None:
        chance = random.Random(0)
        read = [read_squad(file) for file in files]
        paragraphs = list(dict.fromkeys(itertools.chain.from_iterable(each.passages for each in read)))
        questions = list(dict.fromkeys(itertools.chain.from_iterable(each.questions for each in read)))
        self.paragraphs = chance.sample(paragraphs, min(REAL, len(paragraphs)))
        self.questions = chance.sample(questions, min(QUESTIONS, len(questions)))
        kept = folder / "real.npz"
        if not kept.exists():
            encoder = Encoder.open()
            np.savez(
                kept,
                passages=encoder.encode_passages(self.paragraphs),
                questions=encoder.encode_queries(self.questions),
            )
        loaded = np.load(kept)
        self.vectors: Vectors = loaded["passages"]
        self.question_vectors: Vectors = loaded["questions"]

    def made_up(self, lot: int) -> Vectors:
        """Vectors [LOT, dimension], the same for the same number of the lot, as the index stores them."""
        chance = np.random.default_rng(lot)
        one, other, third = (self.vectors[chance.integers(len(self.vectors), size=LOT)] for _ in range(3))
        rows = one + 0.5 * (other - third)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows.astype(np.float16).astype(np.float32)

    def sentences(self) -> dict[str, list[str]]:
        """Sentences by language."""
        found: dict[str, list[str]] = {}
        for text in self.paragraphs:
            language = identify(text)
            found.setdefault(language, []).extend(text[start:end] for start, end in sentences(text, language))
        return found


def grow(folder: Path, real: Real, there: int, size: int) -> None:
    """Make up articles until there are ``size`` passages, and do what is due in the background."""
    start = time.perf_counter()
    pools = list(real.sentences().items())
    weights = [len(pool) for _, pool in pools]
    chance = random.Random(there)
    terms = functools.cache(lexical.terms)

    def prepared(article: Article, passage: Passage) -> Prepared:
        """With what costs the most: words, found once for each sentence; without days, for which nobody asks here."""
        text = titled(article.title, passage.text)
        parts = re.split("\n|(?<=[.!?。]) ", text)
        words = " ".join(term for part in parts for term in terms(part, article.language))
        return Prepared(passage, hash_of(text), Analysis(words, frozenset()), None)

    with Writer(folder) as writer:
        writer.set_meta("encoder", "made up")
        # Words are gathered in memory for longer, and so written fewer times.
        writer.connection.execute("INSERT INTO terms (terms, rank) VALUES ('hashsize', ?)", (2**26,))
        for lot in range(there // LOT, size // LOT):
            hashes = []
            for number in range(lot * LOT // PASSAGES, (lot + 1) * LOT // PASSAGES):
                language, pool = chance.choices(pools, weights)[0]
                article, passages = made_up_article(number, language, chance.choices(pool, k=SENTENCES * PASSAGES))
                ready = [prepared(article, passage) for passage in passages]
                hashes += [one.hash for one in ready]
                writer.put(article, ready, Keys(article.id, article.content_hash, article.id, None, None))
            writer.put_vectors("made up", hashes, real.made_up(lot))
            if lot % LOTS == LOTS - 1:
                writer.commit_meta()
        writer.connection.execute("INSERT INTO terms (terms, rank) VALUES ('hashsize', ?)", (2**20,))
        refresh(writer)
        writer.commit()
        sweep(writer)
    written = time.perf_counter()
    settings = IndexSettings()
    parts = background.work(folder, settings.retriever.exact_up_to)
    done = time.perf_counter()
    print(
        f"{size} passages written in {written - start:.0f} s, {parts} parts made in {done - written:.0f} s", flush=True
    )


def made_up_article(number: int, language: str, chosen: Sequence[str]) -> tuple[Article, list[Passage]]:
    """An article of these sentences and its passages."""
    ends = list(itertools.accumulate(len(sentence) + 1 for sentence in chosen))
    spans = [(end - len(sentence) - 1, end - 1) for sentence, end in zip(chosen, ends, strict=True)]
    article = Article(
        id=f"made-up/{number}", title=f"Article {number}", text=" ".join(chosen), language=language,
        source=f"Paper {number % SOURCES}", published=FIRST_DAY + timedelta(days=number % DAYS),
        published_from="metadata",
    )  # fmt: skip
    passages = [
        Passage(
            article_id=article.id,
            ordinal=ordinal,
            sentences=tuple(spans[SENTENCES * ordinal : SENTENCES * (ordinal + 1)]),
            text=" ".join(chosen[SENTENCES * ordinal : SENTENCES * (ordinal + 1)]),
        )
        for ordinal in range(PASSAGES)
    ]
    return article, passages


def passages_in(folder: Path) -> int:
    """Number of passages in the index."""
    if not (folder / ARTICLES_FILE).exists():
        return 0
    with closing(connect(folder, ARTICLES_FILE)) as connection:
        return int(connection.execute("SELECT count(*) FROM passages").fetchone()[0])


def truth(real: Real, size: int) -> list[list[int]]:
    """Numbers of the ten nearest passages of each question, by a comparison with all. They count from 1."""
    scores, numbers = np.empty((QUESTIONS, 0), np.float32), np.empty((QUESTIONS, 0), np.int64)
    for lot in range(size // LOT):
        scores = np.hstack([scores, real.question_vectors @ real.made_up(lot).T])
        numbers = np.hstack([numbers, np.tile(np.arange(lot * LOT, (lot + 1) * LOT) + 1, (QUESTIONS, 1))])
        best = np.argsort(-scores, axis=1)[:, :10]
        scores, numbers = np.take_along_axis(scores, best, 1), np.take_along_axis(numbers, best, 1)
    return [list(map(int, row)) for row in numbers]


# How it is measured


class Given:
    """Stands for the encoder in a process that is given the questions' vectors."""

    fingerprint = "made up"


def measure(folder: Path) -> dict[str, Any]:
    """What a fresh process needs to open an index and to search it; asked for by ``--measure``."""
    loaded = np.load(folder.parent / "real.npz")
    asked = json.loads((folder.parent / "asked.json").read_text(encoding="utf-8"))
    questions, vectors = asked["questions"], loaded["questions"]
    settings = IndexSettings(index=IndexConfig(path=folder))
    start = time.perf_counter()
    index = Index(folder, settings, Given())  # type: ignore[arg-type]
    opening = time.perf_counter() - start
    found: dict[int, list[int]] = {}

    def nearest(number: int) -> None:
        with index.snapshot() as snapshot:
            assert isinstance(snapshot, Snapshot)
            found[number] = [hit for hit, _ in snapshot.nearest(vectors[number], 10)]

    def matching(number: int) -> None:
        with index.snapshot() as snapshot:
            assert isinstance(snapshot, Snapshot)
            snapshot.matching(questions[number], settings.retriever.candidates)

    result: dict[str, Any] = {"opening": opening}
    result |= timed("", nearest)
    right = sum(len(set(asked["nearest"][number]) & set(hits)) for number, hits in found.items())
    result["recall_at_10"] = right / (10 * len(found))
    result |= timed("words_", matching)
    for name, filters in FILTERS.items():

        def hybrid(number: int, filters: dict[str, Any] = filters) -> None:
            index.search(questions[number], vector=vectors[number], **filters)

        result |= timed(f"{name}_", hybrid)
    # What getrusage says would include the process that started this one.
    peak = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"), re.MULTILINE)
    result["memory_gb"] = int(peak[1]) / 2**20 if peak else None
    index.close()
    return result


def timed(name: str, ask: Callable[[int], object]) -> dict[str, float]:
    """Milliseconds that a question takes, after some to warm up: the median, and what one in a hundred exceeds."""
    for number in range(20):
        ask(number)
    costs = []
    for number in range(QUESTIONS):
        start = time.perf_counter()
        ask(number)
        costs.append(1000 * (time.perf_counter() - start))
    return {f"{name}p50": statistics.median(costs), f"{name}p99": statistics.quantiles(costs, n=100)[-1]}


def in_fresh_process(folder: Path) -> dict[str, Any]:
    """``measure`` in a process of its own."""
    command = [sys.executable, __file__, "--measure", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    return {name: float(f"{value:.3g}") for name, value in json.loads(done.stdout).items()}


# Rivals


def rivals(real: Real, texts: Iterator[str], size: int, best: list[list[int]]) -> list[dict[str, Any]]:
    """The same vectors or words in other libraries."""
    rows = []
    vectors = np.concatenate([real.made_up(lot) for lot in range(size // LOT)])

    def row(name: str, search: Callable[[int], Sequence[int] | None]) -> None:
        found = [search(number) for number in range(QUESTIONS)]
        recalls = [len(set(one) & set(hits)) / 10 for one, hits in zip(best, found, strict=True) if hits is not None]
        figures = timed("", search)
        if recalls:
            figures["recall_at_10"] = statistics.fmean(recalls)
        rows.append({"passages": size, "rival": name} | {key: float(f"{value:.3g}") for key, value in figures.items()})
        print(rows[-1], flush=True)

    import faiss

    flat: Any = faiss.IndexFlatIP(vectors.shape[1])
    flat.add(vectors)

    def exact(number: int) -> list[int]:
        found: list[int] = (flat.search(real.question_vectors[number : number + 1], 10)[1][0] + 1).tolist()
        return found

    row("faiss.IndexFlatIP", exact)
    if size > RIVALS_UP_TO:
        return rows
    import bm25s  # type: ignore[import-untyped]

    words = bm25s.BM25()
    words.index(bm25s.tokenize(list(texts), show_progress=False), show_progress=False)

    def by_words(number: int) -> None:
        words.retrieve(bm25s.tokenize(real.questions[number], show_progress=False), k=60, show_progress=False)

    row("bm25s", by_words)
    try:
        from langchain_community.vectorstores import FAISS  # type: ignore[import-not-found]
        from langchain_core.embeddings import FakeEmbeddings
    except ImportError:
        return rows
    pairs = [(str(number), vector.tolist()) for number, vector in enumerate(vectors, 1)]
    store = FAISS.from_embeddings(pairs, FakeEmbeddings(size=vectors.shape[1]))

    def recipe(number: int) -> list[int]:
        found = store.similarity_search_by_vector(real.question_vectors[number].tolist(), k=10)
        return [int(document.page_content) for document in found]

    row("LangChain's FAISS", recipe)
    return rows


def texts_in(folder: Path) -> Iterator[str]:
    """The passages' texts."""
    with closing(connect(folder, ARTICLES_FILE)) as connection:
        yield from (row[0] for row in connection.execute("SELECT text FROM passages ORDER BY id"))


# The whole


def plot(result: dict[str, Any]) -> None:
    """Draw what a search costs against the size of the index."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "kabar"  # the same picture for the same figures
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    sizes = [row["passages"] for row in result["rows"]]
    lines = {"vectors, median": "p50", "vectors, 99 of 100": "p99", "words": "words_p50", "hybrid": "hybrid_p50"}
    lines |= {f"hybrid, filtered by {name}": f"{name}_p50" for name in FILTERS if name != "hybrid"}
    for label, name in lines.items():
        axes.plot(sizes, [row[name] for row in result["rows"]], marker="o", markersize=3, label=label)
    flat = [row for row in result["rivals"] if row["rival"] == "faiss.IndexFlatIP"]
    label = "faiss.IndexFlatIP, median"
    axes.plot([row["passages"] for row in flat], [row["p50"] for row in flat], "--", color="grey", label=label)
    axes.set(xscale="log", yscale="log", xlabel="passages in the index", ylabel="milliseconds")
    axes.set_title("One question")
    axes.legend(fontsize="x-small", ncols=2)
    figure.savefig(PLOT, metadata={"Date": None})


def measure_all(files: Sequence[Path], largest: int, folder: Path) -> dict[str, Any]:
    """All figures."""
    folder.mkdir(parents=True, exist_ok=True)
    real = Real(files, folder)
    rows, others = [], []
    for size in (size for size in SIZES if size <= largest):
        index = folder / f"index-{size}"
        if passages_in(index) < size:
            grow(index, real, passages_in(index), size)
        best = truth(real, size)
        asked = {"questions": real.questions, "nearest": best}
        (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        with closing(connect(index, ARTICLES_FILE)) as connection:
            kinds = {"approximate" if record.approximate else "exact" for record in records(connection)}
        disk = sum(file.stat().st_size for file in index.iterdir()) / 2**30
        figures = {**in_fresh_process(index), "disk_gb": float(f"{disk:.3g}")}
        rows.append({"passages": size, "search": " and ".join(sorted(kinds)), **figures})
        print(json.dumps(rows[-1], indent=1), flush=True)
        others += rivals(real, texts_in(index), size, best)
    return {
        "command": f"python benchmarks/search.py FILE... --largest {largest}",
        "machine": machine(),
        "vectors": "real ones plus half the difference of two other real ones; questions are real",
        "passages_an_article": PASSAGES,
        "limits": LIMITS,
        "rows": rows,
        "rivals": others,
    }


def main() -> None:
    """Measure, print, and write the result and its picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="SQuAD JSON")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="passages of the largest index")
    parser.add_argument("--folder", type=Path, help="where to keep what is made; otherwise it is removed")
    parser.add_argument("--only-plot", action="store_true", help="draw the picture of the result that is there")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    if options.only_plot:
        plot(json.loads(RESULT.read_text(encoding="utf-8")))
        return
    if not options.files:
        parser.error("name the files that hold real paragraphs and questions")
    with tempfile.TemporaryDirectory() as name:
        result = measure_all(options.files, options.largest, options.folder or Path(name))
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    plot(result)


if __name__ == "__main__":
    main()
