"""A chat model as the reader: it quotes, and is believed as far as its quotations stand in the passages."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from index.errors import ConfigError
from index.index import Hit
from index.retry_after import seconds_to_wait
from qa.chat_model import explain, finish_reason, open_chat_model, says_end, status_code, stream_within
from qa.config import ReaderConfig, WriterConfig
from qa.errors import ReaderError
from qa.language import name as language_name
from qa.llm_prompt import Reply, correction, messages, parse, schema
from qa.prompts import LONGEST, clean
from qa.quotation import find
from qa.turn import Evidence, Turn

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

_MOST_QUOTATIONS = 4
_LONGEST_REPLY = 20_000
_PATIENCE = 10.0
"""Seconds to wait for a server that names a time; if it names a longer one, the trained reader answers meanwhile."""

_LONGEST_BREAK = 3600.0
"""Seconds for which a server can ask not to be asked."""

_REFUSED_FORMAT = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.NOT_IMPLEMENTED)


class _Unusable(Exception):  # noqa: N818 -- no error: the model is told and asked again
    """What is wrong with a reply, in sentences for the model."""

    def __init__(self, *faults: str) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


class LlmReader:
    """Has a chat model find the answer in the passages of a turn.

    Args:
        model: any LangChain chat model that follows instructions.
        name: what messages call it; its provider ("openai:...") says how it can be held to a JSON schema.
        timeout: seconds for one question, all requests together.
    """

    def __init__(self, model: "BaseChatModel", *, name: str = "", timeout: float = 60) -> None:
        self.model = model
        self.name = name or type(model).__name__
        self.timeout = timeout
        self._takes_schema = name.partition(":")[0] in ("openai", "ollama")
        self._free_at = 0.0  # on the monotonic clock: until then the server wants no request

    @classmethod
    def open(cls, reader: ReaderConfig, writer: WriterConfig) -> Self:
        """The model that ``reader.chat_model`` names; if it names none, the writer's. Raises ConfigError."""
        model, base_url = reader.chat_model, reader.base_url
        if model is None and writer.model not in ("embedded", "none"):
            model, base_url = writer.model, base_url or writer.base_url
        if model is None:
            raise ConfigError("reader.model is 'llm'; set reader.chat_model to openai:MODEL, ollama:MODEL or another")
        chat_model = open_chat_model(model, key="reader.chat_model", base_url=base_url, timeout=reader.timeout)
        return cls(chat_model, name=model, timeout=reader.timeout)

    def read(self, turn: Turn) -> Turn:
        """``turn`` with the model's quotations as evidence and its answer as ``claim``; no evidence if it finds none.

        A reply that cannot be used is sent back once, with what is wrong. Raises ReaderError: the model failed, or
        its second reply was no better.
        """
        from langchain_core.messages import AIMessage

        until = time.monotonic() + self.timeout
        conversation = messages(turn.question, turn.hits, language_name(turn.language, "en"), turn.history)
        reply = self._reply(conversation, until, len(turn.hits))
        try:
            return _with_evidence(turn, reply)
        except _Unusable as unusable:
            conversation += [AIMessage(reply), correction(unusable.faults)]
        try:
            return _with_evidence(turn, self._reply(conversation, until, len(turn.hits)))
        except _Unusable as unusable:
            raise self._failed(f"asked again, it was wrong again: {clean(str(unusable))[:200]}") from None

    def _failed(self, reason: str) -> ReaderError:
        return ReaderError(f"reader {self.name}: {reason}")

    def _reply(
        self, conversation: "Sequence[BaseMessage]", until: float, passages: int, *, patient: bool = True
    ) -> str:
        """The text of a reply; a server that asks to wait a little is asked once more after that time."""
        self._wait_until_free(until)
        try:
            return self._ask(conversation, until, passages)
        except ReaderError:
            raise
        except Exception as error:  # a provider's library may raise anything; the trained reader answers then
            wait = _retry_after(error)
            self._free_at = time.monotonic() + wait
            if not (wait and patient):
                raise self._failed(explain(error, section="reader", timeout=self.timeout)) from error
        return self._reply(conversation, until, passages, patient=False)

    def _wait_until_free(self, until: float) -> None:
        now = time.monotonic()
        wait = self._free_at - now
        if wait > min(_PATIENCE, until - now):
            raise self._failed(f"it is asked too much at the moment, and asks to be left alone for {wait:.0f} s")
        if wait > 0:
            time.sleep(wait)

    def _ask(self, conversation: "Sequence[BaseMessage]", until: float, passages: int) -> str:
        if not self._takes_schema:
            return self._stream(conversation, until, {})
        try:
            return self._stream(conversation, until, self._held_to(schema(passages)))
        except Exception as error:
            if status_code(error) not in _REFUSED_FORMAT:
                raise
        reply = self._stream(conversation, until, {})
        self._takes_schema = False  # it was the schema that the server refused
        return reply

    def _held_to(self, form: dict[str, Any]) -> dict[str, Any]:
        if self.name.startswith("ollama:"):
            return {"format": form}
        wanted = {"type": "json_schema", "json_schema": {"name": "reply", "strict": True, "schema": form}}
        return {"extra_body": {"response_format": wanted}}

    def _stream(self, conversation: "Sequence[BaseMessage]", until: float, options: dict[str, Any]) -> str:
        text, finished = "", None
        for chunk in stream_within(self.model, conversation, until - time.monotonic(), **options):
            finished = finish_reason(chunk.response_metadata) or finished
            text += chunk.text
            if len(text) > _LONGEST_REPLY:
                raise self._failed("it does not stop writing")
        if finished in ("length", "max_tokens"):
            cut = "its reply was cut at the longest that it may give"
        elif finished is None and says_end(self.name):
            cut = "the connection ended in the middle of its reply"
        else:
            return text
        try:
            parse(text)  # all of it may have come nevertheless
        except ValueError:
            raise self._failed(cut) from None
        return text


