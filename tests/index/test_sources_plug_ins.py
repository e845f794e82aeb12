"""Plug-ins: classes that other packages name in the entry point group ``kabar.sources``."""

from importlib.metadata import EntryPoint

import pytest

from index.article import Article
from index.errors import ArticleError, ConfigError
from index.sources import Problem, find_files, read_file, registry
from index.sources.fields import article


class Shout:
    suffixes = (".SHOUT", ".txt")

    def read(self, stream, origin):
        text = stream.read().decode()
        if "?" in text:
            raise ArticleError(origin.where, "it asks")
        if "1" in text:
            raise KeyError("one\ntwo")
        yield article(origin, text=text.upper())


class Quiet:
    def __init__(self):
        raise RuntimeError("no licence")


@pytest.fixture
def plug_in(monkeypatch):
    def install(name: str) -> None:
        point = EntryPoint(name="shout", value=f"shouting:{name}", group=registry.GROUP)
        monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[name])
        monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "kabar.sources" else [])
        registry._plug_ins.cache_clear()

    yield install
    monkeypatch.undo()
    registry._plug_ins.cache_clear()


def test_a_plug_in_reads_its_files_and_comes_first(plug_in, tmp_path):
    plug_in("Shout")
    for name in ("a.shout", "b.txt", "c.pdf"):
        (tmp_path / name).write_text("The bridge.", encoding="utf-8")
    assert find_files(tmp_path) == [tmp_path / "a.shout", tmp_path / "b.txt"]
    for path in find_files(tmp_path):
        (found,) = read_file(path, root=tmp_path)
        assert isinstance(found, Article)
        assert found.text == "THE BRIDGE."


@pytest.mark.parametrize(("text", "reason"), [("Why?", "it asks"), ("1", "the plug-in 'shout' failed: 'one\\ntwo'")])
def test_what_goes_wrong_in_a_plug_in_is_a_problem(plug_in, tmp_path, text, reason):
    plug_in("Shout")
    (tmp_path / "a.shout").write_text(text, encoding="utf-8")
    assert list(read_file(tmp_path / "a.shout", root=tmp_path)) == [Problem(str(tmp_path / "a.shout"), reason)]


@pytest.mark.parametrize(("name", "reason"), [("Quiet", "no licence"), ("Nobody", "Nobody"), ("Problem", "")])
def test_a_plug_in_that_cannot_be_loaded_is_named(plug_in, tmp_path, name, reason):
    plug_in(name)
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"the plug-in 'shout' \(shouting:{name}\) cannot be loaded: .*{reason}"):
        find_files(tmp_path)
