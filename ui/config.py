"""The section of config.yaml that ``ui`` reads, on top of those of ``qa`` and ``index``."""

from pydantic import Field

import qa.config
from index.config import Section


class ServerConfig(Section):
    """Where the chat page listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535)


class Settings(qa.config.Settings):
    """The whole of config.yaml."""

    server: ServerConfig = ServerConfig()