def _with_evidence(turn: Turn, text: str) -> Turn:
    try:
        reply = parse(text)
    except ValueError:
        raise _Unusable("The reply was not the JSON object that was asked for.") from None
    evidence = {(one.hit.article.id, one.start, one.end): one for one in _evidence(reply, turn.hits)}
    claim = clean(reply.answer) if len(reply.answer) <= LONGEST else ""
    return replace(turn, evidence=tuple(evidence.values())[:_MOST_QUOTATIONS], claim=claim)


def _evidence(reply: Reply, hits: Sequence[Hit]) -> Iterator[Evidence]:
    """The quotations where they stand in the articles. Raises _Unusable if one does not."""
    faults = []
    found = []
    for quoted in reply.quotations:
        if not 1 <= quoted.passage <= len(hits):
            faults.append(f"There is no passage {quoted.passage}.")
        elif place := find(quoted.quotation, hits[quoted.passage - 1].passage.text):
            found.append((hits[quoted.passage - 1], place, quoted.words))
        else:
            faults.append(f'The quotation "{quoted.quotation}" does not stand in passage {quoted.passage}.')
    if faults:
        raise _Unusable(*faults)
    for hit, place, words in found:
        text = hit.article.text
        for start, end in _in_article(hit, *place):
            answering = find(words, text[start:end])
            yield Evidence(
                hit,
                start,
                end,
                text[start:end][slice(*answering)] if answering else "",
                reply.confidence,
                reply.confidence,
            )


def _in_article(hit: Hit, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where ``hit.passage.text[start:end]`` stands in the article.

    One stretch, or several where the article has something between two sentences that the passage leaves out.
    """
    at = 0
    begun: tuple[int, int] | None = None
    for first, last in hit.passage.sentences:
        low, high = max(start - at, 0), min(end - at, last - first)
        at += last - first + 1
        if low >= high:
            continue
        if begun and not hit.article.text[begun[1] : first + low].strip():
            begun = begun[0], first + high
            continue
        if begun:
            yield begun
        begun = first + low, first + high
    if begun:
        yield begun


def _retry_after(error: BaseException) -> float:
    """Seconds for which a server that is asked too much wants to be left alone, 0 if it does not say; RFC 9110."""
    if status_code(error) not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return 0.0
    stated = getattr(getattr(error, "response", None), "headers", {}).get("retry-after", "")
    return min(seconds_to_wait(stated), _LONGEST_BREAK)
