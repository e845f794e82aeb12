"""Traces: a span for the answer, one for each step below it, and what LangChain runs inside of a step below that."""

from types import SimpleNamespace

import pytest
from langchain_core.language_models import FakeListChatModel
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted import scripted_answer

from qa.answer import Step
from qa.turn import Turn
from ui.tracing import Traced, tracer_to


class Stepping:
    """An assistant with steps, one of which asks a chat model."""

    index = SimpleNamespace()

    def __init__(self) -> None:
        model = FakeListChatModel(responses=["Wednesday"])
        self.steps = {"understand": lambda turn: turn, "phrase": lambda turn: (model.invoke("secret words"), turn)[1]}

    def stream(self, question, history, **filters):
        for name, step in self.steps.items():
            yield Step(name=name)
            step(Turn(question))
        yield scripted_answer(question)


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def traced(exporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return lambda assistant: Traced(assistant, provider.get_tracer("kabar"))


def test_every_step_and_model_is_a_span_below_its_answer(traced, exporter):
    events = list(traced(Stepping()).stream("secret question", history=[]))
    assert events[-1].answerable
    spans = {span.name: span for span in exporter.get_finished_spans()}
    assert set(spans) == {"answer", "understand", "phrase", "FakeListChatModel"}
    answer = spans["answer"]
    assert {spans[name].parent.span_id for name in ("understand", "phrase")} == {answer.context.span_id}
    assert spans["FakeListChatModel"].parent.span_id == spans["phrase"].context.span_id
    assert dict(answer.attributes) == {"kabar.answerable": True, "kabar.language": "en"}
    assert "secret" not in "".join(span.to_json() for span in spans.values())


def test_a_failed_step_is_marked_and_raised(traced, exporter):
    assistant = Stepping()

    def fail(turn):
        raise RuntimeError("secret")

    assistant.steps["understand"] = fail
    with pytest.raises(RuntimeError, match="secret"):
        list(traced(assistant).stream("when?", history=[]))
    failed, answer = exporter.get_finished_spans()
    assert (failed.name, failed.status.description) == ("understand", "RuntimeError")
    assert answer.name == "answer"


def test_two_answers_at_once_are_two_traces(traced, exporter):
    assistant = traced(Stepping())
    first, second = (assistant.stream(question, history=[]) for question in ("one?", "two?"))
    for pair in zip(first, second, strict=True):
        assert len(pair) == 2
    spans = exporter.get_finished_spans()
    assert len({span.context.trace_id for span in spans}) == 2
    assert len([span for span in spans if span.parent is None]) == 2


def test_a_collector_needs_no_more_than_its_address():
    assert tracer_to("http://127.0.0.1:9/v1/traces").start_span("never sent").is_recording()
