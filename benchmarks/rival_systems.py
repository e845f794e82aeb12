"""The systems that benchmarks/rivals.py compares, each as its documentation shows it, run in a process of its own.

    python benchmarks/rival_systems.py SYSTEM < task.json > result.json

A task holds "model" (a folder, for the rivals), "texts", their "languages", "questions", how many hits are wanted, and
"filtered": questions and the languages in which each is asked. A result holds seconds and the texts that were found.
The rivals are no dependencies of kabar: benchmarks/rivals.py says how they are had.
"""

import json
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Protocol

from machine import peak_memory


class System(Protocol):
    """What is measured; the model is loaded, and has encoded a text, when it is made."""

    def add(self, texts: list[str], languages: list[str]) -> None:
        """Index the texts."""
        ...

    def find(self, question: str, count: int, language: str | None = None) -> list[int]:
        """The numbers of the texts whose passages are found, best first; a text may come several times."""
        ...


class Kabar:
    """kabar as it comes: hybrid search in an index on the disk."""

    def __init__(self, task: dict[str, Any], folder: Path) -> None:  # noqa: ARG002
        from index.config import IndexConfig, IndexSettings
        from index.encoder import Encoder

        self.settings = IndexSettings(index=IndexConfig(path=folder / "index"))
        self.encoder = Encoder.open()
        self.encoder.encode_passages(["text"])

    def add(self, texts: list[str], languages: list[str]) -> None:
        """As ``kabar index`` does, without the reading of files."""
        from index.article import Article
        from index.index import Index
        from index.update import add

        articles = [
            Article(id=str(number), title="", text=text, language=language)
            for number, (text, language) in enumerate(zip(texts, languages, strict=True))
        ]
        add(articles, folder=self.settings.index.path, settings=self.settings, encoder=self.encoder)
        self.index = Index(self.settings.index.path, self.settings, self.encoder)

    def find(self, question: str, count: int, language: str | None = None) -> list[int]:
        """As the chain does for a question."""
        hits = self.index.search(question, count=count, languages=[language] if language else None)
        return [int(hit.article.id) for hit in hits]


class Txtai:
    """txtai with dense and sparse vectors, each counting half, and the texts in its database."""

    def __init__(self, task: dict[str, Any], folder: Path) -> None:  # noqa: ARG002
        from txtai import Embeddings  # type: ignore[import-not-found]

        self.embeddings = Embeddings(path=task["model"], hybrid=True, content=True)
        self.embeddings.transform("text")

    def add(self, texts: list[str], languages: list[str]) -> None:
        """Texts with a field to filter by."""
        self.count = len(texts)
        rows = zip(texts, languages, strict=True)
        self.embeddings.index(
            (number, {"text": text, "language": language}, None) for number, (text, language) in enumerate(rows)
        )

    def find(self, question: str, count: int, language: str | None = None) -> list[int]:
        """By its SQL where there is a filter, which is applied to the candidates: here all texts are."""
        if language is None:
            rows = self.embeddings.search(question, count)
        else:
            statement = f"SELECT id, score FROM txtai WHERE similar(:question, {self.count}) AND language = :language"  # noqa: S608
            rows = self.embeddings.search(statement, count, parameters={"question": question, "language": language})
        return [int(row["id"]) for row in rows]


class LangChain:
    """LangChain's recipe: its splitter with the tutorial's sizes, HuggingFaceEmbeddings, FAISS."""

    def __init__(self, task: dict[str, Any], folder: Path) -> None:  # noqa: ARG002
        from langchain_huggingface import HuggingFaceEmbeddings  # type: ignore[import-not-found]

        self.embeddings = HuggingFaceEmbeddings(
            model_name=task["model"],
            encode_kwargs={"prompt_name": "document"},
            query_encode_kwargs={"prompt_name": "query"},
        )
        self.embeddings.embed_query("text")

    def add(self, texts: list[str], languages: list[str]) -> None:
        """Split and index."""
        from langchain_community.vectorstores import FAISS  # type: ignore[import-not-found]
        from langchain_core.documents import Document
        from langchain_text_splitters import RecursiveCharacterTextSplitter  # type: ignore[import-not-found]

        documents = [
            Document(text, metadata={"number": number, "language": language})
            for number, (text, language) in enumerate(zip(texts, languages, strict=True))
        ]
        pieces = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_documents(documents)
        self.count = len(pieces)
        self.store = FAISS.from_documents(pieces, self.embeddings)

    def find(self, question: str, count: int, language: str | None = None) -> list[int]:
        """Its filter is applied to what is fetched: here everything is."""
        if language is None:
            found = self.store.similarity_search(question, k=count)
        else:
            wanted = {"language": language}
            found = self.store.similarity_search(question, k=count, filter=wanted, fetch_k=self.count)
        return [document.metadata["number"] for document in found]


SYSTEMS: dict[str, type[Any]] = {"kabar": Kabar, "txtai": Txtai, "langchain": LangChain}


def measure(name: str, task: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What was found, and what it took."""
    system: System = SYSTEMS[name](task, folder)
    start = time.perf_counter()
    system.add(task["texts"], task["languages"])
    indexing = time.perf_counter() - start
    found, seconds = [], []
    for question in task["questions"]:
        start = time.perf_counter()
        found.append(system.find(question, task["count"]))
        seconds.append(time.perf_counter() - start)
    filtered = [
        [system.find(question, 1, language)[:1] for language in languages] for question, languages in task["filtered"]
    ]
    return {
        "indexing": indexing,
        "seconds": seconds,
        "found": found,
        "filtered": filtered,
        "peak_gb": peak_memory() / 1e9,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home, redirect_stdout(sys.stderr):
        result = measure(sys.argv[1], json.load(sys.stdin), Path(home))
    print(json.dumps(result))
