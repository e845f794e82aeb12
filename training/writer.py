"""Train the writer's adapter: ``python -m training.writer --xquad FOLDER --udhr udhr2.zip --texts FOLDER``.

Low-rank corrections (LoRA, Hu et al. 2021) to all linear layers of the embedded Gemma, whose own weights stay as they
are. Learning rate and length follow the processor's time (``--minutes``), because the machine may be shared; a run
that was stopped goes on from its checkpoint.
"""

import argparse
import itertools
import json
import logging
import math
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads do not survive a fork

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import start_processes

from qa.gemma import weights
from training.gradients import Gradients
from training.writer_data import JUDGED, LEARNED, Mixture, Paragraph, read_paragraphs, read_udhr
from training.writer_rows import ROW, Row, additive, lay_out, rows
from training.writer_texts import texts

log = logging.getLogger("training.writer")

FREQUENT, SAMPLED = 16384, 6144
"""The most frequent tokens are in each step's normaliser, and so many others stand for all others."""

DROPOUT = 0.1

ALPHA = 2.0
"""Strength of the corrections per rank: alpha is this many times the rank."""


class LowRank(nn.Module):
    """A frozen linear layer and its correction ``x @ down.T @ up.T * ALPHA``; computed in the layer's own precision."""

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__()
        self.layer = layer
        self.down = nn.Parameter(torch.randn(rank, layer.in_features) / layer.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """As ``nn.Linear``."""
        down, up = self.down.to(inputs.dtype), (ALPHA * self.up).to(inputs.dtype)
        low = nn.functional.dropout(inputs @ down.T, DROPOUT, self.training)
        result: torch.Tensor = self.layer(inputs) + low @ up.T
        return result


def load_base() -> tuple[Any, Any]:
    """The embedded writer's network (16-bit, nothing to be trained) and its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    path = weights()
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    model.config._attn_implementation = "eager"  # noqa: SLF001 half as long as sdpa with a mask, here
    return model.requires_grad_(requires_grad=False), AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)


def add_corrections(model: nn.Module, rank: int) -> dict[str, LowRank]:
    """Correct every linear layer of the network but the output layer; returns the corrections by the layers' names."""
    found = {}
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Linear) and name.startswith("model.layers."):
            parent, _, last = name.rpartition(".")
            found[name] = LowRank(module, rank)
            setattr(model.get_submodule(parent), last, found[name])
    return found


def corrections_state(corrections: dict[str, LowRank]) -> dict[str, torch.Tensor]:
    """The trained weights alone."""
    return {
        f"{name}.{kind}": getattr(correction, kind).detach().clone()
        for name, correction in corrections.items()
        for kind in ("down", "up")
    }


def vocabulary(mixture: Mixture, tokenizer: Any, trees: int = 6000) -> torch.Tensor:
    """The most frequent tokens of what is to be written, as far as ``trees`` of them show it."""
    held = Counter(token for number in range(trees) for _, token in lay_out(mixture.draw(number), tokenizer).targets)
    return torch.tensor(sorted(token for token, _ in held.most_common(FREQUENT)))


class Loss:
    """Cross entropy of what is to be written.

    The output layer has 262,144 tokens and would cost more than all others. Its normaliser is made of the frequent
    ones, those to be written, and a sample of the others (with the logarithm of its share added), drawn for each step.
    """

    def __init__(self, model: Any, frequent: torch.Tensor) -> None:
        self.model = model
        self.output: torch.Tensor = model.lm_head.weight
        self.frequent = torch.zeros(len(self.output), dtype=torch.bool)
        self.frequent[frequent] = True

    def __call__(self, batch: Sequence[Row]) -> tuple[torch.Tensor, int]:
        """The mean over the targets of a batch, and their number."""
        hidden, tokens = self.hidden(batch)
        exact = self.frequent.clone()
        exact[tokens] = True
        others = (~exact).nonzero().squeeze(1)
        columns = torch.cat([exact.nonzero().squeeze(1), others[torch.randint(len(others), (SAMPLED,))]])
        scores = (hidden @ self.output[columns].T).float()
        scores[:, -SAMPLED:] += math.log(len(others) / SAMPLED)
        place = torch.cumsum(exact, 0) - 1
        return nn.functional.cross_entropy(scores, place[tokens]), len(tokens)

    @torch.no_grad()
    def exactly(self, rows: Sequence[Row]) -> float:
        """The mean over the targets of several rows, with all tokens in the normaliser."""
        total = count = 0.0
        self.model.eval()
        for row in rows:
            hidden, tokens = self.hidden([row])
            scores = (hidden @ self.output.T).float()
            total += nn.functional.cross_entropy(scores, tokens, reduction="sum").item()
            count += len(tokens)
        self.model.train()
        return total / count

    def hidden(self, batch: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor]:
        """What the network makes of the tokens before the targets [targets, size], and the targets."""
        longest = max(len(row.ids) for row in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.long)
        positions = torch.zeros(len(batch), longest, dtype=torch.long)
        seen = torch.eye(longest, dtype=torch.bool).repeat(len(batch), 1, 1)
        for number, row in enumerate(batch):
            size = len(row.ids)
            ids[number, :size] = torch.tensor(row.ids)
            seen[number, :size, :size] = row.seen()
            positions[number, :size] = seen[number, :size, :size].sum(1) - 1
        hidden = self.model.model(
            input_ids=ids,
            position_ids=positions,
            attention_mask=dict.fromkeys(("full_attention", "sliding_attention"), additive(seen)),
            use_cache=False,
        ).last_hidden_state
        where = [(number, place, token) for number, row in enumerate(batch) for place, token in row.targets]
        numbers, places, tokens = torch.tensor(where).T
        return hidden[numbers, places], tokens


