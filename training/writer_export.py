"""Write a trained adapter as GGUF, which llama.cpp loads, and measure it on the articles that were held back.

``python -m training.writer_export --xquad FOLDER --checkpoint writer.pt``
"""

import argparse
import hashlib
import itertools
import json
import re
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from qa.check import check
from qa.config import WriterConfig
from qa.gemma import ADAPTER
from qa.prompts import clean, task
from qa.render_evaluation import Pair, chrf, read_parts, render_all
from qa.writer import Writer, open_writer
from training.reader_data import XQUAD_HELD_BACK
from training.writer import ALPHA, add_corrections, load_base, mean_of, put

PAIRS = "en-de en-ru en-zh en-ar de-en ru-en zh-en ar-en vi-en ru-zh".split()
RESULT = Path("training/results/writer.json")
LOST = re.compile(r"(?:name|number|month|weekday|date) (?:not in the evidence|left out)")
LAYERS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
"""Linear layers of a block, by their names in transformers and in llama.cpp."""


def tensor_name(correction: str) -> str:
    """llama.cpp's name of a correction: "model.layers.3.mlp.up_proj.down" is "blk.3.ffn_up.weight.lora_a"."""
    match = re.fullmatch(r"model\.layers\.(\d+)\.(.+)\.(down|up)", correction)
    if match is None:
        msg = f"{correction!r} is no correction of a linear layer"
        raise ValueError(msg)
    return f"blk.{match[1]}.{LAYERS[match[2]]}.weight.lora_{'a' if match[3] == 'down' else 'b'}"


def write_adapter(corrections: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write the corrections as llama.cpp's LoRA adapter in 8 bits, and its SHA-256 in the ``.json`` file beside it."""
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize

    rank = min(next(iter(corrections.values())).shape)
    writer = GGUFWriter(path, "gemma3")
    writer.add_type("adapter")
    writer.add_name("kabar's writer")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", ALPHA * rank)
    for name, tensor in corrections.items():
        codes = quantize(tensor.float().contiguous().numpy(), GGMLQuantizationType.Q8_0)
        writer.add_tensor(tensor_name(name), codes, raw_dtype=GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps({"sha256": digest}, indent=1) + "\n", encoding="utf-8")


def held_back(folder: Path, into: Path, every: int = 1) -> None:
    """Write the held-back articles of each language as files of their own, with ``every`` so-manieth question."""
    for file in folder.glob("xquad.*.json"):
        articles = json.loads(file.read_text(encoding="utf-8"))["data"][-XQUAD_HELD_BACK:]
        number = itertools.count()
        for paragraph in (paragraph for article in articles for paragraph in article["paragraphs"]):
            paragraph["qas"] = [item for item in paragraph["qas"] if next(number) % every == 0]
        (into / file.name).write_text(json.dumps({"data": articles}), encoding="utf-8")


def measure(writer: Writer, folder: Path) -> Iterator[dict[str, Any]]:
    """Figures of each pair of languages over the question sets in ``folder``."""
    for name in PAIRS:
        source, target = name.split("-")
        pairs = render_all(writer, folder / f"xquad.{source}.json", folder / f"xquad.{target}.json")
        accepted = [pair for pair in pairs if pair.rendering.accepted]
        golds = [pair.gold for pair in pairs]
        yield {
            "source": source,
            "target": target,
            "questions": len(pairs),
            "chrf": chrf([pair.rendering.text for pair in pairs], golds),
            "copy_chrf": chrf([pair.part.text for pair in pairs], golds),
            "accepted": len(accepted),
            "accepted_that_keep": sum(keeps(pair, target) for pair in accepted),
        }


def keeps(pair: Pair, target: str) -> bool:
    """Whether a rendering has the names, numbers and dates of the gold answer, and no others."""
    verdict = check(pair.rendering.text, pair.gold, source=target, target=target)
    return not any(LOST.match(reason) for reason in verdict.reasons)


def same_as_torch(writer: Writer, corrections: Mapping[str, torch.Tensor], folder: Path, count: int) -> dict[str, int]:
    """How many renderings llama.cpp (4-bit layers, 8-bit activations) and torch (16 bits) write alike."""
    model, tokenizer = load_base()
    put(corrections, add_corrections(model, min(next(iter(corrections.values())).shape)))
    model.eval()
    newline = tokenizer.convert_tokens_to_ids("\n")
    same = 0
    parts = list(read_parts(folder / "xquad.de.json", "de").values())[:count]
    for part in parts:
        prompt = tokenizer(task(clean(part.sentence, part.text), "de", "en", clean(part.text)), return_tensors="pt")
        written = model.generate(**prompt, max_new_tokens=60, do_sample=False, eos_token_id=newline)
        text = tokenizer.decode(written[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
        same += text.strip() == next(writer.renderings(part.text, part.sentence, "de", "en"))
    return {"renderings": len(parts), "same": same}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--xquad", type=Path, required=True, help="folder with xquad.LANG.json")
    parser.add_argument("--checkpoint", type=Path, nargs="+", required=True, help="of several, the mean is taken")
    parser.add_argument(
        "--strength", type=float, default=1.0, help="of the corrections; less, where too much is learned"
    )
    parser.add_argument("--adapter", type=Path, default=ADAPTER, help="the file to write")
    parser.add_argument("--every", type=int, default=1, help="measure on every so-manieth question")
    parser.add_argument("--compare", type=int, default=40, help="renderings to compare with torch's")
    parser.add_argument("--only-write", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    state = mean_of(arguments.checkpoint, arguments.strength)
    write_adapter(state["corrections"], arguments.adapter)
    if arguments.only_write:
        return
    writer = open_writer(WriterConfig(timeout=120))
    assert writer is not None  # the embedded one
    with tempfile.TemporaryDirectory() as folder:
        held_back(arguments.xquad, Path(folder), arguments.every)
        rows = []
        for row in measure(writer, Path(folder)):
            print(row, flush=True)
            rows.append(row)
        compared = (
            same_as_torch(writer, state["corrections"], Path(folder), arguments.compare) if arguments.compare else {}
        )
    report = {
        "megabytes": round(arguments.adapter.stat().st_size / 1e6, 1),
        "training": {name: state[name] for name in ("step", "written", "rank")}
        | {"minutes": round(state["spent"] / 60)},
        "checkpoints": len(arguments.checkpoint),
        "strength": arguments.strength,
        "mean_chrf": round(statistics.fmean(row["chrf"] for row in rows), 1),
        "mean_copy_chrf": round(statistics.fmean(row["copy_chrf"] for row in rows), 1),
        "accepted": round(sum(row["accepted"] for row in rows) / sum(row["questions"] for row in rows), 3),
        "accepted_that_keep": round(
            sum(row["accepted_that_keep"] for row in rows) / sum(row["accepted"] for row in rows), 3
        ),
        "like_torch": compared,
        "pairs": rows,
    }
    RESULT.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in report.items() if name != "pairs"}, indent=1))


if __name__ == "__main__":
    main()
