"""What figures were measured on: said beside every figure, without naming the machine."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Cores, memory, processor and versions."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    values = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in lines}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory),
        "processor": values.get("model name", platform.processor() or platform.machine()),
        "bfloat16": any(flag in values.get("flags", "").split() for flag in ("avx512_bf16", "amx_bf16")),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def peak_memory() -> int:
    """Bytes that this process has held at most; getrusage would begin with the memory of the one that started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def described(facts: dict[str, Any]) -> str:
    """One line for under a table."""
    bfloat16 = "with" if facts["bfloat16"] else "without"
    return (
        f"{facts['cores']} cores of an {facts['processor']} {bfloat16} bfloat16, {facts['memory_gib']} GiB of memory, "
        f"{facts['system']}, Python {facts['python']}, torch {facts['torch']}"
    )
