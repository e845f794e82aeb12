"""First step: what is asked, in which language."""

from collections.abc import Collection
from dataclasses import replace

from qa.language import identify, small_talk
from qa.question import asks_for_time, clean_question
from qa.turn import Turn

# A question of fewer words after others leans on them: "And who will he meet there?", "Berapa lama?"
_STANDS_ALONE = 7


def understand(turn: Turn, *, index_languages: Collection[str] = ()) -> Turn:
    """Clean the question, name its language, and make it stand alone. Raises QuestionError."""
    question = clean_question(turn.question)
    language = identify(question, candidates=index_languages, default="en")
    return replace(
        turn,
        language=language,
        query=_standalone(question, turn),
        wants_time=asks_for_time(question, language),
        small_talk=small_talk(question, language),
    )


def _standalone(question: str, turn: Turn) -> str:
    """The question with the one before it, if it is too short to be understood alone."""
    earlier = [text for role, text in turn.history if role == "user" and text.strip()]
    if not earlier or len(question.split()) >= _STANDS_ALONE:
        return question
    return f"{clean_question(earlier[-1])} {question}"
