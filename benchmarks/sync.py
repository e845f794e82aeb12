"""Measure what one new article costs in indexes of 1,000 to 1,000,000 passages, and a run in which nothing changed.

    python benchmarks/sync.py [--largest 1000000] [--only-plot]

The large indexes are made up: their texts are sentences of the sample articles in another order, and their stored
vectors are the sample passages' real ones, perturbed (and of unit length again), because encoding a million passages
takes hours. They are written by the same code as any. The articles whose cost is measured are really encoded; the
encoder is loaded before. Writes results/sync.json and docs/sync.svg. An hour and 10 GB of disk; with --largest 100000
some minutes.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from machine import machine

from index import background
from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.encoder import Encoder
from index.index import Index
from index.passage import split_article
from index.sentences import sentences
from index.snapshot import Snapshot
from index.sources import find_files, read_file
from index.update import add, sync

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "results" / "sync.json"
PLOT = ROOT / "docs" / "sync.svg"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
SENTENCES = 20
NEW_ARTICLES = 15
UNCHANGED = 10_000
LIMIT, LIMIT_UNCHANGED, LIMIT_SEEN = 0.5, 3.0, 2.0


class Perturbing:
    """Says that it is the real encoder, and gives the real vectors of sample passages with noise."""

    def __init__(self, encoder: Encoder, vectors: np.ndarray[Any, Any]) -> None:
        self.fingerprint = encoder.fingerprint
        self._vectors = vectors
        self._random = np.random.default_rng(0)

    def encode_passages(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """Vectors [texts, dimension]; the noise is about as long as the vector."""
        rows = self._vectors[self._random.integers(len(self._vectors), size=len(texts))]
        rows = rows + self._random.normal(scale=1 / np.sqrt(rows.shape[1]), size=rows.shape)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return np.asarray(rows, dtype=np.float32)


def samples() -> list[Article]:
    """The sample articles."""
    folder = ROOT / "articles"
    found = [item for path in find_files(folder) for item in read_file(path, root=folder)]
    return [item for item in found if isinstance(item, Article)]


def made_up(articles: Sequence[Article], first: int) -> Iterator[Article]:
    """Articles without end, of sentences of those of the same language; each has words of its own."""
    chance = random.Random(first)
    pools: dict[str, list[str]] = {}
    for article in articles:
        spans = sentences(article.text, article.language)
        pools.setdefault(article.language, []).extend(article.text[start:end] for start, end in spans)
    for number in range(first, 10**9):
        language, pool = chance.choice(list(pools.items()))
        text = f"Reference zq{number}. " + " ".join(chance.choices(pool, k=SENTENCES))
        yield Article(id=f"made-up/{number}", title=f"Article {number}", text=text, language=language)


def grow(settings: IndexSettings, encoder: Perturbing, articles: Iterator[Article], size: int) -> int:
    """Add made-up articles until the index has ``size`` passages; how many it has."""
    folder = settings.index.path
    start = time.perf_counter()

    def until_full(missing: int) -> Iterator[Article]:
        for article in articles:
            if missing <= 0:
                return
            missing -= len(split_article(article, characters=settings.index.passage_characters))
            yield article

    there = count(settings) if folder.exists() else 0
    # The days that a passage speaks of cost more than all the rest of its writing, and here nobody asks for them.
    with patch("index.passage_dates.days_in", return_value=[]), patch("index.background.start"):
        report = add(
            until_full(size - there),
            folder=folder,
            settings=settings,
            encoder=encoder,  # type: ignore[arg-type]
        )
    seconds = time.perf_counter() - start
    background.work(folder, settings.retriever.exact_up_to)  # now, and not while the runs to come are measured
    print(f"{report.added} articles, {report.passages} passages written in {seconds:.0f} s", flush=True)
    return there + report.passages


def count(settings: IndexSettings) -> int:
    """Number of passages."""
    with Index(settings.index.path, settings) as index, index.snapshot() as snapshot:
        return snapshot.count("passages")


def one_by_one(settings: IndexSettings, encoder: Encoder, inbox: Path, articles: Iterator[Article]) -> dict[str, Any]:
    """Seconds of ``sync()`` for one new article, of the processor too, and until a running reader has answered."""
    costs, work, seen = [], [], []
    with Index(settings.index.path, settings, encoder) as reader:
        reader.search("warm")
        for _ in range(NEW_ARTICLES):
            article = next(articles)
            path = inbox / f"{article.id.rpartition('/')[2]}.txt"
            path.write_text(f"{article.title}\n{article.text}", encoding="utf-8")
            start, worked = time.perf_counter(), time.process_time()
            report = sync(path, config=settings, encoder=encoder)
            done = time.perf_counter()
            work.append(time.process_time() - worked)
            with reader.snapshot() as snapshot:
                assert isinstance(snapshot, Snapshot), snapshot
                found = snapshot.matching(article.text[: article.text.index(".")], 1)[0][0]
                (passage,) = snapshot.passages([found]).values()
            reader.search(article.title)
            end = time.perf_counter()
            assert report.added == 1, report
            assert passage.article_id == path.name, passage
            costs.append(done - start)
            seen.append(end - done)
    return {
        "passages": count(settings),
        "median": float(f"{statistics.median(costs):.3g}"),
        "slowest": float(f"{max(costs):.3g}"),
        "processor": float(f"{statistics.median(work):.3g}"),
        "seen_after": float(f"{max(seen):.3g}"),
    }


def unchanged(folder: Path, encoder: Perturbing, articles: Iterator[Article]) -> dict[str, Any]:
    """Seconds of a run over an unchanged folder, and what it encoded."""
    news = folder / "news"
    news.mkdir()
    for _ in range(UNCHANGED):
        article = next(articles)
        (news / f"{article.id.rpartition('/')[2]}.txt").write_text(f"{article.title}\n{article.text[:400]}")
    settings = IndexSettings(index=IndexConfig(path=folder / "unchanged"))
    first = sync(news, config=settings, encoder=encoder)  # type: ignore[arg-type]
    seconds, encoded = [], 0
    for _ in range(4):
        report = sync(news, config=settings, encoder=encoder)  # type: ignore[arg-type]
        assert report.unchanged == first.added == UNCHANGED
        encoded += report.encoded
        seconds.append(report.seconds)
    # The first of them looks into files that were written so lately that their times could deceive.
    return {
        "articles": UNCHANGED,
        "second": round(seconds[0], 2),
        "later": round(max(seconds[1:]), 2),
        "encoded": encoded,
    }


def plot(result: dict[str, Any]) -> None:
    """Draw what one article costs against the size of the index."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "kabar"  # the same picture for the same figures
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    sizes = [row["passages"] for row in result["rows"]]
    for name, label in (("median", "median"), ("slowest", f"slowest of {NEW_ARTICLES}")):
        axes.plot(sizes, [row[name] for row in result["rows"]], marker="o", label=label)
    axes.axhline(LIMIT, color="grey", linestyle="--", label="limit")
    axes.set(xscale="log", xlabel="passages in the index", ylabel="seconds", ylim=(0, LIMIT * 1.2))
    axes.set_title("sync() of one new article")
    axes.legend()
    figure.savefig(PLOT, metadata={"Date": None})


