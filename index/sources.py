"""Read articles from files: plain text, Markdown, JSON and JSON lines.

Reading never stops at one bad article: what cannot be read comes out as a ``Problem`` in its place.
"""

import codecs
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from index.article import Article
from index.dateline import infer_published
from index.errors import ArticleError
from index.language import identify

SUFFIXES = (".txt", ".md", ".markdown", ".json", ".jsonl", ".ndjson")

# Names that news exports and schema.org use for the fields of an article, best first.
FIELDS: dict[str, tuple[str, ...]] = {
    "id": ("id", "guid", "identifier"),
    "title": ("title", "headline", "name"),
    "text": ("text", "content", "body", "articleBody"),
    "url": ("url", "link", "canonical_url"),
    "source": ("source", "publisher", "site", "site_name"),
    "language": ("language", "lang", "inLanguage"),
    "published": ("published", "date", "datePublished", "published_at", "pubDate", "date_published"),
}

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.*?\r?\n)?---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LONGEST_HEADLINE = 160
_END_OF_SENTENCE = tuple('.!?。！？…:;,،؛؟।”"»')
# A file's time says when it was copied, more often than when the article came out.
_FILE_TIME_CERTAINTY = 0.1
# An article of 5 million words names its date near its head like any other.
_DATELINE_WITHIN = 20_000
# charset-normalizer's measure of how unlike a text the decoded text is, 0..1.
_MOST_CHAOS = 0.2


class Problem(NamedTuple):
    """What went wrong with one article; ``lost`` is False if it could be read all the same."""

    where: str
    reason: str
    lost: bool = True


def find_files(place: Path) -> list[Path]:
    """Every article file below the folder ``place``, or ``place`` itself, sorted; hidden ones left out.

    A file named ``questions.json`` beside articles holds questions about them and is left out.
    Raises ArticleError if there is no such place.
    """
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise ArticleError(str(place), "no such file or folder")
    return sorted(
        path
        for path in place.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.name != "questions.json"
        and not any(part.startswith(".") for part in path.relative_to(place).parts)
        and path.is_file()
    )


def read_file(path: Path, *, root: Path) -> Iterator[Article | Problem]:
    """The articles in one file; their ids are its path below ``root`` unless the file states them."""
    try:
        content = path.read_bytes()
        fetched = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
    except OSError as error:
        yield Problem(str(path), error.strerror or str(error))
        return
    try:
        text, unreadable = _decode(content)
    except ArticleError as error:
        yield Problem(str(path), error.reason)
        return
    if unreadable:
        yield Problem(str(path), f"not UTF-8: {unreadable}", lost=False)
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    suffix = path.suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        yield from _read_json_lines(text, path, name, fetched)
    elif suffix == ".json":
        yield from _read_json(text, path, name, fetched)
    else:
        yield _read_text(text, path, name, fetched)


def _decode(content: bytes) -> tuple[str, str]:
    """The text, and how it had to be helped ("" if it was plain UTF-8). Raises ArticleError for a binary file."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace"), ""
    if b"\0" in content[:8192]:
        raise ArticleError("", "binary file, not text")
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        text = content.decode("utf-8", "replace")
        broken = text.count("\N{REPLACEMENT CHARACTER}")
        if broken * 100 <= len(text):
            line = content.count(b"\n", 0, error.start) + 1
            return text, f"{broken} characters could not be read and were replaced, the first in line {line}"
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    if best is None or best.chaos > _MOST_CHAOS:
        raise ArticleError("", "binary file, not text")
    return str(best), f"read as {best.encoding}"


def _read_text(text: str, path: Path, name: str, fetched: datetime) -> Article | Problem:
    fields: dict[str, Any] = {}
    if (match := _FRONT_MATTER.match(text)) is not None:
        try:
            fields = yaml.safe_load(match.group(1) or "") or {}
        except (yaml.YAMLError, ValueError) as error:
            return Problem(str(path), f"front matter is not valid YAML: {' '.join(str(error).split())}")
        if not isinstance(fields, dict):
            return Problem(str(path), "front matter must be 'key: value' lines")
        text = text[match.end() :]
    if path.suffix.lower() in (".md", ".markdown"):
        text = _plain_markdown(text)
    return _article({**fields, "text": text}, str(path), name, fetched)


def _plain_markdown(text: str) -> str:
    """The words of a Markdown text, one block a line; marks, links' targets, pictures and HTML are gone."""
    from markdown_it import MarkdownIt

    lines = []
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "inline":
            parts = (
                "\n" if child.type in ("softbreak", "hardbreak") else child.content
                for child in token.children or ()
                if child.type in ("text", "code_inline", "softbreak", "hardbreak")
            )
            lines.append("".join(parts).replace("\n", " "))
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.strip())
    return "\n\n".join(lines)


