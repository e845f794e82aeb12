"""Files as crashes and failing disks leave them."""

from pathlib import Path

DAMAGES = ("missing", "cut", "zeros", "a bit")


def damage(file: Path, kind: str) -> None:
    """Do to ``file`` what ``kind``, one of ``DAMAGES``, says."""
    if kind == "missing":
        file.unlink()
        return
    content = bytearray(file.read_bytes())
    if kind == "cut":
        del content[-9:]
    elif kind == "zeros":
        content = bytearray(len(content))
    elif kind == "a bit":
        content[len(content) // 2] ^= 1
    else:
        raise ValueError(kind)
    file.write_bytes(content)
