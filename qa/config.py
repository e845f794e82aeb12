"""The sections of config.yaml that ``qa`` reads, on top of those of ``index``."""

from typing import Literal

from pydantic import Field

from index.config import IndexSettings, Section


class ReaderConfig(Section):
    """Who finds the words that answer."""

    model: Literal["embedded", "sentence"] = "embedded"
    threshold: float = Field(default=0.5, ge=0, le=1)


class WriterConfig(Section):
    """Who phrases or translates what the reader found."""

    model: str = "embedded"
    base_url: str | None = None
    timeout: float = Field(default=30, gt=0)


class Settings(IndexSettings):
    """config.yaml as far as ``qa`` is concerned."""

    reader: ReaderConfig = ReaderConfig()
    writer: WriterConfig = WriterConfig()
