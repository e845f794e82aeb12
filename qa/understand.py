"""First step: what is asked, in which language, about which days, and in the light of what was said before."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from qa.follow_up import FollowUp, follow_up, has_no_topic, last_language
from qa.language import identify, small_talk
from qa.question import asks_for_amount, asks_for_time, clean_question
from qa.question_dates import AskedDays, asked_days
from qa.turn import Turn
from qa.wording import Wording


def understand(turn: Turn, *, index_languages: Collection[str] = (), years: Iterable[int] = ()) -> Turn:
    """Clean the question, name its language and days, and make it stand alone. Raises QuestionError.

    ``years`` are those of the articles: a day without its year is meant in each of them.
    """
    question = clean_question(turn.question)
    language = _language(question, turn, index_languages)
    meant = follow_up(question, language, turn.history)
    days = _days(question, meant, language, turn, tuple(years))
    # "Tomorrow" chooses the articles; they call that day by another word.
    strict = days is not None and days.strict
    return replace(
        turn,
        language=language,
        query=_undated(meant.query, language) if strict else meant.query,
        core=_undated(meant.core, language) if strict else meant.core,
        context=meant.context,
        leaning=meant.leaning,
        days=days,
        wants_time=asks_for_time(meant.kind_of, language),
        wants_amount=asks_for_amount(meant.kind_of, language),
        small_talk=small_talk(question, language),
    )


def _language(question: str, turn: Turn, index_languages: Collection[str]) -> str:
    """The question's own language; that of the conversation for a few words that belong to both ("Quando?")."""
    spoken = last_language(turn.history)
    if spoken is not None and has_no_topic(question, spoken):
        return spoken
    return identify(question, candidates=index_languages, default=spoken or "en")


def _days(question: str, meant: FollowUp, language: str, turn: Turn, years: tuple[int, ...]) -> AskedDays | None:
    """The days of the question, or else of the one that it leans on."""
    if turn.today is None:
        return None
    own = asked_days(question, language, turn.today, years)
    return own if own or not meant.base else asked_days(meant.base, language, turn.today, years)


def _undated(question: str, language: str) -> str:
    """The question without its dates, if anything is left."""
    rest = Wording(question, language).undated
    return rest if any(map(str.isalpha, rest)) else question
