"""Train the writer's adapter: ``python -m training.writer --xquad FOLDER --udhr udhr2.zip --checkpoint writer.pt``.

Low-rank corrections (LoRA, Hu et al. 2021) to all linear layers of the embedded Gemma, whose own weights stay as they
are. Learning rate and length follow the clock (``--minutes``), because the machine may be shared; a run that was
stopped goes on from its checkpoint.
"""

import argparse
import itertools
import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads do not survive a fork

import torch
from torch import distributed, nn
from torch.multiprocessing.spawn import start_processes

from qa.gemma import weights
from training.gradients import Gradients
from training.writer_data import Mixture, Node, read_paragraphs, read_udhr

log = logging.getLogger("training.writer")

ROW = 512
"""Tokens of a row of a batch; several trees share one."""

POOL = 96
"""Trees that are drawn together and laid into rows, the largest first, so that little room is left over."""

SAMPLED = 8192
"""Of the tokens that no training text holds, so many stand for all of them in a step's normaliser."""

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
        result: torch.Tensor = self.layer(inputs) + inputs @ down.T @ up.T
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


@dataclass
class Row:
    """Token ids, their positions in their own text, which earlier tokens each sees, and where targets are written.

    ``parents`` holds for each token the number of the token before it in its own text, -1 for the first of a tree.
    ``targets`` pairs the number of a token with the token to be written after it.
    """

    ids: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    targets: list[tuple[int, int]] = field(default_factory=list)

    def add(self, ids: Sequence[int], after: int) -> int:
        """Append tokens that follow token ``after``; returns the number of the last one."""
        for token in ids:
            self.ids.append(token)
            self.parents.append(after)
            after = len(self.ids) - 1
        return after

    def seen(self) -> torch.Tensor:
        """Which tokens each token sees, [tokens, tokens]: itself and those before it in its own text."""
        size = len(self.ids)
        seen = torch.zeros(size, size, dtype=torch.bool)
        for number, parent in enumerate(self.parents):
            if parent >= 0:
                seen[number] = seen[parent]
            seen[number, number] = True
        return seen

    def extend(self, other: "Row") -> None:
        """Lay another row behind this one; neither sees the other."""
        shift = len(self.ids)
        self.ids += other.ids
        self.parents += [parent + shift if parent >= 0 else -1 for parent in other.parents]
        self.targets += [(place + shift, token) for place, token in other.targets]


def lay_out(tree: Node, tokenizer: Any, limit: int = ROW) -> Row:
    """A tree as one row of at most ``limit`` tokens; branches that find no room are left out."""
    row = Row()

    def tokens(text: str) -> list[int]:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
        return ids

    def write(node: Node, after: int) -> None:
        given, written = tokens(node.given), tokens(node.written)
        if len(row.ids) + len(given) + len(written) > limit:
            return
        after = row.add(given, after)
        for token in written:
            row.targets.append((after, token))
            after = row.add([token], after)
        for branch in node.branches:
            write(branch, after)

    write(tree, row.add([tokenizer.bos_token_id], -1))
    return row


def rows(mixture: Mixture, tokenizer: Any, pool: int, processes: int) -> Iterator[tuple[int, Row]]:
    """Endless (pool number, row), the trees of a pool laid together so that the rows are nearly full.

    Each process has every so-manieth pool, from its own first on.
    """
    for number in itertools.count(pool, processes):
        laid = [lay_out(mixture.draw(number * POOL + offset), tokenizer) for offset in range(POOL)]
        packed: list[Row] = []
        for tree in sorted((tree for tree in laid if tree.targets), key=lambda tree: -len(tree.ids)):
            fitting = next((row for row in packed if len(row.ids) + len(tree.ids) <= ROW), None)
            if fitting is None:
                packed.append(tree)
            else:
                fitting.extend(tree)
        order = torch.randperm(len(packed), generator=torch.Generator().manual_seed(number)).tolist()
        for place in order:
            yield number, packed[place]


def vocabulary(mixture: Mixture, tokenizer: Any, trees: int = 4000) -> torch.Tensor:
    """Tokens that the training texts hold, as far as ``trees`` of them show it."""
    held: set[int] = set()
    for number in range(trees):
        held.update(lay_out(mixture.draw(number), tokenizer, 4 * ROW).ids)
    return torch.tensor(sorted(held))


