"""Make index/data/fairness.safetensors, the language-fair projection, and the figures that speak for it.

    python -m training.fairness --udhr udhr2.zip --xquad xquad-dev/ [--figures]

Two parallel texts: the Universal Declaration of Human Rights (NLTK's udhr2, public domain) and XQuAD (CC BY-SA 4.0).
The figures come from halves: made from the even articles of XQuAD and measured on the odd ones, and the reverse; and
from leaving languages out, half of XQuAD's languages at a time. The shipped matrix is made from everything.
"""

import argparse
import hashlib
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from index.config import EncoderConfig
from index.encoder import Encoder
from index.evaluation import QuestionSet, figures, make_pool, read_squad

Array = npt.NDArray[np.float32]
Text = tuple[Array, Array]
"""Vectors of one language: of passages and of questions."""

# The languages that the encoder was trained on (those of XLM-R), as udhr2 names its files.
UDHR_LANGUAGES = """
afr amh arb azj_latn bel bul ben bre bos_latn cat ces cym dan deu_1901 ell_monotonic eng epo spa est eus pes_1 fin fra
fri gle gla glg guj hau_NG heb hin hrv hun hye ind isl ita jpn jav kat kaz khm kan kor ckb kir lat lao lit lav plt mkd
mal khk mar mly_latn mya nep nld nob nno pan pol pbu por_BR ron_1993 rus san slk slv som als srp_cyrl srp_latn sun swe
swh tam tha tgl tur uig_arab ukr urd uzn_latn vie xho ydd cmn_hans cmn_hant
"""
SAME_AS = {
    "ar": "arb",
    "de": "deu_1901",
    "el": "ell_monotonic",
    "en": "eng",
    "es": "spa",
    "hi": "hin",
    "ro": "ron_1993",
    "ru": "rus",
    "th": "tha",
    "tr": "tur",
    "vi": "vie",
    "zh": "cmn_hans",
}

# Chosen on the halves of XQuAD; see results/fairness.json.
SHRINKING = 0.3  # power to which the spread between translations is divided out
FLOOR = 1e-3  # spread that every direction is taken to have at least
UDHR_WEIGHT = 3.0  # of the spread between the languages of the UDHR against that between translations
MEAN_KEPT = 0.5  # of what all vectors have in common

WHOLE = 100_000  # characters of a passage: here XQuAD's are not split


def make_projection(parallel: Sequence[Text], udhr_means: Array) -> Array:
    """The matrix [dimension, dimension] from parallel texts and from a mean vector per language [languages, dimension].

    1. Directions in which the means of the parallel texts' languages differ are projected out, for passages and
       questions alike. 2. What is left is divided by a power of the spread between translations of one text, and
       of that between the languages of the UDHR (a shrunken within-class whitening, the class being the meaning).
       3. The direction common to all vectors keeps ``MEAN_KEPT`` of its length.
    """
    passages, questions = (np.stack([text[side] for text in parallel]).astype(np.float64) for side in (0, 1))
    dimension = passages.shape[-1]
    means = np.concatenate([_centred(side.mean(axis=1)) for side in (passages, questions)])
    directions = np.linalg.svd(means, full_matrices=False)[2][: 2 * len(parallel) - 2]
    fair = np.eye(dimension) - directions.T @ directions

    spread = sum(_spread_of_translations(side) for side in (passages, questions)) / 2
    between = _centred(udhr_means.astype(np.float64)) @ fair
    spread = spread + UDHR_WEIGHT * between.T @ between / len(between)
    values, vectors = np.linalg.eigh(spread + FLOOR * np.eye(dimension))
    matrix = (vectors * values**-SHRINKING) @ vectors.T @ fair
    matrix *= np.sqrt(dimension / np.square(matrix).sum())

    common = matrix @ (passages.mean(axis=(0, 1)) + questions.mean(axis=(0, 1)))
    common /= np.linalg.norm(common)
    result: Array = (matrix - (1 - MEAN_KEPT) * np.outer(common, common @ matrix)).astype(np.float32)
    return result


