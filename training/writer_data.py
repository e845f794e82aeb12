"""Examples that the writer's adapter learns from: the same text in several languages, as trees of prompts.

A tree begins with a sentence in one language; its branches say the same in other languages, or name a part of it, which
other languages then say. All branches share the beginning, so that it is computed once.
Every tree is drawn from (seed, number), so that a resumed run sees what an uninterrupted one would have seen.
"""

import json
import random
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType

from index.sentences import sentences
from qa.calendar_text import date_text
from qa.prompts import clean, examples, label, line
from training.reader_data import XQUAD_HELD_BACK, XQUAD_LANGUAGES
from training.writer_texts import Parallel

UDHR = {
    "en": "eng", "id": "ind", "ms": "mly_latn", "ko": "kor", "ja": "jpn", "zh": "cmn_hans", "ar": "arb", "es": "spa",
    "fr": "fra", "de": "deu", "it": "ita", "nl": "nld", "pt": "por_BR", "ru": "rus", "uk": "ukr", "pl": "pol",
    "tr": "tur", "vi": "vie", "th": "tha", "hi": "hin", "fa": "pes_1", "sw": "swh", "el": "ell_monotonic", "ro": "ron",
}  # fmt: skip
"""Names of the declaration's texts."""

WEIGHTS = {"en": 3.0, "de": 2.0, "ru": 2.0, "zh": 2.0, "ar": 2.0, "vi": 1.5, "id": 2.0, "ja": 1.5, "ko": 1.5}
"""How often a language is drawn, where it is not once: those that most news and most readers have."""

