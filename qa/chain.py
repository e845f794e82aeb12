"""The chain: understand, retrieve, read, ground, phrase, check; and the assistant that runs it."""

import datetime
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from index.index import Index
from qa.answer import Answer, Citation, Step, TextPiece, pieces
from qa.config import Settings
from qa.coverage import coverage
from qa.finer_date import with_finer_date
from qa.ground import ground
from qa.kind import unfit
from qa.language import sentence
from qa.open_steps import open_text, with_open_questions
from qa.phrase import answer_text, checked, phrase
from qa.prefer import prefer
from qa.reading import Reader
from qa.retrieve import retrieve
from qa.subject import weigh_subject
from qa.turn import Evidence, Turn
from qa.understand import understand
from qa.weigh import Signs, weigh

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

    from index.encoder import Encoder
    from qa.llm_reader import LlmReader
    from qa.writer import Writer

History = Sequence[tuple[str, str]]
Event = Step | TextPiece | Answer

# Readings that are weighed, the most probable ones; on the sample questions more of them never changed the answer.
_READINGS = 8
_NEAREST = 3
"""Passages that are offered where the articles do not answer."""
# "On 8 November" is looked for in so many years before the newest article's.
_YEARS = 30


class Assistant:
    """Answers questions about the articles of one index. Safe to use from several threads.

    ``chain`` is the whole way from a Turn to a Turn as a LangChain Runnable; ``steps`` are its parts by name, each a
    function of a Turn that can be used alone. ``chat_reader`` is asked before ``reader``, which answers if it fails.
    """

    def __init__(
        self,
        index: Index,
        settings: Settings,
        *,
        reader: Reader,
        writer: "Writer | None",
        chat_reader: "LlmReader | None" = None,
    ) -> None:
        self.index = index
        self.settings = settings
        self.reader = reader
        self.writer = writer
        self.steps: dict[str, Callable[[Turn], Turn]] = {
            "understand": self._understand,
            "retrieve": partial(retrieve, index=index),
            "read": self._read,
            "ground": partial(ground, threshold=settings.reader.threshold),
            "phrase": partial(phrase, writer=writer),
            "check": checked,
        }
        if settings.retriever.rerank == "reader":
            from qa.rerank import with_reranking

            self.steps = with_reranking(self.steps, index, reader)
        self.steps = with_open_questions(self.steps, index, writer=writer, threshold=settings.reader.threshold)
        self._trained = self.steps
        if chat_reader is not None:
            from qa.llm_steps import with_llm

            self.steps = with_llm(self.steps, chat_reader)
        # llama.cpp and the encoder use all cores for one question; two at once would only slow each other.
        self._one_at_a_time = threading.Lock()

    @classmethod
    def open(cls, config: str | Path | Settings | None = None, index: Index | None = None) -> Self:
        """Load the models that the configuration names and open its index, unless ``index`` is given.

        Raises ConfigError, NoIndexError, DamagedError, ModelError.
        """
        settings = config if isinstance(config, Settings) else Settings.load(config)
        index = Index(settings.index.path, settings) if index is None else index
        try:
            _ = index.reranker  # a model that cannot be loaded is told now, not at the first question
            return cls(
                index,
                settings,
                chat_reader=_open_chat_reader(settings),
                reader=_open_reader(settings, index.encoder),
                writer=_open_writer(settings),
            )
        except BaseException:
            index.close()
            raise

    @property
    def chain(self) -> "Runnable[Turn, Turn]":
        """The steps as one LangChain Runnable."""
        from langchain_core.runnables import RunnableLambda, RunnableSequence

        return RunnableSequence(*(RunnableLambda(step, name=title) for title, step in self.steps.items()))

    def answer(
        self,
        question: str,
        history: History = (),
        *,
        published_after: datetime.date | None = None,
        published_before: datetime.date | None = None,
        sources: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
        today: datetime.date | None = None,
    ) -> Answer:
        """Answer one question; ``history`` is what was said before, as (role, text), role "user" or "assistant".

        The filters choose articles by publication date (inclusive), source and language (ISO 639-1). ``today`` is the
        day that dates in the question ("last week") count from, by default that of the clock. Raises QuestionError.
        """
        *_, last = self.stream(
            question,
            history,
            published_after=published_after,
            published_before=published_before,
            sources=sources,
            languages=languages,
            today=today,
        )
        assert isinstance(last, Answer)  # noqa: S101 -- stream() ends with one
        return last

    def stream(
        self,
        question: str,
        history: History = (),
        *,
        published_after: datetime.date | None = None,
        published_before: datetime.date | None = None,
        sources: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
        today: datetime.date | None = None,
    ) -> Generator[Event]:
        """The same, as it happens: a Step as each begins, then the text in pieces, and the Answer last."""
        turn = Turn(
            question,
            tuple(history),
            published_after=published_after,
            published_before=published_before,
            sources=sources,
            languages=languages,
            today=today or datetime.datetime.now().astimezone().date(),
        )
        timings: dict[str, float] = {}
        for title, step in self.steps.items():
            if turn.small_talk is not None:
                break
            yield Step(name=title, count=self._count(title, turn))
            started = time.perf_counter()
            with self._one_at_a_time:
                turn = step(turn)
            timings[title] = time.perf_counter() - started
        # What a chat model claims is phrased as a whole, as any other answer.
        text = answer_text(turn) if turn.open_question is None or turn.phrase else open_text(turn)
        for piece in pieces(text):
            yield TextPiece(text=piece)
        yield _answer(turn, text, timings)

    def would_answer(self, turn: Turn) -> bool:
        """Whether the articles hold the answer to a question, as far as the trained reader sees; nothing is worded.

        It takes a small part of the time of an answer and asks no chat model. Raises QuestionError.
        """
        for title in ("understand", "retrieve", "read", "ground"):
            with self._one_at_a_time:
                turn = self._trained[title](turn)
            if turn.small_talk is not None:
                return False
        return turn.answerable

    def _count(self, step: str, turn: Turn) -> int:
        if step == "retrieve":
            with self.index.snapshot() as snapshot:
                return snapshot.count("passages")
        return len(turn.hits) if step == "read" else len(turn.evidence)

    def _understand(self, turn: Turn) -> Turn:
        with self.index.snapshot() as snapshot:
            languages, period = snapshot.languages(), snapshot.period()
        # What an article speaks of may lie some years off; of an archive the newest part is meant.
        years = range(max(period[0].year - 2, period[1].year - _YEARS), period[1].year + 3) if period else ()
        turn = understand(turn, index_languages=languages, years=years)
        if turn.small_talk is None:
            return turn
        values = coverage(self.index, turn.language)
        about = sentence("about_reply" if values["count"] else "no_index", turn.language, **values)
        reply = "" if turn.small_talk == "about" else sentence(f"{turn.small_talk}_reply", turn.language)
        return replace(turn, phrase=f"{reply} {about}".strip())

    def _read(self, turn: Turn) -> Turn:
        readings = self.reader.find(turn.query, [hit.passage.text for hit in turn.hits], unfit(turn))[:_READINGS]
        evidence = []
        for reading in readings:
            hit = turn.hits[reading.passage]
            number = hit.passage.sentence_at(reading.start)
            start, end = hit.passage.sentences[number]
            words_start, words_end = hit.passage.in_article(reading.start, reading.end)
            words = hit.article.text[words_start:words_end] if reading.exact else ""
            evidence.append(Evidence(hit, start, end, words, reading.probability, reading.probability))
        ordered = prefer(turn, weigh_subject(turn, self._weighed(turn, evidence)))
        return replace(turn, evidence=with_finer_date(turn, ordered, self.index.encoder.encode_passages))

    def _weighed(self, turn: Turn, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
        """The evidence with its probability all told, most probable first."""
        if not any(one.words for one in evidence):
            return tuple(evidence)  # the sentence reader has weighed the sentences
        evidence = self.with_vectors(evidence)
        ordered = weigh(self.signs(turn, evidence), wants_time=turn.wants_time)
        return tuple(replace(evidence[number], probability=share) for number, share in ordered)

    def with_vectors(self, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
        """The evidence with the vectors of its sentences."""
        quotes = list(dict.fromkeys(one.quote for one in evidence))
        vectors = dict(zip(quotes, self.index.encoder.encode_passages(quotes), strict=True))
        return tuple(replace(one, vector=vectors[one.quote]) for one in evidence)

    def signs(self, turn: Turn, evidence: Sequence[Evidence]) -> list[Signs]:
        """What speaks for each piece of evidence, whose sentences have vectors."""
        nearness = {one.quote: float(one.vector @ turn.vector) for one in evidence}
        known = [hit.similarity for hit in turn.hits if hit.similarity is not None]
        return [
            Signs(
                one.probability,
                min(known, default=0.0) if one.hit.similarity is None else one.hit.similarity,
                nearness[one.quote],
            )
            for one in evidence
        ]

    def close(self) -> None:
        """Close the index and let the models go."""
        self.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open_reader(settings: Settings, encoder: "Encoder") -> Reader:
    if settings.reader.model == "sentence":
        from qa.sentence_reader import SentenceReader

        return SentenceReader(encoder)
    from qa.reader import SpanReader

    return SpanReader.open(encoder)


def _open_chat_reader(settings: Settings) -> "LlmReader | None":
    if settings.reader.model != "llm":
        return None
    from qa.llm_reader import LlmReader

    return LlmReader.open(settings.reader, settings.writer)


def _open_writer(settings: Settings) -> "Writer | None":
    from qa.writer import open_writer

    return open_writer(settings.writer)


def _answer(turn: Turn, text: str, timings: dict[str, float]) -> Answer:
    best = turn.best if turn.small_talk is None else None
    nearest = () if best or turn.small_talk else _nearest(turn)
    return Answer(
        question=turn.question,
        text=text,
        short=_short(turn, best),
        answerable=best is not None,
        confidence=best.probability if best else 0.0,
        language=turn.language,
        dates=tuple(sorted(best.dates, key=lambda date: date != best.date)) if best else (),
        citations=tuple(_citation(number, evidence) for number, evidence in enumerate(turn.evidence, start=1)),
        nearest=tuple(_citation(number, evidence) for number, evidence in enumerate(nearest, start=1)),
        timings={title: round(seconds, 4) for title, seconds in timings.items()},
        notes=turn.notes,
    )


def _nearest(turn: Turn) -> list[Evidence]:
    """The first passages that were found, one an article, each as a whole."""
    first = {hit.article.id: hit for hit in reversed(turn.hits)}
    chosen = [hit for hit in turn.hits if first[hit.article.id] is hit][:_NEAREST]
    return [Evidence(hit, hit.passage.start, hit.passage.end, "", 0.0) for hit in chosen]


def _short(turn: Turn, best: Evidence | None) -> str:
    if best is None:
        return ""
    return best.fact or turn.phrase or best.phrase or " ".join(best.quote.split())


def _citation(number: int, evidence: Evidence) -> Citation:
    article, passage = evidence.hit.article, evidence.hit.passage
    return Citation(
        number=number,
        article_id=article.id,
        title=article.title,
        url=article.url,
        source=article.source,
        language=article.language,
        published=article.published.isoformat() if article.published else None,
        published_from=article.published_from,
        passage=article.text[passage.start : passage.end],
        passage_start=evidence.start - passage.start,
        start=evidence.start,
        end=evidence.end,
        quote=evidence.quote,
    )
