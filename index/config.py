"""The sections of config.yaml that ``index`` reads, and the one way to read the file.

``qa.config`` and ``ui.config`` add their sections by inheritance, in the direction of the imports. Any value can also
be set by environment variable: ``KABAR_`` + section + ``__`` + key (``KABAR_WRITER__MODEL=none``).
"""

import os
import re
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from platformdirs import user_cache_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from index.errors import ConfigError
from index.fusion import LEXICAL_WEIGHT
from index.passage import CHARACTERS
from index.place import is_address

SECTIONS = ("index", "milvus", "sources", "fetch", "encoder", "retriever", "ray", "reader", "writer", "server")
"""Every section of the file, those of importing packages too, so that a misspelt one is refused by all."""

Precision = Literal["float32", "bfloat16", "int8", "int8-bfloat16"]
"""What the embedded encoder computes in; the last one is int8 with attention in bfloat16."""

ArticleField = Literal["id", "title", "text", "url", "source", "language", "published"]


class Section(BaseModel):
    """A section: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class IndexConfig(Section):
    """Where articles come from and where the index lives; ``added`` is for what is added by hand."""

    path: Path = Path("auto")
    added: Path = Path("auto")
    articles: tuple[Path | str, ...] = (Path("articles"),)
    passage_characters: int = Field(default=CHARACTERS, ge=100, le=4000)
    store: Literal["faiss", "milvus"] = "faiss"

    @field_validator("path")
    @classmethod
    def _auto_path(cls, path: Path) -> Path:
        return user_data_path("kabar") / "index" if path == Path("auto") else path.expanduser()

    @field_validator("added")
    @classmethod
    def _auto_added(cls, added: Path, info: ValidationInfo) -> Path:
        """Beside the index, so that removing the index removes no article."""
        path: Path = info.data.get("path", Path())
        return path.with_name(f"{path.name}-added") if added == Path("auto") else added.expanduser()

    @field_validator("articles")
    @classmethod
    def _paths_and_addresses(cls, places: tuple[Path | str, ...]) -> tuple[Path | str, ...]:
        """Addresses on the web stay as they are: a path has no two slashes in a row."""
        return tuple(place if is_address(str(place)) else Path(place) for place in places)


class MilvusConfig(Section):
    """Where Milvus is, if ``index.store`` says so: a file for Milvus Lite, in the index by default, or a server.

    Its token is read from the environment alone (``MILVUS_TOKEN``).
    """

    uri: str = "auto"
    collection: str = Field(default="kabar", pattern=r"^[A-Za-z_]\w{0,99}$")

    @field_validator("uri")
    @classmethod
    def _file_or_server(cls, uri: str) -> str:
        if uri == "auto" or re.fullmatch(r"https?://[^/\s@]+(/\w*)?", uri):
            return uri
        if is_address(uri) or not uri.endswith(".db"):
            raise ValueError("expected http://HOST:PORT, without a token in it, or a file whose name ends in .db")
        return str(Path(uri).expanduser())


class SourcesConfig(Section):
    """How articles are read from files.

    Attributes:
        fields: names that the fields of an article have in JSON, JSON lines and front matter, besides the usual ones;
            a dot goes one level down ("data.body").
        megabytes: the largest article that is read, unpacked.
    """

    fields: dict[ArticleField, str] = {}
    megabytes: int = Field(default=64, ge=1, le=4000)


class FetchConfig(Section):
    """How articles are fetched from the web."""

    trusted_hosts: tuple[str, ...] = ()
    proxy: str | None = Field(default=None, pattern=r"^http://[^/\s@]+/?$")
    robots: bool = True
    delay: float = Field(default=1.0, ge=0, le=60)
    seconds: float = Field(default=30.0, gt=0, le=3600)
    megabytes: int = Field(default=20, ge=1, le=4000)
    tries: int = Field(default=3, ge=1, le=10)
    pages: int = Field(default=500, ge=1)

    @field_validator("trusted_hosts")
    @classmethod
    def _lower(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(host.lower().strip("[]") for host in hosts)


class EncoderConfig(Section):
    """The model that turns text into vectors."""

    model: str = "embedded"
    device: str = "auto"
    precision: Literal["auto", Precision] = "auto"
    batch_size: int = Field(default=8, ge=1, le=1024)
    language_fair: bool = True


class RetrieverConfig(Section):
    """How passages are found."""

    passages: int = Field(default=6, ge=1, le=100)
    candidates: int = Field(default=60, ge=1, le=1000)
    lexical_weight: float = Field(default=LEXICAL_WEIGHT, ge=0, le=10)
    rerank: str = Field(default="none", min_length=1)
    exact_up_to: int = Field(default=200_000, ge=1)


class Scale(Section):
    """How many copies of something Ray Serve runs: more, up to ``most_replicas``, while each has more to do.

    Attributes:
        ongoing: requests that a copy shall have at a time; it takes twice as many before others wait.
        cpus: what Ray sets aside for a copy; the share of a processor that it takes is not bounded.
        up_after, down_after: seconds that it lasts before copies are added or taken away.
    """

    replicas: int = Field(default=1, ge=1)
    most_replicas: int = Field(default=1, ge=1)
    ongoing: float = Field(default=2, gt=0)
    cpus: float = Field(default=0.25, ge=0)
    up_after: float = Field(default=30, ge=0)
    down_after: float = Field(default=600, ge=0)

    @field_validator("most_replicas")
    @classmethod
    def _not_fewer(cls, most: int, info: ValidationInfo) -> int:
        least: int = info.data.get("replicas", 1)
        return max(most, least)


class RayConfig(Section):
    """How ``kabar serve --ray`` spreads search and answers over a cluster; ``folder`` is where shards lie."""

    folder: Path | Literal["auto"] = "auto"
    shards: int = Field(default=2, ge=1, le=10_000)
    seconds: float = Field(default=30, gt=0)
    start_seconds: float = Field(default=600, gt=0)
    search: Scale = Scale(replicas=2)
    answers: Scale = Scale(cpus=1)


class IndexSettings(BaseSettings):
    """config.yaml as far as ``index`` is concerned."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_prefix="KABAR_", env_nested_delimiter="__", validate_default=True
    )

    index: IndexConfig = IndexConfig()
    milvus: MilvusConfig = MilvusConfig()
    sources: SourcesConfig = SourcesConfig()
    fetch: FetchConfig = FetchConfig()
    encoder: EncoderConfig = EncoderConfig()
    retriever: RetrieverConfig = RetrieverConfig()
    ray: RayConfig = RayConfig()

    @property
    def shards_folder(self) -> Path:
        """Where the shards lie: by default beside the index."""
        if self.ray.folder == "auto":
            return self.index.path.with_name(f"{self.index.path.name}-shards")
        return self.ray.folder.expanduser()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 -- the names are the library's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file; no other source is read."""
        return env_settings, init_settings

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """Read ``path``, else the file that KABAR_CONFIG names, else ./config.yaml, else the defaults alone.

        Relative paths in the file count from its folder. Raises ConfigError, which names file, key and remedy.
        """
        named = path or os.environ.get("KABAR_CONFIG")
        file = Path(named or "config.yaml").expanduser().absolute()
        if not named and not file.is_file():
            return cls._validate({}, "the environment")
        return cls._validate(_read(file), str(file))

    @classmethod
    def _validate(cls, data: dict[str, Any], where: str) -> Self:
        try:
            return cls(**data)
        except SettingsError:  # a section in a variable of its own has to be JSON
            names = (f"KABAR_{name.upper()}" for name in cls.model_fields)
            found = next((name for name in names if name in os.environ), "KABAR_...")
            raise ConfigError(f"{found} sets a whole section; set a key of it, such as {found}__MODEL") from None
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            if first["type"] == "extra_forbidden":
                section = cls.model_fields[str(first["loc"][0])].annotation
                known = ", ".join(section.model_fields) if isinstance(section, type(BaseModel)) else ""
                reason = f"unknown key '{key}'; known here: {known}"
            else:
                reason = f"'{key}' is {first['input']!r}: {first['msg']}"
            variable = "KABAR_" + "__".join(map(str, first["loc"])).upper()
            told = next((name for name in os.environ if name.upper() == variable), where)
            raise ConfigError(f"{told}: {reason}") from None


