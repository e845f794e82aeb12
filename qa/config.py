"""The sections of config.yaml that ``qa`` reads, on top of those of ``index``."""

from typing import Any, Literal, Self

from pydantic import Field

from index.config import IndexSettings, Section


class ReaderConfig(Section):
    """Who finds the words that answer; ``reader: NAME`` alone is short for ``reader: {model: NAME}``."""

    model: Literal["embedded", "sentence", "llm"] = "embedded"
    threshold: float = Field(default=0.3, ge=0, le=1)
    chat_model: str | None = None
    base_url: str | None = None
    timeout: float = Field(default=60, gt=0)


class WriterConfig(Section):
    """Who phrases or translates what the reader found."""

    model: str = "embedded"
    base_url: str | None = None
    timeout: float = Field(default=30, gt=0)


class Settings(IndexSettings):
    """config.yaml as far as ``qa`` is concerned."""

    reader: ReaderConfig = ReaderConfig()
    writer: WriterConfig = WriterConfig()

    @classmethod
    def _validate(cls, data: dict[str, Any], where: str) -> Self:
        if isinstance(data.get("reader"), str):
            data = data | {"reader": {"model": data["reader"]}}
        return super()._validate(data, where)
