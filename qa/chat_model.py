"""Chat models by name: behind a server that speaks OpenAI's language, Ollama, or any provider that LangChain knows."""

import contextvars
import os
import queue
import re
import threading
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from index.errors import ConfigError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage


def open_chat_model(name: str, *, key: str, base_url: str | None, timeout: float, also: str = "") -> "BaseChatModel":
    """The model that ``name`` names: "openai:MODEL", "ollama:MODEL", or "PROVIDER:MODEL" as ``init_chat_model`` has it.

    It is asked once and for the likeliest words; API keys come from the environment. Nothing is asked yet. Errors call
    the setting ``key`` ("writer.model") and say ``also`` before the names that fit. Raises ConfigError.
    """
    provider, colon, model = name.partition(":")
    if not (provider and colon and model):
        raise ConfigError(f"{key} is {name!r}; use {also}openai:MODEL, ollama:MODEL or PROVIDER:MODEL")
    try:
        return _open(provider, model, f"{key.partition('.')[0]}.base_url", base_url, timeout)
    except ImportError as error:
        named = re.search(r"pip install ([\w-]+)", str(error))
        package = named.group(1) if named else (error.name or provider).partition(".")[0].replace("_", "-")
        raise ConfigError(f"{key} is {name!r}, which needs a package: run `pip install {package}`") from None
    except Exception as error:  # noqa: BLE001 a provider's constructor may raise anything: no key, a wrong address
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{key} is {name!r}, which cannot be used: {reason}") from None


def says_end(name: str) -> bool:
    """Whether the provider in ``name`` always says that it has finished, so that a stream which does not is cut."""
    return name.partition(":")[0] in ("openai", "ollama")


def _open(provider: str, model: str, address_key: str, base_url: str | None, timeout: float) -> "BaseChatModel":
    if provider == "openai":
        from langchain_openai import ChatOpenAI
        from pydantic import SecretStr

        api_key = os.environ.get("OPENAI_API_KEY") or ("none" if base_url else None)
        if api_key is None:
            raise ValueError(f"set OPENAI_API_KEY, or {address_key} for a server of your own")
        return ChatOpenAI(
            model=model,
            base_url=base_url,
            api_key=SecretStr(api_key),
            timeout=timeout,
            max_retries=0,
            # OpenAI's reasoning models refuse a temperature
            temperature=None if re.match(r"(o\d|gpt-[5-9])", model) else 0,
        )
    if provider == "ollama":
        from langchain_ollama import ChatOllama

        return ChatOllama(model=model, base_url=base_url, temperature=0, client_kwargs={"timeout": timeout})
    from langchain.chat_models import init_chat_model

    options: dict[str, Any] = {"base_url": base_url} if base_url else {}
    chat_model: BaseChatModel = init_chat_model(
        model, model_provider=provider, temperature=0, timeout=timeout, max_retries=0, **options
    )
    return chat_model


def stream_within(
    model: "BaseChatModel", messages: "Sequence[BaseMessage]", seconds: float, **options: Any
) -> "Iterator[AIMessageChunk]":
    """Stream the model's reply; TimeoutError if it is not complete after ``seconds``.

    A server that keeps the line alive without saying anything outlasts every timeout of its connection, so the reply
    is received in another thread.
    """
    pieces: queue.SimpleQueue[AIMessageChunk | BaseException | None] = queue.SimpleQueue()
    left = threading.Event()

    def receive() -> None:
        try:
            for chunk in model.stream(list(messages), **options):
                if left.is_set():
                    return
                pieces.put(chunk)
            pieces.put(None)
        except BaseException as error:  # noqa: BLE001 handed to the reader of the queue, who raises it
            pieces.put(error)

    context = contextvars.copy_context()  # LangChain's tracing finds its way by it
    threading.Thread(target=context.run, args=(receive,), name="kabar-chat-model", daemon=True).start()
    until = time.monotonic() + seconds
    try:
        while True:
            try:
                piece = pieces.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise TimeoutError from None
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        left.set()


def finish_reason(details: dict[str, Any]) -> str | None:
    """Why a model stopped, from the metadata of a piece of its reply; providers name it differently."""
    reason = details.get("finish_reason") or details.get("done_reason") or details.get("stop_reason")
    return str(reason) if reason else None


def status_code(error: BaseException) -> int | None:
    """The HTTP status of a provider's error, if it has one."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def explain(error: Exception, *, section: str, timeout: float) -> str:
    """What a provider's error means, in a few words; ``section`` of config.yaml holds the address."""
    kind = type(error).__name__
    status = status_code(error)
    if "Timeout" in kind:
        return f"it did not answer within {timeout:g} s"
    if "RateLimit" in kind or status == HTTPStatus.TOO_MANY_REQUESTS:
        return "it is asked too much at the moment (429)"
    if "Connection" in kind or "Connect" in kind:
        return f"it cannot be reached; see {section}.base_url"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return "it refuses the key"
    if "No generation chunks" in str(error):
        return f"it sent nothing that can be read; see {section}.base_url"
    lines = str(error).splitlines()
    return f"{kind}: {lines[0][:200]}" if lines else kind
