"""Is bfloat16 faster than float32 on this processor? Asked once, kept in the cache folder."""

import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from index.config import cache_folder

if TYPE_CHECKING:
    import torch
    from torch import nn

ADVANTAGE = 1.15
"""bfloat16 must win by this factor: it costs a little accuracy."""


def bfloat16_is_faster(layer: "nn.Module", width: int) -> bool:
    """Time ``layer`` ([batch, tokens, width] in, the same out) in both precisions; below 0.1 s, then cached."""
    file = cache_folder() / "precision.json"
    key = _machine()
    known = _read(file)
    if key in known:
        return known[key]
    known[key] = _measure(layer, width)
    _write(file, known)
    return known[key]


def _machine() -> str:
    import torch

    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        processor = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        processor += " +bf16" * any("bf16" in line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        pass  # not Linux: the platform's name has to do
    return f"{processor}, torch {torch.__version__}, {torch.get_num_threads()} threads"


def _measure(layer: "nn.Module", width: int) -> bool:
    import copy

    import torch

    if not _supported():
        return False
    inputs = torch.zeros(4, 128, width)
    with torch.inference_mode():
        plain = _seconds(copy.deepcopy(layer).float(), inputs)
        half = _seconds(copy.deepcopy(layer).bfloat16(), inputs.bfloat16())
    return plain > ADVANTAGE * half


def _supported() -> bool:
    import torch

    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 (no public name for it)


def _seconds(layer: "nn.Module", inputs: "torch.Tensor") -> float:
    """Shortest of three runs; one very slow run is answer enough."""
    best = float("inf")
    for _ in range(4):  # the first one warms up, and is never the shortest
        start = time.perf_counter()
        layer(inputs)
        best = min(best, time.perf_counter() - start)
        if best > 0.5:
            break
    return best


def _read(file: Path) -> dict[str, bool]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): bool(value) for key, value in known.items()} if isinstance(known, dict) else {}


def _write(file: Path, known: dict[str, bool]) -> None:
    """Replace the file in one step; a cache that cannot be written is only slower."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix="precision-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(known, stream, indent=1)
        Path(name).replace(file)
    except OSError:
        pass
