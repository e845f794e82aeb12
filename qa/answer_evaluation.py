"""Measure whole answers against files of questions; see ``qa.question_file`` for their form."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict

from index.config import IndexSettings
from index.errors import KabarError
from qa.answer import Answer, Citation
from qa.errors import QuestionError
from qa.names import fold_case
from qa.question_file import Conversation, Gold, Item, read_questions

if TYPE_CHECKING:
    from qa.chain import Assistant

_Settings = TypeVar("_Settings", bound=IndexSettings)
_OUTCOMES = ("right", "wrong", "refused", "invented")


class Verdict(BaseModel):
    """What became of one question.

    ``outcome``: "right", "wrong", "refused" though the articles answer it, or "invented", that is, answered though they
    do not. ``cited`` and ``dated`` are None where no sentence or no date is expected; ``gold`` tells of each gold
    sentence whether it is cited, ``relevant`` of each citation whether it is gold.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    language: str
    answerable: bool
    outcome: str
    language_right: bool
    cited: bool | None = None
    dated: bool | None = None
    gold: tuple[bool, ...] = ()
    relevant: tuple[bool, ...] = ()
    short: str = ""
    confidence: float = 0.0


def evaluate_answers(
    assistant: "Assistant", files: Sequence[Path], *, tell: Callable[[Verdict], None] = lambda _: None
) -> list[dict[str, Any]]:
    """For each file, how many of its questions were answered how; ``tell`` gets every verdict as it is known.

    Counts: "questions", of which "right", "wrong", "refused" and "invented" (see ``Verdict``; an unanswerable question
    that is refused is right), "language_right" (answers in the question's language), "by_language" (the same by
    language); "answerable", "cited" of "citable" with the sentence that proves it, "dated" of "datable" with the date;
    "gold_cited" of "gold" sentences that must be cited. Shares, None without gold sentences: "gold_recall", and
    "gold_precision" (of the citations of answers to such questions, those that are gold).

    Right means that the fact or the text holds an acceptable answer or that the first date has the value; where neither
    is given, that a sentence that proves it is cited. Raises KabarError for a file that is not of the form.
    """
    questions = [read_questions(file) for file in files]  # all of them before the first is asked
    return [
        {
            "file": str(file),
            **_figures([verdict for said in conversations for verdict in _judge(assistant, said, tell)]),
        }
        for file, conversations in zip(files, questions, strict=True)
    ]


@contextmanager
def indexed(settings: _Settings, folder: Path) -> Iterator[_Settings]:
    """The settings with an index of ``folder`` in place of the configured one, made now and removed afterwards.

    Raises ArticleError if there are no articles in it.
    """
    from index.update import sync

    with tempfile.TemporaryDirectory(prefix="kabar-") as place:
        index = settings.index.model_copy(update={"path": Path(place) / "index", "articles": (folder,)})
        changed = settings.model_copy(update={"index": index})
        sync(folder, config=changed)
        yield changed


def _judge(assistant: "Assistant", conversation: Conversation, tell: Callable[[Verdict], None]) -> Iterator[Verdict]:
    history: list[tuple[str, str]] = []
    for item in conversation.turns:
        try:
            answer = assistant.answer(item.question, history, today=item.today)
        except QuestionError as error:
            raise KabarError(f"{item.question[:60]!r} cannot be asked: {error}") from None
        history += [("user", item.question), ("assistant", answer.text)]
        if item.answerable is not None:
            verdict = judge(answer, item)
            tell(verdict)
            yield verdict


def judge(answer: Answer, item: Item) -> Verdict:
    """Compare an answer with what is expected of it."""
    gold = tuple(_cites(answer.citations, sentence) for sentence in item.gold)
    cited = _cited(answer.citations, item) if item.article else None
    dated = bool(answer.dates and answer.dates[0].value == item.date) if item.date else None
    said = fold_case(f"{answer.short} {answer.text}")
    if not item.answerable:
        outcome = "invented" if answer.answerable else "right"
    elif not answer.answerable:
        outcome = "refused"
    elif item.any_of or item.date:
        right = dated or any(fold_case(expected) in said for expected in item.any_of)
        outcome = "right" if right else "wrong"
    else:
        outcome = "right" if any(gold) or cited else "wrong"
    return Verdict(
        question=item.question,
        language=item.language or answer.language,
        answerable=bool(item.answerable),
        outcome=outcome,
        language_right=answer.language == (item.language or answer.language),
        cited=cited if item.answerable else None,
        dated=dated if item.answerable else None,
        gold=gold if item.answerable else (),
        relevant=tuple(any(_cites([one], sentence) for sentence in item.gold) for one in answer.citations),
        short=answer.short,
        confidence=answer.confidence,
    )


def _figures(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    gold = [cited for verdict in verdicts for cited in verdict.gold]
    relevant = [right for verdict in verdicts if verdict.gold for right in verdict.relevant]
    cited = [verdict.cited for verdict in verdicts if verdict.cited is not None]
    dated = [verdict.dated for verdict in verdicts if verdict.dated is not None]
    languages = sorted({verdict.language for verdict in verdicts})
    return {
        **_counts(verdicts),
        "by_language": {
            language: _counts([verdict for verdict in verdicts if verdict.language == language])
            for language in languages
        },
        "answerable": sum(verdict.answerable for verdict in verdicts),
        "cited": sum(cited),
        "citable": len(cited),
        "dated": sum(dated),
        "datable": len(dated),
        "gold_cited": sum(gold),
        "gold": len(gold),
        "gold_recall": sum(gold) / len(gold) if gold else None,
        "gold_precision": sum(relevant) / len(relevant) if relevant else None,
    }


def _counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    return {
        "questions": len(verdicts),
        **{outcome: sum(verdict.outcome == outcome for verdict in verdicts) for outcome in _OUTCOMES},
        "language_right": sum(verdict.language_right for verdict in verdicts),
    }


def _cited(citations: Sequence[Citation], item: Item) -> bool:
    """Whether a citation is of the article and holds the words, or is of another article that says the same."""
    return any(
        citation.article_id in item.also
        or (citation.article_id == item.article and fold_case(item.quote or "") in fold_case(citation.quote))
        for citation in citations
    )


def _cites(citations: Sequence[Citation], gold: Gold) -> bool:
    return any(
        citation.article_id == sentence.article and fold_case(sentence.quote) in fold_case(citation.quote)
        for sentence in (gold, *gold.also)
        for citation in citations
    )
