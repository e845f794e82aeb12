"""Finds the date expressions of a text and gives each its calendar date."""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache, partial
from typing import Any

from index.dates.doubt import believable
from index.dates.folding import fold, is_word
from index.dates.grammar import Parser, Reading, spoken
from index.dates.lexer import Lexer, make_trie
from index.dates.meaning import ImpossibleDateError, Meaning, Setting
from index.dates.mention import DateMention
from index.dates.rules import meaning
from index.dates.tense import Sentences
from index.dates.vocabulary import Vocabulary, load_vocabulary

_DASH = re.compile(r"\s*[-‐‑–—~〜～]\s*")


class Resolver:
    """Reads date expressions of one language; ``resolve`` may be called from several threads."""

    def __init__(self, language: str) -> None:
        self.vocabulary: Vocabulary = load_vocabulary(language)
        self.trie: dict[str, Any] = make_trie(self.vocabulary)
        starts = "".join(re.escape(character) for character in self.trie if character != "")
        self._start = re.compile(f"[0-9{starts}]")

    def resolve(self, text: str, published: date | None = None) -> list[DateMention]:
        """The date expressions of ``text`` in their order; without ``published`` only those that state their year."""
        return self._join_ranges(text, [mention for _, mention in self._mentions(text, published)])

    def dated_weekdays(self, text: str, published: date) -> list[tuple[DateMention, int]]:
        """Every weekday beside a day and month without a year ("Rabu (1/11)"), with the weekday (1 Monday .. 7)."""
        found = []
        for reading, mention in self._mentions(text, published):
            weekday = reading.get("w") or reading.get("ws") or reading.get("wx")
            if reading.rule == "date" and weekday and mention.kind == "partial":
                found.append((mention, int(weekday)))
        return found

    def _mentions(self, text: str, published: date | None) -> Iterator[tuple[Reading, DateMention]]:
        folded = fold(text)
        parser = Parser(Lexer(folded, self.vocabulary, self.trie))
        sentences = Sentences(folded, self.vocabulary.language)
        for reading, what in self._readings(parser, sentences, published):
            first, last = spoken(reading)
            start, end = folded.span(first, last)
            reporting = False
            if len(what.value) == 10:  # a week or a month is no dateline
                age = (published - date.fromisoformat(what.value)).days if published else 0
                if age >= 0:  # nobody has said it tomorrow
                    reporting = sentences.reports(first, last, dateline=what.dateline, recent=age <= 2)
            yield (
                reading,
                DateMention(
                    text=text[start:end],
                    start=start,
                    end=end,
                    value=what.value,
                    kind=what.kind,
                    derived=what.derived,
                    reporting=reporting,
                    conflict=what.conflict,
                ),
            )

    def _readings(
        self, parser: Parser, sentences: Sentences, published: date | None
    ) -> Iterator[tuple[Reading, Meaning]]:
        text = parser.text
        position = 0
        while (match := self._start.search(text, position)) is not None:
            position = match.start()
            if not self._may_begin(text, position):
                position += 1
                continue
            blocked = max(
                (
                    end
                    for end, senses in parser.lexer.at(position)
                    if any(sense.symbol == "blocked" for sense in senses)
                ),
                default=0,
            )
            if blocked:
                position = blocked
                continue
            end = position + 1
            for reading in parser.readings(position):
                first, last = spoken(reading)

                setting = Setting(
                    published,
                    self.vocabulary,
                    tense=partial(sentences.tense, first, last),
                    tense_of_date=partial(sentences.tense_of_date, first, last),
                )
                try:
                    what = meaning(reading, setting)
                except ImpossibleDateError:
                    end = reading.end
                    break
                if what is not None and believable(reading, parser.lexer):
                    yield reading, what
                    end = reading.end
                    break
            position = end

    def _may_begin(self, text: str, position: int) -> bool:
        if position == 0 or self.vocabulary.spaceless:
            return True
        before, here = text[position - 1], text[position]
        if not is_word(before) and (before != "'" or position < 2 or not is_word(text[position - 2])):
            return True
        if is_word(before) and before.isdigit() != here.isdigit():
            return here.isdigit() and not before.isascii()
        for prefix in self.vocabulary.prefixes:
            start = position - len(prefix)
            if start >= 0 and text.startswith(prefix, start) and (start == 0 or not is_word(text[start - 1])):
                return True
        return False

    def _join_ranges(self, text: str, mentions: list[DateMention]) -> list[DateMention]:
        """ "2019-2021", "1 November – 3 December 2023": two dates of one precision with a dash between them."""
        joined: list[DateMention] = []
        for mention in mentions:
            last = joined[-1] if joined else None
            first = last and self._with_year_of(last, mention)
            if (
                last is not None
                and first
                and "/" not in first + mention.value
                and len(first) == len(mention.value)
                and first < mention.value
                and _DASH.fullmatch(text, last.end, mention.start)
            ):
                joined[-1] = last.model_copy(
                    update={
                        "text": text[last.start : mention.end],
                        "end": mention.end,
                        "value": f"{first}/{mention.value}",
                        "kind": "range",
                        "reporting": False,
                        "conflict": last.conflict or mention.conflict,
                    }
                )
            else:
                joined.append(mention)
        return joined

    def _with_year_of(self, first: DateMention, last: DateMention) -> str:
        """The first date of a range; one without a year takes that of the last ("1 November - 3 December 2023")."""
        if first.kind != "partial" or last.kind != "absolute" or len(first.value) not in (7, 10):
            return first.value
        year = int(last.value[:4])
        return f"{year - (first.value[4:] > last.value[4:]):04d}{first.value[4:]}"


@lru_cache(maxsize=64)
def resolver(language: str) -> Resolver:
    """The resolver of a language, made once."""
    return Resolver(language)


def resolve(text: str, published: date | None, language: str) -> list[DateMention]:
    """The date expressions of ``text`` with their calendar dates, in their order; they do not overlap.

    Relative and incomplete ones count from ``published`` and are left out without it. ``language`` is an ISO 639-1
    code. Never raises on any text.
    """
    return resolver(language.replace("_", "-").split("-")[0].lower()).resolve(text, published)
