"""All that computes on several cores, the networks and FAISS, does so in one and the same thread, whoever asks.

OpenMP keeps a team of threads for every thread that has computed anything. As soon as all teams together have more
members than there are cores, they no longer spin for the next operation but sleep, and have to be woken for each of
them: where every question was answered in another thread, all of them took half as long again.
"""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_here = threading.local()
_executor = ThreadPoolExecutor(1, "kabar-compute", initializer=setattr, initargs=(_here, "computes", True))


def in_compute_thread(function: Callable[P, R]) -> Callable[P, R]:
    """``function``, run in the compute thread while the caller waits; calls are served in their order.

    One that the compute thread itself makes is run at once. What ``function`` raises is raised.
    """

    @functools.wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> R:
        if hasattr(_here, "computes"):
            return function(*arguments, **options)
        return _executor.submit(function, *arguments, **options).result()

    return run


@in_compute_thread
def share_cores(processes: int) -> None:
    """Let the networks compute, from now on, on the share of the cores that is left among so many processes."""
    if processes == getattr(_here, "processes", 1):
        return
    import torch

    _here.cores = getattr(_here, "cores", torch.get_num_threads())
    torch.set_num_threads(max(1, _here.cores // processes))
    _here.processes = processes
