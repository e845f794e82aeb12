"""Is a phrase supported by its evidence? Nothing is shown to a reader that brings what the evidence does not hold."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from qa.calendar_names import blank, calendar_names
from qa.names import CASED, compare, fold_accents
from qa.numerals import Number, fold, numbers
from qa.prompts import examples, label

LEAST_SIMILARITY = 0.78
"""Least cosine of multilingual-e5-small between a phrase and its evidence; see benchmarks/writer.py."""

_SURE = 7
"""Words that it takes to believe the identifier when it names a third language."""

_MARKUP = re.compile(r"https?://\S+|www\.\S+|</?[a-z][^>]*>|!?\[[^\]]*\]\([^)]*\)|```|\*\*|\{\{|^#+ ", re.IGNORECASE)
# Latin letters go on where other ones have begun; "ə" and Vietnamese vowels are Latin too.
_TWO_SCRIPTS = re.compile(r"(?<=[^\W\d_\u0000-\u02af\u1e00-\u1eff])[a-z]{2,}")
_OMISSION = re.compile(r"(name|number|month|weekday) left out: |much shorter than ")
_LABEL = r"(?:^|\s)(?:%s|Translation|Sentence)\s*[:\uff1a]"
_WIDTH = {"CJK": 3.0, "HIRAGANA": 2.0, "KATAKANA": 2.0, "HANGUL": 2.4}
_SCRIPTS = {
    "ko": ("HANGUL",),
    "ja": ("HIRAGANA", "KATAKANA", "CJK"),
    "zh": ("CJK",),
    "th": ("THAI",),
    "el": ("GREEK",),
    "he": ("HEBREW",),
    **dict.fromkeys(("ar", "fa", "ur"), ("ARABIC",)),
    **dict.fromkeys(("ru", "uk", "bg", "mk", "be"), ("CYRILLIC",)),
    **dict.fromkeys(("hi", "mr", "ne"), ("DEVANAGARI",)),
    "sr": ("CYRILLIC", "LATIN"),
}
_OWN_LETTERS = {"fa": "پچژگکی", "ar": "ةكيىإأ", "uk": "іїєґ", "ru": "ыэъё"}


@dataclass(frozen=True)
class Verdict:
    """Whether the evidence supports a phrase, and if not, why, in English."""

    supported: bool
    reasons: tuple[str, ...] = ()


def check(
    phrase: str,
    evidence: str,
    *,
    source: str,
    target: str,
    allowed: Sequence[str] = (),
    whole: bool = True,
    dates: Callable[[str, str], Collection[str]] | None = None,
    similarity: Callable[[str, str], float] | None = None,
) -> Verdict:
    """Compare a phrase with its evidence.

    Args:
        phrase: what would be shown.
        evidence: the sentence of the article, relative dates replaced by calendar dates or not.
        source: ISO 639-1 code of the evidence's language.
        target: ISO 639-1 code of the language that the phrase should be in.
        allowed: texts whose names and numbers may stand in the phrase too, such as the answer or an article's title.
        whole: whether the phrase has to say all that the evidence says (but for a negation, which it always has to).
        dates: gives the ISO 8601 dates of a text in a language; those of the phrase must be among the evidence's.
        similarity: cosine of two texts' vectors; a phrase that means something else is dropped.
    """
    phrase = " ".join(phrase.split())
    if not phrase:
        return Verdict(supported=False, reasons=("the phrase is empty",))
    new_names, lost_names = compare(phrase, target, evidence, source, allowed)
    reasons = [
        *_form(phrase, evidence, source, target),
        *_numbers(phrase, evidence, source, target, allowed),
        *_calendar(phrase, evidence, source, target, allowed),
        *(f"name not in the evidence: {name}" for name in new_names),
        *(f"name left out: {name}" for name in lost_names),
        *_negation(phrase, evidence, source, target),
    ]
    if dates and (
        new := set(dates(phrase, target)) - {day for text in (evidence, *allowed) for day in dates(text, source)}
    ):
        reasons.append(f"date not in the evidence: {', '.join(sorted(new))}")
    if similarity and (near := similarity(phrase, evidence)) < LEAST_SIMILARITY:
        reasons.append(f"another meaning (similarity {near:.2f})")
    if not whole:
        reasons = [reason for reason in reasons if not _OMISSION.match(reason)]
    return Verdict(supported=not reasons, reasons=tuple(dict.fromkeys(reasons)))


def _form(phrase: str, evidence: str, source: str, target: str) -> Iterator[str]:
    """What is wrong with a phrase whatever it says."""
    for match in _MARKUP.finditer(phrase):
        if match.group() not in evidence:
            yield f"markup or address not in the evidence: {match.group()[:40]}"
            break
    if (found := _labels().search(phrase)) and found.group().strip() not in evidence:
        yield "a piece of the prompt"
    if _is_example(phrase, target) and not _is_example(evidence, source):
        yield "an example of the prompt"
    for match in _TWO_SCRIPTS.finditer(phrase):
        if not re.search(rf"(?<!\w){match.group()}", evidence):
            yield f"a word of two scripts: ...{match.group()}"
            break
    size, whole = _width(phrase), _width(evidence)
    if size > 3 * whole + 20:
        yield "much longer than the evidence"
    if size < 0.25 * whole:
        yield "much shorter than the evidence"
    if _loops(phrase) and not _loops(evidence):
        yield "it repeats itself"
    if source != target and (wrong := _wrong_language(phrase, evidence, source, target)):
        yield wrong


def _is_example(text: str, language: str) -> bool:
    return language in examples() and any(_alike(text, known) for known in examples()[language]["sentences"])


def _wrong_language(phrase: str, evidence: str, source: str, target: str) -> str | None:
    letters = Counter(script for c in phrase if (script := _script(c)))
    total = sum(letters.values())
    if not total:
        return None
    wanted = _SCRIPTS.get(target, ("LATIN",))
    if sum(letters[script] for script in wanted) < 0.6 * total:
        return f"not in the script of {target}"
    if target == "ja" and total > 12 and not letters["HIRAGANA"] + letters["KATAKANA"]:
        return "not in the script of ja"
    own, other = _OWN_LETTERS.get(target, ""), _OWN_LETTERS.get(source, "")
    foreign = set(other) - set(own)
    if own and other and sum(c in foreign for c in phrase) > sum(c in set(own) - set(other) for c in phrase) + 2:
        return f"in the language {source}, not {target}"
    words = [word for word in re.findall(r"[^\W\d_]{2,}", phrase) if not word[0].isupper()]
    there = {word for word in re.findall(r"[^\W\d_]{2,}", evidence) if not word[0].isupper()}
    if words and _script(words[0][0]) == (_script(next(iter(there))[0]) if there else ""):
        shared = sum(word in there for word in words) / len(words)
        if shared > 0.6 and not _close(source, target):
            return f"in the language {source}, not {target}"
    return _identified(phrase, source, target)


def _identified(phrase: str, source: str, target: str) -> str | None:
    """Ask the language identifier, for words without names and numbers; near relatives are not told apart."""
    from qa.language import identify

    words = [word for word in re.findall(r"[^\W\d_]+", phrase) if target not in CASED or not word[0].isupper()]
    if len(words) < 4:
        return None
    found = identify(" ".join(words), (source, target))
    if found in (target, "und") or _close(found, target):
        return None
    if found != source and len(words) < _SURE:
        return None
    return f"in the language {found}, not {target}"


def _close(one: str, other: str) -> bool:
    return any(
        {one, other} <= group
        for group in (
            {"id", "ms"},
            {"no", "nb", "nn", "da"},
            {"hr", "sr", "bs"},
            {"zh", "yue"},
            {"hi", "ne", "mr"},
            {"fa", "ur", "ps"},
        )
    )


def _numbers(phrase: str, evidence: str, source: str, target: str, allowed: Sequence[str]) -> Iterator[str]:
    said = numbers(blank(phrase, target), target)
    known = numbers(blank(evidence, source), source)
    for text in allowed:
        known += numbers(blank(text, source), source) + numbers(blank(text, target), target)
    buddhist = "th" in (source, target)
    clock = _clock(phrase) or _clock(evidence)
    values = _values(known, _months(evidence, source), buddhist=buddhist, clock=clock)
    spoken = _values(said, _months(phrase, target), buddhist=buddhist, clock=clock)
    for number in said:
        if not number.implied and not number.values & values:
            yield f"number not in the evidence: {number.text}"
    for number in numbers(blank(re.sub(r"[(（][^)）]*[)）]", " ", evidence), source), source):
        if number.values & spoken or not number.values - {0.0, 1.0}:
            continue
        # A number in words may go ("a trip of two days", "a short trip"), unless another stands in its place
        if number.exact or (not number.ordinal and max(number.values) > 2 and said):
            yield f"number left out: {number.text}"


def _months(text: str, language: str) -> set[float]:
    return {float(name.value) for name in calendar_names(text, language) if name.kind == "month"}


def _values(found: list[Number], months: set[float], *, buddhist: bool, clock: bool) -> set[float]:
    """All values that the numbers may mean, also in the Buddhist era and on a clock of twelve hours."""
    values = {value for number in found for value in number.values} | months
    if buddhist:
        values |= {value + 543 for value in values} | {value - 543 for value in values}
    if clock:
        values |= {value + 12 for value in values if value <= 12} | {value - 12 for value in values if value > 12}
    return values


def _clock(text: str) -> bool:
    return bool(re.search(r"\d[:.]\d\d\b|\b[ap]\.?m\b|오전|오후|午前|午後|上午|下午|مساء|صباح", text.lower()))


def _calendar(phrase: str, evidence: str, source: str, target: str, allowed: Sequence[str]) -> Iterator[str]:
    """Months and weekdays by value; a month may also be a number in the evidence (11月, 8/11)."""
    said = {(name.kind, name.value): name for name in calendar_names(phrase, target)}
    known = {(name.kind, name.value) for name in calendar_names(evidence, source)}
    known |= {
        (n.kind, n.value) for text in allowed for language in (source, target) for n in calendar_names(text, language)
    }
    digits = {value for number in numbers(fold(evidence), source) for value in number.values}
    for kind, value in said:
        if (kind, value) not in known and not (kind == "month" and float(value) in digits):
            yield f"{kind} not in the evidence: {value}"
    spoken = {value for number in numbers(fold(phrase), target) for value in number.values}
    for name in calendar_names(re.sub(r"[(（][^)）]*[)）]", " ", evidence), source):
        told = (name.kind, name.value) in said or (name.kind == "month" and float(name.value) in spoken)
        if not told and not (name.kind == "weekday" and _beside_a_day(evidence, name.start, name.end)):
            yield f"{name.kind} left out: {name.value}"


def _beside_a_day(text: str, start: int, end: int) -> bool:
    """Whether a weekday stands beside the day of the month, which tells it: "Rabu (1/11)", "8日水曜"."""
    after = re.match(r"\w{0,3},?\s*[(（]?\d", text[end : end + 10])
    return bool(after or re.search(r"\d[日일]?,?\s*[(（]?$", text[max(0, start - 8) : start]))


def _negation(phrase: str, evidence: str, source: str, target: str) -> Iterator[str]:
    """A negation on one side alone, unless the other side has a word of a negative meaning ("failed to")."""
    ours, theirs = _polarity(target), _polarity(source)
    if not ours or not theirs:
        return
    lower, other = phrase.lower(), evidence.lower()
    if ours[0].search(lower) and not theirs[0].search(other) and not theirs[1].search(other):
        yield "a negation that the evidence does not have"
    if theirs[0].search(other) and not ours[0].search(lower) and not ours[1].search(lower):
        yield "the evidence's negation is left out"


@cache
def _polarity(language: str) -> tuple[re.Pattern[str], re.Pattern[str]] | None:
    table = json.loads(files("qa").joinpath("data/check/polarity.json").read_text(encoding="utf-8"))
    if language not in table:
        return None
    return re.compile(table[language]["no"]), re.compile(table[language]["soft"])


@cache
def _labels() -> re.Pattern[str]:
    from babel import Locale

    english = Locale.parse("en").languages
    known = {name for code in examples() for name in (label(code), english[code])}
    return re.compile(_LABEL % "|".join(map(re.escape, sorted(known))))


def _alike(one: str, other: str) -> bool:
    first, second = (set(re.findall(r"\w{3,}", fold_accents(text))) or set(text) for text in (one, other))
    return len(first & second) > 0.75 * max(len(first), len(second), 1)


def _script(character: str) -> str:
    """Script of a letter, as far as its Unicode name tells."""
    return unicodedata.name(character, "?").partition(" ")[0] if character.isalpha() else ""


def _width(text: str) -> float:
    """Length in Latin letters, roughly: a Chinese character says as much as three."""
    return sum(_WIDTH.get(_script(c), 1.0) for c in text if not c.isspace())


def _loops(text: str) -> bool:
    """Whether a word or group of words comes again and again."""
    words = fold(text).split()
    if re.search(r"(.{2,20}?)\1{3,}", text):
        return True
    for size in (1, 2, 3, 4):
        for at in range(len(words) - 3 * size + 1):
            group = words[at : at + size]
            if group == words[at + size : at + 2 * size] == words[at + 2 * size : at + 3 * size]:
                return True
    counts = Counter(zip(words, words[1:], words[2:], strict=False))
    return bool(counts) and max(counts.values()) > 2
