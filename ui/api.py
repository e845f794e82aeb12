"""The JSON HTTP API: questions, articles and search. Its description is served at ``/api/openapi.json``."""

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from fastapi import FastAPI, Query, Request
from fastapi import Path as PathParameter
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from index.article import Article
from index.errors import NoIndexError
from index.listing import Selection, open_listing
from qa.answer import Answer
from qa.question import LONGEST_QUESTION
from ui import problems
from ui.identity import caller_of
from ui.loader import Event, Loader
from ui.streaming import as_dict, from_threads, with_first

if TYPE_CHECKING:
    from index.index import Hit

_MOST_MESSAGES = 200
_LONGEST_MESSAGE = 20_000
_LONGEST_NAME = 300


def _day(value: object) -> object:
    """A date in words: pydantic alone would take numbers, too."""
    if value is not None and not (isinstance(value, str) and len(value) == len("2023-11-08")):
        raise ValueError("write a date like 2023-11-08")
    return value


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Name = Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]
Language = Annotated[str, Field(pattern="^[a-z]{2,3}$")]


class Message(BaseModel):
    """Something that was said before."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    content: str = Field(max_length=_LONGEST_MESSAGE)


class AskRequest(BaseModel):
    """A question, what was said before it, and which articles may answer; dates are inclusive."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, max_length=LONGEST_QUESTION, examples=["when will Blinken arrive?"])
    history: list[Message] = Field(default=[], max_length=_MOST_MESSAGES)
    published_after: Day | None = None
    published_before: Day | None = None
    sources: list[Name] | None = Field(default=None, min_length=1, max_length=50)
    languages: list[Language] | None = Field(default=None, min_length=1, max_length=50)
    stream: StrictBool = False

    def filters(self) -> dict[str, Any]:
        """Those of the assistant, as far as they are set."""
        return self.model_dump(
            include={"published_after", "published_before", "sources", "languages"}, exclude_none=True
        )


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid")

    published_after: Day | None = None
    published_before: Day | None = None
    source: Name | None = None
    language: Language | None = None


class ListQuery(_Query):
    """Which articles, and which part of the list; ``search`` is looked for in their titles and texts."""

    search: str = Field(default="", max_length=_LONGEST_NAME)
    offset: int = Field(default=0, ge=0, le=1_000_000_000)
    limit: int = Field(default=50, ge=1, le=200)


class SearchQuery(_Query):
    """What to look for, and in which articles."""

    query: str = Field(min_length=1, max_length=LONGEST_QUESTION)
    count: int = Field(default=10, ge=1, le=50)


class ArticleSummary(BaseModel):
    """An article without its text."""

    id: str
    title: str
    url: str | None
    source: str | None
    language: str
    published: date | None
    published_from: str


class ArticleList(BaseModel):
    """Part of a list of articles, newest first, and how many it has in all."""

    total: int
    offset: int
    articles: list[ArticleSummary]


class Found(BaseModel):
    """A passage that was found: ``start`` and ``end`` count characters in the article's text."""

    article: ArticleSummary
    passage: str
    start: int
    end: int
    score: float
    similarity: float | None
    copies: list[ArticleSummary]

    @classmethod
    def of(cls, hit: "Hit") -> Self:
        """A hit of the index."""
        return cls(
            article=summary(hit.article),
            passage=hit.passage.text,
            start=hit.passage.start,
            end=hit.passage.end,
            score=hit.score,
            similarity=hit.similarity,
            copies=[summary(copy.article) for copy in hit.copies],
        )


class FoundList(BaseModel):
    """Passages, best first."""

    hits: list[Found]


def summary(article: Article) -> ArticleSummary:
    """An article without its text."""
    return ArticleSummary.model_validate(article.model_dump(include=set(ArticleSummary.model_fields)))


def api(loader: Loader, folder: Path | None) -> FastAPI:
    """The API as an application of its own, to be mounted; ``folder`` is that of the index."""
    app = FastAPI(
        title="kabar",
        summary="Ask the news, in any language, and get the fact, its date and the sentence that proves it.",
        version="1",
        docs_url=None,
        redoc_url=None,
        responses=problems.described(400, 401, 408, 413, 422, 429, 500, 503),
    )
    problems.add_handlers(app)

    @app.post("/ask", responses=_STREAMED, response_model=Answer)
    async def ask(body: AskRequest, request: Request) -> Response:
        """Answer a question.

        With `stream`, or if text/event-stream is accepted, the answer comes as it is made: its place in the queue,
        steps, pieces of text, the answer last; as server-sent events if those are accepted, else as lines of JSON.
        """
        events = loader.stream(
            body.question,
            history=[(message.role, message.content) for message in body.history],
            user=caller_of(request.scope).key,
            door="api",
            **body.filters(),
        )
        as_events = "text/event-stream" in request.headers.get("accept", "")
        streamed = as_events or body.stream
        told = await with_first(from_threads(events, None if streamed else request.is_disconnected))
        if streamed:
            kind = "text/event-stream" if as_events else "application/x-ndjson"
            lines = _lines(told, "data: {}\n\n" if as_events else "{}\n")
            return StreamingResponse(lines, media_type=kind, headers={"cache-control": "no-store"})
        async for event in told:
            if isinstance(event, Answer):
                return JSONResponse(event.model_dump(mode="json"))
        return Response(status_code=499)  # nobody is there to read it

    @app.get("/articles")
    def articles(query: Annotated[ListQuery, Query()]) -> ArticleList:
        """List what is indexed, newest first."""
        chosen = Selection(query.search, query.language, query.source, query.published_after, query.published_before)
        with open_listing(_known(folder)) as listing:
            page = listing.page(chosen, offset=query.offset, limit=query.limit)
            total = listing.overview(chosen).articles
        found = [ArticleSummary.model_validate(row._asdict()) for row in page]
        return ArticleList(total=total, offset=query.offset, articles=found)

    @app.get("/articles/{article_id:path}", responses=problems.described(404))
    def article(article_id: Annotated[str, PathParameter(min_length=1)]) -> Article:
        """Read an article with all that is known about it."""
        with open_listing(_known(folder)) as listing:
            found = listing.article(article_id)
        if found is None:
            raise HTTPException(404, "there is no such article; GET /api/articles lists them")
        return found

    @app.get("/search")
    async def search(query: Annotated[SearchQuery, Query()], request: Request) -> FoundList:
        """Find passages, nearest in meaning and in words."""
        return FoundList(hits=await run_in_threadpool(find, loader, query, caller_of(request.scope).key))

    return app


def find(loader: Loader, query: SearchQuery, user: str) -> list[Found]:
    """The passages that a query finds. Raises LimitError, NoIndexError and what loading the models raised."""
    loader.limit.admit(user)
    index = loader.index()
    if index is None:
        raise NoIndexError("there is no index here")
    hits = index.search(
        query.query,
        count=query.count,
        published_after=query.published_after,
        published_before=query.published_before,
        sources=[query.source] if query.source else None,
        languages=[query.language] if query.language else None,
    )
    return [Found.of(hit) for hit in hits]


def _known(folder: Path | None) -> Path:
    if folder is None:
        raise NoIndexError("there is no index here")
    return folder


async def _lines(events: AsyncIterator[Event], form: str) -> AsyncIterator[str]:
    try:
        async for event in events:
            yield form.format(json.dumps(as_dict(event), ensure_ascii=False))
    except Exception as error:  # noqa: BLE001 -- it is logged and told; the response has begun
        status, message, _ = problems.of_error(error)
        yield form.format(json.dumps({"type": "error", **problems.body(status, message)}, ensure_ascii=False))


_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {}}},
    }
}