def _read_json(text: str, path: Path, name: str, fetched: datetime) -> Iterator[Article | Problem]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield Problem(str(path), f"not valid JSON: {error}")
        return
    items = data.get("articles", data) if isinstance(data, dict) else data
    if isinstance(items, dict):
        yield _article(items, str(path), name, fetched)
    elif isinstance(items, list):
        for number, item in enumerate(items, start=1):
            yield _article(item, f"{path}#{number}", f"{name}#{number}", fetched)
    else:
        yield Problem(str(path), "expected an object or a list of objects with 'title' and 'text'")


def _read_json_lines(text: str, path: Path, name: str, fetched: datetime) -> Iterator[Article | Problem]:
    # str.splitlines would also split at U+2028, which JSON allows inside a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield Problem(f"{path}:{number}", f"not valid JSON: {error}")
            continue
        yield _article(item, f"{path}:{number}", f"{name}#{number}", fetched)


def _article(item: Any, where: str, name: str, fetched: datetime) -> Article | Problem:
    if not isinstance(item, dict):
        return Problem(where, f"expected an object with 'title' and 'text', found {type(item).__name__}")
    fields = {field: _first(item, names) for field, names in FIELDS.items()}
    text = fields["text"]
    if not isinstance(text, str) or not any(character.isalnum() for character in text):
        return Problem(where, "no text" if not text or isinstance(text, str) else "'text' is not a string")
    language = str(fields["language"] or "").lower().replace("_", "-").split("-")[0] or identify(text)
    try:
        return Article(
            id=str(fields["id"] or name),
            title=" ".join(str(fields["title"] or _headline(text) or _title_from_name(name)).split()),
            text=text,
            url=_web_address(fields["url"]),
            source=_source_name(fields["source"]),
            language=language,
            fetched=fetched,
            **_published(fields["published"], text, language, fetched),
        )
    except (ValidationError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        return Problem(where, reason)


def _first(item: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((item[name] for name in names if item.get(name) not in (None, "")), None)


def _published(stated: Any, text: str, language: str, fetched: datetime) -> dict[str, Any]:
    """Publication date: as stated, else from the dateline, else the file's time; ValueError if stated wrongly."""
    if stated is not None:
        return {"published": _date(stated), "published_from": "metadata"}
    if (guess := infer_published(text[:_DATELINE_WITHIN], language, datetime.now(tz=UTC).date())) is not None:
        return {
            "published": guess.value,
            "published_from": "dateline",
            "published_certainty": guess.certainty,
            "published_reason": guess.reason,
        }
    return {
        "published": fetched.date(),
        "published_from": "file",
        "published_certainty": _FILE_TIME_CERTAINTY,
        "published_reason": "the file's time",
    }


def _date(stated: Any) -> date:
    if isinstance(stated, datetime):
        return stated.date()
    if isinstance(stated, date):
        return stated
    text = str(stated).strip()
    try:
        return datetime.fromisoformat(text.replace("/", "-")).date()
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).date()
    except (ValueError, TypeError):
        raise ValueError(f"'published' is {text[:40]!r}, not a date; write it as 2023-11-08") from None


def _headline(text: str) -> str | None:
    """The first line, if it looks like a headline and more follows."""
    first, _, rest = text.strip().partition("\n")
    first = first.strip().lstrip("#").strip()
    looks_like_one = 0 < len(first) <= _LONGEST_HEADLINE and not first.endswith(_END_OF_SENTENCE)
    return first if looks_like_one and rest.strip() else None


def _title_from_name(name: str) -> str:
    stem = Path(name.partition("#")[0]).stem
    return re.sub(r"[-_\s]+", " ", stem).strip().capitalize() or name


def _web_address(url: Any) -> str | None:
    """Only http and https: anything else ("javascript:") must not become a link."""
    text = str(url or "").strip()
    return text if re.match(r"https?://[^\s<>\"]+\Z", text, re.IGNORECASE) else None


def _source_name(source: Any) -> str | None:
    if isinstance(source, dict):
        source = source.get("name") or source.get("title")
    return " ".join(str(source).split()) if source else None
