"""Feed mutated files of every format to the readers of articles, looking for one that raises what it should not.

    python benchmarks/fuzz_sources.py --minutes 10 [--folder FOLDER]

Begins with tests/data/corpus and a file of each format, and keeps in FOLDER, which may be used again, what reaches new
code. Stops at the first input that raises anything but an ArticleError, breaks what holds for every article, or takes
longer than two minutes, and leaves it in FOLDER as a file that belongs in tests/data/corpus once it is mended.
Needs atheris (dependency group ``fuzz``), which there is for Linux on x86-64.
"""

import argparse
import gzip
import io
import sys
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import atheris

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["index", "htmldate", "trafilatura", "warcio"]):
    import htmldate  # noqa: F401 -- to be instrumented
    import trafilatura  # noqa: F401
    import warcio.archiveiterator  # noqa: F401

    from index.article import Article
    from index.config import SourcesConfig
    from index.errors import ArticleError
    from index.sources import Origin, Problem
    from index.sources.registry import source_for

SUFFIXES = (".html", ".txt", ".md", ".json", ".jsonl", ".xml", ".warc", ".zip", ".txt.gz", ".jsonl.gz", ".warc.gz")
"""The first byte of an input chooses one."""
FETCHED = datetime(2026, 1, 1, tzinfo=UTC)


def read(data: bytes) -> None:
    """Read an input, and check what holds for every article and problem."""
    if not data:
        return
    name = "article" + SUFFIXES[data[0] % len(SUFFIXES)]
    source = source_for(name)
    assert source is not None
    try:
        for item in source.read(io.BytesIO(data[1:]), Origin(name, name, FETCHED, SourcesConfig(megabytes=1))):
            if isinstance(item, Article):
                assert any(map(str.isalnum, item.text))
                assert item.id
                item.text.encode()
                item.model_dump_json()
            else:
                assert isinstance(item, Problem)
    except ArticleError:
        pass


def seeds(folder: Path) -> None:
    """A file of each format, and all of the corpus, as inputs."""
    text = b"---\ntitle: A bridge\npublished: 2023-11-01\n---\nThe bridge of the town was opened on Monday."
    story = b"<nitf><body><body.content><p>The bridge of the town was opened.</p></body.content></body></nitf>"
    record = (
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/b\r\n"
        b"WARC-Date: 2023-11-01T00:00:00Z\r\nContent-Type: application/http\r\nContent-Length: 78\r\n\r\n"
        b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n"
        b"<h1>A bridge</h1><p>The bridge opened.\r\n\r\n"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", text)
    files = {
        ".txt": text,
        ".md": text,
        ".json": b'{"title": "A bridge", "text": "It was opened.", "published": "2023-11-01"}',
        ".jsonl": b'{"title": "A bridge", "text": "It was opened."}\n{"text": "Another."}\n',
        ".xml": story,
        ".warc": record,
        ".zip": packed.getvalue(),
        ".txt.gz": gzip.compress(text),
        ".jsonl.gz": gzip.compress(b'{"text": "One."}\n'),
        ".warc.gz": gzip.compress(record),
    }
    for suffix, content in files.items():
        (folder / f"seed{suffix}").write_bytes(bytes([SUFFIXES.index(suffix)]) + content)
    for path in [*(ROOT / "tests/data/pages").glob("*.html"), *(ROOT / "tests/data/corpus").iterdir()]:
        suffix = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
        if suffix in SUFFIXES:
            (folder / path.name).write_bytes(bytes([SUFFIXES.index(suffix)]) + path.read_bytes())


def main() -> None:
    """Fuzz."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "kabar-fuzz")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    seeds(options.folder)
    limits = [f"-max_total_time={int(options.minutes * 60)}", "-timeout=120", "-rss_limit_mb=2500", "-max_len=20000"]
    atheris.Setup([sys.argv[0], str(options.folder), f"-artifact_prefix={options.folder}/", *limits], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
