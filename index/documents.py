"""Articles from LangChain's documents, and documents from articles.

A document made from an article names all of the article's fields in its metadata and gives the same article back. In
the documents of LangChain's loaders the usual names are looked for (``index.sources.fields``); their ``source`` is the
address or the path that a document came from.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from langchain_core.documents import Document
from pydantic import ValidationError

from index.article import Article
from index.config import SourcesConfig
from index.errors import ArticleError
from index.sources import Origin, Problem
from index.sources.fields import article_of, web_address

# Loaders that make several documents of one file number them so.
_PARTS = ("page", "row", "seq_num", "start_index")
_PATH = re.compile(r"[/\\]|\.\w{1,5}\Z")


def to_document(article: Article) -> Document:
    """The article as a document; its fields are the metadata, dates as ISO 8601."""
    metadata = article.model_dump(mode="json", exclude={"id", "text"})
    return Document(id=article.id, page_content=article.text, metadata=metadata)


def to_article(document: Document, config: SourcesConfig | None = None) -> Article:
    """The article that a document holds. Raises ArticleError if it has no text, or a date that is none."""
    metadata: dict[str, Any] = {str(name): value for name, value in document.metadata.items()}
    name = document.id or _name(metadata, document.page_content)
    if "published_from" in metadata:
        known = {field: metadata[field] for field in Article.model_fields if field in metadata}
        try:
            return Article.model_validate({**known, "id": name, "text": document.page_content})
        except ValidationError as error:
            raise ArticleError(name, error.errors()[0]["msg"]) from None
    if (publisher := metadata.get("source")) and isinstance(publisher, str):
        if address := web_address(publisher):
            metadata = {"url": address, **metadata}
        if address or _PATH.search(publisher):
            del metadata["source"]
    if "publish_date" in metadata:
        metadata.setdefault("published", metadata["publish_date"])
    now = datetime.now(tz=UTC).replace(microsecond=0)
    origin = Origin(name, name, now, config or SourcesConfig())
    article = article_of({**metadata, "id": name, "text": document.page_content}, origin)
    if article.published_from == "file":  # there is none
        unknown = {"published": None, "published_from": "unknown", "published_certainty": 1.0, "published_reason": None}
        article = article.model_copy(update=unknown)
    return article


def to_articles(items: Iterable[Article | Document], config: SourcesConfig) -> Iterator[tuple[Article | Problem, bool]]:
    """Articles as they are and those that documents hold, each with whether its id is its own or was made up here.

    Raises ArticleError for what is neither.
    """
    for item in items:
        if isinstance(item, Article):
            yield item, True
        elif isinstance(item, Document):
            try:
                yield to_article(item, config), item.id is not None
            except ArticleError as error:
                yield Problem(error.where, error.reason), False
        else:
            raise ArticleError(type(item).__name__, "not an Article and not a LangChain Document; make one of it first")


def _name(metadata: dict[str, Any], text: str) -> str:
    stated = next((metadata[name] for name in ("article_id", "id", "guid") if metadata.get(name)), None)
    if stated is not None:
        return str(stated)
    place = next((str(metadata[name]) for name in ("url", "link", "source") if metadata.get(name)), None)
    if place is None:
        return f"document-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}"
    return place + "".join(f"#{metadata[part]}" for part in _PARTS if part in metadata)
