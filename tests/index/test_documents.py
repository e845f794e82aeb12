from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from fakes import WordEncoder
from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document

from index.article import Article
from index.config import IndexConfig, IndexSettings
from index.documents import to_article, to_document
from index.errors import ArticleError
from index.index import Index
from index.update import add

BRIDGE = Article(
    id="bridge",
    title="Bridge opens",
    text="The bridge opened in Hull.",
    url="https://example.org/bridge",
    source="Wire",
    language="en",
    published=date(2024, 1, 1),
    published_from="dateline",
    published_certainty=0.9,
    published_reason="Monday (1/1)",
    fetched=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
)


class Pages(BaseLoader):
    """A loader as LangChain's are: lazy, two pages of one file, and a web page."""

    def lazy_load(self) -> Iterator[Document]:
        for number, text in enumerate(["The ferry sails from Aomori.", "It reaches Hakodate at noon."]):
            yield Document(page_content=text, metadata={"source": "/data/ferry.pdf", "page": number})
        yield Document(
            page_content="A robot mixes medicine in Chengdu.",
            metadata={
                "source": "https://example.org/robot",
                "title": "Robot heals",
                "language": "en-GB",
                "publish_date": datetime(2024, 3, 1, 12, tzinfo=UTC),
            },
        )


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    settings = IndexSettings(index=IndexConfig(path=tmp_path / "index"))
    encoder = WordEncoder()
    add([], folder=settings.index.path, settings=settings, encoder=encoder)
    with Index(settings.index.path, settings, encoder) as opened:
        yield opened


def test_an_article_comes_back_from_its_document_as_it_was() -> None:
    document = to_document(BRIDGE)
    assert document.page_content == BRIDGE.text
    assert document.metadata["published"] == "2024-01-01"
    assert to_article(document) == BRIDGE
    bare = Article(id="x", title="X", text="A text.")
    assert to_article(to_document(bare)) == bare


def test_a_loader_fills_the_index(index: Index) -> None:
    report = index.add(Pages().lazy_load())
    assert (report.added, report.problems) == (3, ())
    robot = index.get("https://example.org/robot")
    assert robot is not None
    assert (robot.title, robot.url, robot.source) == ("Robot heals", "https://example.org/robot", None)
    assert (robot.language, robot.published, robot.published_from) == ("en", date(2024, 3, 1), "metadata")
    pages = [index.get(f"/data/ferry.pdf#{page}") for page in range(2)]
    assert [page and page.published for page in pages] == [None, None]
    assert index.as_retriever().invoke("ferry from Aomori")[0].metadata["article_id"] == "/data/ferry.pdf#0"
    assert index.add(Pages().lazy_load()).unchanged == 3


def test_the_page_of_an_indexed_article_is_that_article(index: Index) -> None:
    index.add([BRIDGE])
    page = Document(
        page_content="The bridge opened in Goole.", metadata={"source": "https://www.example.org/bridge#top"}
    )
    assert index.add([page]).changed == 1
    assert [article.text for article in index] == ["The bridge opened in Goole."]


def test_parts_of_one_page_are_all_kept(index: Index) -> None:
    parts = [Document(page_content=text, metadata={"source": "https://example.org/a"}) for text in ("One.", "Two.")]
    assert index.add(parts).added == 2
    assert sorted(article.text for article in index) == ["One.", "Two."]


def test_documents_go_out_as_they_came_in(index: Index) -> None:
    index.add([BRIDGE])
    assert list(index.documents()) == [to_document(BRIDGE)]


def test_an_empty_document_is_a_problem_and_stops_nothing(index: Index) -> None:
    report = index.add([Document(page_content=" "), BRIDGE, Document(page_content="x y.", metadata={"date": "soon"})])
    assert report.added == 1
    assert [problem.reason for problem in report.problems] == [
        "no text",
        "'published' is 'soon', not a date; write it as 2023-11-08",
    ]


def test_what_is_no_document_is_refused(index: Index) -> None:
    with pytest.raises(ArticleError, match="not an Article and not a LangChain Document"):
        index.add(["a string"])  # type: ignore[list-item]


def test_loaders_of_the_community(index: Index, tmp_path: Path) -> None:
    loaders = pytest.importorskip("langchain_community.document_loaders")
    file = tmp_path / "tram.txt"
    file.write_text("Trams\nA tram runs in Basel.", encoding="utf-8")
    index.add(loaders.TextLoader(str(file)).lazy_load())
    assert [article.id for article in index] == [str(file)]
