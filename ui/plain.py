"""Answers and articles as plain text, for a terminal."""

import sys
import textwrap
from collections.abc import Sequence
from typing import Any

from index.article import Article
from qa.answer import Answer, Citation

_WIDTH = 100


def answer_lines(answer: Answer) -> list[str]:
    """The answer with its numbered citations."""
    lines = [*_wrapped(answer.text)]
    for citation in answer.citations:
        lines += ["", *_citation_lines(citation)]
    return lines


def article_lines(article: Article) -> list[str]:
    """What is known about an article, and its text."""
    published = article.published.isoformat() if article.published else "unknown"
    certainty = "" if article.published_certainty == 1 else f", certainty {article.published_certainty:.2f}"
    reason = f" ({article.published_reason})" if article.published_reason else ""
    return [
        article.title,
        "",
        f"id         {article.id}",
        f"source     {article.source or 'unknown'}",
        f"language   {article.language}",
        f"published  {published}, from {article.published_from}{certainty}{reason}",
        *([f"url        {article.url}"] if article.url else []),
        "",
        article.text.strip(),
    ]


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Articles, a line each."""
    if not rows:
        return ["no articles"]
    width = max(len(row["id"]) for row in rows)
    return [
        f"{row['id']:<{width}}  {row['published'] or '          '}  {row['language']:<3}  {row['title']}"
        for row in rows
    ]


def _citation_lines(citation: Citation) -> list[str]:
    about = ", ".join(part for part in (citation.source, citation.published, citation.url) if part)
    title = f"[{citation.number}] {citation.title}" + (f" ({about})" if about else "")
    return [*_wrapped(title), *_wrapped(f"“{_marked(citation.quote)}”", indent="    ")]


def _marked(quote: str) -> str:
    quote = " ".join(quote.split())
    return f"\033[1m{quote}\033[0m" if sys.stdout.isatty() else quote


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False) or [""]
