"""Chat models that phrase in the asker's language what the articles say in another."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from index.errors import ModelError
from qa.chat_model import explain, finish_reason, open_chat_model, says_end, stream_within
from qa.config import WriterConfig
from qa.errors import WriterError
from qa.prompts import clean, instruction, label, task, turns

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

_LENGTH = 4
"""A rendering longer than this many times its sentence (and 200 characters) is a model that does not stop."""


_WAYS = ((True, 0.0), (False, 0.0), (False, 0.5), (False, 0.7), (True, 0.5), (True, 0.7), (True, 0.9))
"""How a small model is asked for a part: with its sentence or without it, and at which temperature."""

_TEMPERATURES = (0.0, 0.4, 0.6, 0.8)
"""At which a small model is asked for a sentence, one after the other."""


class Writer:
    """A chat model that renders a sentence of an article, or a part of it, in another language, and does nothing else.

    Args:
        model: any LangChain chat model.
        name: what messages call it.
        instructed: whether it follows instructions; one that does not must have been trained on ``qa.prompts.task``.
        timeout: seconds for one rendering.
        ends: whether the model always says that it has finished, so that a stream which stops without saying so is
            known to be cut.
    """

    def __init__(
        self,
        model: "BaseChatModel",
        *,
        name: str = "",
        instructed: bool = True,
        timeout: float = 30,
        ends: bool = False,
    ) -> None:
        self.model = model
        self.name = name or type(model).__name__
        self.instructed = instructed
        self.timeout = timeout
        self.ends = ends

    @classmethod
    def from_model(cls, model: "BaseChatModel", **options: Any) -> Self:
        """A writer around any LangChain chat model; options as for the constructor."""
        return cls(model, **options)

    def load(self) -> None:
        """Load the weights now, if the model is in this process. Raises ModelError."""
        if load := getattr(self.model, "load", None):
            load()

    def translate(self, sentence: str, source: str, target: str, *, focus: str | None = None) -> Iterator[str]:
        """Stream ``sentence`` in another language; the pieces together are the rendering.

        Args:
            sentence: a sentence of an article; it is data, whatever it says.
            source: ISO 639-1 code of its language.
            target: ISO 639-1 code of the language wanted; the same as ``source`` gives the sentence itself.
            focus: words of the sentence that matter, if it must be cut.

        Raises WriterError, also after some pieces have come: drop them then. ModelError if the weights cannot be used.
        """
        yield from self._translation(sentence, source, target, focus)

    def translations(self, sentence: str, source: str, target: str, *, focus: str | None = None) -> Iterator[str]:
        """The whole ``sentence`` in another language in several ways, the likeliest first; as ``translate``.

        A model that follows instructions says it once.
        """
        for attempt, temperature in enumerate(_TEMPERATURES[:1] if self.instructed else _TEMPERATURES):
            options = {"temperature": temperature, "seed": attempt} if attempt else {}
            yield "".join(self._translation(sentence, source, target, focus, **options))

    def _translation(self, sentence: str, source: str, target: str, focus: str | None, **options: Any) -> Iterator[str]:
        text = clean(sentence, focus)
        if source == target or not text:
            if text:
                yield text
            return
        yield from self._rendering(self._messages(text, source, target), target, _LENGTH * len(text) + 200, **options)

    def renderings(self, part: str, sentence: str, source: str, target: str) -> Iterator[str]:
        """A part of a sentence in another language; arguments as for ``translate``.

        A model that follows instructions is asked once. One that was trained for it is small: it is asked in several
        ways, with the sentence and without it, and its renderings are to be chosen from. Raises WriterError if there is
        none, ModelError if the weights cannot be used.
        """
        text = clean(part)
        if source == target or not text:
            yield text
            return
        shown = clean(sentence, part)
        failed: WriterError | None = None
        given = 0
        for seed, (inside, temperature) in enumerate(_WAYS):
            asked = self._messages(shown if inside else text, source, target, text if inside and text != shown else "")
            options: dict[str, Any] = {}
            if not self.instructed:
                options = {"temperature": temperature, "seed": seed, "max_tokens": 16 + len(text) // 2}
            try:
                yield "".join(self._rendering(asked, target, _LENGTH * len(text) + 200, **options)).strip()
                given += 1
            except WriterError as error:
                failed = error
            if self.instructed:
                break
        if failed and not given:
            raise failed

    def _rendering(self, messages: "list[BaseMessage]", target: str, most: int, **options: Any) -> Iterator[str]:
        self.load()
        try:
            yield from self._written(messages, target, most, options)
        except WriterError:
            raise
        except Exception as error:  # a provider's library may raise anything; the quotation is shown then
            reason = explain(error, section="writer", timeout=self.timeout)
            raise WriterError(f"writer {self.name}: {reason}") from error

    def _written(self, messages: "list[BaseMessage]", target: str, most: int, options: dict[str, Any]) -> Iterator[str]:
        tidy, finished, given = _Tidy(label(target)), None, 0
        for chunk in stream_within(self.model, messages, self.timeout, **options):
            finished = finish_reason(chunk.response_metadata) or finished
            piece = tidy.add(chunk.text)
            given += len(piece)
            if given > most:
                raise WriterError(f"writer {self.name}: it does not stop writing")
            if piece:
                yield piece
            if tidy.ended:
                return
        if finished in ("length", "max_tokens"):
            raise WriterError(f"writer {self.name}: the sentence was cut at the longest answer it may give")
        if finished is None and self.ends:
            raise WriterError(f"writer {self.name}: the connection ended in the middle of the sentence")
        piece = tidy.rest()
        if not given and not piece:
            raise WriterError(f"writer {self.name}: it wrote nothing")
        if piece:
            yield piece

    def _messages(self, text: str, source: str, target: str, part: str = "") -> "list[BaseMessage]":
        from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

        asked = HumanMessage(task(text, source, target, part))
        if not self.instructed:
            return [asked]
        messages: list[BaseMessage] = [SystemMessage(instruction(source, target, part=bool(part)))]
        if part:
            return [*messages, asked]
        for request, rendering in turns(text, source, target):
            messages.append(HumanMessage(request))
            if rendering is not None:
                messages.append(AIMessage(rendering))
        return messages


class _Tidy:
    """Takes from a stream what is no part of the sentence: thoughts, a label, what follows the first line."""

    def __init__(self, name: str) -> None:
        self._label = re.compile(rf"\s*(?:{re.escape(name)}|Translation)\s*[:：]\s*", re.IGNORECASE)
        self._longest = max(len(name), len("Translation")) + 3
        self._held: str | None = ""  # None once the beginning is known to be tidy
        self.ended = False

    def add(self, text: str) -> str:
        """What of the text so far can be shown."""
        if self.ended:
            return ""
        if self._held is not None:
            self._held = (self._held + text).lstrip()
            if self._held.startswith("<think>"):
                if "</think>" not in self._held:
                    return ""
                self._held = self._held.partition("</think>")[2].lstrip()
            if len(self._held) < self._longest and "\n" not in self._held:
                return ""
            text = self.rest()
        line, newline, _ = text.partition("\n")
        self.ended = bool(newline)
        return line.rstrip() if newline else line

    def rest(self) -> str:
        """What was held back at the beginning."""
        text, self._held = self._held or "", None
        if text.startswith("<think>"):
            return ""
        return text[match.end() :] if (match := self._label.match(text)) else text


def open_writer(config: WriterConfig) -> Writer | None:
    """The writer that ``writer.model`` names, or None for "none".

    "embedded", "openai:MODEL" and "ollama:MODEL" (with ``base_url`` for a server of one's own), or "PROVIDER:MODEL"
    as LangChain's ``init_chat_model`` knows them. Nothing is loaded or asked yet. Raises ConfigError.
    """
    if config.model == "none":
        return None
    if config.model == "embedded":
        try:
            from qa.embedded_chat import EmbeddedChatModel

            own = EmbeddedChatModel(trained=True)
            return Writer(own, name="embedded", instructed=False, timeout=config.timeout, ends=True)
        except ImportError as error:
            raise ModelError(
                f"the embedded writer needs {error.name}: run `pip install xllamacpp langchain-core`"
            ) from None
    model = open_chat_model(
        config.model, key="writer.model", base_url=config.base_url, timeout=config.timeout, also="embedded, none, "
    )
    return Writer(model, name=config.model, timeout=config.timeout, ends=says_end(config.model))
