"""Questions to begin with."""

import json
from collections.abc import Iterable
from pathlib import Path

MOST = 8


def examples(places: Iterable[Path | str], most: int = MOST) -> list[tuple[str, str]]:
    """Answerable questions from the ``questions.json`` beside the articles, with their languages.

    One for each language in the order of the file, and of other articles than those before if there is one. A folder of
    articles need not have such a file, and one that cannot be read is as good as none: the page works without examples.
    """
    found: dict[str, dict[str, str]] = {}
    for place in places:
        for language, entries in _by_language(Path(place) / "questions.json").items():
            asked_about = {entry["article"] for entry in found.values()}
            fresh = [entry for entry in entries if entry["article"] not in asked_about]
            if len(found) < most:
                found.setdefault(language, (fresh or entries)[0])
    return [(entry["question"], language) for language, entry in found.items()]


def _by_language(file: Path) -> dict[str, list[dict[str, str]]]:
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    languages: dict[str, list[dict[str, str]]] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("answerable") and isinstance(entry.get("question"), str):
            kept = {"question": entry["question"], "article": str(entry.get("article", entry["question"]))}
            languages.setdefault(str(entry.get("language", "und")), []).append(kept)
    return languages
