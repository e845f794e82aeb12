"""The language of a question.

Questions are short and full of names, where a statistical identifier alone errs most. So the script decides first,
then the small words of questions ("kapan", "wann"), then py3langid, with the languages at hand as a prior.
"""

import json
import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from qa.small_talk import languages_of

UNKNOWN = "und"

# Weights of the evidence for a language, chosen on the questions in tests/qa/test_language.py.
_QUESTION_WORD = 2.0
_FREQUENT_WORD = 1.0
_WITHOUT_ACCENTS = 0.6
_MAYBE_A_NAME = 0.5
_LETTER = 0.7
_MARK = 2.0
_STATISTICS = 1.5
_STATISTICS_TEMPERATURE = 4.0
_TELLING_SHARE = 0.15
_CANDIDATE = 0.4
_RARER = 0.3
_CLEAR_LEAD = 1.0
_ENOUGH = 2000  # characters

_QUOTED = re.compile('「[^」]*」|『[^』]*』|《[^》]*》|“[^”]*”|«[^»]*»|„[^“”]*[“”]|"[^"]*"')  # titles, mostly
_SEPARATORS = re.compile(
    r"[\s\u200c.,;:!?¿¡…·|/\\()\[\]{}<>«»‹›“”„‟\"‘‚`´*_+=~@#%&^$€£¥。、\uff0c\uff1f\uff01\uff1a\uff1b\uff5e\uff08\uff09「」『』《》〈〉・،؛؟۔।॥—–‐‑-]+"
)
_LIKE_ARABIC_IN_PERSIAN = str.maketrans({"ي": "ی", "ك": "ک", "ى": "ی", "ـ": None})
_KNOWN_AS = {"nb": "no", "nn": "no", "bs": "hr"}
_ALPHABETS = frozenset({"Cyrillic", "Greek", "Arabic", "Hebrew", "Armenian", "Georgian"})
"""Scripts whose letters say as much as Latin ones; a letter of the others stands for two or three."""
# Characters of one of the two: small words of Chinese, and forms that only Japan writes.
_CHINESE = frozenset("的了什么麼谁誰哪吗嗎是几幾多怎为為这這们們在和")
_JAPANESE = frozenset(
    "々〆駅県円団対図売広応歳気浜済渋発総実価戦経読関労働変続権検様帰転鉄楽桜沢稲歩毎黒徴恵悪拡拝抜択挿捜撃単厳囲圧塩壊挙仏仮伝児両乗亜込畑峠"
)


class _Word(NamedTuple):
    text: str
    letters: str
    """As typed: where Arabic and Persian letters differ, ``text`` holds the Persian ones."""
    weight: float
    """1 for a word, less for what may be a name, 0 for what looks like one."""


def identify(text: str, candidates: Collection[str] | None = None, *, default: str = UNKNOWN) -> str:
    """ISO 639-1 code of the language of a short question; ``default`` if it shows none (no letters, names alone).

    ``candidates``, such as the languages of the index and of the page, win between languages that fit alike.
    """
    text = unicodedata.normalize("NFC", text)[:_ENOUGH]
    unquoted = _QUOTED.sub(" ", text)
    text = unquoted if any(map(str.isalpha, unquoted)) else text
    script = _script(text)
    if script is None:
        return default
    languages = _scripts()[script].languages
    at_hand = frozenset(candidates or ())
    if spoken := [language for language in languages_of(text) if language in languages]:
        return next((language for language in spoken if language in at_hand), spoken[0])
    if script == "Han":
        return _chinese_or_japanese(text, at_hand)
    if len(languages) == 1:
        return languages[0]
    words = _words(text, cased=script in ("Latin", "Cyrillic"))
    scores = _evidence(text, words, languages)
    evident = any(scores.values())
    if not evident and not any(word.weight == 1 for word in words):
        return default
    for rank, language in enumerate(languages):
        scores[language] -= _RARER * rank / len(languages)
    best, second = sorted(scores.values(), reverse=True)[:2]
    if best - second < _CLEAR_LEAD:
        shares = _statistics(words, languages)
        if not evident and max(shares.values()) < _TELLING_SHARE:
            return default
        for language, share in shares.items():
            scores[language] += _STATISTICS * share
        for language in at_hand & scores.keys():
            scores[language] += _CANDIDATE
    return max(scores, key=lambda language: scores[language])


class _Script(NamedTuple):
    languages: tuple[str, ...]
    """Those written in it, the commoner first: the order decides when nothing else does."""
    letters: re.Pattern[str]


@cache
def _scripts() -> Mapping[str, _Script]:
    scripts = {}
    for name, fields in _data("scripts").items():
        ranges = ("-".join(chr(int(end, 16)) for end in pair.split("-")) for pair in fields["ranges"])
        scripts[name] = _Script(tuple(fields["languages"].split()), re.compile(f"[{''.join(ranges)}]"))
    return scripts


