"""The precision that the network is computed in, and which one is the fastest on this processor.

The fastest is found once and kept in the cache folder. A precision that this processor or this version of torch cannot
compute in, or computes in wrongly, is never chosen.
"""

import copy
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from index.compute_thread import in_compute_thread
from index.config import Precision, cache_folder

if TYPE_CHECKING:
    import torch
    from torch import nn

    from index.network import Layer

ADVANTAGE = 1.15
"""Another precision than float32 must win by this factor: it costs a little accuracy."""

LARGEST_ERROR = 0.025
"""Of a layer's result, as a share of its size; that of 8 bits is about 0.015. Where a processor, or what it is kept
from, has it add up bytes in 16 bits, sums that do not fit are cut off, and it is twice that."""

LENGTHS = (128, 120, 100, 90)
"""Of the texts that are timed."""

LIMITS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
"""Variables of the environment that keep torch and its products from instructions that the processor has."""


def lower(module: "nn.Module", precision: Precision) -> None:
    """Make the layers in ``module``, which are in float32, compute in ``precision``.

    Raises:
        AttributeError, RuntimeError: this torch, or this processor, has no such products.
    """
    import torch

    if precision == "bfloat16":
        module.bfloat16()
    elif precision != "float32":
        from index.int8 import quantise
        from index.network import Layer

        for layer in [part for part in module.modules() if isinstance(part, Layer)]:
            quantise(layer, torch.bfloat16 if precision == "int8-bfloat16" else None)


def fastest(layer: "Layer", width: int) -> Precision:
    """Time ``layer`` ([tokens, width] in, the same out) in every precision; below 0.5 s, then cached."""
    file = cache_folder() / "precision.json"
    key = _machine()
    known = _read(file)
    if key not in known:
        known[key] = _measure(layer, width)
        _write(file, known)
    return known[key]


def remembered() -> Precision | None:
    """What ``fastest`` has found on this machine before, with as many threads."""
    return _read(cache_folder() / "precision.json").get(_machine())


def _machine() -> str:
    import torch

    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        flags = {flag for line in lines if line.startswith(("flags", "Features")) for flag in line.split()}
        processor += "".join(f" +{name}" for name in ("bf16", "vnni") if any(name in flag for flag in flags))
    except (OSError, StopIteration):
        pass  # not Linux: the platform's name has to do
    limits = "".join(f", {name} {os.environ[name]}" for name in LIMITS if os.environ.get(name))
    return f"{processor}, torch {torch.__version__}, {torch.get_num_threads()} threads{limits}"


@in_compute_thread
def _measure(layer: "Layer", width: int) -> Precision:
    import torch

    inputs = torch.randn(sum(LENGTHS), width, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        best: Precision = "float32"
        seconds = _seconds(layer, inputs) / ADVANTAGE
        wanted = _run(layer, inputs)
        for precision in available():
            lowered = copy.deepcopy(layer)
            try:
                lower(lowered, precision)
                found = _run(lowered, inputs)
                taken = _seconds(lowered, inputs)
            except (AttributeError, RuntimeError):
                continue
            error = float((found - wanted).norm() / wanted.norm())
            if error < LARGEST_ERROR and taken < seconds:
                best, seconds = precision, taken
    return best


def available() -> list[Precision]:
    """Those that this processor has instructions for; elsewhere they are many times slower, or wrong."""
    import torch

    bfloat16 = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 (no public name for it)
    int8 = bool(torch.cpu._is_vnni_supported())  # noqa: SLF001
    needs: dict[Precision, bool] = {"bfloat16": bfloat16, "int8": int8, "int8-bfloat16": bfloat16 and int8}
    return [precision for precision, there in needs.items() if there]


def _run(layer: "Layer", inputs: "torch.Tensor") -> "torch.Tensor":
    from index.attention import attend

    hidden: torch.Tensor = layer(inputs.to(layer.narrow_norm.weight.dtype), LENGTHS, attend)
    return hidden.float()


def _seconds(layer: "Layer", inputs: "torch.Tensor") -> float:
    """Shortest of some runs; one very slow run is answer enough."""
    best = float("inf")
    for _ in range(6):  # the first one warms up, and is never the shortest
        start = time.perf_counter()
        _run(layer, inputs)
        best = min(best, time.perf_counter() - start)
        if best > 0.5:
            break
    return best


def _read(file: Path) -> dict[str, Precision]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {str(key): value for key, value in known.items() if value in get_args(Precision)}


def _write(file: Path, known: dict[str, Precision]) -> None:
    """Replace the file in one step; a cache that cannot be written is only slower."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix="precision-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(known, stream, indent=1)
        Path(name).replace(file)
    except OSError:
        pass
