"""What the page shows around an answer: the dates that the articles speak of, and questions to ask next."""

from pydantic import BaseModel, ConfigDict


class Happening(BaseModel):
    """Something that an article says of a day; ``article.text[start:end] == quote``, as in a citation.

    ``value`` is ISO 8601, as ``DateMention.value``; ``words`` are those of the article that name the day; ``answers``
    marks the date that is the answer.
    """

    model_config = ConfigDict(frozen=True)

    value: str
    words: str
    article_id: str
    title: str
    language: str
    start: int
    end: int
    quote: str
    answers: bool = False


class Around(BaseModel):
    """The happenings around an answer, in the order of their days, and questions that the articles can answer."""

    model_config = ConfigDict(frozen=True)

    happenings: tuple[Happening, ...] = ()
    questions: tuple[str, ...] = ()