def _script(text: str) -> str | None:
    """The script that the question is asked in, whatever the names in it are written in."""
    counts = {name: len(script.letters.findall(text)) for name, script in _scripts().items()}
    latin = counts.pop("Latin")
    if counts["Kana"]:
        counts["Kana"] += counts.pop("Han")
    name = max(counts, key=lambda script: counts[script])
    if not counts[name]:
        return "Latin" if latin else None
    in_latin = [
        word for word in _words(text, cased=True) if word.weight and not _scripts()[name].letters.search(word.text)
    ]
    asks_in_latin = any(word.text in _latin_question_words() for word in in_latin)
    letters_a_syllable = 1 if name in _ALPHABETS else 2.5
    more_in_latin = sum(len(word.text) for word in in_latin) > counts[name] * letters_a_syllable
    return "Latin" if asks_in_latin or more_in_latin else name


@cache
def _latin_question_words() -> frozenset[str]:
    return frozenset(
        word for language in _scripts()["Latin"].languages for word in _data("words")[language]["question"].split()
    )


def _chinese_or_japanese(text: str, at_hand: Collection[str]) -> str:
    characters = set(text)
    if characters & _CHINESE or not ("ja" in at_hand or characters & _JAPANESE):
        return "zh"
    return "ja" if characters & _JAPANESE or "zh" not in at_hand else "zh"


def _words(text: str, *, cased: bool) -> list[_Word]:
    tokens = [token for token in _SEPARATORS.split(text.replace("\u2019", "'").replace("\u02bc", "'")) if token]
    shouted = sum(token.isupper() for token in tokens) > len(tokens) / 2
    words = []
    for position, token in enumerate(tokens):
        weight = 1.0
        if cased and not shouted and token[0].isupper():
            following = tokens[position + 1] if position + 1 < len(tokens) else ""
            if position or (token.isupper() and len(token) > 1):
                weight = 0.0
            elif len(tokens) == 1 or following[:1].isupper():
                weight = _MAYBE_A_NAME
        if any(character.isalpha() for character in token):
            words += [_Word(part.translate(_LIKE_ARABIC_IN_PERSIAN), part, weight) for part in _parts(token.casefold())]
    return words


def _parts(token: str) -> list[str]:
    """Split at an apostrophe: l'élection is the words l' and élection, what's the words what and s."""
    head, mark, tail = token.partition("'")
    if not mark:
        return [token]
    return [part for part in (head + mark if _weights().get(head + mark) else head, tail) if part]


def _fold(word: str) -> str:
    return "".join(mark for mark in unicodedata.normalize("NFD", word) if unicodedata.category(mark) != "Mn")


@cache
def _weights() -> Mapping[str, Mapping[str, float]]:
    """Word -> language -> weight: question words count most, words that many languages share least."""
    found: dict[str, dict[str, float]] = {}
    for language, fields in _data("words").items():
        for kind, weight in (("frequent", _FREQUENT_WORD), ("question", _QUESTION_WORD)):
            for word in fields[kind].translate(_LIKE_ARABIC_IN_PERSIAN).split():
                found.setdefault(word, {})[language] = weight
    most = math.log(len(_data("words")) + 1)
    return {
        word: {language: weight * (1 - math.log(len(weights)) / most) for language, weight in weights.items()}
        for word, weights in found.items()
    }


@cache
def _folded_weights() -> Mapping[str, Mapping[str, float]]:
    """The same for words typed without their accents."""
    found: dict[str, dict[str, float]] = {}
    for word, weights in _weights().items():
        folded = found.setdefault(_fold(word), {})
        for language, weight in weights.items():
            folded[language] = max(folded.get(language, 0.0), weight * _WITHOUT_ACCENTS)
    return found


def _evidence(text: str, words: list[_Word], languages: tuple[str, ...]) -> dict[str, float]:
    scores = dict.fromkeys(languages, 0.0)
    for word in words:
        exact, folded = _weights().get(word.text, {}), _folded_weights().get(_fold(word.text), {})
        for language in (exact.keys() | folded.keys()) & scores.keys():
            scores[language] += word.weight * max(exact.get(language, 0.0), folded.get(language, 0.0))
    letters = {letter for word in words if word.weight for letter in word.letters}
    for language in languages:
        scores[language] += _LETTER * min(3, len(letters & set(_data("words")[language]["letters"])))
    if "es" in scores and ("¿" in text or "¡" in text):
        scores["es"] += _MARK
    if "ar" in scores:
        scores["ar"] += _MARK / 4 * sum(word.text.startswith("ال") and len(word.text) > 4 for word in words)
    return scores


def _statistics(words: list[_Word], languages: tuple[str, ...]) -> dict[str, float]:
    """Share of each language by py3langid, names left out; all shares add up to 1."""
    from py3langid import rank

    text = " ".join(word.letters for word in words if word.weight)
    logs: dict[str, float] = {}
    for code, log in rank(text):
        language = _KNOWN_AS.get(code, code)
        if language in languages:
            logs[language] = max(float(log), logs.get(language, -math.inf))
    if "id" in logs and "ms" in logs:  # it cannot tell these two apart in a short text: the words decide
        logs["id"] = logs["ms"] = max(logs["id"], logs["ms"])
    top = max(logs.values())
    shares = {code: math.exp((log - top) / _STATISTICS_TEMPERATURE) for code, log in logs.items()}
    total = sum(shares.values())
    return {code: share / total for code, share in shares.items()}


@cache
def _data(name: str) -> Any:
    return json.loads(resources.files("qa").joinpath(f"data/language/{name}.json").read_text(encoding="utf-8"))
