"""How the writer's adapter is trained and written: what it sees, how trees become rows, and the file's format."""

import json
import random
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from qa.prompts import task
from training.reader_data import XQUAD_HELD_BACK, XQUAD_LANGUAGES
from training.writer import ALPHA, LowRank
from training.writer_data import (
    JUDGED,
    LEARNED,
    UDHR,
    Mixture,
    Node,
    by_languages,
    draw_languages,
    read_paragraphs,
    read_udhr,
    with_other_numbers,
)
from training.writer_export import held_back, tensor_name, write_adapter
from training.writer_rows import Row, additive, lay_out, rows


class Letters:
    """A tokenizer of letters."""

    bos_token_id = 0

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        assert not add_special_tokens
        return [ord(letter) for letter in text]


@pytest.fixture
def xquad(tmp_path: Path) -> Path:
    """Parallel sets of six articles; a text names its language, its article, and which sentence it is."""
    folder = tmp_path / "xquad"
    folder.mkdir()
    for language in XQUAD_LANGUAGES:
        articles = []
        for number in range(XQUAD_HELD_BACK + 2):
            context = f"Name {number}{language} lived here in 1986. It was a very good place."
            answer = f"Name {number}{language}"
            item = {"id": f"q{number}", "question": f"Who {number}{language}?"}
            item |= {"answers": [{"text": answer, "answer_start": 0}]}  # type: ignore[dict-item]
            articles.append({"paragraphs": [{"context": context, "qas": [item]}]})
        (folder / f"xquad.{language}.json").write_text(json.dumps({"data": articles}))
    return folder


@pytest.fixture
def udhr(tmp_path: Path) -> Path:
    archive = tmp_path / "udhr2.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for language, name in UDHR.items():
            articles = (f"Article {n}\n{language} {n} says what is right.\n" for n in range(1, 31))
            opened.writestr(f"udhr2/{name}.txt", f"The declaration of {language}\n" + "".join(articles))
    return archive


def texts(node: Node) -> str:
    return node.given + node.written + "".join(map(texts, node.branches))


def paths(node: Node) -> list[str]:
    """Every prompt of a tree with what is to be written."""
    own = [node.given + node.written] if node.written else []
    return [*own, *(node.given + path for branch in node.branches for path in paths(branch))]


def test_paragraphs_stand_side_by_side(xquad: Path) -> None:
    first = read_paragraphs(xquad, LEARNED)[0]
    assert first.sentences["de"] == ["Name 0de lived here in 1986.", "It was a very good place."]
    assert first.parts["th"] == [(0, "Name 0th")] or first.sentences["th"] != first.sentences["de"]
    assert first.questions == [{language: f"Who 0{language}?" for language in XQUAD_LANGUAGES}]
    assert first.parallel("de", "en")


def test_the_declaration_is_cut_into_the_paragraphs_of_its_articles(udhr: Path) -> None:
    declaration = read_udhr(udhr)
    assert len(declaration) == 30
    assert declaration[4] == {language: f"{language} 5 says what is right." for language in UDHR}


def test_held_back_articles_are_never_seen(xquad: Path, udhr: Path) -> None:
    assert len(read_paragraphs(xquad, JUDGED)) == XQUAD_HELD_BACK / 2
    mixture = Mixture(read_paragraphs(xquad, LEARNED), read_udhr(udhr), seed=3)
    seen = "".join(texts(mixture.draw(number)) for number in range(400))
    assert "Name 0" in seen
    assert "Name 1" in seen
    assert not re.search(rf"(?:Name|Who) [2-9]({'|'.join(XQUAD_LANGUAGES)})", seen)


def test_trees_are_drawn_from_seed_and_number(xquad: Path, udhr: Path) -> None:
    paragraphs, declaration = read_paragraphs(xquad, LEARNED), read_udhr(udhr)
    one, same, other = (Mixture(paragraphs, declaration, seed=seed) for seed in (1, 1, 2))
    assert [one.draw(n) for n in range(50)] == [same.draw(n) for n in reversed(range(50))][::-1]
    assert [one.draw(n) for n in range(50)] != [other.draw(n) for n in range(50)]


