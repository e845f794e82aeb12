"""Whether a sentence speaks of the past or of the future, and whether a date in it says when somebody spoke."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from index.dates.folding import Folded, fold_words
from index.dates.vocabulary import Vocabulary, load_vocabulary

Tense = Literal["past", "future", "unknown"]

_SENTENCE_END = re.compile(r"[!?\n…]|\.(?=[\s\"'”’)]|$)|(?<=[^\x00-\x7f])\.")
_CLAUSE_END = re.compile(r"[,;:]|\s-\s")
_REACH = 400
_GOVERNED = 12
_DATELINE_REACH = 80
_CASELESS_REACH = 24
_LEAD = 60
_HEAD = 500
_AFTER_DATELINE = re.compile(
    r" ?(?:\([^)\n]{1,40}\)|[,/][^\n().,]{1,25})?\s*(?:--?(?!\w)|電|电|=|\(?(?:xinhua|新华|新華))"
)


@dataclass(frozen=True, slots=True)
class Markers:
    """Compiled tense markers and verbs of saying of one language; a pattern that never matches where there are none."""

    past: re.Pattern[str]
    future: re.Pattern[str]
    verbs: re.Pattern[str]
    before: re.Pattern[str]
    """What may stand between a verb of saying and a date that belongs to it."""
    quote: re.Pattern[str]
    """What ends reported speech in front of its verb (Japanese と): a date before it belongs to what was said."""
    topic: re.Pattern[str]
    """What ends the topic of a sentence (Japanese は); anchored at the end."""
    target: re.Pattern[str]
    """What stands right in front of a date that something is moved to ("until"); anchored at the end."""
    default: Tense
    """What a clause without any marker speaks of, where the past always shows (Slavic languages)."""


@lru_cache(maxsize=256)
def load_markers(language: str) -> Markers:
    """The markers of a language, from the ``tense`` and ``reporting`` tables of its usage file."""
    vocabulary = load_vocabulary(language)
    tense, reporting = vocabulary.tense, vocabulary.reporting
    return Markers(
        past=_pattern(vocabulary, "past", tense),
        future=_pattern(vocabulary, "future", tense),
        verbs=_pattern(vocabulary, "verbs", reporting),
        before=_pattern(vocabulary, "between", reporting),
        quote=re.compile(_alternatives(reporting.get("quote", "")) or "(?!)"),
        topic=re.compile(rf"(?:{_alternatives(reporting.get('topic', '')) or '(?!)'})\s*$"),
        target=re.compile(rf"(?<!\w)(?:{_alternatives(tense.get('target', '')) or '(?!)'})\s+$"),
        default="future" if tense.get("default") == "future" else "unknown",
    )


def _pattern(vocabulary: Vocabulary, key: str, table: dict[str, str]) -> re.Pattern[str]:
    """Matches the words of ``key``, and words with its ``_endings`` or ``_beginnings``."""
    whole = _alternatives(table.get(key, ""))
    if vocabulary.spaceless or vocabulary.language == "ko":
        return re.compile(whole or r"(?!)")
    choices = []
    if whole:
        choices.append(rf"(?<!\w)(?:{whole})(?!\w)")
    if endings := _alternatives(table.get(f"{key}_endings", "")):
        choices.append(rf"\w\w(?:{endings})(?!\w)")
    if beginnings := _alternatives(table.get(f"{key}_beginnings", "")):
        others = _alternatives(table.get(f"{key}_beginnings_except", "")) or "(?!)"
        choices.append(rf"(?<!\w)(?!{others})(?:{beginnings})\w{{3}}")
    return re.compile("|".join(choices) or r"(?!)")


def _alternatives(words: str) -> str:
    forms = {fold_words(word) for word in words.split("|") if word}
    return "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))


class Sentences:
    """Tense and speech around the places of one text."""

    def __init__(self, folded: Folded, language: str) -> None:
        self.folded = folded
        self.text = folded.text
        self.language = language
        self.markers = load_markers(language)

    def bounds(self, start: int, end: int) -> tuple[int, int]:
        """The sentence around a stretch, at most 400 characters to either side."""
        left = max(0, start - _REACH)
        for match in _SENTENCE_END.finditer(self.text, left, start):
            if not self._abbreviation(match.start()):
                left = match.end()
        right = min(len(self.text), end + _REACH)
        for match in _SENTENCE_END.finditer(self.text, end, right):
            if not self._abbreviation(match.start()):
                right = match.start()
                break
        return left, right

    def tense(self, start: int, end: int) -> Tense:
        """For a weekday: by the nearest marker in the clause, else in the sentence; verbs of saying count as past."""
        left, right, clause_left, clause_right = self._scopes(start, end)
        found = self._nearest(start, end, clause_left, clause_right, speech="past")
        if found == "unknown":
            found = self._nearest(start, end, left, right, speech="past")
        if found == "unknown" and self.markers.target.search(self.text[max(left, start - 24) : start]):
            return "future"  # "until Friday"
        return self.markers.default if found == "unknown" else found

    def tense_of_date(self, start: int, end: int) -> Tense:
        """For a day and month without year, which is near the publication unless the past is certain.

        The past counts only in the same clause and not from verbs of saying ("said ... on 12 November"), nor where a
        word such as "until" points ahead ("was moved to 8 November"); the future counts in the whole sentence.
        """
        left, right, clause_left, clause_right = self._scopes(start, end)
        found = self._nearest(start, end, clause_left, clause_right, speech=None)
        if found == "past" and self.markers.target.search(self.text[max(left, start - 24) : start]):
            return "unknown"
        if found == "unknown" and self._nearest(start, end, left, right, speech=None) == "future":
            return "future"
        return found

    def _scopes(self, start: int, end: int) -> tuple[int, int, int, int]:
        left, right = self.bounds(start, end)
        clause_left = max((m.end() for m in _CLAUSE_END.finditer(self.text, left, start)), default=left)
        clause_right = next((m.start() for m in _CLAUSE_END.finditer(self.text, end, right)), right)
        return left, right, clause_left, clause_right

    def _nearest(self, start: int, end: int, left: int, right: int, *, speech: Tense | None) -> Tense:
        """The tense of the marker nearest to a stretch within a scope; ``speech`` is what verbs of saying count as."""
        said = [match.span() for match in self.markers.verbs.finditer(self.text, left, right)]
        found: list[tuple[int, Tense]] = []
        if speech is not None:
            found += [(_distance(span, start, end), speech) for span in said]
        ahead = [match.span() for match in self.markers.future.finditer(self.text, left, right)]
        found += [(_distance(span, start, end), "future") for span in ahead if span[0] >= end or span[1] <= start]
        for match in self.markers.past.finditer(self.text, left, right):
            outside = match.start() >= end or match.end() <= start
            governed = any(0 <= match.start() - b <= _GOVERNED for _, b in ahead)  # "will be signed"
            if outside and not governed and not any(a < match.end() and match.start() < b for a, b in said):
                found.append((_distance(match.span(), start, end), "past"))
        return min(found, key=lambda marker: marker[0])[1] if found else "unknown"

    def reports(self, start: int, end: int, *, dateline: bool, recent: bool) -> bool:
        """Whether the date of a stretch says when somebody spoke, or opens the article.

        ``dateline`` is True for the form "Wednesday (1/11)", which may stand behind a comma after the speaker's name,
        ``recent`` for a date of the last days before the publication, for a Japanese topic with its date.
        """
        if self._opens_article(start, end):
            return True
        left, right = self.bounds(start, end)
        behind = self.text[end:right]
        if recent and self.markers.topic.search(self.text[max(left, start - 8) : start]):
            verbs = list(self.markers.verbs.finditer(behind))
            if verbs and len(behind) - verbs[-1].end() <= 2:
                return True
        for match in self.markers.verbs.finditer(self.text, left, start):
            between = self.text[match.end() : start]
            if dateline and len(between) <= _DATELINE_REACH and "\n" not in between and '"' not in between:
                return True
            commas = len(_CLAUSE_END.findall(between))
            if commas <= (3 if dateline else 1) and self._only_names(match.end(), start):
                return True
        verb = self.markers.verbs.search(behind)
        between = behind[: verb.start()] if verb else ""
        return (
            verb is not None
            and len(between) <= 40
            and self._only_names(end, end + verb.start())
            and not _crosses(between)
            and not self.markers.quote.search(between)
        )

    def _only_names(self, start: int, end: int) -> bool:
        """Whether a stretch holds only names (capitals) and small words that the data allow there."""
        stretch = self.text[start:end]
        if any(character.isalpha() for character in stretch) and not any(c.upper() != c.lower() for c in stretch):
            # a script without capitals: only a short way
            return (
                len(stretch) <= 24 and not self.markers.past.search(stretch) and not self.markers.future.search(stretch)
            )
        rest = self.markers.before.sub(lambda match: " " * len(match.group()), stretch)
        for match in re.finditer(r"\w+", rest):
            first, _ = self.folded.span(start + match.start(), start + match.end())
            if not (self.folded.original[first].isupper() or match.group().isdigit()):
                return False
        return end - start <= 160

    def _opens_article(self, start: int, end: int) -> bool:
        """A dateline such as "SEOUL, Nov. 1 (Yonhap) --" at the start of the text, or of a line below its headline."""
        line = self.text.rfind("\n", 0, start) + 1
        if start - line > _LEAD or line > _HEAD:
            return False
        lead = self.folded.original[self.folded.position(line) : self.folded.position(start)]
        words = re.findall(r"[^\W\d_]{2,}", lead)
        if len(words) > 6 or any(word[0].islower() for word in words):
            return False
        if words and not any(character.isupper() for character in lead) and len(lead.strip()) > 16:
            return False
        if lead.count("(") + lead.count("（") > lead.count(")") + lead.count("）"):  # "(서울=연합뉴스)", "東京(1日)"
            return self.text[end : end + 1] in (")", "=")
        return _AFTER_DATELINE.match(self.text, end) is not None

    def _abbreviation(self, position: int) -> bool:
        """Whether a full stop belongs to one letter, a number or a short capitalised word ("Nov. 8", "U.S.")."""
        if self.text[position] != ".":
            return False
        before = re.search(r"(\w+)$", self.text[max(0, position - 6) : position])
        if before is None:
            return False
        following = self.text[position + 1 : position + 3].strip()
        word = before.group(1)
        if word.isdigit() and following and not following[0].isdigit():
            first = self.folded.position(position + 2) if position + 2 < len(self.text) else 0
            return self.language in {"de", "tr", "pl", "nb", "no", "da", "fi", "cs"} or (
                self.folded.original[first : first + 1].islower()
            )
        before_number = len(word) <= 4 and word.isalpha() and following[:1].isdigit()
        return before_number or (len(word) == 1 and word.isascii())


def _distance(span: tuple[int, int], start: int, end: int) -> int:
    return span[0] - end if span[0] >= end else start - span[1]


def _crosses(between: str) -> bool:
    return _CLAUSE_END.search(between) is not None
