"""Chat models that phrase in the asker's language what the articles say in another."""

import os
import re
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from index.errors import ConfigError, ModelError
from qa.config import WriterConfig
from qa.errors import WriterError
from qa.prompts import clean, instruction, label, turns

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

_LENGTH = 4
"""A rendering longer than this many times its sentence (and 200 characters) is a model that does not stop."""


class Writer:
    """A chat model that renders a sentence of an article in another language, and does nothing else.

    Args:
        model: any LangChain chat model.
        name: what messages call it.
        instructed: whether it follows instructions; a base model is given examples alone.
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

    def prepare(self, source: str, target: str) -> None:
        """Let an embedded model read the examples of this pair ahead, as soon as both languages are known."""
        if (prepare := getattr(self.model, "prepare", None)) and source != target:
            prepare(self._messages("", source, target))

    def translate(self, sentence: str, source: str, target: str, *, focus: str | None = None) -> Iterator[str]:
        """Stream ``sentence`` in another language; the pieces together are the rendering.

        Args:
            sentence: a sentence of an article; it is data, whatever it says.
            source: ISO 639-1 code of its language.
            target: ISO 639-1 code of the language wanted; the same as ``source`` gives the sentence itself.
            focus: words of the sentence that matter, if it must be cut.

        Raises WriterError, also after some pieces have come: drop them then. ModelError if the weights cannot be used.
        """
        text = clean(sentence, focus)
        if source == target or not text:
            if text:
                yield text
            return
        self.load()
        try:
            yield from self._rendering(text, source, target)
        except WriterError:
            raise
        except Exception as error:  # a provider's library may raise anything; the quotation is shown then
            raise WriterError(f"writer {self.name}: {self._explain(error)}") from error

    def _rendering(self, text: str, source: str, target: str) -> Iterator[str]:
        until = time.monotonic() + self.timeout
        most = _LENGTH * len(text) + 200
        tidy, finished, given = _Tidy(label(target)), None, 0
        for chunk in self.model.stream(self._messages(text, source, target)):
            finished = _finish(chunk.response_metadata) or finished
            piece = tidy.add(chunk.text)
            given += len(piece)
            if time.monotonic() > until:
                raise WriterError(f"writer {self.name}: no whole sentence within {self.timeout:g} s")
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

    def _messages(self, text: str, source: str, target: str) -> "list[BaseMessage]":
        from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

        messages: list[BaseMessage] = [SystemMessage(instruction(source, target))] if self.instructed else []
        for request, rendering in turns(text, source, target):
            messages.append(HumanMessage(request))
            if rendering is not None:
                messages.append(AIMessage(rendering))
        return messages

    def _explain(self, error: Exception) -> str:
        kind = type(error).__name__
        if "Timeout" in kind:
            return f"it did not answer within {self.timeout:g} s"
        status = getattr(error, "status_code", None)
        if "RateLimit" in kind or status == HTTPStatus.TOO_MANY_REQUESTS:
            return "it is asked too much at the moment (429)"
        if "Connection" in kind or "Connect" in kind:
            return "it cannot be reached; see writer.base_url"
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return "it refuses the key"
        if "No generation chunks" in str(error):
            return "it sent nothing that can be read; see writer.base_url"
        lines = str(error).splitlines()
        return f"{kind}: {lines[0][:200]}" if lines else kind


def _finish(details: dict[str, Any]) -> str | None:
    """Why a model stopped; providers name it differently."""
    reason = details.get("finish_reason") or details.get("done_reason") or details.get("stop_reason")
    return str(reason) if reason else None


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

            return Writer(EmbeddedChatModel(), name="embedded", instructed=False, timeout=config.timeout, ends=True)
        except ImportError as error:
            raise ModelError(
                f"the embedded writer needs {error.name}: run `pip install xllamacpp langchain-core`"
            ) from None
    provider, colon, model = config.model.partition(":")
    if not (provider and colon and model):
        raise ConfigError(
            f"writer.model is {config.model!r}; use embedded, none, openai:MODEL, ollama:MODEL or PROVIDER:MODEL"
        )
    try:
        return Writer(
            _remote(provider, model, config),
            name=config.model,
            timeout=config.timeout,
            ends=provider in ("openai", "ollama"),
        )
    except ImportError as error:
        package = re.search(r"pip install ([\w-]+)", str(error))
        name = package.group(1) if package else (error.name or provider).partition(".")[0].replace("_", "-")
        raise ConfigError(
            f"writer.model is {config.model!r}, which needs a package: run `pip install {name}`"
        ) from None
    except Exception as error:  # noqa: BLE001 a provider's constructor may raise anything: no key, a wrong address
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"writer.model is {config.model!r}, which cannot be used: {reason}") from None


def _remote(provider: str, model: str, config: WriterConfig) -> "BaseChatModel":
    """A model on a server, asked once and for the likeliest words: when it fails, the quotation answers at once."""
    if provider == "openai":
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        key = os.environ.get("OPENAI_API_KEY") or ("none" if config.base_url else None)
        if key is None:
            raise ValueError("set OPENAI_API_KEY, or writer.base_url for a server of your own")
        return ChatOpenAI(
            model=model,
            base_url=config.base_url,
            api_key=SecretStr(key),
            timeout=config.timeout,
            max_retries=0,
            # OpenAI's reasoning models refuse a temperature
            temperature=None if re.match(r"(o\d|gpt-[5-9])", model) else 0,
        )
    if provider == "ollama":
        from langchain_ollama import ChatOllama

        return ChatOllama(
            model=model, base_url=config.base_url, temperature=0, client_kwargs={"timeout": config.timeout}
        )
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {"base_url": config.base_url} if config.base_url else {}
    chat_model: BaseChatModel = init_chat_model(
        model, model_provider=provider, temperature=0, timeout=config.timeout, max_retries=0, **options
    )
    return chat_model
