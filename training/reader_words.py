"""Words of a question or a passage said in another language, from word lists of two languages each.

A passage that keeps its order of words while its words change language teaches the reader that what words mean counts,
not how they are written (code-switching: Qin et al. 2020, "CoSDA-ML"). The answer itself is never touched.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from training.reader_data import Example

LEAST_WORDS = 2_000
"""Languages with fewer words are not taken."""

SHARE = (0.4, 1.0)
"""Between which and which share of a text's words are exchanged, where the lists have them."""

_WORD = re.compile(r"[^\W\d_]{3,}")
_ENDINGS = ("", "s", "es", "ed", "d", "ing", "ly")

WordLists = Mapping[str, Mapping[str, tuple[str, ...]]]
"""By target language: what a word of the source language is called there."""


def word_lists(terms: Iterable[Mapping[str, str]], source: str = "en") -> dict[str, dict[str, tuple[str, ...]]]:
    """Lists out of ``source`` from texts in several languages, of which only single words (as listed) are taken."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in terms:
        word = row.get(source, "").removeprefix("to ").lower()
        if not _WORD.fullmatch(word):
            continue
        for language, said in row.items():
            if language != source and len(said.split()) <= 2 and said not in found[language][word]:
                found[language][word].append(said)
    return {
        language: {word: tuple(said[:3]) for word, said in words.items()}
        for language, words in found.items()
        if len(words) >= LEAST_WORDS
    }


class WordExchange:
    """Says words of an example in other languages: of its question, of its passage, or of both."""

    def __init__(self, lists: WordLists, source: str = "en") -> None:
        self.lists = lists
        self.languages = sorted(lists)
        self.source = source

    def __call__(self, example: Example, chance: random.Random) -> Example:
        """The example with exchanged words; the answer stays as it is, and so does its place."""
        if example.language != self.source or not self.languages:
            return example
        sides = chance.choice(("question", "passage", "both"))
        question = example.question
        if sides != "passage":
            question = self._exchanged(question, chance.choice(self.languages), chance)
        if sides == "question":
            return replace(example, question=question)
        language = chance.choice(self.languages)
        before = self._exchanged(example.context[: example.start], language, chance)
        answer = example.context[example.start : example.end]
        after = self._exchanged(example.context[example.end :], language, chance)
        start = len(before)
        return replace(
            example,
            question=question,
            context=before + answer + after,
            start=start,
            end=start + len(answer),
            language=example.language,
        )

    def _exchanged(self, text: str, language: str, chance: random.Random) -> str:
        words, share = self.lists[language], chance.uniform(*SHARE)

        def said(match: re.Match[str]) -> str:
            word = match[0]
            if chance.random() >= share:
                return word
            found = next((words[stem] for stem in _stems(word.lower()) if stem in words), None)
            return word if found is None else chance.choice(found)

        return _WORD.sub(said, text)


def _stems(word: str) -> Iterable[str]:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: len(word) - len(ending)]
            yield stem
            if ending in ("ed", "ing", "es"):
                yield stem + "e"