class Loss:
    """Cross entropy of what is to be written.

    The output layer has 262,144 tokens and would cost more than all others. Those that no training text holds stand in
    the normaliser by a sample (with the logarithm of its share added), which is drawn anew for each step.
    """

    def __init__(self, model: Any, held: torch.Tensor) -> None:
        self.model = model
        self.output: torch.Tensor = model.lm_head.weight
        self.held = held
        self.place = torch.full((len(self.output),), -1, dtype=torch.long)
        self.place[held] = torch.arange(len(held))
        self.others = (self.place < 0).nonzero().squeeze(1)
        self.correction = torch.zeros(len(held) + SAMPLED)
        self.correction[len(held) :] = torch.tensor(len(self.others) / SAMPLED).log()

    def __call__(self, batch: Sequence[Row]) -> tuple[torch.Tensor, int]:
        """The mean over the targets of a batch, and their number."""
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
        numbers, places, tokens = torch.tensor([one for one in where if self.place[one[2]] >= 0]).T
        sample = self.others[torch.randint(len(self.others), (SAMPLED,))]
        chosen = self.output[torch.cat([self.held, sample])]
        scores = (hidden[numbers, places] @ chosen.T).float() + self.correction
        return nn.functional.cross_entropy(scores, self.place[tokens]), len(tokens)


def additive(seen: torch.Tensor) -> torch.Tensor:
    """The mask that attention adds to its scores: 0 where a token is seen, else the least number."""
    mask = torch.zeros(seen.shape, dtype=torch.bfloat16)
    return mask.masked_fill_(~seen, torch.finfo(torch.bfloat16).min).unsqueeze(1)


def train(rank: int, model: Any, tokenizer: Any, arguments: argparse.Namespace) -> None:
    """Train for ``--minutes``, saving to ``--checkpoint`` every few minutes."""
    logging.basicConfig(level=logging.INFO if rank == 0 else logging.WARNING, format="%(asctime)s %(message)s")
    store = f"file://{arguments.checkpoint.absolute()}.{os.getppid()}"
    distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=arguments.processes)
    torch.manual_seed(arguments.seed)
    corrections = add_corrections(model, arguments.rank)
    trained = [parameter for correction in corrections.values() for parameter in (correction.down, correction.up)]
    optimizer = torch.optim.AdamW(trained, lr=arguments.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    mixture = Mixture(read_paragraphs(arguments.xquad, held_back=False), read_udhr(arguments.udhr), seed=arguments.seed)
    loss_of = Loss(model, vocabulary(mixture, tokenizer))
    log.info("%d trained weights, %d tokens held", sum(map(torch.Tensor.numel, trained)), len(loss_of.held))
    spent, step, pool, written = 0.0, 0, 0, 0
    if arguments.checkpoint.exists():
        state = torch.load(arguments.checkpoint, weights_only=True)
        for name, value in state["corrections"].items():
            layer, _, kind = name.rpartition(".")
            getattr(corrections[layer], kind).data.copy_(value)
        optimizer.load_state_dict(state["optimizer"])
        spent, step, pool, written = state["spent"], state["step"], state["pool"], state["written"]
        log.info("going on from step %d, %.0f s", step, spent)
    torch.manual_seed(arguments.seed + 1000 * step + rank)  # of the samples of tokens
    stream = rows(mixture, tokenizer, pool + rank, arguments.processes)
    gradients = Gradients(trained)
    budget, begun, saved, shown, losses = 60 * arguments.minutes, time.monotonic() - spent, spent, spent, []
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
        spent = gradients.combine(arguments.processes, time.monotonic() - begun)
        optimizer.step()
        losses.append(loss.item())
        step, written = step + 1, written + targets * arguments.processes
        if spent - shown > 30:
            line = {"step": step, "written": written, "seconds": round(spent), "rate": group["lr"]}
            log.info("%s", json.dumps({**line, "loss": round(sum(losses) / len(losses), 4)}))
            shown, losses = spent, []
        if rank == 0 and (spent - saved > 60 * arguments.save_every or spent >= budget):
            state = {"corrections": corrections_state(corrections), "optimizer": optimizer.state_dict()}
            numbers = {"spent": spent, "step": step, "written": written, "rank": arguments.rank}
            partial = arguments.checkpoint.with_suffix(".partial")
            torch.save({**state, **numbers, "pool": pool + arguments.processes}, partial)
            partial.replace(arguments.checkpoint)
            saved = spent


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xquad", type=Path, required=True, help="folder with xquad.LANG.json")
    parser.add_argument("--udhr", type=Path, required=True, help="udhr2.zip of NLTK")
    parser.add_argument("--checkpoint", type=Path, default=Path("writer.pt"))
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--save-every", type=float, default=4, help="minutes")
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--rows", type=int, default=1, help=f"rows of {ROW} tokens in a step of a process")
    parser.add_argument("--processes", type=int, default=2, help="one core each; they average their gradients")
    parser.add_argument("--seed", type=int, default=17)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model, tokenizer = load_base()  # once: forked processes share it
    start_processes(train, (model, tokenizer, arguments), nprocs=arguments.processes, start_method="fork")


if __name__ == "__main__":
    main()
