"""What the page's script asks for beside Gradio's events: articles, the drawer, files to save, feedback, links."""

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field

from ui import history_view, render
from ui.export import as_json, as_markdown, file_name
from ui.history import History, Kept
from ui.turn import Verdict
from ui.visitor import Visitor, visitor

if TYPE_CHECKING:
    from ui.loader import Loader

_TYPES = {"md": "text/markdown; charset=utf-8", "json": "application/json"}

Search = Annotated[str, Query(max_length=1000)]
Id = Annotated[str, Query(max_length=64)]


class Title(BaseModel):
    """A conversation's new title."""

    title: str = Field(max_length=1000)


class Judgement(BaseModel):
    """What a reader says of an answer; without a verdict, that an earlier one is taken back."""

    conversation: str = Field(max_length=64)
    turn: str = Field(max_length=64)
    verdict: Verdict | None = None
    remark: str = Field(default="", max_length=2000)


def page_routes(loader: "Loader", history: History | None) -> APIRouter:
    """The routes; without ``history`` those of conversations find nothing. All are for whoever may open the page."""
    routes = APIRouter(include_in_schema=False)

    def kept() -> History:
        if history is None:
            raise HTTPException(404, "no conversations are kept here")
        return history

    def listed(who: Visitor, search: str = "", current: str = "") -> HTMLResponse:
        found = kept().find(who.owner, search)
        return HTMLResponse(history_view.conversations(found, who.language, current=current, searched=bool(search)))

    @routes.get("/page/article")
    def article(id: str, start: int, end: int, request: Request) -> Response:  # noqa: A002 -- the name in the address
        """The article for the side panel; nothing where it is gone: the page goes on showing the passage."""
        index = None if loader.loading or loader.error else loader.index()
        found = index.article(id) if index is not None else None
        try:
            return HTMLResponse(render.article(found, start, end, _visitor(request).language)) if found else _nothing()
        except ValueError:
            return _nothing()

    @routes.get("/page/history")
    def conversations(request: Request, search: Search = "", current: Id = "") -> HTMLResponse:
        return listed(_visitor(request), search, current)

    @routes.post("/page/history/{conversation}/title")
    def rename(conversation: str, given: Title, request: Request) -> HTMLResponse:
        who = _visitor(request)
        _found(kept().rename(who.owner, conversation, given.title))
        return listed(who, current=conversation)

    @routes.post("/page/history/{conversation}/{change}")
    def share(conversation: str, change: Literal["share", "unshare"], request: Request) -> HTMLResponse:
        who = _visitor(request)
        _found((kept().share if change == "share" else kept().unshare)(who.owner, conversation))
        return listed(who, current=conversation)

    @routes.delete("/page/history/{conversation}")
    def delete(conversation: str, request: Request) -> HTMLResponse:
        who = _visitor(request)
        _found(kept().delete(who.owner, conversation))
        return listed(who)

    @routes.delete("/page/history")
    def delete_all(request: Request) -> HTMLResponse:
        who = _visitor(request)
        kept().delete_all(who.owner)
        return listed(who)

    @routes.get("/page/history/{conversation}.{form}")
    def export(conversation: str, form: Literal["md", "json"], request: Request) -> Response:
        who = _visitor(request)
        one = _conversation(kept().get(who.owner, conversation))
        content = as_markdown(one) if form == "md" else as_json(one)
        named = f'attachment; filename="{file_name(one)}.{form}"'
        return Response(content, media_type=_TYPES[form], headers={"content-disposition": named})

    @routes.post("/page/feedback")
    def feedback(given: Judgement, request: Request) -> JSONResponse:
        owner = _visitor(request).owner
        _found(kept().judge(owner, given.conversation, given.turn, given.verdict, given.remark))
        return JSONResponse({"verdict": given.verdict})

    @routes.get("/shared/{token}")
    def shared(token: str, request: Request) -> HTMLResponse:
        one = _conversation(kept().shared(token))
        return HTMLResponse(history_view.shared(one, _visitor(request).language), headers={"cache-control": "no-store"})

    return routes


def _nothing() -> Response:
    return Response(status_code=204)


def _visitor(request: Request) -> Visitor:
    return visitor(request.scope)


def _conversation(one: Kept | None) -> Kept:
    if one is None:
        raise HTTPException(404, "no such conversation")
    return one


def _found(done: object) -> None:
    """Nobody learns whether what they may not reach exists."""
    if not done:
        raise HTTPException(404, "no such conversation")
