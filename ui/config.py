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
    edit_articles: Literal["auto"] | bool = "auto"
    upload_megabytes: int = Field(default=64, ge=1, le=4000)
    names: tuple[str, ...] = ()
    auth: Literal["auto", "none", "users"] = "auto"
    users: Path | Literal["auto"] = "auto"
    session_days: float = Field(default=7, gt=0, le=365)
    questions_per_minute: int = Field(default=60, ge=0)
    at_once: int = Field(default=1, ge=1, le=64)
    processes: int = Field(default=2, ge=1, le=64)
    waiting: int = Field(default=200, ge=1, le=10_000)
    waiting_per_user: int = Field(default=10, ge=1, le=10_000)
    log: Literal["text", "json"] = "text"
    traces: str | None = Field(default=None, pattern=r"^https?://\S+$")


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

    @property
    def users_file(self) -> Path:
        """Where users, sessions and tokens are kept: by default beside the index."""
        if self.server.users == "auto":
            return self.index.path.with_name(f"{self.index.path.name}-users.sqlite")
        return Path(self.server.users).expanduser()
