"""How well questions find the texts that answer them: over vectors alone, and with words.

A text is an article here: it is split as the index splits articles, and found by its best passage. Texts that are
copies of each other are one hit, as in the index.
"""

import json
import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from index.article import Article
from index.config import IndexConfig, RetrieverConfig
from index.duplicates import originals
from index.errors import ArticleError
from index.faiss_store import FaissStore
from index.fusion import Likeness, Ranking, fuse
from index.language import identify
from index.lexical import TOKENIZER, query, terms
from index.matching import in_order, paired, together, weight
from index.passage import split_article
from index.stores import Nearest, Store

if TYPE_CHECKING:
    from index.encoder import Encoder

Vectors = npt.NDArray[np.float32]

DEEPEST = 10
"""R@10 and MRR@10 look at so many hits."""


class QuestionSet(NamedTuple):
    """One file: passages as it has them, questions, and the number of the passage that answers each question."""

    language: str
    passages: list[str]
    questions: list[str]
    gold: list[int]


class Pool(NamedTuple):
    """Several files in one index: their texts, split into passages.

    ``text_of`` is the number of each passage's text. ``languages`` and ``stories`` belong to the texts: a story is the
    first of the texts that are copies of each other. ``gold`` is a text, ``asked`` each question's file.
    """

    passages: list[str]
    text_of: list[int]
    languages: list[str]
    stories: list[int]
    questions: list[str]
    gold: list[int]
    asked: list[int]
    files: int


def read_squad(path: Path) -> QuestionSet:
    """The answerable questions of a file in SQuAD JSON, versions 1.1 and 2.0.

    Raises:
        ArticleError: the file cannot be read, or is not SQuAD JSON.
    """
    passages: list[str] = []
    questions: list[str] = []
    gold: list[int] = []
    try:
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                for item in paragraph["qas"]:
                    if not item.get("is_impossible", False):
                        questions.append(str(item["question"]))
                        gold.append(len(passages))
                passages.append(str(paragraph["context"]))
    except OSError as error:
        raise ArticleError(str(path), error.strerror or "it cannot be read") from None
    except (ValueError, KeyError, TypeError) as error:
        reason = f"not SQuAD JSON ({type(error).__name__}: {error}); expected data[].paragraphs[].context and .qas[]"
        raise ArticleError(str(path), reason) from None
    if not questions:
        raise ArticleError(str(path), "no answerable question in it")
    return QuestionSet(identify(" ".join(passages)), passages, questions, gold)


def evaluate_retrieval(
    files: Sequence[Path],
    encoder: "Encoder",
    *,
    parallel: bool = False,
    hybrid: bool = True,
    store: Store | None = None,
) -> dict[str, Any]:
    """Put the passages of all files into one index, searched in ``store`` (default: FAISS), and ask all questions.

    Returns "files", "passages" (as the files have them), "questions", and shares of 1: "r1", "r10", "mrr10". With
    ``parallel`` the files hold the same passages in the same order, one language each, and there is also:
    "parallel_in_top" (of the gold passage's translations, how many are among as many hits as there are files),
    "same_language_top1" (first hits in the question's language), "same_language_r1" and "cross_language_r1" (R@1 among
    the passages of one file alone, that of the question or another). Without ``hybrid``, cosines to the question alone
    decide.

    Raises:
        ArticleError: a file is not as it should be.
        StoreError: the store cannot be used.
    """
    pool = read_pool(files, parallel=parallel)
    passages, questions = encoder.encode_passages(pool.passages), encoder.encode_queries(pool.questions)
    with (store or FaissStore()).trial(passages) as nearest:
        return figures(pool, passages, questions, parallel=parallel, hybrid=hybrid, nearest=nearest)


def read_pool(files: Sequence[Path], *, parallel: bool = False) -> Pool:
    """The files in one index. Raises ArticleError if one cannot be read, or with ``parallel`` is not so long."""
    sets = [read_squad(Path(file)) for file in files]
    if parallel:
        for file, one in zip(files, sets, strict=True):
            if len(one.passages) != len(sets[0].passages):
                reason = (
                    f"{len(one.passages)} paragraphs, {files[0]} has {len(sets[0].passages)}; they are not parallel"
                )
                raise ArticleError(str(file), reason)
    return make_pool(sets, keep_copies=parallel)


def make_pool(sets: Sequence[QuestionSet], *, keep_copies: bool, characters: int | None = None) -> Pool:
    """All files together, split into passages of about ``characters``, by default as many as the index's have.

    Without ``keep_copies``, equal texts are one and copies are one story: either would be right.
    """
    texts: list[str] = []
    languages: list[str] = []
    questions: list[str] = []
    gold: list[int] = []
    asked: list[int] = []
    numbers: dict[tuple[int, int] | str, int] = {}
    for file, one in enumerate(sets):
        keys = [(file, number) if keep_copies else text for number, text in enumerate(one.passages)]
        for key, text in zip(keys, one.passages, strict=True):
            if key not in numbers:
                numbers[key] = len(texts)
                texts.append(text)
                languages.append(one.language)
        questions.extend(one.questions)
        gold.extend(numbers[keys[number]] for number in one.gold)
        asked.extend(file for _ in one.questions)
    stories = list(range(len(texts))) if keep_copies else originals(texts)
    size = characters or IndexConfig().passage_characters
    passages = [
        (passage, number)
        for number, (text, language) in enumerate(zip(texts, languages, strict=True))
        for passage in _split(text, language, size)
    ]
    split, text_of = [passage for passage, _ in passages], [number for _, number in passages]
    return Pool(split, text_of, languages, stories, questions, gold, asked, len(sets))


def _split(text: str, language: str, characters: int) -> list[str]:
    article = Article(id="text", title="", text=text, language=language)
    return [passage.text for passage in split_article(article, characters=characters)] or [text]