# LibYAML's takes a tenth of the time, and is in most builds of PyYAML.
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def cache_folder() -> Path:
    """Folder for what can be made again (the assembled writer, probes); it is created by those who write there."""
    return user_cache_path("kabar")


def _read(file: Path) -> dict[str, Any]:
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), _Loader) or {}  # noqa: S506 -- both are safe
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{file}: {reason}; name another file with --config or KABAR_CONFIG") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{file}: expected sections ({', '.join(SECTIONS)}), found {type(data).__name__}")
    for name in data:
        if name not in SECTIONS:
            raise ConfigError(f"{file}: unknown key '{name}'; known here: {', '.join(SECTIONS)}")
        data[name] = {} if data[name] is None else data[name]
    index = data.get("index")
    if isinstance(index, dict):
        for key in ("path", "added"):
            if isinstance(index.get(key), str) and index[key] != "auto":
                index[key] = file.parent / Path(index[key]).expanduser()
        if isinstance(index.get("articles"), str):
            index["articles"] = [index["articles"]]
        if isinstance(index.get("articles"), list):
            index["articles"] = [
                place if is_address(place) else file.parent / Path(place).expanduser()
                for place in map(str, index["articles"])
            ]
    milvus = data.get("milvus")
    if isinstance(milvus, dict) and str(milvus.get("uri", "")).endswith(".db") and not is_address(milvus["uri"]):
        milvus["uri"] = str(file.parent / Path(milvus["uri"]).expanduser())
    for name, keys in (("server", ("history", "users")), ("ray", ("folder",))):
        section = data.get(name)
        for key in keys:
            if isinstance(section, dict) and section.get(key, "auto") not in ("auto", "none", None):
                section[key] = file.parent / Path(str(section[key])).expanduser()
    return data