def _centred(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    centred: npt.NDArray[np.float64] = rows - rows.mean(axis=0)
    return centred


def _spread_of_translations(texts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Covariance of the differences between translations; ``texts`` is [languages, texts, dimension]."""
    texts = texts - texts.mean(axis=1, keepdims=True)
    rows = (texts - texts.mean(axis=0)).reshape(-1, texts.shape[-1])
    covariance: npt.NDArray[np.float64] = 2 * rows.T @ rows / (len(rows) - texts.shape[1])
    return covariance


def read_udhr(archive: Path) -> dict[str, list[str]]:
    """The paragraphs of the declaration, by language."""
    with zipfile.ZipFile(archive) as opened:
        texts = {name: opened.read(f"udhr2/{name}.txt").decode("utf-8") for name in UDHR_LANGUAGES.split()}
    return {name: [line.strip() for line in text.splitlines() if line.strip()] for name, text in texts.items()}


def split(one: QuestionSet, articles: Sequence[int], vectors: Text) -> tuple[QuestionSet, Text]:
    """The part of a file of XQuAD (five paragraphs an article) that is in ``articles``."""
    chosen = [number for number in range(len(one.passages)) if number // 5 in set(articles)]
    place = {number: position for position, number in enumerate(chosen)}
    asked = [number for number, gold in enumerate(one.gold) if gold in place]
    part = QuestionSet(
        one.language,
        [one.passages[number] for number in chosen],
        [one.questions[number] for number in asked],
        [place[one.gold[number]] for number in asked],
    )
    return part, (vectors[0][chosen], vectors[1][asked])


def measure(parts: Sequence[tuple[QuestionSet, Text]], matrix: Array | None, *, hybrid: bool) -> dict[str, Any]:
    """The figures of parallel parts after ``matrix``."""
    passages, questions = (np.concatenate([vectors[side] for _, vectors in parts]) for side in (0, 1))
    if matrix is not None:
        passages, questions = _project(passages, matrix), _project(questions, matrix)
    pool = make_pool([one for one, _ in parts], keep_copies=True, characters=WHOLE)
    return figures(pool, passages, questions, parallel=True, hybrid=hybrid)


def _project(vectors: Array, matrix: Array) -> Array:
    projected = vectors @ matrix.T
    unit: Array = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    return unit


def main() -> None:
    """Make the file and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--udhr", type=Path, required=True, help="udhr2.zip")
    parser.add_argument("--xquad", type=Path, required=True, help="folder of xquad.LANG.json files")
    parser.add_argument("--output", type=Path, default=Path("index/data/fairness.safetensors"))
    parser.add_argument("--results", type=Path, default=Path("training/results/fairness.json"))
    parser.add_argument("--figures", action="store_true", help="measure anew, and leave the file as it is")
    arguments = parser.parse_args()

    encoder = Encoder.open(EncoderConfig(language_fair=False))
    udhr = {
        name: encoder.encode_passages(texts).mean(axis=0, dtype=np.float64).astype(np.float32)
        for name, texts in read_udhr(arguments.udhr).items()
    }
    sets = {file.name.split(".")[1]: read_squad(file) for file in sorted(arguments.xquad.glob("xquad.*.json"))}
    vectors = {
        language: (encoder.encode_passages(one.passages), encoder.encode_queries(one.questions))
        for language, one in sets.items()
    }
    report = cross_validate(sets, vectors, udhr)
    if arguments.figures:
        content = arguments.output.read_bytes()
    else:
        matrix = make_projection(list(vectors.values()), np.stack(list(udhr.values())))
        content = safetensors.numpy.save({"matrix": matrix})
        arguments.output.write_bytes(content)
    report["sha256"] = hashlib.sha256(content).hexdigest()
    arguments.results.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if not arguments.figures:
        print(f"{arguments.output}: SHA256 in index/fairness.py must become {report['sha256']}")


def cross_validate(sets: dict[str, QuestionSet], vectors: dict[str, Text], udhr: dict[str, Array]) -> dict[str, Any]:
    """Figures on articles, and on languages, that the matrix was not made from."""
    halves = [range(0, 24, 2), range(1, 24, 2)]
    languages = list(sets)
    everything = np.stack(list(udhr.values()))
    report: dict[str, Any] = {"halves": [], "languages left out": []}
    for made_from, measured_on in (halves, halves[::-1]):
        made = [split(sets[name], made_from, vectors[name])[1] for name in languages]
        parts = [split(sets[name], measured_on, vectors[name]) for name in languages]
        matrix = make_projection(made, everything)
        report["halves"].append(
            {
                "as it comes": measure(parts, None, hybrid=False),
                "fair": measure(parts, matrix, hybrid=False),
                "fair, with words": measure(parts, matrix, hybrid=True),
            }
        )
    for left_out, used in ((languages[::2], languages[1::2]), (languages[1::2], languages[::2])):
        made = [split(sets[name], halves[0], vectors[name])[1] for name in used]
        parts = [split(sets[name], halves[1], vectors[name]) for name in left_out]
        unseen = {SAME_AS[name] for name in left_out} | {"cmn_hant"}
        others = np.stack([mean for name, mean in udhr.items() if name not in unseen])
        report["languages left out"].append(
            {
                "languages": left_out,
                "as it comes": measure(parts, None, hybrid=False),
                "only in the UDHR": measure(parts, make_projection(made, everything), hybrid=False),
                "in neither text": measure(parts, make_projection(made, others), hybrid=False),
            }
        )
    return report


if __name__ == "__main__":
    main()
