"""Makes ``index/data/dates/cldr/LANGUAGE.json``: what Unicode CLDR knows about dates in about a hundred languages.

Three sources, all CLDR: relative phrases ("bulan lalu", "через {0} дня") come from the date fields of the npm package
``cldr-dates-full``, names of months and weekdays from Babel, number words from ``unicode-rbnf``. What newspapers write
and CLDR does not know is in the hand-written ``index/data/dates/usage/LANGUAGE.toml``.

    npm pack cldr-dates-full@48 && tar xzf cldr-dates-full-*.tgz
    pip install babel unicode-rbnf
    python training/dates_data.py package/main
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from unicode_rbnf import FormatPurpose, RbnfEngine
from unicode_rbnf.engine import NoRuleForNumberError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNITS = ("day", "week", "month", "quarter", "year")
NUMBERS = (*range(1, 32), 40, 45, 50, 60, 70, 80, 90, 100)
TARGET = Path(__file__).parents[1] / "index" / "data" / "dates" / "cldr"
RULES_OF = {"nb": "no", "nn": "no"}


def unique(words: Iterable[str]) -> list[str]:
    """The words without repetition, invisible characters and surrounding space, in their order."""
    cleaned = (" ".join(word.replace("\u200b", "").replace("\u00ad", "").split()) for word in words)
    return list(dict.fromkeys(word for word in cleaned if word))


def names(locale: Locale, what: str, width: str, keys: Iterable[int]) -> list[list[str]]:
    """Format and stand-alone forms of every month, weekday or quarter, in one list each."""
    table: dict[str, Any] = getattr(locale, what)
    root: dict[str, Any] = getattr(Locale("root"), what)["stand-alone"]["abbreviated"]
    contexts = [table[context][width] for context in ("format", "stand-alone") if width in table.get(context, {})]
    if str(locale) != "en":  # what CLDR does not know falls back to the root's "Mon", "M01"
        contexts = [context for context in contexts if any(context.get(key) != root[key] for key in root)]
    return [unique(str(context[key]) for context in contexts if key in context) for key in keys]


def phrases(fields: dict[str, Any], key: str) -> dict[str, list[str]]:
    """``{"-1": ["last week", "last wk."], ...}`` of a date field, from every width that CLDR has."""
    found: dict[str, list[str]] = {}
    for width in ("", "-short"):
        for name, text in fields.get(key + width, {}).items():
            if name.startswith("relative-type-"):
                found.setdefault(name.removeprefix("relative-type-"), []).append(text)
    return {offset: unique(texts) for offset, texts in found.items()}


def templates(fields: dict[str, Any], unit: str, direction: str) -> list[str]:
    """Patterns such as "через {0} дня", in every plural form."""
    found = []
    for width in ("", "-short"):
        found += list(fields.get(unit + width, {}).get(f"relativeTime-type-{direction}", {}).values())
    return [text for text in unique(found) if "{0}" in text]


def spelled(language: str, purpose: FormatPurpose | None) -> dict[str, list[str]]:
    """Number words in every gender and case that CLDR's rules know; empty for a language without rules."""
    try:
        engine = RbnfEngine.for_language(RULES_OF.get(language, language))
    except ValueError:
        return {}
    found = {}
    for number in NUMBERS:
        try:
            result = engine.format_number(number, purpose) if purpose else engine.format_number(number)
        except (ValueError, KeyError, NoRuleForNumberError):
            continue
        words = [
            word for rule, word in result.text_by_ruleset.items() if "financial" not in rule and "year" not in rule
        ]
        words = [word for word in unique(words) if not any(character.isdigit() for character in word)]
        if words:
            found[str(number)] = words
    return found


def build(language: str, fields: dict[str, Any], locale: Locale) -> dict[str, Any]:
    """The table of one language; its keys are described in ``index/data/dates/README.md``."""
    days = range(7)
    relative = {day: phrases(fields, day) for day in WEEKDAYS}
    return {
        "weekday": names(locale, "days", "wide", days),
        "weekday_short": names(locale, "days", "abbreviated", days),
        "month": names(locale, "months", "wide", range(1, 13)),
        "month_short": names(locale, "months", "abbreviated", range(1, 13)),
        "quarter": names(locale, "quarters", "wide", range(1, 5)),
        "quarter_short": names(locale, "quarters", "abbreviated", range(1, 5)),
        "day": phrases(fields, "day"),
        "period": {unit: phrases(fields, unit) for unit in UNITS[1:]},
        "ago": {unit: templates(fields, unit, "past") for unit in UNITS},
        "in": {unit: templates(fields, unit, "future") for unit in UNITS},
        "weekday_relative": {
            offset: [relative[day].get(offset, []) for day in WEEKDAYS] for offset in ("-1", "0", "1")
        },
        "number": spelled(language, None),
        "ordinal": spelled(language, FormatPurpose.ORDINAL),
    }


def main() -> None:
    """Read the unpacked npm package and write one file a language."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("package", type=Path, help="folder 'main' of the unpacked cldr-dates-full")
    folder: Path = parser.parse_args().package
    TARGET.mkdir(parents=True, exist_ok=True)
    written = 0
    for source in sorted(folder.iterdir()):
        language = source.name
        if "-" in language or not (source / "dateFields.json").is_file():
            continue
        try:
            locale = Locale.parse(language)
        except (UnknownLocaleError, ValueError):
            continue
        data = json.loads((source / "dateFields.json").read_text(encoding="utf-8"))
        fields = data["main"][language]["dates"]["fields"]
        if all(text.startswith("-{0}") for text in templates(fields, "month", "past")):
            continue  # CLDR has no phrases of this language, only the root's "-3 m"
        table = build(language, fields, locale)
        lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in table.items())
        (TARGET / f"{language}.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")
        written += 1
    print(f"{written} languages written to {TARGET}")


if __name__ == "__main__":
    main()
