"""Keep the memory that a network frees, for its next layer."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Parameters of glibc's ``mallopt``, by ``malloc.h``."""

KEPT = 64 * 2**20
LARGEST_KEPT = 32 * 2**20
"""Bytes; the greatest that glibc takes."""


def keep_freed_memory() -> None:
    """Have the C library keep up to 64 MB that were freed, for any thread, instead of giving them back at once.

    A network frees and asks for the same few megabytes in every layer; that the system clears them anew each time
    takes a fifth of the whole. Threads that are made from now on share one heap: with heaps of their own each of fifty
    that answer would have such memory, cold when its turn comes. Does nothing where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_TRIM_THRESHOLD, KEPT)
    mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT)
    mallopt(M_ARENA_MAX, 1)
