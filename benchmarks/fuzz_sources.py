"""Feed mutated files, feeds and sitemaps to all readers, looking for one that raises what it should not.

    python benchmarks/fuzz_sources.py --minutes 10 [--folder FOLDER] [--result FILE] [--keep]

Begins with what reached new code in earlier runs (tests/data/fuzz.tar.xz, which ``--keep`` writes again), with
tests/data/corpus and with a file of each format, and keeps in FOLDER what reaches more. Stops at the first input that
raises anything but an ArticleError, breaks what holds for every article, or takes longer than two minutes, and leaves
it in FOLDER as a file that belongs in tests/data/corpus once it is mended; then the exit code is 1. Writes
results/fuzz.json. Needs atheris (dependency group ``fuzz``), which there is for Linux on x86-64.
"""

import argparse
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import atheris
from machine import machine

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "tests" / "data" / "fuzz.tar.xz"
RESULT = Path(__file__).resolve().parent / "results" / "fuzz.json"
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["index", "htmldate", "trafilatura", "warcio"]):
    import htmldate  # noqa: F401 -- to be instrumented
    import trafilatura  # noqa: F401
    import warcio.archiveiterator  # noqa: F401

    from index.article import Article
    from index.config import SourcesConfig
    from index.errors import ArticleError
    from index.robots import Robots
    from index.sources import Origin, Problem
    from index.sources.feed import read_feed
    from index.sources.kind import kind_of
    from index.sources.registry import source_for
    from index.sources.sitemap import read_sitemap

FILES = (".html", ".txt", ".md", ".json", ".jsonl", ".xml", ".warc", ".zip", ".txt.gz", ".jsonl.gz", ".warc.gz")
SUFFIXES = (*FILES, ".feed", ".sitemap", ".robots")
"""The first byte of an input chooses one."""
INSIDE = "KABAR_FUZZ_INSIDE"
"""Set for the process that fuzzes."""
FETCHED = datetime(2026, 1, 1, tzinfo=UTC)


def read(data: bytes) -> None:
    """Read an input, and check what holds for every article, problem and entry."""
    if not data:
        return
    suffix, content = SUFFIXES[data[0] % len(SUFFIXES)], data[1:]
    try:
        if suffix in FILES:
            read_file("article" + suffix, content)
        elif suffix == ".robots":
            Robots(content.decode("utf-8", "replace"), "kabar").allows("http://a.test/b")
        else:
            kind_of(content, "text/xml")
            url = "http://a.test/feed"
            is_feed = suffix == ".feed"
            for entry in read_feed(content, url=url) if is_feed else read_sitemap(content, url=url).entries:
                assert entry.identity
                entry.day(FETCHED)
    except ArticleError:
        pass


def read_file(name: str, content: bytes) -> None:
    """Read a file of articles."""
    source = source_for(name)
    assert source is not None
    for item in source.read(io.BytesIO(content), Origin(name, name, FETCHED, SourcesConfig(megabytes=1))):
        if isinstance(item, Article):
            assert any(map(str.isalnum, item.text))
            assert item.id
            item.text.encode()
            item.model_dump_json()
        else:
            assert isinstance(item, Problem)


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
        ".feed": b"<rss version='2.0'><channel><title>A</title><item><title>A bridge</title><guid>7</guid>"
        b"<link>/b</link><pubDate>Wed, 01 Nov 2023 08:00:00 GMT</pubDate></item></channel></rss>",
        ".sitemap": b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'><url><loc>http://a.test/b</loc>"
        b"<lastmod>2023-11-01</lastmod></url></urlset>",
        ".robots": b"User-agent: *\nDisallow: /c*$\nCrawl-delay: 2\n",
    }
    for suffix, content in files.items():
        (folder / f"seed{suffix}").write_bytes(bytes([SUFFIXES.index(suffix)]) + content)
    if KEPT.exists():
        with tarfile.open(KEPT) as archive:
            for member in archive:
                name, dot, rest = member.name.partition(".")
                file = archive.extractfile(member)
                assert file is not None
                (folder / name).write_bytes(bytes([SUFFIXES.index(dot + rest)]) + file.read())
    for path in [*(ROOT / "tests/data/pages").glob("*.html"), *(ROOT / "tests/data/corpus").iterdir()]:
        suffix = "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix
        if suffix in SUFFIXES:
            (folder / path.name).write_bytes(bytes([SUFFIXES.index(suffix)]) + path.read_bytes())


def keep(folder: Path) -> None:
    """Pack what libFuzzer has kept, each input as a file with the ending that its first byte chooses."""
    with tarfile.open(KEPT, "w:xz") as archive:
        for path in sorted(folder.iterdir()):
            content = path.read_bytes()
            if re.fullmatch("[0-9a-f]{40}", path.name) and content:
                member = tarfile.TarInfo(path.name + SUFFIXES[content[0] % len(SUFFIXES)])
                member.size = len(content) - 1
                archive.addfile(member, io.BytesIO(content[1:]))


def fuzz(folder: Path, minutes: float) -> dict[str, Any]:
    """Fuzz in a process of its own, which libFuzzer ends; the figures."""
    before = {path.name for path in folder.iterdir()}
    command = [sys.executable, __file__, "--minutes", str(minutes), "--folder", str(folder)]
    done = subprocess.run(
        command, env={**os.environ, INSIDE: "yes"}, stderr=subprocess.PIPE, text=True, errors="replace", check=False
    )
    sys.stderr.write(done.stderr[-4000:])
    names = sorted(path.name for path in folder.iterdir())
    coverage = re.findall(r"cov: (\d+)", done.stderr)
    found = {name: float(value) for name, value in re.findall(r"stat::(\w+):\s+([\d.]+)", done.stderr)}
    return {
        "minutes": minutes,
        "executions": int(found.get("number_of_executed_units", 0)),
        "branches_reached": int(coverage[-1]) if coverage else 0,
        "inputs_kept": len(set(names) - before),
        "findings": [name for name in names if re.match("(crash|timeout|oom|leak)-", name) and name not in before],
        "finished": done.returncode == 0,
    }


def main() -> None:
    """Fuzz, print and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "kabar-fuzz")
    parser.add_argument("--result", type=Path, default=RESULT)
    parser.add_argument("--keep", action="store_true", help=f"write {KEPT.relative_to(ROOT)}")
    options = parser.parse_args()
    if INSIDE in os.environ:
        limits = [f"-max_total_time={int(options.minutes * 60)}", "-timeout=120", "-rss_limit_mb=2500"]
        options_of_libfuzzer = [*limits, "-max_len=20000", "-print_final_stats=1"]
        place = [str(options.folder), f"-artifact_prefix={options.folder}/"]
        atheris.Setup([sys.argv[0], *place, *options_of_libfuzzer], read)
        atheris.Fuzz()
    options.folder.mkdir(parents=True, exist_ok=True)
    seeds(options.folder)
    figures = fuzz(options.folder, options.minutes)
    command = f"python benchmarks/fuzz_sources.py --minutes {options.minutes:g}"
    if options.keep:
        keep(options.folder)
    result = {"command": command, "machine": machine(), **figures}
    options.result.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(figures, indent=2))
    sys.exit(1 if figures["findings"] or not figures["finished"] else 0)


if __name__ == "__main__":
    main()
