"""Encoders for the workers of a test's cluster, which import this module; ``config.model`` names a folder for notes."""

import os
import time
from pathlib import Path

from fakes import WordEncoder

from index.config import EncoderConfig
from index.errors import ModelError


class NotingEncoder(WordEncoder):
    """Takes its time, and notes on which node it has encoded."""

    def __init__(self, notes: Path) -> None:
        super().__init__()
        self.notes = notes

    def encode_passages(self, texts):
        import ray

        node = ray.get_runtime_context().get_node_id()
        (self.notes / f"{node} {os.getpid()} {time.time_ns()}").touch()
        time.sleep(0.2)
        return super().encode_passages(texts)


class ExhaustedEncoder(WordEncoder):
    """Finds no memory, ``times`` times."""

    def __init__(self, notes: Path, times: int) -> None:
        super().__init__()
        self.notes = notes
        self.times = times

    def encode_passages(self, texts):
        if len(list(self.notes.iterdir())) < self.times:
            (self.notes / f"{os.getpid()} {time.time_ns()}").touch()
            raise MemoryError
        return super().encode_passages(texts)


def noting(config: EncoderConfig) -> WordEncoder:
    return NotingEncoder(Path(config.model))


def out_of_memory_once(config: EncoderConfig) -> WordEncoder:
    return ExhaustedEncoder(Path(config.model), 1)


def always_out_of_memory(config: EncoderConfig) -> WordEncoder:
    return ExhaustedEncoder(Path(config.model), 1_000_000)


def without_weights(config: EncoderConfig) -> WordEncoder:
    raise ModelError("e5-small-q4.bin: no such file; install kabar again")


def other_model(config: EncoderConfig) -> WordEncoder:
    return WordEncoder("words/2")
