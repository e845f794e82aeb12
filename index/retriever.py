"""The index as a LangChain retriever."""

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from index.index import Hit, Index


class HybridRetriever(BaseRetriever):
    """Passages nearest in meaning and in words.

    ``Document.page_content`` is the passage's text; the metadata hold ``article_id``, ``title``, ``url``, ``source``,
    ``language``, ``published``, ``start`` and ``end`` (characters in the article), ``score`` and ``similarity``, and
    ``copies``: near duplicates in other articles (``article_id``, ``title``, ``url``, ``source``).
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: Index
    filters: dict[str, Any] = Field(default_factory=dict)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun | None = None,  # noqa: ARG002 -- the name is the library's
    ) -> list[Document]:
        return [document(hit) for hit in self.index.search(query, **self.filters)]


def document(hit: Hit) -> Document:
    """A hit as a LangChain document."""
    article, passage = hit.article, hit.passage
    return Document(
        id=f"{article.id}#{passage.ordinal}",
        page_content=passage.text,
        metadata={
            "article_id": article.id,
            "title": article.title,
            "url": article.url,
            "source": article.source,
            "language": article.language,
            "published": article.published.isoformat() if article.published else None,
            "start": passage.start,
            "end": passage.end,
            "score": hit.score,
            "similarity": hit.similarity,
            "copies": [
                {
                    "article_id": copy.article.id,
                    "title": copy.article.title,
                    "url": copy.article.url,
                    "source": copy.article.source,
                }
                for copy in hit.copies
            ],
        },
    )
