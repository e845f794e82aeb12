"""kabar, txtai and LangChain's FAISS recipe on the same encoder, texts and questions: how fast and how well they find.

    python benchmarks/rivals.py --python RIVALS --parallel xquad.en.json ... --facqa train.json valid.json

RIVALS is the Python of another virtual environment, since the rivals ask for an older huggingface-hub than kabar's lock
files hold: ``pip install . txtai langchain-huggingface langchain-community`` fills it.

The rivals get the encoder's own weights as a sentence-transformers model, without the projection that is ours. Each
system runs in a process of its own, one after the other, so that memory is its own. Texts that are copies of one
another count as one for all alike, and a text is found by the best of its passages. ``--parallel`` files are in one
index; their questions are drawn, the same number from each. Writes results/rivals.json.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from machine import machine

from index.config import EncoderConfig
from index.duplicates import originals
from index.encoder import PROMPTS, Encoder
from index.evaluation import QuestionSet, read_squad

HERE = Path(__file__).resolve().parent
RESULT = HERE / "results" / "rivals.json"
SYSTEMS = {"kabar": "kabar", "txtai": "txtai, hybrid", "langchain": "LangChain, FAISS recipe"}
DEEPEST = 10
COUNT = 40
"""Passages that are asked for: those of one text are one hit."""


def save_model(folder: Path) -> None:
    """The embedded encoder as a model that any library loads, in float32."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import PreTrainedTokenizerFast

    encoder = Encoder.open(EncoderConfig(language_fair=False, precision="float32"))
    first: Any = encoder.model[0]
    bert = first.auto_model
    packed = bert.embeddings.word_embeddings
    words = torch.nn.Embedding(len(packed.rows), packed.width, _weight=packed(torch.arange(len(packed.rows))))
    bert.embeddings.word_embeddings = words
    bert.save_pretrained(folder / "plain")
    vocabulary = {number: piece for piece, number in first.tokenizer.get_vocab().items()}
    tokenizer: Any = PreTrainedTokenizerFast
    tokenizer(
        tokenizer_object=first.tokenizer,
        bos_token=vocabulary[0],
        pad_token=vocabulary[first.padding],
        eos_token=vocabulary[2],
        unk_token=vocabulary[3],
        model_max_length=first.max_seq_length,
    ).save_pretrained(folder / "plain")
    transformer = Transformer(str(folder / "plain"), max_seq_length=first.max_seq_length)
    modules = [transformer, Pooling(words.embedding_dim, "mean"), Normalize()]
    model = SentenceTransformer(modules=modules, prompts=dict(PROMPTS), device="cpu")
    model.save(str(folder / "model"))
    probe = ["Blinken akan tiba di Seoul pada Rabu depan.", "何时抵达？"]
    least = (model.encode_document(probe) * encoder.encode_passages(probe)).sum(axis=1).min()
    if least < 0.9999:
        sys.exit(f"the saved model does not give the encoder's vectors (cosine {least:.5f})")


