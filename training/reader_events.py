"""Short generated news about planned events: what happens when, and, as a distraction, when it was reported.

Question sets from encyclopedias hold neither "next Thursday" nor a dateline; news holds both in every article. The
words are in ``reader_events.json``; question and passage may be of different languages.
"""

import json
import random
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date

from training.reader_data import CITIES, Example

EVENTS = ("arrive", "leave", "meet", "open")
NAMES = (
    "Merkova",
    "Tanaka",
    "Okafor",
    "Hidayat",
    "Larsson",
    "Rossi",
    "Al-Masri",
    "Nguyen",
    "Fernández",
    "Kowalski",
    "Kim Ji-won",
    "Wang Lei",
    "Anita Sharma",
    "Joko Santoso",
    "Mary Thompson",
    "Pierre Dubois",
    "Erdem",
    "Sokolov",
    "Suharyanto",
    "Abebe",
    "Haddad",
    "Novak",
    "Baker",
    "Lim",
    "Costa",
    "Duarte",
    "Petrescu",
    "Jansen",
    "Silva",
)
TERRITORIES = (
    "KR",
    "JP",
    "US",
    "ID",
    "DE",
    "FR",
    "EG",
    "IN",
    "TH",
    "VN",
    "RU",
    "CN",
    "BR",
    "MX",
    "TR",
    "SA",
    "AU",
    "PH",
)


@dataclass(frozen=True)
class EventGenerator:
    """Draws examples; ``words`` is the content of ``reader_events.json``."""

    words: dict[str, dict[str, Any]]

    @classmethod
    def open(cls) -> "EventGenerator":
        """With the words that lie beside this file."""
        file = Path(__file__).with_name("reader_events.json")
        return cls(json.loads(file.read_text(encoding="utf-8")))

    def __call__(self, chance: random.Random) -> Example:
        """One to three events, in any order, with datelines; the question is about one of them, or about none."""
        language = "id" if chance.random() < 0.3 else chance.choice(list(self.words))
        asked = language if chance.random() < 0.35 else chance.choice(list(self.words))
        here, there = self.words[language], self.words[asked]
        name, other = chance.sample(NAMES, 2)
        place = chance.choice(TERRITORIES)
        values = {"k": str(chance.randint(2, 6)), "q": other, "c": _territory(language, place)}
        events = chance.sample(EVENTS, chance.randint(1, 3))
        days = chance.sample(here["when"], len(events))
        answerable = chance.random() < 0.75
        wanted = events[0] if answerable else next(event for event in EVENTS if event not in events)
        pieces, answer = [], ""
        person = chance.choice(here["people"]).format(n=name)
        for event, day in zip(events, days, strict=True):
            pieces.append(here[event].format(p=person, d=f"\x01{day}\x02" if event == wanted else day, **values))
        pieces += [_said(here, language, chance) for _ in range(chance.randint(0, 2))]
        chance.shuffle(pieces)
        text = (_dateline(language, chance) if chance.random() < 0.5 else "") + " ".join(map(_capital, pieces))
        question = chance.choice(there[f"q_{wanted}"]).format(
            p=chance.choice([name, name, chance.choice(there["people"]).format(n=name)]),
            q=other,
            c=_territory(asked, place),
        )
        start = text.find("\x01")
        if start < 0:
            return Example(question, text, language=language)
        end = text.index("\x02") - 1
        answer = text.replace("\x01", "").replace("\x02", "")
        start, end = _without_preposition(answer, start, end)
        return Example(question, answer, start, end, language)


PREPOSITIONS = ("am ", "im ", "el ", "on ", "в ", "na ", "no ")


def _without_preposition(text: str, start: int, end: int) -> tuple[int, int]:
    for word in PREPOSITIONS:
        if text.startswith(word, start):
            return start + len(word), end
    return start, end


def _capital(sentence: str) -> str:
    return sentence if sentence.startswith("\x01") else sentence[:1].upper() + sentence[1:]


def _territory(language: str, code: str) -> str:
    return str(Locale.parse(language).territories[code])


def _day(chance: random.Random) -> date:
    return date(2001, 1, 1) + timedelta(days=chance.randrange(9_000))


def _said(words: dict[str, Any], language: str, chance: random.Random) -> str:
    day = _day(chance)
    weekday = format_date(day, "EEEE", locale=language)
    when = chance.choice(
        [
            f"{weekday} ({day.day}/{day.month})",
            f"({day.day}/{day.month})",
            weekday,
            format_date(day, "d MMMM", locale=language),
        ]
    )
    return str(chance.choice(words["said"])).format(r=when)


def _dateline(language: str, chance: random.Random) -> str:
    day = _day(chance)
    weekday = format_date(day, "EEEE", locale=language)
    city = chance.choice(CITIES)
    return chance.choice(
        [
            f"{city}, {weekday} ({day.day}/{day.month}) - ",
            f"{city}, {format_date(day, 'MMM d', locale=language)} — ",
            f"{city} - ",
        ]
    )
