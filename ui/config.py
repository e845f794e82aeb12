"""The section of config.yaml that ``ui`` reads, on top of those of ``qa`` and ``index``."""

from pathlib import Path
from typing import Literal

from pydantic import Field

import qa.config
from index.config import Section


class ServerConfig(Section):
    """Where the chat page listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535)
    history: Path | Literal["auto", "none"] = "auto"


class Settings(qa.config.Settings):
    """The whole of config.yaml."""

    server: ServerConfig = ServerConfig()

    @property
    def history_file(self) -> Path | None:
        """Where conversations are kept: by default beside the index; None if they are not."""
        chosen = self.server.history
        if chosen == "auto":
            return self.index.path.with_name(f"{self.index.path.name}-history.sqlite")
        return None if chosen == "none" else Path(chosen).expanduser()
