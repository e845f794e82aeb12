"""The official OpenAI client asks kabar as if it were a model."""

import pytest

from qa.answer import Answer
from ui.markdown import defused
from ui.openai_api import message_text


@pytest.fixture(scope="module")
def client(doors):
    import httpx
    from openai import OpenAI

    with OpenAI(
        base_url=f"{doors.address}v1", api_key=doors.token, max_retries=0, http_client=httpx.Client(trust_env=False)
    ) as client:
        yield client


SOURCE = """[1] Blinken ke Seoul (VOA Indonesia, 2023-11-01)
“Blinken akan tiba di Seoul pada Rabu depan.”
https://example.org/blinken"""


def test_the_client_asks_and_gets_the_cited_answer(client, doors):
    messages = [
        {"role": "system", "content": "Answer as a pirate."},
        {"role": "user", "content": "who comes?"},
        {"role": "assistant", "content": "Blinken comes."},
        {"role": "user", "content": [{"type": "text", "text": "when will he arrive?"}]},
    ]
    found = client.chat.completions.create(model="kabar", messages=messages, temperature=1, max_tokens=5)
    (choice,) = found.choices
    assert choice.finish_reason == "stop"
    assert "November" in choice.message.content
    assert choice.message.content.endswith(SOURCE)
    answer = Answer.model_validate(choice.message.model_extra["kabar"])
    assert answer.citations[0].source == "VOA Indonesia"
    said = [("user", "who comes?"), ("assistant", "Blinken comes.")]
    assert doors.assistant.asked[-1] == ("when will he arrive?", said)


def test_the_client_gets_it_streamed(client):
    chunks = list(
        client.chat.completions.create(
            model="kabar", messages=[{"role": "user", "content": "when will Blinken arrive?"}], stream=True
        )
    )
    assert sum(bool(chunk.choices[0].delta.content) for chunk in chunks) > 1
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    answer = Answer.model_validate(chunks[-1].choices[0].delta.model_extra["kabar"])
    assert text == message_text(answer)
    assert text.endswith(SOURCE)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_client_finds_the_model(client):
    assert [model.id for model in client.models.list()] == ["kabar"]
    assert client.models.retrieve("kabar").owned_by == "kabar"


def test_the_clients_errors_are_its_own(client):
    import openai

    def ask(*messages, model="kabar", **options):
        client.chat.completions.create(model=model, messages=list(messages), **options)

    user = {"role": "user", "content": "when?"}
    with pytest.raises(openai.NotFoundError, match="the only one is 'kabar'"):
        ask(user, model="gpt-5")
    with pytest.raises(openai.BadRequestError, match="the last message has to be the user's"):
        ask(user, {"role": "assistant", "content": "now"})
    with pytest.raises(openai.BadRequestError, match="kabar reads text alone"):
        ask({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/x.png"}}]})
    with pytest.raises(openai.UnprocessableEntityError, match=r"n: Input should be less than or equal to 1"):
        ask(user, n=2)
    with pytest.raises(openai.InternalServerError, match="logged as") as raised:
        ask({"role": "user", "content": "broken"})
    assert "secret" not in str(raised.value)
    with pytest.raises(openai.AuthenticationError, match="kabar token add"):
        client.with_options(api_key="kabar_wrong").models.list()


def test_an_error_while_streaming_is_told(client):
    import openai

    with pytest.raises(openai.APIError, match="logged as") as raised:
        list(
            client.chat.completions.create(model="kabar", messages=[{"role": "user", "content": "broken"}], stream=True)
        )
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "attack",
    [
        "![x](https://evil.example/?stolen)",
        "[click](https://evil.example)",
        "![x][1]",
        "[1]: https://evil.example",
        "<img src=https://evil.example>",
        "\\![x](https://evil.example)",
        "!\\[x\\](https://evil.example)",
        "<https://evil.example>",
        "[![x](https://evil.example)](https://evil.example)",
    ],
)
def test_words_of_an_article_become_no_markup(attack):
    from markdown_it import MarkdownIt

    shown = MarkdownIt("commonmark").render(f"He said {defused(attack)} yesterday.\n\n{defused(attack)}")
    assert "<img" not in shown
    assert "<a " not in shown
    assert "evil.example" in shown or "[1]" in shown
