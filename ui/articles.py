"""The Articles page: its routes. Plain pages and forms, which work without a script; one makes them live."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import date
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message

from index.errors import BusyError, KabarError, NoIndexError
from index.listing import Overview, Selection, open_listing
from index.sources.source import MEGABYTE
from ui import articles_forms, articles_page
from ui.articles_page import PER_PAGE, Found
from ui.articles_words import languages, number, words
from ui.articles_work import Work
from ui.config import Settings
from ui.identity import caller_of
from ui.loader import Loader
from ui.theme import PAGE
from ui.visitor import LANGUAGE_COOKIE
from ui.words import best_language

if TYPE_CHECKING:
    from index.encoder import Encoder

_MOST_SOURCES = 500
"""Sources to choose from; any other can be asked for by address."""
_MOST_FILES = 1000
_MOST_FIELDS = 1000
_REMEMBERED = 32
"""Selections whose figures are kept: counting a large collection takes a moment."""
_SECONDS = 600.0
"""Seconds that an upload may take."""
_GRACE = 20.0
_SLOWEST = 20_000
"""Bytes in a second, after some seconds of grace: an upload that is slower only keeps others from theirs."""


class _TooLargeError(Exception):
    """More is sent than may be uploaded."""


class Articles:
    """The page; ``work`` does what it is asked to, and without it the page shows and changes nothing."""

    def __init__(self, settings: Settings, work: Work | None) -> None:
        self.settings = settings
        self.work = work
        self._overviews: OrderedDict[tuple[int, Selection], Overview] = OrderedDict()
        self._receiving = asyncio.Semaphore(2)  # what is being received lies on the disk: no more of it than this

    def routes(self) -> list[Route]:
        """What the page answers to."""
        return [
            Route("/articles", self.show, methods=["GET"]),
            Route("/articles/show", self.show_article, methods=["GET"]),
            Route("/articles/work", self.show_work, methods=["GET"]),
            Route("/articles/upload", self._changing(self.upload), methods=["POST"]),
            Route("/articles/paste", self._changing(self.paste), methods=["POST"]),
            Route("/articles/fetch", self._changing(self.fetch), methods=["POST"]),
            Route("/articles/remove", self._changing(self.remove), methods=["POST"]),
            Route("/articles/rebuild", self._changing(self.rebuild), methods=["POST"]),
            Route("/articles/stop", self._changing(self.stop), methods=["POST"]),
        ]

    def close(self) -> None:
        """Stop working."""
        if self.work:
            self.work.close()

    # What is shown

    def show(self, request: Request) -> Response:
        """The page."""
        return self._page(request)

    def show_article(self, request: Request) -> Response:
        """One article, on a page of its own or, with ``part``, for the panel beside the table."""
        language = page_language(request)
        article, places = None, []
        try:
            with open_listing(self.settings.index.path) as listing:
                article = listing.article(request.query_params.get("id", ""))
                places = listing.places(article.id) if article else []
        except KabarError as error:
            return self._document(request, articles_forms.message(str(error), wrong=True), 503)
        if article is None:
            return self._document(request, articles_forms.message(words("gone", language), wrong=True), 404)
        shown = articles_page.article(article, [self._place(place) for place in places], language)
        if "part" in request.query_params:
            return HTMLResponse(shown)
        return self._document(request, shown, title=article.title)

    def _place(self, name: str) -> str:
        """A file by its whole path to those who may change things, else below the folder it was found in."""
        if self.work is not None:
            return name
        roots = [self.settings.index.added, *(place for place in self.settings.index.articles)]
        return next((name.removeprefix(f"{root}/") for root in roots if name.startswith(f"{root}/")), name)

    def show_work(self, request: Request) -> Response:
        """How far the work is."""
        return HTMLResponse(self._work(page_language(request)))

    def _work(self, language: str) -> str:
        generation = 0
        try:
            with open_listing(self.settings.index.path) as listing:
                generation = listing.generation
        except KabarError:
            pass
        return articles_forms.work(self.work.jobs() if self.work else [], language, generation=generation)

    def _page(self, request: Request, message: str = "", status: int = 200) -> Response:
        language = page_language(request)
        said = articles_forms.message(message, wrong=True) if message else ""
        try:
            found = self._find(request)
        except NoIndexError:
            found = Found(selection(request), Overview(0, {}, "day", (), 0), 1, (), (), (), 0)
        except KabarError as error:
            return self._document(request, articles_forms.message(str(error), wrong=True), 503)
        ways = ""
        if self.work:
            empty = not found.overview.articles and found.chosen == Selection()
            ways = articles_forms.adding(
                language, megabytes=self.settings.server.upload_megabytes, is_open=empty or bool(message)
            )
        else:
            said += articles_forms.message(words("read_only", language))
        body = (
            f"<h1>{words('articles', language)}</h1>{said}{self._work(language)}{ways}"
            f"{articles_page.collection(found, language, editable=self.work is not None)}"
        )
        return self._document(request, body, status)

    def _find(self, request: Request) -> Found:
        chosen = selection(request)
        with open_listing(self.settings.index.path) as listing:
            key = (listing.generation, chosen)
            overview = self._overviews.get(key) or listing.overview(chosen)
            self._overviews[key] = overview
            while len(self._overviews) > _REMEMBERED:
                self._overviews.popitem(last=False)
            stated = request.query_params.get("page", "1")
            page = int(stated) if stated.isdecimal() and len(stated) < 8 else 1
            page = min(max(1, page), max(1, -(-overview.articles // PER_PAGE)))
            rows = listing.page(chosen, offset=(page - 1) * PER_PAGE, limit=PER_PAGE)
            return Found(
                chosen, overview, page, rows, listing.languages(), listing.sources(_MOST_SOURCES), listing.generation
            )

    def _document(self, request: Request, body: str, status: int = 200, title: str = "") -> Response:
        language = page_language(request)
        busy = self.work is not None and any(job.state in ("waiting", "running") for job in self.work.jobs())
        head = _head() + ('<noscript><meta http-equiv="refresh" content="3"></noscript>' if busy else "")
        signed_in = bool(caller_of(request.scope).display_name)
        named = title or words("articles", language)
        shown = articles_page.document(named, body, language, head=head, signed_in=signed_in)
        return HTMLResponse(shown, status, {"Cache-Control": "no-store"})

    # What is done

    def _changing(
        self, change: Callable[[Work, FormData, str], str | Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        """A route that reads a form and does something; what it says is wrong stands on the page."""

        async def endpoint(request: Request) -> Response:
            language = page_language(request)
            if self.work is None:
                return HTMLResponse(words("read_only", language), 403)
            try:
                async with self._receiving, asyncio.timeout(_SECONDS), self._form(request) as form:
                    done = await run_in_threadpool(change, self.work, form, language)
            except _TooLargeError:
                limit = number(self.settings.server.upload_megabytes, language)
                done, status = words("too_large", language, megabytes=limit), 413
            except BusyError as error:
                done, status = str(error), 503
            except KabarError as error:
                done, status = str(error), 400
            except HTTPException as error:  # no form, or one of too many parts
                done, status = error.detail, 400
            except ClientDisconnect:  # nobody is there to be told
                return Response(status_code=400)
            except TimeoutError:
                done, status = words("too_slow", language), 408
            else:
                status = 400
            if isinstance(done, Response):
                return done
            if not done:
                return RedirectResponse("/articles", 303)
            return await run_in_threadpool(self._page, request, done, status)

        return endpoint

    def _form(self, request: Request) -> "_Form":
        return _Form(request, self.settings.server.upload_megabytes * MEGABYTE)

    def upload(self, work: Work, form: FormData, language: str) -> str:
        """Keep the files and index them; what is wrong with them, if none of them is kept."""
        kept, problems = [], []
        for file in form.getlist("file"):
            if isinstance(file, UploadFile) and file.filename:
                try:
                    kept.append(work.added.save(file.filename, file.file))
                except KabarError as error:
                    problems.append(str(error))
        if kept:
            work.add_files(kept)
        elif not problems:
            return words("nothing_given", language)
        return "; ".join(problems)

    def paste(self, work: Work, form: FormData, language: str) -> str:
        """Keep a text and index it."""
        text, title, source = (_line(form, "text"), _line(form, "title"), _line(form, "source"))
        if not text.strip():
            return words("nothing_given", language)
        published = _day(_line(form, "published"))
        work.add_files([work.added.write(text, title=title.strip(), source=source.strip(), published=published)])
        return ""

    def fetch(self, work: Work, form: FormData, language: str) -> str:
        """Note an address and index what stands there."""
        address = _line(form, "address")
        if not address.strip():
            return words("nothing_given", language)
        work.add_address(work.added.note(address))
        return ""

    def remove(self, work: Work, form: FormData, language: str) -> str | Response:
        """Ask whether to remove articles, and remove them if that has been answered."""
        ids = [value.replace("\r\n", "\n") for value in form.getlist("id") if isinstance(value, str)]
        if not ids:
            return words("select_first", language)
        with open_listing(self.settings.index.path) as listing:
            titles = listing.titles(ids)
        if not titles:
            return words("gone", language)
        if form.get("sure") == "yes":
            work.remove(titles)
            return ""
        head, title = _head(), words("sure", language)
        return HTMLResponse(
            articles_page.document(title, articles_forms.confirmation(titles, language), language, head=head)
        )

    def rebuild(self, work: Work, form: FormData, language: str) -> str:  # noqa: ARG002 -- one form for all changes
        """Read everything again."""
        work.rebuild()
        return ""

    def stop(self, work: Work, form: FormData, language: str) -> str:  # noqa: ARG002
        """Stop a job."""
        stated = _line(form, "number")
        if stated.isdecimal() and len(stated) < 10:
            work.stop(int(stated))
        return ""


def open_articles(settings: Settings, loader: Loader, *, alone: bool) -> Articles:
    """The page with its work, which uses the assistant's encoder and helps one that lacked articles.

    Without ``server.edit_articles`` nothing can be changed on it; "auto" allows that if this machine is ``alone``.
    """
    stated = settings.server.edit_articles
    if not (alone if stated == "auto" else stated):
        return Articles(settings, None)

    def encoder() -> "Encoder":
        try:
            index = loader.index()
        except KabarError:  # the chat page says why there is no assistant
            index = None
        if index is not None:
            return index.encoder
        from index.encoder import Encoder

        return Encoder.open(settings.encoder)

    return Articles(settings, Work(settings, encoder, loader.start))


class _Form:
    """The form of a request, as long as the context lasts; its files lie in temporary ones that vanish with it.

    Raises _TooLargeError as soon as more than ``limit`` bytes have come, whatever the request says of its length, and
    TimeoutError as soon as it has come too slowly for too long.
    """

    def __init__(self, request: Request, limit: int) -> None:
        self._request = request
        self._limit = limit + 100_000  # what stands around the files
        self._received = 0
        self._began = asyncio.get_running_loop().time()
        self._form: FormData | None = None

    async def __aenter__(self) -> FormData:
        stated = self._request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > self._limit:
            raise _TooLargeError
        bounded = Request(self._request.scope, self._receive)
        self._form = await bounded.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=self._limit)
        return self._form

    async def __aexit__(self, *error: object) -> None:
        if self._form is not None:
            await self._form.close()

    async def _receive(self) -> Message:
        async with asyncio.timeout_at(self._began + _GRACE + self._received / _SLOWEST):
            message = await self._request.receive()
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            raise _TooLargeError
        return message


def page_language(request: Request) -> str:
    """The language that was chosen on the page, else the browser's best."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in languages() else best_language(request.headers.get("accept-language", ""), languages())


def selection(request: Request) -> Selection:
    """What the address asks for; what cannot be understood of it chooses nothing."""
    asked = request.query_params
    return Selection(
        search=asked.get("search", "")[:500],
        language=asked.get("language") or None,
        source=asked.get("source") or None,
        after=_day(asked.get("after", "")),
        before=_day(asked.get("before", "")),
    )


def _day(stated: str) -> date | None:
    try:
        return date.fromisoformat(stated)
    except ValueError:
        return None


def _line(form: FormData, field: str) -> str:
    """A field of a form; browsers send every line's end as two characters."""
    value = form.get(field)
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _head() -> str:
    look, own, script = (
        (PAGE / name).read_text(encoding="utf-8") for name in ("page.css", "articles.css", "articles.js")
    )
    meta = (PAGE / "head.html").read_text(encoding="utf-8")
    return f'{meta}<style>{look}{own}</style><script type="module">{script}</script>'
