"""The language of an article, from its text."""

UNKNOWN = "und"
_ENOUGH = 4000  # characters; more adds nothing


def identify(text: str) -> str:
    """ISO 639-1 code of the language of a text of some sentences; "und" if it has no letters."""
    import py3langid

    sample = text[:_ENOUGH]
    if not any(character.isalpha() for character in sample):
        return UNKNOWN
    code, _ = py3langid.classify(sample)
    return str(code)


def rank(text: str) -> list[str]:
    """ISO 639-1 codes of all languages that can be told apart, the likeliest for a text of some sentences first."""
    import py3langid

    return [str(code) for code, _ in py3langid.rank(text[:_ENOUGH])]
