"""The embedded writer as a LangChain chat model: llama.cpp inside this process, no network."""

import contextlib
import os
import queue
import secrets
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field, PrivateAttr

from index.errors import ModelError
from qa.gemma import adapter, weights


class EmbeddedChatModel(BaseChatModel):
    """Gemma 3 270M, a base model: it goes on with the text that the messages make, and is not given instructions.

    System messages stand first; a human message and the answer after it are joined by a space, two such turns by an
    empty line. The answer ends at the first newline. Always the likeliest token, so that answers repeat.

    Attributes:
        path: GGUF file; None is the embedded one, assembled when first needed.
        context: tokens that prompt and answer may have together.
        max_tokens: longest answer.
        threads: None takes half of the processors, at most 4.
        trained: whether kabar's own adapter is put on it, which makes it a translator (see ``qa.prompts.task``).
    """

    path: Path | None = None
    context: int = Field(default=2048, ge=256)
    max_tokens: int = Field(default=192, ge=1)
    threads: int | None = None
    trained: bool = False

    _server: Any = PrivateAttr(default=None)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    @property
    def _llm_type(self) -> str:
        return "kabar-embedded"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "max_tokens": self.max_tokens,
            "trained": self.trained,
        }

    def load(self) -> None:
        """Load the weights if that has not been done. Raises ModelError."""
        with self._lock:
            if self._server is None:
                own = adapter() if self.trained else None
                self._server = _open(self.path or weights(), self.context, self.threads or _threads(), own)

    def _request(self, messages: list[BaseMessage], stop: list[str] | None) -> dict[str, Any]:
        return {
            "prompt": prompt(messages),
            "max_tokens": self.max_tokens,
            "temperature": 0,
            "stop": ["\n", *(stop or [])],
            "cache_prompt": True,
        }

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 of the base class
        **kwargs: Any,
    ) -> ChatResult:
        self.load()
        reply = self._server.handle_completions({**self._request(messages, stop), **kwargs})
        if "error" in reply:
            raise ModelError(f"the embedded writer refused the prompt: {_reason(reply)}")
        choice = reply["choices"][0]
        message = AIMessage(
            content=choice["text"].strip(),
            response_metadata={"finish_reason": choice["finish_reason"], "timings": reply.get("timings")},
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        self.load()
        request = {**self._request(messages, stop), "stream": True, **kwargs}
        pieces: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()
        stopped = threading.Event()

        def receive(piece: dict[str, Any]) -> bool:
            pieces.put(piece)
            return stopped.is_set()  # True ends the generation

        def work() -> None:
            try:
                self._server.handle_completions(request, receive)
            except BaseException as error:  # noqa: BLE001 handed to the reader of the queue, who raises it
                pieces.put(error)
            pieces.put(None)

        thread = threading.Thread(target=work, name="kabar-writer", daemon=True)
        thread.start()
        first = True
        try:
            while (piece := pieces.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                if "choices" not in piece:
                    raise ModelError(f"the embedded writer refused the prompt: {_reason(piece)}")
                choice = piece["choices"][0]
                text = choice.get("text", "")
                if first:
                    text = text.lstrip()
                    first = not text
                finished = choice.get("finish_reason")
                chunk = ChatGenerationChunk(
                    message=AIMessageChunk(
                        content=text,
                        response_metadata={"finish_reason": finished} if finished else {},
                        chunk_position="last" if finished else None,
                    )
                )
                if run_manager:
                    run_manager.on_llm_new_token(text, chunk=chunk)
                yield chunk
        finally:
            stopped.set()  # a reader who leaves early must not keep the model busy
            thread.join()


def prompt(messages: list[BaseMessage]) -> str:
    """The text that a base model goes on with."""
    text = ""
    for message in messages:
        if isinstance(message, SystemMessage):
            text += message.text + "\n\n"
        elif isinstance(message, HumanMessage):
            text += message.text
        else:
            text += f" {message.text}\n\n"
    return text


def _threads() -> int:
    """Half of the processors: one stays for the rest, and llama.cpp's threads wait for each other at every layer.

    On 2 busy processors two threads were 10 to 30 times slower than one; on 2 idle ones a tenth faster.
    """
    return min(4, max(1, (os.cpu_count() or 2) // 2))


def _open(path: Path, context: int, threads: int, adapter: Path | None) -> Any:
    """Start llama.cpp's server object, whose functions are called in this process.

    It insists on listening somewhere. Where the system has Unix sockets, it listens in a private folder that is
    removed as soon as it runs, so that nobody can reach it; elsewhere on a free loopback port, behind a random key.
    """
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx = context
    parameters.n_batch = parameters.n_ubatch = 256
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.swa_full = True  # without it a cached beginning cannot be gone back to
    parameters.cache_ram_mib = 64  # beginnings of other pairs of languages
    parameters.n_threads_http = 1
    parameters.verbosity = -1  # standard output belongs to the answer
    parameters.warmup = parameters.ui = parameters.endpoint_slots = parameters.use_jinja = parameters.fit_params = False
    parameters.offline = True
    parameters.api_keys = [secrets.token_hex(16)]
    if adapter:
        parameters.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(adapter), 1.0)]
    folder = None
    if hasattr(socket, "AF_UNIX"):
        folder = tempfile.mkdtemp(prefix="kabar-")
        parameters.hostnames = [str(Path(folder) / "writer.sock")]
    try:
        return xllamacpp.Server(parameters)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"{path}: llama.cpp cannot load the writer ({error}); run `kabar doctor --deep`") from None
    finally:
        if folder:
            with contextlib.suppress(OSError):
                shutil.rmtree(folder)


def _reason(reply: dict[str, Any]) -> str:
    error = reply.get("error", reply)
    return str(error.get("message", error) if isinstance(error, dict) else error)
