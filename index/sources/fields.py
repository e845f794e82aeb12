"""Make an article of the fields that a JSON object, front matter or a news format gives."""

import re
from datetime import UTC, date, datetime
from typing import Any

from pydantic import ValidationError

from index.article import Article
from index.config import ArticleField
from index.dateline import infer_published
from index.errors import ArticleError
from index.language import identify
from index.sources.source import Origin

# Names that news exports and schema.org use for the fields of an article, best first.
FIELDS: dict[ArticleField, tuple[str, ...]] = {
    "id": ("id", "guid", "identifier"),
    "title": ("title", "headline", "name"),
    "text": ("text", "content", "body", "articleBody", "content_text"),
    "url": ("url", "link", "canonical_url"),
    "source": ("source", "publisher", "site", "site_name"),
    "language": ("language", "lang", "inLanguage"),
    "published": ("published", "date", "datePublished", "published_at", "pubDate", "date_published"),
}

_LONGEST_HEADLINE = 160
_END_OF_SENTENCE = tuple('.!?。！？…:;,،؛؟।”"»')
# A file's time says when it was copied, more often than when the article came out.
_FILE_TIME_CERTAINTY = 0.1
# An article of 5 million words names its date near its head like any other.
_DATELINE_WITHIN = 20_000
# Seconds since 1970 have ten digits since 2001, milliseconds thirteen.
_SECONDS, _MILLISECONDS = 10**9, 10**12


def article_of(item: Any, origin: Origin) -> Article:
    """The article that a mapping describes, under the configured names or the usual ones. Raises ArticleError."""
    if not isinstance(item, dict):
        raise ArticleError(origin.where, f"expected an object with 'title' and 'text', found {type(item).__name__}")
    fields = {field: _field(item, field, names, origin) for field, names in FIELDS.items()}
    text = fields["text"]
    if isinstance(text, list) and all(isinstance(paragraph, str) for paragraph in text):
        text = "\n\n".join(text)
    if text and not isinstance(text, str):
        raise ArticleError(origin.where, "'text' is not a string")
    try:
        published = None if fields["published"] is None else read_date(fields["published"])
    except ValueError as error:
        raise ArticleError(origin.where, str(error)) from None
    return article(
        origin,
        id=_scalar(fields["id"]),
        title=_scalar(fields["title"]),
        text=text or "",
        url=_scalar(fields["url"]),
        source=_source_name(fields["source"]),
        language=_scalar(fields["language"]),
        published={} if published is None else {"published": published, "published_from": "metadata"},
    )


def article(
    origin: Origin,
    *,
    text: str,
    title: str | None = None,
    id: str | None = None,  # noqa: A002 -- the field's name
    url: str | None = None,
    source: str | None = None,
    language: str | None = None,
    published: dict[str, Any] | None = None,
) -> Article:
    """The article of these fields; what is missing is found in the text. Raises ArticleError if there is no text.

    ``published`` holds the Article's four fields of that name as far as they are known.
    """
    if not any(character.isalnum() for character in text):
        raise ArticleError(origin.where, "no text")
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    language = str(language or "").strip().lower().replace("_", "-").split("-")[0] or identify(text)
    try:
        return Article(
            id=id or origin.name,
            title=" ".join((title or _headline(text) or _title_from_name(origin.name)).split()),
            text=text,
            url=web_address(url),
            source=" ".join(source.split()) if source else None,
            language=language,
            fetched=origin.fetched,
            **(published or _inferred(text, language, origin.fetched)),
        )
    except ValidationError as error:
        raise ArticleError(origin.where, error.errors()[0]["msg"]) from None


def read_date(stated: Any) -> date:
    """The day of a date or time: ISO 8601, RFC 822, or seconds or milliseconds since 1970. Raises ValueError."""
    if isinstance(stated, datetime):
        return stated.date()
    if isinstance(stated, date):
        return stated
    text = str(stated).strip()[:100]
    try:
        return datetime.fromisoformat(text.replace("/", "-")).date()
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        if re.fullmatch(r"\d{10,13}(\.\d*)?", text):
            number = float(text)
            return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS else number, tz=UTC).date()
        return parsedate_to_datetime(text).date()
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"'published' is {text[:40]!r}, not a date; write it as 2023-11-08") from None


def web_address(url: str | None) -> str | None:
    """Only http and https: anything else ("javascript:") must not become a link."""
    text = (url or "").strip()
    return text if re.match(r"https?://[^\s<>\"]+\Z", text, re.IGNORECASE) else None


def _field(item: dict[str, Any], field: ArticleField, names: tuple[str, ...], origin: Origin) -> Any:
    if (configured := origin.config.fields.get(field)) is not None:
        names = (configured, *names)
    return next((value for name in names if (value := _at(item, name)) not in (None, "")), None)


def _at(item: dict[str, Any], path: str) -> Any:
    """What stands under a name, or under a path of names with dots; numbers count the items of a list."""
    if path in item:
        return item[path]
    found: Any = item
    for part in path.split("."):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


def _scalar(value: Any) -> str | None:
    """A value as a string. Nothing nested: its string can be longer than any memory."""
    return str(value) if isinstance(value, str | int | float | date) else None


def _source_name(source: Any) -> str | None:
    if isinstance(source, list) and source:
        source = source[0]
    if isinstance(source, dict):
        source = source.get("name") or source.get("title")
    return _scalar(source)


def _inferred(text: str, language: str, fetched: datetime) -> dict[str, Any]:
    """Publication date from the dateline, else from the file's time."""
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


def _headline(text: str) -> str | None:
    """The first line, if it looks like a headline and more follows."""
    first, _, rest = text.strip().partition("\n")
    first = first.strip().lstrip("#").strip()
    looks_like_one = 0 < len(first) <= _LONGEST_HEADLINE and not first.endswith(_END_OF_SENTENCE)
    return first if looks_like_one and rest.strip() else None


def _title_from_name(name: str) -> str:
    stem = re.sub(r"(#[^/]*)?(\.\w{1,8}){0,2}\Z", "", re.split(r"[/!]", name)[-1])
    return re.sub(r"[-_\s]+", " ", stem).strip().capitalize() or name