def test_what_is_learned_has_the_form_that_the_writer_is_asked_in(xquad: Path, udhr: Path) -> None:
    mixture = Mixture(read_paragraphs(xquad, LEARNED), [], seed=5)
    mixture.kinds = [("paragraph", 1.0)]
    learned = [path for number in range(60) for path in paths(mixture.draw(number))]
    asked = task("Name 0de lived here in 1986.", "de", "en", "Name 0de")
    assert f"{asked} Name 0en\n" in {re.sub(r"\d{4}", "1986", path) for path in learned}
    assert all(path.endswith("\n") for path in learned)


def test_terms_of_each_pair_of_languages_are_drawn_as_often_as_those_of_many(xquad: Path) -> None:
    german = [{"de": f"Wort {n}", "en": f"word {n}"} for n in range(3000)]
    chinese = [{"zh": f"字{n}", "en": f"sign {n}"} for n in range(600)]
    rare = [{"tr": "kelime", "en": "word"}]
    many = [{"de": f"Haus {n}", "en": f"house {n}", "ru": f"дом {n}"} for n in range(600)]
    assert [len(group) for group in by_languages([*german, *chinese, *rare, *many])] == [600, 3000, 600]
    mixture = Mixture([], [], {"term": [*german, *chinese, *many]}, seed=1)
    mixture.kinds = [("term", 1.0)]
    drawn = "".join(texts(mixture.draw(number)) for number in range(600))
    assert 150 < drawn.count("字") < 250


def test_kinds_of_text_that_are_not_given_are_not_drawn() -> None:
    mixture = Mixture([], [], seed=1)
    assert {name for name, _ in mixture.kinds} == {"country", "place", "day", "own"}
    assert all(mixture.draw(number).given for number in range(100))


def test_numbers_are_changed_alike_in_all_languages() -> None:
    text = {"en": "In 1986, 12 men and 1986 women (3).", "de": "1986 waren es 12 Männer und 1986 Frauen (3)."}
    changed = [with_other_numbers(text, random.Random(seed)) for seed in range(40)]
    assert text in changed
    assert len({row["en"] for row in changed}) > 10
    for row in changed:
        assert sorted(re.findall(r"\d+", row["en"])) == sorted(re.findall(r"\d+", row["de"]))
        assert "(3)" in row["en"]


def test_languages_are_drawn_once_and_weighty_ones_oftener() -> None:
    chance = random.Random(1)
    draws = [draw_languages(("en", "sw", "th"), 2, chance) for _ in range(600)]
    assert all(len(set(draw)) == 2 for draw in draws)
    assert sum("en" in draw for draw in draws) > 1.2 * sum("sw" in draw for draw in draws)


TREE = Node("ab", branches=(Node("c", "de"), Node("f", branches=(Node("g", "h"), Node("i", "j")))))


def test_a_token_sees_its_own_text_alone() -> None:
    row = lay_out(TREE, Letters())
    seen = row.seen()
    written = []
    for place, token in row.targets:
        text = "".join(chr(row.ids[number]) for number in seen[place].nonzero().flatten().tolist())
        written.append((text, chr(token)))
    assert written == [("\0abc", "d"), ("\0abcd", "e"), ("\0abfg", "h"), ("\0abfi", "j")]


def test_rows_laid_together_do_not_see_each_other() -> None:
    row, other = lay_out(TREE, Letters()), lay_out(Node("x", branches=(Node("y", "z"),)), Letters())
    size = len(row.ids)
    row.extend(other)
    assert not row.seen()[size:, :size].any()
    assert row.targets[-1] == (size + 2, ord("z"))
    mask = additive(row.seen()[None])
    assert mask.shape == (1, 1, len(row.ids), len(row.ids))
    assert (mask[0, 0] == 0).equal(row.seen())


