"""Exact match and F1 of answers, as SQuAD 2.0 counts them; by characters where words are not separated, as MLQA does.

Sources: the official evaluation scripts of SQuAD 2.0 (Rajpurkar et al. 2018) and MLQA (Lewis et al. 2020).
"""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

ARTICLES = re.compile(r"\b(a|an|the)\b")
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"  # Chinese characters
)


def words(answer: str) -> list[str]:
    """What is compared: lower case, no punctuation, no English articles; single characters of unspaced scripts."""
    text = answer.lower()
    if UNSPACED.search(text):
        text = "".join(character for character in text if not unicodedata.category(character).startswith("P"))
        text = UNSPACED.sub(lambda match: f" {match.group()} ", text)
    else:
        text = "".join(character for character in text if character not in string.punctuation)
        text = ARTICLES.sub(" ", text)
    return text.split()


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """1.0 if the words of ``prediction`` are those of one of ``answers`` ("" means that there is no answer)."""
    found = words(prediction)
    return float(any(found == words(answer) for answer in answers or [""]))


def f1(prediction: str, answers: Sequence[str]) -> float:
    """The best overlap, 0..1, of the words of ``prediction`` with those of one of ``answers`` ("": no answer)."""
    found = Counter(words(prediction))
    return max(_f1(found, Counter(words(answer))) for answer in answers or [""])


def _f1(found: Counter[str], wanted: Counter[str]) -> float:
    if not found or not wanted:
        return float(found == wanted)
    common = (found & wanted).total()
    return 2 * common / (found.total() + wanted.total())
