"""Which words of a passage are not of the kind that a question asks for."""

from index.dates import resolve
from qa.numerals import numbers
from qa.reading import Unfit
from qa.turn import Turn


def unfit(turn: Turn) -> Unfit | None:
    """Which words cannot answer the question, whose passages are found; None if any can.

    "How long will he stay?" is not answered by a day, which the reader easily takes if it stands beside the length.
    """
    if not turn.wants_amount:
        return None

    def only_a_date(passage: int, words: str) -> bool:
        article = turn.hits[passage].article
        dates = resolve(words, article.certain_date, article.language)
        rest = list(words)
        for date in dates:
            rest[date.start : date.end] = "|" * (date.end - date.start)
        return bool(dates) and not numbers("".join(rest), article.language)

    return only_a_date
