"""Whether two articles that answer one question agree, contradict each other, or speak of two things."""

import re
import unicodedata
from collections import Counter
from collections.abc import Container
from typing import Literal

from index.lexical import terms
from qa.calendar_names import blank, calendar_names
from qa.facts import same_fact
from qa.names import CASED, fold_accents, names, vocabulary
from qa.numerals import numbers
from qa.sounds import consonants, distance
from qa.turn import Evidence

Relation = Literal["agrees", "contradicts", "unrelated"]

# Chosen on benchmarks/questions/contradictions.json; see benchmarks/agreement.py.
_SHARED_NAMES = 0.3
"""Least share of the names of one article that the other has too, if they are about the same."""
_SHARED_TERMS = 0.35
"""Least share of the terms of headline and sentence, where a language has no capitals."""
_BEGINNING = 2000
"""Characters of an article in which terms are looked for."""
_SHARED_NUMBERS = 2
"""Numbers that do as well: articles on one thing share them even in scripts in which no name can be compared."""
_TELLING_NUMBER = 32.0
"""Least number that is no day of a month."""
_YEARS = range(1900, 2101)
_NEAR = 0.5
"""Least cosine of two sentences that contradict each other."""
_MOST_NAMES = 8
"""Names that are looked for, headline first: to hear one in another script takes milliseconds."""
_HEARD = 0.11
"""Greatest distance of sounds (see ``qa.sounds``) of a name to a whole passage, where many words may sound like it."""
_HEARD_LONG = 0.2
"""The same for a long name."""
_CONSONANTS, _LONG = 3, 5

_WORD = re.compile(r"(?<!\w)[^\W\d_]{3,}")


def relation(one: Evidence, other: Evidence) -> Relation:
    """What two sentences that answer the same question have to do with each other.

    They agree or contradict each other only if they are about the same thing; the latter only if they are near, too.
    """
    same_answer = same_fact(one, other)
    if same_answer is None or not (same_answer or near(one, other)) or not about_the_same(one, other):
        return "unrelated"
    return "agrees" if same_answer else "contradicts"


def near(one: Evidence, other: Evidence) -> bool:
    """Whether the sentences are near in meaning; False where they have no vectors."""
    return one.vector is not None and other.vector is not None and float(one.vector @ other.vector) >= _NEAR


def repeats(one: Evidence, other: Evidence) -> bool:
    """Whether one says again what the other says, if only in its words: what they mean may depend on the day."""
    return (one.words in other.words or bool(same_fact(one, other))) and about_the_same(one, other)


def about_the_same(one: Evidence, other: Evidence) -> bool:
    """Whether the articles share names, by sound in another script, or numbers that are neither dates nor the answer.

    Names are those of headline, sentence and passage. Articles in one language without capitals share terms instead.
    """
    languages = {one.hit.article.language, other.hit.article.language}
    if len(languages) == 1 and not languages & CASED:
        alike = max(_shared_terms(one, other), _shared_terms(other, one)) >= _SHARED_TERMS
    else:
        alike = max(_shared_names(one, other), _shared_names(other, one)) >= _SHARED_NAMES
    return alike or len(_telling_numbers(one) & _telling_numbers(other)) >= _SHARED_NUMBERS


def _shared_terms(one: Evidence, other: Evidence) -> float:
    wanted = set(terms(f"{one.hit.article.title} {one.quote}"))
    article = other.hit.article
    return len(wanted & set(terms(f"{article.title} {article.text[:_BEGINNING]}"))) / max(len(wanted), 1)


def _telling_numbers(evidence: Evidence) -> set[float]:
    language = evidence.hit.article.language
    answer = {value for number in numbers(evidence.words, language) for value in number.values}
    values = {max(number.values) for number in numbers(blank(evidence.hit.passage.text, language), language)}
    return {value for value in values - answer if value >= _TELLING_NUMBER and value not in _YEARS}


def _shared_names(one: Evidence, other: Evidence) -> float:
    """Share (0..1) of the names of one article that the other has too; 0 if there are none."""
    text = _setting(other)
    wanted = _names(one, small=set(_WORD.findall(f"{one.hit.article.text} {other.hit.article.text}")))
    folded, script = fold_accents(text), _script(text)

    def held(word: str) -> bool:
        return _holds(folded, word) or (_script(word) != script and _heard(word, text))

    return sum(any(map(held, words)) for words in wanted) / max(len(wanted), 1)


def _setting(evidence: Evidence) -> str:
    return f"{evidence.hit.article.title}. {evidence.hit.passage.text}"


def _heard(word: str, text: str) -> bool:
    count = consonants(word)
    return count >= _CONSONANTS and distance(word, text) <= (_HEARD_LONG if count >= _LONG else _HEARD)


def _names(evidence: Evidence, small: Container[str]) -> list[tuple[str, ...]]:
    """The words of each name, the last ones first: "Minister Antony Blinken" is found by its end.

    A word of ``small``, those that stand in an article with a small letter, is no name. Common words, capitals or not,
    say little: there is a bridge in many articles. Where nothing else is left, they have to do.
    """
    language = evidence.hit.article.language
    text = f"{evidence.hit.article.title}. {evidence.quote} {evidence.hit.passage.text}"
    calendar = [(name.start, name.end) for name in calendar_names(text, language)]
    found = [
        [word for word in reversed(name.words) if len(word) > 2 and word.lower() not in small]
        for name in names(text, language)
        if not (name.initial and len(name.words) == 1) and not any(start <= name.start < end for start, end in calendar)
    ]
    telling = [tuple(word for word in words if not _is_common(word)) for words in found]
    chosen = dict.fromkeys(words for words in telling if words) or dict.fromkeys(
        tuple(words) for words in found if words
    )
    return list(chosen)[:_MOST_NAMES]


def _is_common(word: str) -> bool:
    """Whether a word is so frequent in any language that the encoder's vocabulary has it whole."""
    return word in vocabulary() or word.lower() in vocabulary()


def _holds(folded: str, word: str) -> bool:
    """Whether a text without accents has the word, a short ending aside."""
    stem = fold_accents(word)
    return bool(re.search(rf"(?<!\w){re.escape(stem[: max(4, len(stem) - 2)])}", folded))


def _script(text: str) -> str:
    """The script of most letters of a text."""
    letters = Counter(unicodedata.name(letter, "?").partition(" ")[0] for letter in text[:200] if letter.isalpha())
    return letters.most_common(1)[0][0] if letters else ""