def measure(largest: int) -> dict[str, Any]:
    """All figures."""
    articles = samples()
    encoder = Encoder.open()
    passages = [passage for article in articles for passage in split_article(article)]
    perturbing = Perturbing(encoder, encoder.encode_passages([passage.text for passage in passages]))
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inbox = folder / "inbox"
        inbox.mkdir()
        settings = IndexSettings(index=IndexConfig(path=folder / "index"))
        texts = made_up(articles, 0)
        for size in (size for size in SIZES if size <= largest):
            grow(settings, perturbing, texts, size)
            rows.append(one_by_one(settings, encoder, inbox, texts))
            print(rows[-1], flush=True)
        same = unchanged(folder, perturbing, texts)
        print(same, flush=True)
    return {
        "command": f"python benchmarks/sync.py --largest {largest}",
        "machine": machine(),
        "vectors": "real ones of the sample passages, perturbed; the articles that are measured are encoded",
        "limits": {"one_article": LIMIT, "unchanged": LIMIT_UNCHANGED, "seen_after": LIMIT_SEEN},
        "rows": rows,
        "unchanged": same,
    }


def main() -> None:
    """Measure, print, and write the result and its picture."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="passages of the largest index")
    parser.add_argument("--only-plot", action="store_true", help="draw the picture of the result that is there")
    options = parser.parse_args()
    if options.only_plot:
        plot(json.loads(RESULT.read_text(encoding="utf-8")))
        return
    result = measure(options.largest)
    RESULT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    plot(result)


if __name__ == "__main__":
    main()
