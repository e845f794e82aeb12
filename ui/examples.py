"""Questions to begin with."""

import json
from collections.abc import Iterable
from pathlib import Path

MOST = 6


def examples(places: Iterable[Path], most: int = MOST) -> list[tuple[str, str]]:
    """The first answerable question of each language in the ``questions.json`` beside the articles, with its language.

    A folder of articles need not have such a file, and one that cannot be read is as good as none: the page works
    without examples.
    """
    found: dict[str, str] = {}
    for place in places:
        try:
            entries = json.loads((place / "questions.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("answerable") and isinstance(entry.get("question"), str):
                found.setdefault(str(entry.get("language", "und")), entry["question"])
    return [(question, language) for language, question in found.items()][:most]
