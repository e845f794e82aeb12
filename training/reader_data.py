"""Examples that the reader learns from: question sets in SQuAD JSON, made harder the way news makes them.

Every example is drawn from (seed, number), so that a resumed run sees what an uninterrupted one would have seen.
"""

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from babel.dates import format_date

XQUAD_LANGUAGES = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")
XQUAD_HELD_BACK = 4
"""Of XQuAD's development articles, so many (the last ones) are never trained on."""

ENGLISH = XQUAD_LANGUAGES.index("en")

CITIES = ("SEOUL", "Jakarta", "WASHINGTON", "Tokyo", "London", "KYIV", "Manila", "Cairo", "BEIJING", "Madrid", "Moskow")
NEIGHBOURS = 150
"""A near passage is the one of so many random ones that shares most words with the question."""


@dataclass(frozen=True)
class Example:
    """A question, a passage, and where in it the answer lies; ``start == end`` means that it holds none."""

    question: str
    context: str
    start: int = 0
    end: int = 0
    language: str = "en"

    @property
    def answerable(self) -> bool:
        """Whether the passage holds the answer."""
        return self.end > self.start


@dataclass
class Source:
    """One question set and its share of the examples drawn."""

    name: str
    share: float
    examples: Sequence[Example]
    contexts: list[str] = field(init=False)
    words: list[frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.contexts = sorted({example.context for example in self.examples})
        self.words = [words_of(context) for context in self.contexts]


def answer_of(example: Example) -> str:
    """The answering words."""
    return example.context[example.start : example.end]


def words_of(text: str) -> frozenset[str]:
    """Words in lower case, and pairs of characters of the scripts that write without spaces."""
    found = set(re.findall(r"\w{3,}", text.lower()))
    unspaced = re.findall(r"[\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff]", text)
    return frozenset(found | {first + second for first, second in pairwise(unspaced)})


def read_squad(file: Path, language: str) -> dict[str, list[Example]]:
    """Examples of a SQuAD JSON file by article title; answers whose offsets are wrong are left out."""
    articles: dict[str, list[Example]] = {}
    for number, article in enumerate(json.loads(file.read_text(encoding="utf-8"))["data"]):
        found = articles.setdefault(f"{number}", [])
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            for item in paragraph["qas"]:
                if item.get("is_impossible") or not item["answers"]:
                    found.append(Example(item["question"], context, language=language))
                    continue
                answer = item["answers"][0]
                start, end = answer["answer_start"], answer["answer_start"] + len(answer["text"])
                if context[start:end] == answer["text"] and answer["text"].strip():
                    found.append(Example(item["question"], context, start, end, language))
    return articles


def flat(articles: dict[str, list[Example]]) -> list[Example]:
    """All examples of all articles."""
    return [example for examples in articles.values() for example in examples]


def read_xquad(folder: Path, *, held_back: bool) -> tuple[list[Example], list[list[Example]]]:
    """XQuAD's development half: examples in one language, and the same question in every language, grouped."""
    by_language: list[list[Example]] = []
    for language in XQUAD_LANGUAGES:
        articles = list(read_squad(folder / f"xquad.{language}.json", language).values())
        part = articles[-XQUAD_HELD_BACK:] if held_back else articles[:-XQUAD_HELD_BACK]
        by_language.append([example for article in part for example in article])
    counts = {len(examples) for examples in by_language}
    if len(counts) != 1:
        msg = f"the XQuAD files in {folder} are not parallel: {sorted(counts)} questions"
        raise ValueError(msg)
    return [example for examples in by_language for example in examples], list(
        map(list, zip(*by_language, strict=True))
    )


def crossed(group: Sequence[Example], chance: random.Random) -> Example:
    """The question of one language over the passage of another."""
    asked, read = chance.sample(range(len(group)), 2)
    return replace(group[read], question=group[asked].question)


def kind_of_answer(question: str, answer: str) -> str | None:
    """What may stand for what: the (English) question's word and whether the answer holds digits; None: nothing."""
    asks = re.search(r"\b(?:who|whom|whose|when|where|how many|how much|what year)\b", question.lower())
    digits = bool(re.search(r"[0-9]", answer))
    return f"{asks.group() if asks else 'number'} {digits}" if asks or digits else None


def with_other_answer(
    group: Sequence[Example], asked: int, read: int, alike: Sequence[Sequence[Example]], chance: random.Random
) -> Example:
    """The question in one language over the passage in another, in which another answer of its kind now stands.

    Few questions seen in many languages are soon known by heart; so the passage has to be read.
    """
    example, other = group[read], chance.choice(alike)[read]
    answer, text = answer_of(example), answer_of(other)
    question = group[asked].question
    if text in example.context or answer in question or len(text) > 3 * len(answer) + 20:
        return replace(example, question=question)
    before = example.context[: example.start].replace(answer, text)
    context = before + text + example.context[example.end :].replace(answer, text)
    return replace(example, question=question, context=context, start=len(before), end=len(before) + len(text))


def with_dateline(example: Example, chance: random.Random) -> Example:
    """Put in when the news was told, which answers no question about when it happens."""
    day = date(2001, 1, 1) + timedelta(days=chance.randrange(9_000))
    city, language = chance.choice(CITIES), example.language
    if chance.random() < 0.5:
        short = format_date(day, "MMM d", locale=language)
        weekday = format_date(day, "EEEE", locale=language)
        mark = chance.choice(
            [
                f"{city}, {weekday} ({day.day}/{day.month}) - ",
                f"{city}, {short} — ",
                f"{city} ({short}) - ",
                f"{format_date(day, 'long', locale=language)} - ",
            ]
        )
        position = 0
    else:
        ends = [match.start() for match in re.finditer(r"(?<=\w)[.。।](?=\s|$)", example.context)]
        outside = [place for place in ends if not example.start <= place < example.end]
        if not outside:
            return example
        position = chance.choice(outside)
        weekday = format_date(day, "EEEE", locale=language)
        mark = chance.choice(
            [
                f", {weekday} ({day.day}/{day.month})",
                f" ({day.day}/{day.month})",
                f", {weekday} ({day.day}/{day.month}/{day.year})",
            ]
        )
    context = example.context[:position] + mark + example.context[position:]
    shift = len(mark) if example.answerable and position <= example.start else 0
    return replace(example, context=context, start=example.start + shift, end=example.end + shift)


class Mixture:
    """Draws examples from the sources, a part of them made unanswerable or given a dateline."""

    def __init__(  # noqa: PLR0913 -- shares of this and that
        self,
        sources: Sequence[Source],
        generated: Callable[[random.Random], Example],
        *,
        generated_share: float = 0.05,
        crossed_groups: Sequence[Sequence[Example]] = (),
        crossed_share: float = 0.0,
        swapped_share: float = 0.0,
        foreign_share: float = 0.12,
        dateline_share: float = 0.15,
        seed: int = 0,
    ) -> None:
        self.sources = sources
        self.generated = generated
        self.generated_share = generated_share
        self.crossed_groups = crossed_groups
        self.crossed_share = crossed_share
        self.swapped_share = swapped_share
        kinds = [kind_of_answer(group[ENGLISH].question, answer_of(group[ENGLISH])) for group in crossed_groups]
        self.alike = [
            [other for other, kind in zip(crossed_groups, kinds, strict=True) if kind == own] if own else [group]
            for own, group in zip(kinds, crossed_groups, strict=True)
        ]
        self.foreign_share = foreign_share
        self.dateline_share = dateline_share
        self.seed = seed

    def draw(self, number: int) -> Example:
        """Example ``number`` of the endless stream."""
        chance = random.Random(self.seed * 1_000_003 + number)
        share = chance.random()
        if share < self.generated_share:
            return self.generated(chance)
        if share < self.generated_share + self.crossed_share:
            number = chance.randrange(len(self.crossed_groups))
            group = self.crossed_groups[number]
            if chance.random() < self.swapped_share:
                asked, read = (chance.randrange(len(group)) for _ in range(2))
                example = with_other_answer(group, asked, read, self.alike[number], chance)
            else:
                example = crossed(group, chance)
            source = next(source for source in self.sources if source.name == f"xquad.{example.language}")
        else:
            source = chance.choices(self.sources, [source.share for source in self.sources])[0]
            example = chance.choice(source.examples)
        if example.answerable and chance.random() < self.foreign_share:
            example = self._foreign(example, source, chance)
        if chance.random() < self.dateline_share:
            example = with_dateline(example, chance)
        return example

    def _foreign(self, example: Example, source: Source, chance: random.Random) -> Example:
        """The same question over a passage that does not answer it: a near one, or any of another set."""
        answer = answer_of(example)
        if chance.random() < 0.3:
            other = chance.choice(chance.choice(self.sources).contexts)
        else:
            wanted = words_of(example.question)
            numbers = chance.sample(range(len(source.contexts)), min(NEIGHBOURS, len(source.contexts)))
            numbers = [number for number in numbers if answer not in source.contexts[number]]
            if not numbers:
                return example
            other = source.contexts[max(numbers, key=lambda number: len(wanted & source.words[number]))]
        if other == example.context or answer in other:
            return example
        return replace(example, context=other, start=0, end=0)