def run(system: str, python: str, task: dict[str, Any]) -> dict[str, Any]:
    """What a system finds, in a process of its own."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE.parent),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "true",
    }
    done = subprocess.run(
        [python, str(HERE / "rival_systems.py"), system],
        input=json.dumps(task), stdout=subprocess.PIPE, env=environment, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{system} failed")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def together(sets: Sequence[QuestionSet]) -> tuple[list[str], list[str], list[tuple[str, int]]]:
    """Texts, their languages, and questions with the number of their text."""
    texts: list[str] = []
    languages: list[str] = []
    questions: list[tuple[str, int]] = []
    for one in sets:
        questions += [(question, len(texts) + gold) for question, gold in zip(one.questions, one.gold, strict=True)]
        texts += one.passages
        languages += [one.language] * len(one.passages)
    return texts, languages, questions


def hits(found: Sequence[int], stories: Sequence[int]) -> list[int]:
    """Distinct stories, best first."""
    return list(dict.fromkeys(stories[number] for number in found))


def speed(result: dict[str, Any], texts: Sequence[str]) -> dict[str, Any]:
    """Of a system on one collection."""
    return {
        "texts_indexed_a_second": round(len(texts) / result["indexing"], 1),
        "ms_a_search": round(1000 * statistics.median(result["seconds"]), 1),
        "peak_memory,_GB": round(result["peak_gb"], 2),
    }


def ranks(result: dict[str, Any], questions: Sequence[tuple[str, int]], stories: Sequence[int]) -> dict[str, float]:
    """R@1 and MRR@10."""
    places = []
    for found, (_, gold) in zip(result["found"], questions, strict=True):
        first = hits(found, stories)[:DEEPEST]
        places.append(first.index(stories[gold]) if stories[gold] in first else DEEPEST)
    return {
        "R@1": round(statistics.mean(place == 0 for place in places), 3),
        "MRR@10": round(statistics.mean(1 / (place + 1) if place < DEEPEST else 0 for place in places), 3),
    }


def one_language(files: Sequence[Path], folder: Path, python: str) -> Iterator[dict[str, Any]]:
    """A row for each system on one collection."""
    texts, languages, questions = together([read_squad(file) for file in files])
    first = {text: number for number, text in reversed(list(enumerate(texts)))}
    place = {text: number for number, text in enumerate(first)}
    questions = [(question, place[texts[gold]]) for question, gold in questions]
    languages = [languages[number] for number in first.values()]
    texts = list(first)
    stories = originals(texts)
    task = {
        "model": str(folder / "model"), "texts": texts, "languages": languages, "count": COUNT,
        "questions": [question for question, _ in questions], "filtered": [],
    }  # fmt: skip
    for system, name in SYSTEMS.items():
        result = run(system, sys.executable if system == "kabar" else python, task)
        where = f"one language: {len(questions)} questions, {len(texts)} texts"
        yield {"collection": where, "system": name, **speed(result, texts), **ranks(result, questions, stories)}


def many_languages(files: Sequence[Path], asked: int, folder: Path, python: str) -> Iterator[dict[str, Any]]:
    """A row for each system on parallel texts."""
    sets = [read_squad(file) for file in files]
    chosen = sorted(random.Random(0).sample(range(len(sets[0].questions)), asked))
    sets = [
        one._replace(questions=[one.questions[n] for n in chosen], gold=[one.gold[n] for n in chosen]) for one in sets
    ]
    texts, languages, questions = together(sets)
    size = len(sets[0].passages)
    names = [one.language for one in sets]
    others = [[name for name in names if name != languages[gold]] for _, gold in questions]
    task = {
        "model": str(folder / "model"), "texts": texts, "languages": languages, "count": COUNT,
        "questions": [question for question, _ in questions],
        "filtered": [(question, some) for (question, _), some in zip(questions, others, strict=True)],
    }  # fmt: skip
    for system, name in SYSTEMS.items():
        result = run(system, sys.executable if system == "kabar" else python, task)
        shares, right = [], []
        for found, filtered, (_, gold) in zip(result["found"], result["filtered"], questions, strict=True):
            first = hits(found, range(len(texts)))[: len(sets)]
            shares.append(sum(number % size == gold % size for number in first) / len(sets))
            right += [bool(numbers) and numbers[0] % size == gold % size for numbers in filtered]
        where = f"{len(sets)} languages: {len(questions)} questions, {len(texts)} texts"
        yield {
            "collection": where, "system": name, **speed(result, texts),
            "translations_of_the_text_in_as_many_hits_as_languages": round(statistics.mean(shares), 3),
            "R@1_in_another_language": round(statistics.mean(right), 3),
        }  # fmt: skip


def main() -> None:
    """Measure, print, and write the result."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--python", default=sys.executable, help="a Python that has the rivals")
    arguments.add_argument("--parallel", nargs="+", type=Path, default=[], help="parallel files, one a language")
    arguments.add_argument("--facqa", nargs="+", type=Path, default=[], help="files of one collection")
    arguments.add_argument("--questions", type=int, default=25, help="of each parallel file")
    arguments.add_argument("--out", type=Path, default=RESULT)
    arguments.add_argument("--save", type=Path, help="only write the model for the rivals into this folder")
    chosen = arguments.parse_args()
    if chosen.save:
        save_model(chosen.save)
        return
    if not chosen.parallel and not chosen.facqa:
        arguments.error("name the files to measure on with --parallel or --facqa")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        # In a process of its own, which gives its memory back.
        subprocess.run([sys.executable, __file__, "--save", home], check=True, stderr=subprocess.DEVNULL)
        if chosen.facqa:
            rows += each(one_language(chosen.facqa, folder, chosen.python))
        if chosen.parallel:
            rows += each(many_languages(chosen.parallel, chosen.questions, folder, chosen.python))
    command = "python benchmarks/rivals.py --python RIVALS --parallel xquad.*.json --facqa train.json valid.json"
    result = {"command": command, "machine": machine(), "rows": rows}
    chosen.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def each(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows, printed as they come."""
    for row in rows:
        print(json.dumps(row), flush=True)
        yield row


if __name__ == "__main__":
    main()
