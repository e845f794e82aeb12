"""Plain text and Markdown, with or without front matter."""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, ClassVar

import yaml

from index.article import Article
from index.errors import ArticleError
from index.sources.decoding import decode
from index.sources.fields import article_of
from index.sources.source import Origin, Problem, read_whole

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.{0,65536}?\r?\n)?---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


class _FrontMatterLoader(yaml.SafeLoader):
    """YAML without aliases: a few lines of them stand for more memory than there is."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not read")
        return super().compose_node(parent, index)


class Text:
    """One article a file, kept exactly as it is."""

    suffixes: ClassVar[tuple[str, ...]] = (".txt",)

    def read(self, stream: BinaryIO, origin: Origin) -> Iterator[Article | Problem]:
        """The article. Raises ArticleError."""
        text, helped = decode(read_whole(stream, origin))
        if helped:
            yield Problem(origin.where, f"not UTF-8: {helped}", lost=False)
        fields: dict[str, Any] = {}
        if (match := _FRONT_MATTER.match(text)) is not None:
            fields = _front_matter(match.group(1) or "")
            text = text[match.end() :]
        yield article_of({**fields, "text": self.words(text)}, origin)

    def words(self, text: str) -> str:
        """What of the text is the article."""
        return text


class Markdown(Text):
    """One article a file; of its Markdown the words are kept, without marks, links' targets, pictures and HTML."""

    suffixes: ClassVar[tuple[str, ...]] = (".md", ".markdown")

    def words(self, text: str) -> str:
        """The text without Markdown's signs."""
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


def _front_matter(text: str) -> dict[str, Any]:
    try:
        fields = yaml.load(text, _FrontMatterLoader) or {}  # noqa: S506 -- a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ArticleError("", f"front matter is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(fields, dict):
        raise ArticleError("", "front matter must be 'key: value' lines")
    return fields