def put(state: Mapping[str, torch.Tensor], corrections: Mapping[str, LowRank]) -> None:
    """Set the corrections to trained weights."""
    for name, value in state.items():
        layer, _, kind = name.rpartition(".")
        getattr(corrections[layer], kind).data.copy_(value)


def mean_of(files: Sequence[Path], strength: float) -> dict[str, Any]:
    """The last checkpoint, its corrections replaced by ``strength`` times the mean of all checkpoints' corrections."""
    states = [torch.load(file, weights_only=True) for file in files]
    mean = {
        name: torch.stack([state["corrections"][name] for state in states]).mean(0) for name in states[0]["corrections"]
    }
    weaker = {name: tensor * (strength if name.endswith(".up") else 1) for name, tensor in mean.items()}
    return {**states[-1], "corrections": weaker}


def judging(paragraphs: Sequence[Paragraph], tokenizer: Any) -> list[Row]:
    """Rows of paragraphs that are not learned from; always the same ones."""
    mixture = Mixture(paragraphs, ())
    mixture.kinds = [("paragraph", 1.0)]
    return [row for _, row in itertools.islice(rows(mixture, tokenizer, 0, 1), 10)]


def save(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint; whoever reads the file has an old one or a new one, never a part."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def train(rank: int, model: Any, tokenizer: Any, mixture: Mixture, arguments: argparse.Namespace) -> None:
    """Train for ``--minutes`` of each process, saving to ``--checkpoint`` every few minutes."""
    logging.basicConfig(level=logging.INFO if rank == 0 else logging.WARNING, format="%(asctime)s %(message)s")
    store = f"file://{arguments.checkpoint.absolute()}.{os.getppid()}"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=arguments.processes)
    torch.manual_seed(arguments.seed)
    corrections = add_corrections(model, arguments.rank)
    trained = [parameter for correction in corrections.values() for parameter in (correction.down, correction.up)]
    optimizer = torch.optim.AdamW(trained, lr=arguments.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    loss_of = Loss(model, vocabulary(mixture, tokenizer))
    judges = judging(read_paragraphs(arguments.xquad, JUDGED), tokenizer)
    spent, step, pool, written = 0.0, 0, 0, 0
    if arguments.begin and not arguments.checkpoint.exists():
        put(mean_of(arguments.begin, arguments.strength)["corrections"], corrections)
    if arguments.checkpoint.exists():
        state = torch.load(arguments.checkpoint, weights_only=True)
        put(state["corrections"], corrections)
        optimizer.load_state_dict(state["optimizer"])
        spent, step, pool, written = state["spent"], state["step"], state["pool"], state["written"]
        log.info("going on from step %d, %.0f s", step, spent)
    torch.manual_seed(arguments.seed + 1000 * step + rank)  # of the samples of tokens
    stream = rows(mixture, tokenizer, pool + rank, arguments.processes)
    gradients = Gradients(trained)
    budget, begun, saved, shown, losses = 60 * arguments.minutes, time.process_time() - spent, spent, spent, []
    model.train()
    while spent < budget:
        share = spent / budget
        for group in optimizer.param_groups:
            group["lr"] = arguments.rate * min(1.0, (share + 0.0005) / 0.03, (1 - share) / 0.9 + 1e-3)
        batch = []
        for _ in range(arguments.rows):
            pool, row = next(stream)
            batch.append(row)
        gradients.flat.zero_()
        loss, targets = loss_of(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        spent = gradients.combine(arguments.processes, time.process_time() - begun)
        optimizer.step()
        losses.append(loss.item())
        step, written = step + 1, written + targets * arguments.processes
        if spent - shown > 30:
            line = {"step": step, "written": written, "seconds": round(spent), "rate": group["lr"]}
            log.info("%s", json.dumps({**line, "loss": round(sum(losses) / len(losses), 4)}))
            shown, losses = spent, []
        if spent - saved <= 60 * arguments.save_every and spent < budget:
            continue
        saved = spent
        if rank == 0:
            log.info("%s", json.dumps({"step": step, "judged": round(loss_of.exactly(judges), 4)}))
            state = {"corrections": corrections_state(corrections), "optimizer": optimizer.state_dict()}
            numbers = {"spent": spent, "step": step, "written": written, "rank": arguments.rank}
            save({**state, **numbers, "pool": pool + arguments.processes}, arguments.checkpoint)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xquad", type=Path, required=True, help="folder with xquad.LANG.json")
    parser.add_argument("--udhr", type=Path, required=True, help="udhr2.zip of NLTK")
    parser.add_argument("--texts", type=Path, help="folder with unpacked packages of parallel texts")
    parser.add_argument("--begin", type=Path, nargs="+", help="begin with the mean of other runs' checkpoints")
    parser.add_argument("--strength", type=float, default=1.0, help="of that mean")
    parser.add_argument("--checkpoint", type=Path, default=Path("writer.pt"))
    parser.add_argument("--minutes", type=float, default=60, help="of processor time")
    parser.add_argument("--save-every", type=float, default=4, help="minutes")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--rows", type=int, default=1, help=f"rows of {ROW} tokens in a step of a process")
    parser.add_argument("--processes", type=int, default=2, help="one core each; they average their gradients")
    parser.add_argument("--seed", type=int, default=17)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load_base()  # once: forked processes share it
    declaration, other = read_udhr(arguments.udhr), texts(arguments.texts) if arguments.texts else {}
    mixture = Mixture(read_paragraphs(arguments.xquad, LEARNED), declaration, other, seed=arguments.seed)
    start_processes(train, (model, tokenizer, mixture, arguments), nprocs=arguments.processes, start_method="fork")


if __name__ == "__main__":
    main()
