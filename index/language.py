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
