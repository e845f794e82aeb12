"""Numbers in a text by value, in digits of any script and in words: "15,000", "1.5万" and "lima belas ribu" meet.

The words are in qa/data/check/numbers.json. One is not looked for: in most languages it is also the article.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_DIGITS = re.compile(r"\d{1,3}(?:[ '’]\d{3})+(?![\d])|\d+(?:[.,٫٬]\d+)*")
_LETTER = r"(?:[^\W\d_]|[\u0300-\u036f\u064b-\u0652\u0900-\u0963])"  # with the vowel signs that \w leaves out
_TOKEN = re.compile(rf"{_LETTER}+(?:['’\u200c-]{_LETTER}+)*|[^\w\s]")
_PERCENT = re.compile(r"(?<!\w)(?:por ciento|pour cent|per cento|por cento|per cent|phần trăm)(?!\w)|百分之")
_LETTERS = {"k": 1e3, "m": 1e6, "mn": 1e6, "bn": 1e9}
_HAN = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {
    "零": 0, "两": 2, "兩": 2, "十": 10, "百": 100, "千": 1000, "万": 10_000, "萬": 10_000, "亿": 10**8, "億": 10**8,
}  # fmt: skip
_HAN_RUN = re.compile(f"[{''.join(_HAN)}]+")
_HAN_COUNTED = re.compile(
    "[天日年月个個人名次回度位岁歳周週艘架座家台本校国カ箇階目场場起项項篇部层層点倍口歩番时時分秒枚头頭匹件届つ度小]"
)
_HAN_WORDS = ("十分", "一", "千万", "万一", "百分", "统一", "三明治")
_VIETNAMESE_FIVE = re.compile(
    r"\bnăm(?!\s+(?:người|ngày|tháng|tuần|giờ|triệu|nghìn|trăm|mươi|chiếc|con|lần|quốc|nước))"
)


@dataclass(frozen=True)
class Number:
    """A number in a text.

    ``values`` are its possible values (1.200 is 1200 or 1.2); ``exact`` if it is written in digits; ``implied`` if it
    is only an ending that may be a dual ("يومين", two days).
    """

    text: str
    values: frozenset[float]
    exact: bool
    ordinal: bool = False
    implied: bool = False


def numbers(text: str, language: str) -> list[Number]:
    """The numbers of ``text``, those in digits first."""
    folded = _PERCENT.sub("%", fold(text))
    words = _words(language)
    if language == "sw":  # the scale stands first: milioni 15
        folded = re.sub(r"(elfu|milioni|bilioni|trilioni) (\d+(?:[.,]\d+)*)", r"\2 \1", folded)
    found: list[Number] = []
    rest: list[str] = []
    end = 0
    for match in _DIGITS.finditer(folded):
        if match.start() < end:
            continue
        values = _digits(match.group())
        scale, stop = _scales_after(folded, match.end(), words)
        rest.append(folded[end : match.start()] + " | ")
        end = stop
        if scale:
            values = frozenset(round(value * scale, 6) for value in values)
        elif letters := re.match(r"(k|m|mn|bn)\b", folded[match.end() :]):
            values |= {value * _LETTERS[letters.group(1)] for value in values}
        found.append(Number(folded[match.start() : stop], values, exact=True))
    rest.append(folded[end:])
    return _add_up(found, folded) + _spelled("".join(rest), language, words)


def fold(text: str) -> str:
    """Lower case, decimal digits of every script as ASCII ones, compatibility forms as plain ones."""
    text = unicodedata.normalize("NFKC", text.replace("\u00a0", " ").replace("\u202f", " ")).lower()
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def _digits(token: str) -> frozenset[float]:
    token = re.sub("[ '’٬]", "", token).replace("٫", "." if "." not in token else ",")
    marks = [c for c in token if c in ".,"]
    if not marks:
        return frozenset({float(token)})
    groups = re.split("[.,]", token)
    grouped = all(len(group) in (2, 3) for group in groups[1:]) and len(groups[-1]) == 3 and 1 <= len(groups[0]) <= 3
    if len(set(marks)) == 2:
        return frozenset({float("".join(groups[:-1]) + "." + groups[-1])})
    if len(marks) > 1:
        return frozenset({float("".join(groups))}) if grouped else frozenset(float(group) for group in groups)
    decimal = float(groups[0] + "." + groups[1])
    if marks == ["."] and len(groups[1]) == 2 and float(groups[0]) < 24 and float(groups[1]) < 60:
        return frozenset({decimal, float(groups[0]), float(groups[1])})  # it may be a time of day
    return frozenset({decimal, float("".join(groups))}) if grouped and groups[0] != "0" else frozenset({decimal})


def _scales_after(text: str, at: int, words: "_Words") -> tuple[float, int]:
    """The scale words that follow a number in digits ("hundred thousand"), multiplied, and where they end."""
    scale = 0.0
    while words.after and (match := words.after.match(text, at)):
        scale = (scale or 1.0) * words.scales[match.group(1)]
        at = match.end()
    return scale, at


def _add_up(found: list[Number], text: str) -> list[Number]:
    """Join neighbours like 1億 and 2000万, the second of which goes on with the first."""
    joined: list[Number] = []
    for number in found:
        last = joined[-1] if joined else None
        whole = last.text + number.text if last else ""
        if last and whole in text and not last.text[-1].isdigit() and min(last.values) > max(number.values):
            joined[-1] = Number(whole, frozenset(a + b for a in last.values for b in number.values), exact=True)
        else:
            joined.append(number)
    return joined


@dataclass(frozen=True)
class _Words:
    spaced: bool
    values: dict[str, float]
    scales: dict[str, float]
    ordinals: dict[str, float]
    stems: dict[str, float]
    teen: str
    connector: str
    vague: frozenset[str]
    counters: str
    han: bool
    dual: bool
    after: re.Pattern[str] | None


@cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(files("qa").joinpath("data/check/numbers.json").read_text(encoding="utf-8"))
    return tables


@cache
def _words(language: str) -> _Words:
    table = _tables().get(language, {})

    def read(key: str) -> dict[str, float]:
        groups = (group.split() for group in table.get(key, "").split("|") if group)
        return {fold(form): float(group[0]) for group in groups for form in group[1:]}

    scales = read("scale")
    spaced = table.get("spaced", True)
    forms = "|".join(re.escape(form) for form in sorted(scales, key=len, reverse=True))
    border = r"(?!\w)" if spaced else ""
    after = re.compile(rf"[\s-]?({forms}){border}") if forms else None
    return _Words(
        spaced=spaced,
        values=read("words"),
        scales=scales,
        ordinals=read("ordinal"),
        stems=read("stems"),
        teen=table.get("teen", ""),
        connector=table.get("and", ""),
        vague=frozenset(table.get("vague", "").split()),
        counters="|".join(table.get("counters", "").split()),
        han=table.get("han", False),
        dual=table.get("dual", False),
        after=after,
    )


def _spelled(text: str, language: str, words: _Words) -> list[Number]:
    if not words.spaced:
        return _unspaced(text, words)
    if language == "vi":
        text = _VIETNAMESE_FIVE.sub(" ", text)
    sums = _Sums(words)
    for token in _TOKEN.findall(text):
        for form in [token] if token in words.values or token in words.ordinals else token.split("-"):
            sums.read(form, vague=form in words.vague and language != "vi")
    sums.close()
    return [number for number in sums.found if number.values - {0.0, 1.0}]


class _Sums:
    """Adds up the number words that stand together."""

    def __init__(self, words: _Words) -> None:
        self.words = words
        self.found: list[Number] = []
        self._run: list[tuple[str, float, bool]] = []  # form, value, whether it is a scale

    def read(self, form: str, *, vague: bool) -> None:
        """Take the next word of the text; a vague one is a number only among others."""
        words = self.words
        if form in words.scales:
            self._run.append((form, words.scales[form], True))
        elif form in words.values and not (vague and not self._run):
            if self._run and not _goes_on(self._run[-1], words.values[form]):
                self.close()
            self._run.append((form, words.values[form], False))
        elif self._run and form == words.teen:
            self._run[-1] = (self._run[-1][0], self._run[-1][1] + 10, False)
        elif not self._run or form not in ("and", words.connector):
            self.close()
            self._alone(form)

    def close(self) -> None:
        """The number ends here."""
        if self._run:
            value = _compose([(value, scale) for _, value, scale in self._run])
            self.found.append(Number(" ".join(form for form, _, _ in self._run), frozenset({value}), exact=False))
            self._run.clear()

    def _alone(self, form: str) -> None:
        if form in self.words.ordinals:
            self.found.append(Number(form, frozenset({self.words.ordinals[form]}), exact=False, ordinal=True))
        elif (value := _compound(form, self.words)) is not None:
            self.found.append(Number(form, frozenset({value}), exact=False))
        elif self.words.dual and re.search(r"\w{3,}(?:ين|ان)$", form):
            self.found.append(Number(form, frozenset({2.0}), exact=False, ordinal=True, implied=True))


def _goes_on(last: tuple[str, float, bool], value: float) -> bool:
    """Whether a number word belongs to the number before it: twenty + five, hundred + twenty; not two + three."""
    return last[2] or (last[1] >= 20 and last[1] > value and value < 10) or (last[1] >= 100 > value)


def _compose(run: list[tuple[float, bool]]) -> float:
    total = current = 0.0
    for value, scale in run:
        if not scale:
            current += value
        elif value < 1000:
            low = current % 10 if value == 10 else current % 100
            current = current - low + max(low, 1.0) * value
        else:
            total += max(current, 1.0) * value
            current = 0.0
    return total + current


def _compound(form: str, words: _Words) -> float | None:
    """The value of a number written as one word (fünfundzwanzig, duecento) or as a part of one (zweitägig)."""
    for stem, value in words.stems.items():
        if form.startswith(stem):
            return value
    pieces = sorted((*words.values, *words.scales), key=len, reverse=True)
    run: list[tuple[float, bool]] = []
    rest = form
    while rest:
        piece = next((piece for piece in pieces if len(piece) > 2 and rest.startswith(piece)), None)
        if piece is None:
            joint = re.match("und|en|ën|ein|een", rest)
            if not joint or not (run or rest.startswith(("ein", "een"))):
                return None
            if joint.group() in ("ein", "een"):
                run.append((1.0, False))
            rest = rest[joint.end() :]
            continue
        run.append((words.scales.get(piece, words.values.get(piece, 0.0)), piece in words.scales))
        rest = rest[len(piece) :]
    return _compose(run) if len(run) > 1 else None


def _unspaced(text: str, words: _Words) -> list[Number]:
    found = []
    forms = sorted({**words.values, **words.ordinals}, key=len, reverse=True)
    if words.counters:
        pattern = re.compile(rf"(?<!\w)({'|'.join(forms)})(?=\s?(?:{words.counters})|\s|$)")
    else:
        pattern = re.compile("|".join(map(re.escape, forms))) if forms else re.compile("$^")
    for match in pattern.finditer(text):
        form = match.group(1) if words.counters else match.group()
        value = words.values.get(form, words.ordinals.get(form, 0.0))
        found.append(Number(form, frozenset({value}), exact=False, ordinal=form in words.ordinals))
    if words.han:
        for match in _HAN_RUN.finditer(text):
            run, after = match.group(), text[match.end() : match.end() + 1]
            if run in _HAN_WORDS or run + after in _HAN_WORDS or (len(run) == 1 and not _HAN_COUNTED.match(after)):
                continue
            value = _han_value(run)
            if value > 1:
                found.append(Number(run, frozenset({value}), exact=False))
    return found


def _han_value(run: str) -> float:
    if all(_HAN[c] < 10 for c in run):
        return float("".join(str(_HAN[c]) for c in run))
    total = section = digit = 0.0
    for c in run:
        value = _HAN[c]
        if value < 10:
            digit = value
        elif value < 10_000:
            section += max(digit, 1.0) * value
            digit = 0.0
        else:
            total += max(section + digit, 1.0) * value
            section = digit = 0.0
    return total + section + digit