LEARNED, JUDGED = slice(None, -XQUAD_HELD_BACK), slice(-XQUAD_HELD_BACK, -XQUAD_HELD_BACK // 2)
"""Articles that are learned from, and those of the held-back ones by which a checkpoint is chosen."""

_LONGEST = 420  # characters of a text that is learned
_GROUP = 500  # so many terms of a pair of languages are worth to be drawn as often as those of others
_BRANCHES = {"name": 5, "country": 4, "place": 4, "prose": 2}
_ARTICLES = 30
_HEADING = 24  # characters: "Article 1", "ماده چهارم:"


@dataclass(frozen=True)
class Node:
    """A stretch of a prompt, what is to be written after it (or nothing), and what may follow instead of that."""

    given: str
    written: str = ""
    branches: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Paragraph:
    """A parallel paragraph: its sentences in each language, and its marked parts.

    ``parts`` maps a language to (number of the sentence, the part) of each question, None where it crosses sentences.
    """

    sentences: dict[str, list[str]]
    parts: dict[str, list[tuple[int, str] | None]]
    questions: list[Parallel]

    def parallel(self, one: str, other: str) -> bool:
        """Whether the two languages divide the paragraph into as many sentences of like lengths."""
        ours, theirs = self.sentences[one], self.sentences[other]
        if len(ours) != len(theirs) or len(ours) == 1:
            return False
        ratio = sum(map(len, ours)) / sum(map(len, theirs))
        return all(ratio / 2 < (len(a) + 10) / (len(b) + 10) < 2 * ratio for a, b in zip(ours, theirs, strict=True))


def read_paragraphs(folder: Path, articles: slice) -> list[Paragraph]:
    """Articles of XQuAD's development half, the languages side by side."""
    files = {
        language: json.loads((folder / f"xquad.{language}.json").read_text(encoding="utf-8"))["data"]
        for language in XQUAD_LANGUAGES
    }
    columns = {
        language: [paragraph for article in known[articles] for paragraph in article["paragraphs"]]
        for language, known in files.items()
    }
    found = []
    for number in range(len(columns["en"])):
        row = {language: column[number] for language, column in columns.items()}
        order = [item["id"] for item in row["en"]["qas"]]
        asked = {language: {item["id"]: item for item in part["qas"]} for language, part in row.items()}
        bounds = {language: sentences(part["context"], language) for language, part in row.items()}
        found.append(
            Paragraph(
                {
                    language: [row[language]["context"][start:end] for start, end in bounds[language]]
                    for language in row
                },
                {
                    language: [_part(asked[language][name]["answers"][0], bounds[language]) for name in order]
                    for language in row
                },
                [{language: asked[language][name]["question"] for language in row} for name in order],
            )
        )
    return found


def _part(answer: Mapping[str, object], bounds: Sequence[tuple[int, int]]) -> tuple[int, str] | None:
    text, start = str(answer["text"]), int(str(answer["answer_start"]))
    inside = [number for number, (a, b) in enumerate(bounds) if a <= start and start + len(text) <= b]
    return (inside[0], text.strip()) if inside else None


def read_udhr(archive: Path) -> list[Parallel]:
    """Paragraphs of the articles of the Universal Declaration, where a language divides an article like English."""
    with zipfile.ZipFile(archive) as opened:
        texts = {language: opened.read(f"udhr2/{name}.txt").decode("utf-8") for language, name in UDHR.items()}
    divided = {language: _articles(text) for language, text in texts.items()}
    found = []
    for number, paragraphs in enumerate(divided["en"]):
        same = {
            language: articles[number]
            for language, articles in divided.items()
            if len(articles) == len(divided["en"]) and len(articles[number]) == len(paragraphs)
        }
        found += [{language: same[language][place] for language in same} for place in range(len(paragraphs))]
    return found


def _articles(text: str) -> list[list[str]]:
    """Paragraphs of each article, without headings and numbers."""
    stretches = list(filter(None, (stretch.strip("\ufeff \t\r") for stretch in text.splitlines())))
    short = [stretch for stretch in stretches if len(stretch) <= _HEADING]
    begins = Counter(stretch[0] for stretch in short).most_common(1)[0][0]
    numbered = [stretch for stretch in short if re.search(r"\d|\b[IVX]+\b", stretch)]
    headings = numbered if len(numbered) == _ARTICLES else [stretch for stretch in short if stretch[0] == begins]
    articles: list[list[str]] = []
    for stretch in stretches:
        if stretch in headings:
            articles.append([])
        elif articles:
            articles[-1].append(re.sub(r"^[(（]?\w{1,3}[.)）．、]\s*", "", stretch))
    return [article for article in articles if article]


def names_of_the_world(languages: Sequence[str]) -> list[Parallel]:
    """Countries, languages, currencies and cities, through CLDR."""
    from babel import Locale

    locales = {language: Locale.parse("zh_Hans" if language == "zh" else language) for language in languages}
    found = []
    for kind in ("territories", "languages", "currencies"):
        for code in getattr(locales["en"], kind):
            row = {language: getattr(locale, kind).get(code) for language, locale in locales.items()}
            found.append({language: name for language, name in row.items() if name and name != code})
    for zone in locales["ko"].time_zones:
        english = zone.rpartition("/")[2].replace("_", " ")
        row = {language: locale.time_zones.get(zone, {}).get("city") for language, locale in locales.items()}
        latin = dict.fromkeys(("en", "id", "ms", "de", "fr", "nl", "sw"), english)
        found.append({**latin, **{language: name for language, name in row.items() if name}})
    return [row for row in found if len(row) > len(languages) // 2]


def places_of_the_world() -> list[Parallel]:
    """Provinces and districts, through the iso-codes that pycountry carries: the one list that respells many names."""
    import gettext

    import pycountry

    found: dict[str, Parallel] = {}
    for language, name in {
        "zh": "zh_CN",
        "ja": "ja",
        "ru": "ru",
        "uk": "uk",
        "hi": "hi",
        "th": "th",
        "el": "el",
    }.items():
        catalogue = gettext.translation("iso3166-2", pycountry.LOCALES_DIR, languages=[name])
        for division in pycountry.subdivisions:
            respelt = catalogue.gettext(division.name)
            if respelt != division.name and "(" not in respelt:
                found.setdefault(division.name, {"en": division.name})[language] = respelt
    return list(found.values())


def by_languages(texts: Sequence[Parallel]) -> list[list[Parallel]]:
    """Texts in many languages, and those in two, each pair for itself: of some pairs there are a hundred times more."""
    groups: dict[frozenset[str], list[Parallel]] = {}
    for text in texts:
        languages = frozenset(text)
        groups.setdefault(languages if len(languages) == 2 else frozenset(), []).append(text)
    return [group for _, group in sorted(groups.items(), key=lambda item: sorted(item[0])) if len(group) > _GROUP]


class Mixture:
    """Draws trees, of many kinds of text.

    Parts and sentences of XQuAD, its questions, the declaration, names, terms and prose of other texts, dates and own
    examples.
    """

    SHARES = (
        ("paragraph", 0.20),
        ("question", 0.05),
        ("declaration", 0.01),
        ("prose", 0.10),
        ("term", 0.26),
        ("name", 0.26),
        ("country", 0.05),
        ("place", 0.03),
        ("day", 0.03),
        ("own", 0.01),
    )

    def __init__(
        self,
        paragraphs: Sequence[Paragraph],
        declaration: Sequence[Parallel],
        texts: Mapping[str, Sequence[Parallel]] = MappingProxyType({}),
        *,
        seed: int = 0,
    ) -> None:
        self.paragraphs = paragraphs
        self.seed = seed
        known = examples()
        own = [
            {code: known[code]["sentences"][number] for code in known}
            for number in range(len(known["en"]["sentences"]))
        ]
        self.texts: dict[str, Sequence[Parallel]] = {
            "question": [question for paragraph in paragraphs for question in paragraph.questions],
            "declaration": declaration,
            "country": names_of_the_world(tuple(UDHR)),
            "place": places_of_the_world(),
            "own": own,
            "name": texts.get("name", ()),
            "prose": texts.get("prose", ()),
        }
        self.terms = by_languages(texts.get("term", ()))
        self.kinds = [(name, share) for name, share in self.SHARES if self._has(name)]

    def _has(self, kind: str) -> bool:
        if kind in ("term", "paragraph"):
            return bool(self.terms if kind == "term" else self.paragraphs)
        return kind == "day" or bool(self.texts[kind])

    def draw(self, number: int) -> Node:
        """Tree ``number`` of the endless stream."""
        chance = random.Random(self.seed * 1_000_003 + number)
        kind = chance.choices([name for name, _ in self.kinds], [share for _, share in self.kinds])[0]
        if kind == "paragraph":
            return _of_paragraph(chance.choice(self.paragraphs), chance)
        if kind == "day":
            day = (date(1900, 1, 1) + timedelta(days=chance.randrange(48_000))).isoformat()
            weekday = chance.random() < 0.6
            return _of_text({language: date_text(day, language, weekday=weekday) for language in UDHR}, 4, chance)
        texts = chance.choice(self.terms) if kind == "term" else self.texts[kind]
        return _of_text(chance.choice(texts), _BRANCHES.get(kind, 3), chance)


def _of_text(text: Parallel, branches: int, chance: random.Random) -> Node:
    """One text, said in some other languages."""
    text = {language: said for language, said in text.items() if len(said) <= _LONGEST}
    if len(text) < 2:
        return Node("")
    source, *targets = draw_languages(tuple(text), branches + 1, chance)
    text = with_other_numbers({language: text[language] for language in (source, *targets)}, chance)
    return Node(line(clean(text[source]), source), branches=tuple(_said(text[target], target) for target in targets))


def _of_paragraph(paragraph: Paragraph, chance: random.Random) -> Node:
    """A sentence with parts that answer questions, said in other languages; the sentence too, where it is known."""
    source = draw_languages(tuple(paragraph.sentences), 1, chance)[0]
    marked = sorted({part[0] for part in paragraph.parts[source] if part})
    if not marked:
        return Node("")
    number = chance.choice(marked)
    others = [other for other in paragraph.sentences if other != source]
    same = [other for other in others if paragraph.parallel(source, other)]
    sentence = paragraph.sentences[source][number]
    branches = []
    if same and len(sentence) <= _LONGEST:
        chosen = draw_languages(tuple(same), 1, chance)
        said = {target: paragraph.sentences[target][number] for target in chosen}
        branches = [_said(text, target) for target, text in said.items() if len(text) <= _LONGEST]
    here = [place for place, part in enumerate(paragraph.parts[source]) if part and part[0] == number]
    shown = clean(sentence, paragraph.parts[source][here[0]][1])
    for place in chance.sample(here, min(4, len(here))):
        part = paragraph.parts[source][place][1]
        if part not in shown:
            continue
        known = tuple(other for other in others if paragraph.parts[other][place])
        targets = draw_languages(known, 4, chance)
        renderings = tuple(_said(paragraph.parts[target][place][1], target) for target in targets)
        branches.append(Node(line(clean(part), source), branches=renderings))
    return Node(line(shown, source), branches=tuple(branches))


def _said(text: str, target: str) -> Node:
    return Node(f"{label(target)}:", f" {clean(text)}\n")


def draw_languages(languages: Sequence[str], count: int, chance: random.Random) -> list[str]:
    """Up to ``count`` different languages, the weighty ones oftener."""
    keyed = sorted(languages, key=lambda language: chance.random() ** (1 / WEIGHTS.get(language, 1.0)), reverse=True)
    return keyed[:count]


def with_other_numbers(text: Parallel, chance: random.Random) -> Parallel:
    """Put other digits in the place of a number that all languages write alike, so that numbers are read, not known."""
    if chance.random() < 0.4:
        return text
    common = set.intersection(*(set(re.findall(r"[0-9]{2,}", said)) for said in text.values()))
    for number in sorted(common):
        other = str(chance.randrange(10 ** (len(number) - 1), 10 ** len(number)))
        if len(number) == 4 and number[0] in "12":
            other = str(chance.randrange(1100, 2040))
        text = {language: re.sub(rf"(?<![0-9]){number}(?![0-9])", other, said) for language, said in text.items()}
    return text
