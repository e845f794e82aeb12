"""JSON and JSON lines."""

import codecs
import json
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from index.article import Article
from index.errors import ArticleError
from index.sources.decoding import decode
from index.sources.fields import article_of
from index.sources.source import Origin, Problem, read_whole


class Json:
    """One article, a list of them, or a list named ``articles`` or ``items``."""

    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        """The articles. Raises ArticleError."""
        text, helped = decode(read_whole(stream, origin))
        if helped:
            yield Problem(origin.where, f"not UTF-8: {helped}", lost=False)
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ArticleError(origin.where, f"not valid JSON: {error}") from None
        items = data.get("articles", data.get("items", data)) if isinstance(data, dict) else data
        if isinstance(items, list):
            for number, item in enumerate(items, start=1):
                place = origin.at(f"#{number}")
                try:
                    yield article_of(item, place)
                except ArticleError as error:
                    yield Problem(place.where, error.reason)
        elif isinstance(items, dict):
            yield article_of(items, origin)
        else:
            raise ArticleError(origin.where, "expected an object or a list of objects with 'title' and 'text'")


class JsonLines:
    """An article a line; the file may be of any length."""

    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson")

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        """The articles. Raises ArticleError if there is none, or if a line is too long: the next is not looked for."""
        told = found = False
        for number, line in enumerate(iter(lambda: stream.readline(origin.limit + 1), b""), start=1):
            place = origin.at(f":{number}", f"#{number}")
            if len(line) > origin.limit:
                raise place.too_large()
            if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise ArticleError(origin.where, "UTF-16, and JSON lines are UTF-8; save it so")
            if not line.strip():
                continue
            found = True
            try:
                text, helped = decode(line)
                if helped and not told:
                    told = True
                    yield Problem(place.where, f"not UTF-8: {helped}", lost=False)
                yield article_of(json.loads(text), place)
            except ArticleError as error:
                yield Problem(place.where, error.reason)
            except (ValueError, RecursionError) as error:
                yield Problem(place.where, f"not valid JSON: {error}")
        if not found:
            raise ArticleError(origin.where, "no text")
