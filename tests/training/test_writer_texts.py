"""What is read of translated programs and word lists."""

import gzip
import json
import struct
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from training.writer_texts import texts


def catalogue(folder: Path, domain: str, language: str, messages: dict[str, str], context: str | None = None) -> None:
    file = folder / "locale" / language / "LC_MESSAGES" / f"{domain}.mo"
    file.parent.mkdir(parents=True, exist_ok=True)
    made = Catalog(locale=language)
    for key, text in messages.items():
        made.add(key, text, context=context)
    with file.open("wb") as opened:
        write_mo(opened, made)


def qt(messages: dict[str, str]) -> bytes:
    def piece(kind: int, data: bytes) -> bytes:
        return bytes([kind]) + struct.pack(">I", len(data)) + data

    body = b"".join(
        piece(3, text.encode("utf-16-be")) + piece(6, source.encode()) + piece(7, b"Main") + b"\x01"
        for source, text in messages.items()
    )
    return bytes(16) + piece(0x42, bytes(8)) + piece(0x69, body)


def test_catalogues_are_laid_side_by_side(tmp_path: Path) -> None:
    story = "The king rode out of the old town before dawn."
    catalogue(
        tmp_path, "tale", "de", {story: "Der König ritt vor Tagesanbruch aus der alten Stadt.", "Sword": "Schwert"}
    )
    catalogue(tmp_path, "tale", "ru", {story: "Король выехал из старого города до рассвета."}, context="said at night")
    catalogue(tmp_path, "kgeography", "ru", {"Konstanz": "Констанц"}, context="germany.kgm")
    catalogue(tmp_path, "geonames", "de", {"17": "Moskau"})
    catalogue(tmp_path, "geonames", "ja", {"17": "モスクワ"})
    found = texts(tmp_path)
    assert {"de": "Moskau", "ja": "モスクワ"} in found["name"]
    assert {"en": "Konstanz", "ru": "Констанц"} in found["name"]
    assert found["term"] == [{"en": "Sword", "de": "Schwert"}]
    assert [row["en"] for row in found["prose"]] == [story]


@pytest.mark.parametrize("text", ["%d files are left here", "See <b>the page</b> now", "Read it at https://a.example"])
def test_texts_with_marks_of_their_own_are_left_out(tmp_path: Path, text: str) -> None:
    catalogue(tmp_path, "tale", "de", {text: "Ganz etwas anderes"})
    assert texts(tmp_path) == {"name": [], "term": [], "prose": []}


def test_a_text_that_is_not_in_the_script_of_its_language_is_left_out(tmp_path: Path) -> None:
    catalogue(tmp_path, "tale", "ru", {"Sword": "Sword", "Shield": "Щит"})
    assert texts(tmp_path)["term"] == [{"en": "Shield", "ru": "Щит"}]


def test_qts_catalogues_and_mediawikis_messages(tmp_path: Path) -> None:
    folder = tmp_path / "stellarium-planetary-features"
    folder.mkdir()
    (folder / "zh_CN.qm").write_bytes(qt({"Gay-Lussac": "盖-吕萨克", "Gay-Lussac B": "盖-吕萨克B", "": "无"}))
    messages = tmp_path / "i18n"
    messages.mkdir()
    (messages / "en.json").write_text(json.dumps({"a": "Nobody may change this page today.", "@metadata": {}}))
    (messages / "vi.json").write_text(json.dumps({"a": "Hôm nay không ai được sửa trang này.", "b": "Không"}))
    found = texts(tmp_path)
    assert found["name"] == [{"en": "Gay-Lussac", "zh": "盖-吕萨克"}]
    prose = {"en": "Nobody may change this page today.", "vi": "Hôm nay không ai được sửa trang này."}
    assert found["prose"] == [prose]


def test_word_lists(tmp_path: Path) -> None:
    (tmp_path / "trans").mkdir()
    (tmp_path / "trans" / "de-en").write_text(
        "# a remark :: of its maker\n"
        "Herzfrequenz {f} [med.]; Puls {m} | Herzfrequenzen {pl} :: heart rate; pulse | heart rates\n"
    )
    lines = "00-database-info\nGruppe /grupe/ <n, fem>\n1. группа, коллектив\nFreunde\n"
    (tmp_path / "freedict-deu-rus.dict.dz").write_bytes(gzip.compress(lines.encode()))
    data = tmp_path / "cc-cedict-1" / "package" / "data"
    data.mkdir(parents=True)
    entries = [
        ["股東大會", "股东大会", "gu3", "general shareholders' meeting (yearly)", [], []],
        ["磨擦", "磨擦", "mo2", ["variant of 摩擦[mo2 ca1]"], [], []],
        ["排版", "排版", "pai2", [], [], []],
    ]
    (data / "all.js").write_text(f"export default {json.dumps({'all': entries})};")
    assert texts(tmp_path)["term"] == [
        {"de": "Herzfrequenz", "en": "heart rate"},
        {"de": "Herzfrequenzen", "en": "heart rates"},
        {"de": "Gruppe", "ru": "группа"},
        {"zh": "股东大会", "en": "general shareholders' meeting"},
    ]
