"""Reranking by a CrossEncoder: a tiny one, made here with known weights, and models that are none."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import WordEncoder
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from index.article import Article
from index.config import IndexConfig, IndexSettings, RetrieverConfig
from index.errors import ModelError
from index.index import Index
from index.rerank import DEPTH, Reranker
from index.update import add

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "tram", "bridge", "rain", "market", "school"]
SIZES = {
    "vocab_size": len(WORDS),
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 32,
}
TEXTS = ["The tram stops.", "The bridge is closed.", "Rain fell on the market.", "A school opens.", "Tram and bridge."]


def save(model: torch.nn.Module, folder: Path, window: int = 32) -> str:
    """The model with a tokenizer of a few words, as a folder that CrossEncoder can load."""
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    named = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=window, **named).save_pretrained(folder)
    model.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def name(tmp_path: Path) -> str:
    torch.manual_seed(7)
    return save(BertForSequenceClassification(BertConfig(**SIZES, num_labels=1)), tmp_path / "model")


def opened(folder: Path, rerank: str, passages: int = 2) -> Index:
    settings = IndexSettings(
        index=IndexConfig(path=folder), retriever=RetrieverConfig(rerank=rerank, passages=passages, candidates=60)
    )
    encoder = WordEncoder()
    articles = [Article(id=str(n), title=f"No {n}", text=text, language="en") for n, text in enumerate(TEXTS)]
    add(articles, folder=folder, settings=settings, encoder=encoder)
    return Index(folder, settings, encoder)


def test_scores_are_the_models_own_on_question_and_text(name: str) -> None:
    reranker = Reranker.open(name)
    with torch.inference_mode():
        model = BertForSequenceClassification.from_pretrained(name).eval()
        ids = torch.tensor([[2, 5, 3, 6, 7, 3]])  # tram | bridge rain
        logit = model(input_ids=ids, token_type_ids=torch.tensor([[0, 0, 0, 1, 1, 1]])).logits
    assert reranker.scores("tram", ["bridge rain"])[0] == pytest.approx(float(logit.sigmoid()), abs=1e-6)


@pytest.mark.parametrize("texts", [[], [""], ["", "\x00", "\ud800", "tram " * 5000, "ট্রাম"]])
def test_odd_texts_have_scores_too(name: str, texts: Sequence[str]) -> None:
    scores = Reranker.open(name).scores("", texts)
    assert scores.shape == (len(texts),)
    assert np.isfinite(scores).all()


def test_search_gives_the_best_of_more_in_the_models_order(name: str, tmp_path: Path) -> None:
    plain = opened(tmp_path / "plain", "none", passages=len(TEXTS)).search("tram bridge")
    with opened(tmp_path / "index", name) as index:
        hits = index.search("tram bridge")
        scores = Reranker.open(name).scores("tram bridge", [f"{h.article.title}\n{h.passage.text}" for h in plain])
        wanted = [plain[number].article.id for number in np.argsort(-scores, kind="stable")[:2]]
        assert [hit.article.id for hit in hits] == wanted
        assert [hit.score for hit in hits] == pytest.approx(sorted(scores, reverse=True)[:2], abs=1e-5)
        assert wanted != [hit.article.id for hit in plain[:2]], "the seed shows no difference"
        assert len(index.search("tram bridge", count=1)) == 1
        assert index.search("tram bridge", sources=["nobody"]) == []


def test_so_many_times_the_wanted_number_are_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(Reranker, "order", lambda _, __, hits: read.append(len(hits)) or list(hits))
    with opened(tmp_path / "index", name, passages=1) as index:
        assert len(index.search("tram")) == 1
    assert read == [min(DEPTH, len(TEXTS))]


@pytest.mark.parametrize("rerank", ["none", "reader"])
def test_without_a_model_nothing_is_loaded(tmp_path: Path, rerank: str) -> None:
    with opened(tmp_path / "index", rerank) as index:
        assert index.reranker is None
        assert len(index.search("tram")) == 2


def refusal(name: str) -> str:
    with pytest.raises(ModelError) as raised:
        Reranker.open(name)
    message = str(raised.value)
    assert message.startswith(f"retriever.rerank {name!r} ")
    assert "\n" not in message
    return message


def test_what_is_no_crossencoder_is_refused_in_one_line(tmp_path: Path) -> None:
    three = save(BertForSequenceClassification(BertConfig(**SIZES, num_labels=3)), tmp_path / "three")
    assert "gives 3 scores" in refusal(three)
    plain = save(BertModel(BertConfig(**SIZES)), tmp_path / "plain")
    assert "is no CrossEncoder: its weights are those of a BertModel" in refusal(plain)
    (tmp_path / "empty").mkdir()
    for wrong in (str(tmp_path / "empty"), str(tmp_path / "absent"), "nobody/no-such-model"):
        assert "cannot be loaded: " in refusal(wrong)


def test_a_bad_name_is_refused_before_anything_is_searched(tmp_path: Path) -> None:
    with opened(tmp_path / "index", str(tmp_path / "absent")) as index, pytest.raises(ModelError, match="rerank"):
        index.search("tram")


def test_a_model_that_fails_is_one_clear_error(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = BertForSequenceClassification(BertConfig(**SIZES, num_labels=1))
    torch.nn.init.constant_(broken.classifier.weight, float("nan"))
    with pytest.raises(ModelError, match="not numbers"):
        Reranker.open(save(broken, tmp_path / "broken")).scores("tram", ["tram"])
    reranker = Reranker.open(name)
    monkeypatch.setattr(reranker.model[0], "forward", lambda *_, **__: torch.empty(2, 3) @ torch.empty(2, 3))
    with pytest.raises(ModelError, match=r"cannot read the passages: mat1 and mat2"):
        reranker.scores("tram", ["tram"])