def test_branches_that_find_no_room_are_left_out() -> None:
    row = lay_out(TREE, Letters(), limit=7)
    assert row.ids == [0, *map(ord, "abcdef")]
    assert row.targets == [(3, ord("d")), (4, ord("e"))]


def test_the_processes_share_the_pools(xquad: Path, udhr: Path) -> None:
    mixture = Mixture(read_paragraphs(xquad, LEARNED), read_udhr(udhr))

    def pools(first: int) -> list[tuple[int, Row]]:
        stream = rows(mixture, Letters(), first, 2)
        found: list[tuple[int, Row]] = []
        while not found or found[-1][0] < first + 2:
            found.append(next(stream))
        return found

    assert {number for number, _ in pools(0)} == {0, 2}
    assert {number for number, _ in pools(1)} == {1, 3}
    assert all(len(row.ids) <= 512 for _, row in pools(0))


def corrections() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {
        "model.layers.0.self_attn.q_proj.down": torch.randn(32, 64),
        "model.layers.0.self_attn.q_proj.up": torch.randn(64, 32),
        "model.layers.17.mlp.down_proj.down": torch.randn(32, 96),
        "model.layers.17.mlp.down_proj.up": torch.randn(64, 32),
    }


def test_a_correction_begins_with_nothing_and_is_what_its_formula_says() -> None:
    layer = torch.nn.Linear(8, 6, bias=False)
    corrected, inputs = LowRank(layer, 3), torch.randn(5, 8)
    torch.testing.assert_close(corrected(inputs), layer(inputs))
    corrected.up.data.normal_()
    corrected.eval()  # nothing is dropped
    merged = layer.weight + ALPHA * corrected.up @ corrected.down
    torch.testing.assert_close(corrected(inputs), inputs @ merged.T)


def test_the_adapter_is_llama_cpps(tmp_path: Path) -> None:
    from gguf import GGMLQuantizationType, GGUFReader
    from gguf.quants import dequantize

    path = tmp_path / "adapter.gguf"
    write_adapter(corrections(), path)
    file = GGUFReader(path)
    fields = {name: field.contents() for name, field in file.fields.items()}
    assert fields["general.type"] == "adapter"
    assert fields["adapter.type"] == "lora"
    assert fields["general.architecture"] == "gemma3"
    assert fields["adapter.lora.alpha"] == ALPHA * 32
    written: dict[str, Any] = {tensor.name: tensor.data for tensor in file.tensors}
    assert set(written) == {
        "blk.0.attn_q.weight.lora_a",
        "blk.0.attn_q.weight.lora_b",
        "blk.17.ffn_down.weight.lora_a",
        "blk.17.ffn_down.weight.lora_b",
    }
    codes = written["blk.0.attn_q.weight.lora_b"]
    values = torch.from_numpy(dequantize(codes, GGMLQuantizationType.Q8_0))
    torch.testing.assert_close(values, corrections()["model.layers.0.self_attn.q_proj.up"], atol=0.02, rtol=0)
    assert len(json.loads(path.with_suffix(".json").read_text())["sha256"]) == 64


def test_only_linear_layers_of_blocks_have_names() -> None:
    with pytest.raises(ValueError, match="no correction"):
        tensor_name("model.embed_tokens.weight")


def test_held_back_articles_become_files_of_their_own(xquad: Path, tmp_path: Path) -> None:
    into = tmp_path / "held"
    into.mkdir()
    held_back(xquad, into)
    assert len(list(into.iterdir())) == len(XQUAD_LANGUAGES)
    articles = json.loads((into / "xquad.zh.json").read_text())["data"]
    assert [article["paragraphs"][0]["qas"][0]["id"] for article in articles] == ["q2", "q3", "q4", "q5"]
