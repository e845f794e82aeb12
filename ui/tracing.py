"""A trace of every question for OpenTelemetry: a span for the answer, one for each step, one for each call of a model.

The steps are run as LangChain runnables with a callback handler, so that whatever of LangChain is called inside of one
(chat models, retrievers, chains) is a span below it. Spans hold names and times, and nothing of what was asked.
"""

import contextlib
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableLambda

from index.errors import ConfigError
from qa.answer import Answer, Step, TextPiece
from qa.turn import Turn
from ui.answering import History

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

    from qa.chain import Assistant


def tracer_to(address: str) -> "Tracer":
    """A tracer that sends to a collector (OTLP over HTTP). Raises ConfigError if its packages are not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ConfigError("server.traces needs OpenTelemetry; install it with pip install '.[otel]'") from None
    provider = TracerProvider(resource=Resource.create({"service.name": "kabar"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=address)))
    return provider.get_tracer("kabar")


class Traced:
    """An assistant whose answers leave traces."""

    def __init__(self, assistant: "Assistant", tracer: "Tracer") -> None:
        """The assistant's steps become runnables that tell ``tracer``."""
        self.index = assistant.index
        self._assistant = assistant
        self._tracer = tracer
        spans = Spans(tracer)
        assistant.steps = {name: _told(name, step, spans) for name, step in assistant.steps.items()}

    def would_answer(self, turn: Turn, /) -> bool:
        """Whether the articles hold the answer; nobody has asked, and no trace is left."""
        return self._assistant.would_answer(turn)

    def stream(self, question: str, *, history: History, **filters: Any) -> Generator[Step | TextPiece | Answer]:
        """What the assistant says."""
        from opentelemetry import context
        from opentelemetry.trace import set_span_in_context

        span = self._tracer.start_span("answer")
        within = set_span_in_context(span)
        try:
            events = self._assistant.stream(question, history, **filters)
            while True:
                # Whoever asks for the next event may do so from another thread each time.
                attached = context.attach(within)
                try:
                    event = next(events, None)
                finally:
                    context.detach(attached)
                if event is None:
                    return
                if isinstance(event, Answer):
                    span.set_attribute("kabar.answerable", event.answerable)
                    span.set_attribute("kabar.language", event.language)
                yield event
        finally:
            span.end()


def _told(name: str, step: Callable[[Turn], Turn], spans: "Spans") -> Callable[[Turn], Turn]:
    runnable = RunnableLambda(step, name=name)
    return lambda turn: runnable.invoke(turn, {"callbacks": [spans]})


class Spans(BaseCallbackHandler):
    """Makes a span of every run of LangChain's."""

    run_inline = True

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer
        self._open: dict[UUID, Span] = {}

    def _begin(self, serialized: dict[str, Any] | None, run_id: UUID, parent: UUID | None, name: str | None) -> None:
        from opentelemetry.trace import set_span_in_context

        above = self._open.get(parent) if parent else None
        title = name or (serialized or {}).get("name") or "run"
        self._open[run_id] = self._tracer.start_span(title, set_span_in_context(above) if above else None)

    def _end(self, run_id: UUID, error: BaseException | None = None) -> None:
        from opentelemetry.trace import StatusCode

        with contextlib.suppress(KeyError):
            span = self._open.pop(run_id)
            if error is not None:
                span.set_status(StatusCode.ERROR, type(error).__name__)
            span.end()

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """A step or a chain begins."""
        self._begin(serialized, run_id, about.get("parent_run_id"), about.get("name"))

    def on_llm_start(self, serialized: Any, prompts: list[str], *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """A model begins."""
        self._begin(serialized, run_id, about.get("parent_run_id"), about.get("name"))

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """A chat model begins."""
        self._begin(serialized, run_id, about.get("parent_run_id"), about.get("name"))

    def on_retriever_start(self, serialized: Any, query: str, *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """A search begins."""
        self._begin(serialized, run_id, about.get("parent_run_id"), about.get("name"))

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """It has ended."""
        self._end(run_id)

    def on_llm_end(self, response: Any, *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """It has ended."""
        self._end(run_id)

    def on_retriever_end(self, documents: Any, *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """It has ended."""
        self._end(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """It has failed."""
        self._end(run_id, error)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """It has failed."""
        self._end(run_id, error)

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **about: Any) -> None:  # noqa: ARG002
        """It has failed."""
        self._end(run_id, error)