def figures(
    pool: Pool,
    passages: Vectors,
    questions: Vectors,
    *,
    parallel: bool = False,
    hybrid: bool = True,
    nearest: Nearest | None = None,
) -> dict[str, Any]:
    """The figures of ``evaluate_retrieval`` from unit vectors [passages, dimension] and [questions, dimension].

    ``nearest`` searches them, with the numbers from 1 on; by default all are compared.
    """
    look = partial(_ask, nearest, len(passages)) if nearest else partial(_compare, passages)
    matches = _matches(pool) if hybrid else ([] for _ in pool.questions)
    near = _likeness(passages) if hybrid else None
    whole = range(len(pool.passages))
    size = len(pool.stories) // pool.files
    parts = _files(pool, size) if parallel else []
    limit = max(DEEPEST, pool.files)
    ranks: list[int] = []
    found_parallel: list[float] = []
    own_language: list[bool] = []
    first: list[list[bool]] = []
    for gold, file, vector, lexical in zip(pool.gold, pool.asked, questions, matches, strict=True):
        hits = _search(pool, partial(look, vector), lexical, whole, limit, near)
        story = pool.stories[gold]
        ranks.append(hits.index(story) if story in hits[:DEEPEST] else DEEPEST)
        if parallel:
            found_parallel.append(sum(hit % size == gold % size for hit in hits[: pool.files]) / pool.files)
            own_language.append(hits[0] // size == file)
            firsts = [_search(pool, partial(look, vector), lexical, part, 1, near)[0] for part in parts]
            first.append([hit % size == gold % size for hit in firsts])
    rank = np.asarray(ranks)
    result: dict[str, Any] = {
        "files": pool.files,
        "passages": len(pool.stories),
        "questions": len(pool.questions),
        "r1": float((rank == 0).mean()),
        "r10": float((rank < DEEPEST).mean()),
        "mrr10": float(np.where(rank < DEEPEST, 1 / (rank + 1), 0).mean()),
    }
    if parallel:
        own = np.asarray(pool.asked)[:, None] == np.arange(pool.files)
        right = np.asarray(first)
        result |= {
            "parallel_in_top": float(np.mean(found_parallel)),
            "same_language_top1": float(np.mean(own_language)),
            "same_language_r1": float(right[own].mean()),
            "cross_language_r1": float(right[~own].mean()) if pool.files > 1 else None,
        }
    return result


def _files(pool: Pool, size: int) -> list[range]:
    """The passages of each file; ``size`` texts are in one."""
    starts = [bisect_left(pool.text_of, file * size) for file in range(pool.files + 1)]
    return [range(start, end) for start, end in pairwise(starts)]


def _compare(passages: Vectors, vector: Vectors, count: int, among: range) -> Ranking:
    """The nearest passages: each is compared."""
    cosines = passages[among.start : among.stop] @ vector
    order = np.argsort(-cosines, kind="stable")[:count]
    return [(among.start + int(number), float(cosines[number])) for number in order]


def _ask(nearest: Nearest, passages: int, vector: Vectors, count: int, among: range) -> Ranking:
    """The nearest passages, as a store finds them."""
    only = None if len(among) == passages else np.arange(among.start + 1, among.stop + 1)
    return [(number - 1, cosine) for number, cosine in nearest.nearest(vector, count, only)]


def _search(
    pool: Pool,
    look: Callable[[int, range], Ranking],
    lexical: Ranking,
    among: range,
    limit: int,
    near: Likeness | None,
) -> list[int]:
    """The first texts of the stories that are found, best first, as ``Index.search`` finds them."""
    candidates = max(RetrieverConfig().candidates, limit)
    dense = look(candidates, among)
    words = [hit for hit in lexical if hit[0] in among][:candidates]
    languages = {number: pool.languages[pool.text_of[number]] for number, _ in [*dense, *words]}
    neighbours = {number: _neighbours(pool.text_of, number) for number in languages}
    found = fuse(dense, words, limit=candidates, languages=languages, likeness=near, neighbours=neighbours)
    return list(dict.fromkeys(pool.stories[pool.text_of[number]] for number, _ in found))[:limit]


def _neighbours(text_of: Sequence[int], number: int) -> list[int]:
    near = (number - 1, number + 1)
    return [one for one in near if 0 <= one < len(text_of) and text_of[one] == text_of[number]]


def _likeness(vectors: Vectors) -> Likeness:
    def cosines(best: int, others: Sequence[int]) -> list[float]:
        found: list[float] = (vectors[list(others)] @ vectors[best]).tolist()
        return found

    return cosines


def _matches(pool: Pool) -> Iterator[Ranking]:
    """For each question, every passage that shares a term with it, best first."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f'CREATE VIRTUAL TABLE passages USING fts5(terms, tokenize = "{TOKENIZER}")')
        connection.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab('passages', 'row')")
        texts = zip(pool.passages, pool.text_of, strict=True)
        rows = [" ".join(terms(passage, pool.languages[text])) for passage, text in texts]
        connection.executemany("INSERT INTO passages (rowid, terms) VALUES (?, ?)", enumerate(rows))
        having = dict(connection.execute("SELECT term, doc FROM vocabulary").fetchall())
        held = [row.split(" ") for row in rows]
        statement = "SELECT rowid, -bm25(passages) FROM passages WHERE passages MATCH ?"

        def weight_of(term: str) -> float:
            return weight(having.get(term.strip('"'), 0), len(rows))

        for question in pool.questions:
            expression, asked = query(question), paired(question, weight_of)
            found = connection.execute(statement, (expression,)) if expression else ()
            yield in_order((number, score + together(held[number], asked)) for number, score in found)
