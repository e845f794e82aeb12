"""config.yaml: it shows every key with its default, and what cannot be used is refused in one clear line."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic_core import to_jsonable_python

from index.config import SECTIONS, cache_folder
from index.errors import ConfigError
from ui.config import Settings

FILE = Path(__file__).resolve().parent.parent / "config.yaml"
SHOWN = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def defaults() -> dict[str, dict[str, object]]:
    return {
        section: {key: to_jsonable_python(field.default) for key, field in type(part).model_fields.items()}
        for section, part in Settings()
    }


def write(folder: Path, text: str) -> Path:
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(file: Path) -> str:
    with pytest.raises(ConfigError) as raised:
        Settings.load(file)
    message = str(raised.value)
    assert str(file) in message
    assert "\n" not in message
    return message.removeprefix(f"{file}: ")


def test_file_shows_every_key_with_its_default():
    assert defaults() == SHOWN


def test_file_gives_the_defaults():
    assert Settings.load(FILE).model_copy(update={"index": Settings().index}) == Settings()


def test_every_section_is_known():
    assert tuple(SHOWN) == SECTIONS == tuple(Settings.model_fields)


def test_every_key_is_explained():
    lines = FILE.read_text(encoding="utf-8").splitlines()
    keys = [(number, line.strip()) for number, line in enumerate(lines) if re.match(r"  \w+:", line)]
    assert len(keys) == sum(map(len, SHOWN.values()))
    assert [key for number, key in keys if not lines[number - 1].startswith("  # ")] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_unknown_key_is_refused_by_name(tmp_path, section):
    message = refusal(write(tmp_path, f"{section}: {{modle: x}}"))
    assert message.startswith(f"unknown key '{section}.modle'; known here: ")
    assert all(key in message for key in SHOWN[section])


def test_unknown_section_is_refused_by_name(tmp_path):
    assert refusal(write(tmp_path, "writter: {}")) == f"unknown key 'writter'; known here: {', '.join(SECTIONS)}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("encoder: {batch_size: 0}", "'encoder.batch_size' is 0: Input should be greater than or equal to 1"),
        ("server: {port: here}", "'server.port' is 'here': Input should be a valid integer"),
        ("reader: {threshold: 2}", "'reader.threshold' is 2: Input should be less than or equal to 1"),
        ("encoder: {precision: float16}", "'encoder.precision' is 'float16': Input should be 'auto', 'float32', "),
        ("reader: best", "'reader.model' is 'best': Input should be 'embedded', 'sentence' or 'llm'"),
        ("- reader", f"expected sections ({', '.join(SECTIONS)}), found list"),
        ("reader: [", "not valid YAML: "),
    ],
)
def test_wrong_value_is_refused_in_one_line(tmp_path, text, said):
    assert refusal(write(tmp_path, text)).startswith(said)


def test_file_that_is_not_there(tmp_path):
    assert refusal(tmp_path / "absent.yaml").startswith("No such file or directory; name another file with --config")


def test_folder_instead_of_a_file(tmp_path):
    assert refusal(tmp_path).startswith("Is a directory")


def test_file_that_is_not_utf8(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_bytes(b"reader: {model: caf\xe9}")
    assert refusal(file).startswith("it is not UTF-8 text")


@pytest.mark.parametrize("text", ["", "# nothing\n", "writer:\n"])
def test_empty_parts_have_the_defaults(tmp_path, text):
    assert Settings.load(write(tmp_path, text)) == Settings()


def test_reader_may_be_a_name_alone(tmp_path, monkeypatch):
    file = write(tmp_path, "reader: llm")
    assert Settings.load(file).reader == Settings().reader.model_copy(update={"model": "llm"})
    monkeypatch.setenv("KABAR_READER__TIMEOUT", "5")
    reader = Settings.load(file).reader
    assert (reader.model, reader.timeout) == ("llm", 5)


def test_paths_count_from_the_folder_of_the_file(tmp_path):
    settings = Settings.load(write(tmp_path, "index: {path: here, articles: [news, /elsewhere]}"))
    assert settings.index.path == tmp_path / "here"
    assert settings.index.articles == (tmp_path / "news", Path("/elsewhere"))


def test_addresses_on_the_web_are_no_paths(tmp_path, monkeypatch):
    settings = Settings.load(write(tmp_path, "index: {articles: [news, 'https://news.example/feed']}"))
    assert settings.index.articles == (tmp_path / "news", "https://news.example/feed")
    monkeypatch.setenv("KABAR_INDEX__ARTICLES", '["news", "https://news.example/feed"]')
    assert Settings.load(FILE).index.articles == (Path("news"), "https://news.example/feed")


def test_one_place_needs_no_list(tmp_path):
    assert Settings.load(write(tmp_path, "index: {articles: news}")).index.articles == (tmp_path / "news",)


def test_index_is_in_the_users_data_folder(own_data_folder):
    assert Settings.load(FILE).index.path == own_data_folder / "kabar" / "index"


def test_cache_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "kabar"


def test_environment_wins_over_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("KABAR_WRITER__MODEL", "none")
    settings = Settings.load(write(tmp_path, "writer: {model: ollama:gemma3, timeout: 5}"))
    assert settings.writer.model == "none"
    assert settings.writer.timeout == 5


def test_a_variable_cannot_name_a_section_alone(monkeypatch):
    monkeypatch.setenv("KABAR_READER", "llm")
    with pytest.raises(ConfigError, match="KABAR_READER sets a whole section; set a key of it, such as KABAR_READER__"):
        Settings.load(FILE)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("KABAR_SERVER__PROCESES", "2", "unknown key 'server.proceses'; known here: host, "),
        ("KABAR_SERVER__PORT", "all", "'server.port' is 'all': "),
        ("kabar_server__port", "70000", "'server.port' is '70000': "),
    ],
)
def test_what_is_wrong_in_a_variable_is_not_laid_to_the_file(monkeypatch, tmp_path, variable, value, reason):
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=f"^{variable}: {reason}"):
        Settings.load(write(tmp_path, "server: {host: localhost}"))


def test_environment_names_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("KABAR_CONFIG", str(write(tmp_path, "server: {port: 8000}")))
    assert Settings.load().server.port == 8000


def test_file_of_the_current_folder_is_read(tmp_path, monkeypatch):
    write(tmp_path, "server: {port: 8001}")
    monkeypatch.chdir(tmp_path)
    assert Settings.load().server.port == 8001


def test_without_any_file_there_are_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Settings.load() == Settings()


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        Settings().server.port = 1
