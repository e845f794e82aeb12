"""How replies are understood, where quotations stand in the articles, and which model is opened."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.language_models import BaseChatModel, FakeListChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk

from index.article import Article
from index.errors import ConfigError
from index.index import Hit
from index.passage import Passage
from qa.chat_model import stream_within
from qa.config import ReaderConfig, WriterConfig
from qa.errors import ReaderError
from qa.llm_prompt import messages, parse, schema
from qa.llm_reader import LlmReader, _in_article, _retry_after, _Unusable, _with_evidence
from qa.quotation import fold
from qa.turn import Turn

TEXT = "The tram stops at the bridge.\n\nREAD ALSO: Trams everywhere\n\nIt runs  every ten minutes."
REPLY = {"quotations": [{"passage": 1, "quotation": "at the bridge", "words": "bridge"}], "answer": "At the bridge."}


def hit(text: str, *cuts: tuple[int, int], title: str = "Tram") -> Hit:
    """A passage of the sentences of ``text`` at ``cuts``, by default all of it as one."""
    sentences = cuts or ((0, len(text)),)
    joined = " ".join(text[start:end] for start, end in sentences)
    passage = Passage(article_id="a", ordinal=0, sentences=sentences, text=joined)
    article = Article(
        id="a", title=title, text=text, language="en", published=date(2024, 5, 1), published_from="metadata"
    )
    return Hit(passage, article, 1.0, 0.9)


TRAM = hit(TEXT, (0, 29), (TEXT.index("It"), len(TEXT)))
TURN = Turn("Where does the tram stop?", query="Where does the tram stop?", language="en", hits=(TRAM,))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(REPLY),
        json.dumps(REPLY, indent=4),
        f"```json\n{json.dumps(REPLY)}\n```",
        f"Sure! Here it is: {json.dumps(REPLY)} I hope that {{this}} helps.",
        f'<think>{{"quotations": []}} is wrong</think>{json.dumps(REPLY)}',
        f"{{}} {{oops}} {json.dumps(REPLY)}",
        json.dumps({"reply": REPLY}),
        json.dumps(REPLY).replace('"passage": 1', '"passage": "[1]"').replace('"quotation"', '"quote"'),
        json.dumps(REPLY | {"remark": None}),
    ],
)
def test_a_reply_is_found_in_what_stands_around_it(text: str) -> None:
    reply = parse(text)
    (quoted,) = reply.quotations
    assert (quoted.passage, quoted.quotation, quoted.words, reply.answer) == (
        1, "at the bridge", "bridge", "At the bridge.",
    )  # fmt: skip


def test_a_newline_in_a_string_is_forgiven() -> None:
    assert parse('{"quotations": [], "answer": "one\ntwo"}').answer == "one\ntwo"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "At the bridge.",
        "{",
        "[1, 2]",
        '{"quotations": 1}',
        '{"quotations": [{"passage": 1}]}',
        '{"quotations": [{"passage": 1.5, "quotation": "x"}]}',
        json.dumps(REPLY)[:-5],
        "{" * 9000,
        '{"a":' * 9000,
    ],
)
def test_what_is_no_reply(text: str) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        parse(text)


@pytest.mark.parametrize(
    ("confidence", "share"),
    [("0.7", 0.7), ('"0.7"', 0.7), ("70", 0.7), ('"70%"', 0.7), ("1", 1), ("-3", 0), ("NaN", 0), ("1e999", 0)],
)
def test_how_confidence_may_be_written(confidence: str, share: float) -> None:
    assert parse(f'{{"quotations": [], "confidence": {confidence}}}').confidence == pytest.approx(share)


def test_the_schema_allows_what_the_examples_say() -> None:
    asked = messages("Where?", [TRAM], "English")
    examples = [json.loads(message.text) for message in asked if message.type == "ai"]
    form = schema(1)
    for example in examples:
        assert list(example) == form["required"] == list(form["properties"])
        for quoted in example["quotations"]:
            assert list(quoted) == form["properties"]["quotations"]["items"]["required"]
    assert any(example["quotations"] for example in examples)
    assert not all(example["quotations"] for example in examples)


def test_a_quotation_over_what_the_passage_leaves_out_is_cited_in_two() -> None:
    quoted = {"passage": 1, "quotation": "stops at the bridge. It runs every", "words": "bridge"}
    turn = _with_evidence(TURN, json.dumps({"quotations": [quoted], "answer": "At the bridge."}))
    assert [(one.quote, one.words) for one in turn.evidence] == [
        ("stops at the bridge.", "bridge"),
        ("It runs  every", ""),
    ]
    assert turn.claim == "At the bridge."


def test_the_same_quotation_is_cited_once_and_at_most_four() -> None:
    quotations = [{"passage": 1, "quotation": text} for text in ["tram", "tram", "stops", "bridge", "runs", "ten"]]
    turn = _with_evidence(TURN, json.dumps({"quotations": quotations}))
    assert [one.quote for one in turn.evidence] == ["tram", "stops", "bridge", "runs"]


SENTENCES = st.lists(st.text("ab é.“", min_size=1, max_size=6).filter(str.strip), min_size=1, max_size=4)
GAPS = st.sampled_from([" ", "\n\n", "", " AD ", "\nREAD ALSO: x\n"])


@given(sentences=SENTENCES, gaps=st.lists(GAPS, min_size=4, max_size=4), cut=st.data())
def test_a_stretch_of_a_passage_is_the_same_text_in_the_article(
    sentences: list[str], gaps: list[str], cut: st.DataObject
) -> None:
    text, cuts = "", []
    for sentence, gap in zip(sentences, gaps, strict=False):
        cuts.append((len(text), len(text) + len(sentence)))
        text += sentence + gap
    one = hit(text, *cuts)
    start = cut.draw(st.integers(0, len(one.passage.text)))
    end = cut.draw(st.integers(start, len(one.passage.text)))
    stretches = list(_in_article(one, start, end))
    assert stretches == sorted(stretches)
    found = " ".join(text[first:last] for first, last in stretches)
    assert "".join(fold(found).text.split()) == "".join(fold(one.passage.text[start:end]).text.split())


KEYS = st.sampled_from(["quotations", "passage", "quotation", "answer", "confidence"])
LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text()


@given(reply=st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)))
def test_no_reply_raises_anything_else(reply: object) -> None:
    try:
        turn = _with_evidence(TURN, json.dumps(reply))
    except _Unusable:
        return
    for one in turn.evidence:
        assert fold(one.quote).text


class Broken(FakeListChatModel):
    """A provider whose library raises what it likes."""

    def _stream(self, *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        raise KeyError("choices")
        yield


class Stalled(BaseChatModel):
    """A model that says one word and no more."""

    @property
    def _llm_type(self) -> str:
        return "stalled"

    def _generate(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    def _stream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        import threading

        yield ChatGenerationChunk(message=AIMessageChunk(content="word"))
        threading.Event().wait(5)


def test_any_langchain_model_reads() -> None:
    reader = LlmReader(FakeListChatModel(responses=["I think...", json.dumps(REPLY)]))
    turn = reader.read(TURN)
    assert [(one.quote, one.words) for one in turn.evidence] == [("at the bridge", "bridge")]


def test_whatever_a_provider_raises_is_one_error() -> None:
    with pytest.raises(ReaderError, match=r"^reader Broken: KeyError: 'choices'$"):
        LlmReader(Broken(responses=[])).read(TURN)


def test_a_model_that_stalls_is_left() -> None:
    with pytest.raises(ReaderError, match=r"did not answer within 0\.2 s"):
        LlmReader(Stalled(), timeout=0.2).read(TURN)
    stream = stream_within(Stalled(), [], 30)
    assert next(stream).text == "word"
    stream.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "2", 2),
        (503, "0.5", 0.5),
        (429, "-1", 0),
        (429, "nan", 0),
        (429, "1e12", 3600),
        (429, "soon", 0),
        (429, None, 0),
        (500, "2", 0),
        (None, "2", 0),
    ],
)
def test_how_long_a_server_wants_to_be_left_alone(status: int | None, header: str | None, seconds: float) -> None:
    error: Any = RuntimeError()
    error.status_code = status
    error.response = SimpleNamespace(headers={"retry-after": header} if header is not None else {})
    assert _retry_after(error) == seconds


def test_a_time_of_day_to_come_back_at() -> None:
    error: Any = RuntimeError()
    error.status_code = 429
    later = datetime.now(UTC) + timedelta(seconds=100)
    error.response = SimpleNamespace(headers={"retry-after": format_datetime(later, usegmt=True)})
    assert 0 < _retry_after(error) <= 100


def test_without_a_model_of_its_own_the_reader_takes_the_writers() -> None:
    writer = WriterConfig(model="openai:m", base_url="http://127.0.0.1:9/v1")
    reader = LlmReader.open(ReaderConfig(model="llm"), writer)
    assert (reader.name, reader.timeout) == ("openai:m", 60)
    assert LlmReader.open(ReaderConfig(model="llm", chat_model="ollama:o"), writer).name == "ollama:o"


@pytest.mark.parametrize("writer", ["embedded", "none"])
def test_without_any_model_the_configuration_is_refused(writer: str) -> None:
    with pytest.raises(ConfigError, match=r"set reader\.chat_model to openai:MODEL"):
        LlmReader.open(ReaderConfig(model="llm"), WriterConfig(model=writer))


@pytest.mark.parametrize("name", ["embedded", "", "gpt", "openai:", "nobody:knows"])
def test_a_wrong_name_is_a_configuration_error(name: str) -> None:
    with pytest.raises(ConfigError, match=r"reader\.chat_model is"):
        LlmReader.open(ReaderConfig(model="llm", chat_model=name), WriterConfig())


def test_openai_without_key_or_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"set OPENAI_API_KEY, or reader\.base_url"):
        LlmReader.open(ReaderConfig(model="llm", chat_model="openai:gpt-4o-mini"), WriterConfig())


def test_importing_the_reader_loads_no_heavy_library() -> None:
    code = (
        "import sys, qa.llm_steps\n"
        "print([name for name in ('langchain_core', 'openai', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
