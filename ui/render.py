"""An answer as HTML.

Whatever comes from a question, an article or a model is text and passes through ``_text``: nothing of it can become an
element, an attribute or a link. Links go to http and https addresses only.
"""

import re
from collections.abc import Iterable
from html import escape
from urllib.parse import urlsplit

from qa.answer import Answer, Citation, DateMention
from qa.language import direction, name, sentence
from qa.localise import date_text

_CITED = re.compile(r"\[(\d{1,3})\]")
_FACT_ENDS = ".。．।۔؟?!！:：,，、;؛"
_LONG_FACT = 60
"""Characters from which on the fact is set smaller."""
_GUESSES = ("dateline", "file")
"""Ways of knowing a publication date that may be wrong; the page says so."""


def answer(given: Answer, turn: int) -> str:
    """The whole answer: the fact, the sentence, the original words, how dates were counted, the sources.

    ``turn`` makes the identifiers of its parts unlike those of other answers on the page.
    """
    parts = [_headline(given, turn)]
    if given.answerable:
        parts.append(_originals(given))
        parts.append(_countings(given))
    parts.append(_sources(given, turn))
    kind = "answer" if given.answerable else "answer unanswered"
    return f'<div class="{kind}" {_attributes(given.language)}>{"".join(parts)}</div>'


def question(asked: str, language: str | None = None) -> str:
    """The question as it was asked."""
    return f'<h2 class="question" {_attributes(language)}>{_text(_shortened(asked))}</h2>'


def progress(words: str, language: str) -> str:
    """The line that says what is being done."""
    return f'<p class="progress" {_attributes(language)}>{_text(words)}</p>'


def partial(text: str) -> str:
    """The part of the answer's text that is there already."""
    return f'<p class="text partial" dir="auto" aria-hidden="true">{_text(text)}</p>'


def error(message: str, language: str) -> str:
    """A message that something went wrong."""
    return f'<p class="error" role="alert" {_attributes(language)}>{_text(message)}</p>'


def turn(number: int, parts: Iterable[str], language: str) -> str:
    """One question with what came of it, on a page in ``language``."""
    return f'<section class="turn" data-turn="{number}" dir="{direction(language)}">{"".join(parts)}</section>'


def local_date(value: str, language: str) -> str:
    """``2023-11-08`` in the words of the language, anything that is no date as it is."""
    try:
        return date_text(value, language, weekday=False)
    except ValueError:
        return value


def safe_link(url: str | None) -> str | None:
    """The address if a reader may follow it: http or https, with a host and without white space; else None."""
    if not url or any(character.isspace() or not character.isprintable() for character in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.hostname else None


def _text(raw: str) -> str:
    """Text that is safe between tags and in quoted attributes, and that UTF-8 can carry."""
    return escape(raw.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}"))


def _attributes(language: str | None) -> str:
    """``lang`` and ``dir`` of an element in ``language``; the text's own direction if the language is unknown."""
    if not language or language == "und":
        return 'dir="auto"'
    return f'lang="{_text(language)}" dir="{direction(language)}"'


def _shortened(asked: str, most: int = 1000) -> str:
    return asked if len(asked) <= most else asked[:most] + " …"


def _headline(given: Answer, turn: int) -> str:
    """The fact, large, and the sentence without a repetition of the fact at its start."""
    fact, said = _parts(given)
    marked = _with_marks(said, given, turn)
    if not fact:
        return f'<p class="text lead">{marked}</p>'
    kind = "fact long" if len(fact) > _LONG_FACT else "fact"
    if not _CITED.sub("", said).strip():
        return f'<p class="{kind}">{_text(fact)}{marked}</p>'
    return f'<p class="{kind}">{_text(fact)}</p><p class="text">{marked}</p>'


def _parts(given: Answer) -> tuple[str, str]:
    """The fact, "" if there is none that can stand alone, and what is said beside it."""
    fact, text = given.short.strip(), given.text.strip()
    rest = _after(fact, text)
    if not given.answerable or (rest is None and fact in text and len(fact) > _LONG_FACT):
        return "", text
    said = text if rest is None else rest
    if fact and _is_quotation(said, given):
        said = " ".join(match[0] for match in _CITED.finditer(said))  # the words themselves follow, set apart
    return fact, said


def _is_quotation(text: str, given: Answer) -> bool:
    """Whether the text says nothing but the original words of the first citation."""
    return any(
        _CITED.sub("", text).strip()
        == sentence("quotation_in", given.language, language=_language(cited, given), quote=cited.quote)
        for cited in given.citations[:1]
    )


def _after(fact: str, text: str) -> str | None:
    """What follows the fact if the text begins with it as a sentence of its own; else None."""
    if not fact or not text.startswith(fact):
        return None
    rest = text.removeprefix(fact).lstrip()
    if rest[:1] and rest[0] in _FACT_ENDS:
        return rest[1:].lstrip()
    ends_itself = fact[-1] in _FACT_ENDS
    return rest if ends_itself or not _CITED.sub("", rest).strip() else None


def _with_marks(text: str, given: Answer, turn: int) -> str:
    """Text in which ``[1]`` is a button that opens the first citation; numbers without a citation stay text.

    A quotation in another language is set apart, or its full stop would stand on the wrong side of a line that runs
    the other way.
    """
    known = {citation.number: citation for citation in given.citations}
    quoted = {cited.quote.strip(): cited for cited in given.citations if cited.language != given.language}
    places = "|".join([r"\[\d{1,3}\]", *(re.escape(quote) for quote in quoted if quote)])
    pieces, position = [], 0
    for match in re.finditer(places, text):
        number = _CITED.fullmatch(match[0])
        cited = known.get(int(number[1])) if number else quoted[match[0]]
        if cited is None:
            continue
        before = text[position : match.start()]
        pieces.append(_text(before.rstrip() if number else before))
        pieces.append(
            _mark(cited, given.language, turn)
            if number
            else f"<bdi {_attributes(cited.language)}>{_text(match[0])}</bdi>"
        )
        position = match.end()
    return "".join([*pieces, _text(text[position:])])


def _mark(citation: Citation, language: str, turn: int) -> str:
    return (
        f'<button type="button" class="mark" data-evidence="{_key(citation, turn)}" aria-haspopup="dialog" '
        f'aria-label="{_text(sentence("citation", language, number=citation.number))}" '
        f'title="{_text(citation.title)}">{citation.number}</button>'
    )


def _key(citation: Citation, turn: int) -> str:
    return f"evidence-{turn}-{citation.number}"


def _originals(given: Answer) -> str:
    """The words that prove the answer, with their language, if that is another one and they are not shown already."""
    return "".join(
        f'<figure class="original"><figcaption>'
        f"{_text(sentence('original', given.language, language=_language(cited, given)))}</figcaption>"
        f"<blockquote {_attributes(cited.language)}>{_quote(cited, given.dates)}</blockquote></figure>"
        for cited in given.citations[:1]
        if cited.language != given.language and cited.quote.strip() not in "\n".join(_parts(given))
    )


def _language(citation: Citation, given: Answer) -> str:
    return name(citation.language, given.language)


def _quote(citation: Citation, dates: Iterable[DateMention]) -> str:
    """The quoted words, with the date expressions of the answer in them made strong."""
    quote, pieces, position = citation.quote, [], 0
    for mention in sorted(dates, key=lambda mention: mention.start):
        start, end = mention.start, mention.end
        if position <= start < end and quote[start:end] == mention.text and not mention.reporting:
            pieces += [_text(quote[position:start]), f"<strong>{_text(mention.text)}</strong>"]
            position = end
    return "".join([*pieces, _text(quote[position:])])


def _countings(given: Answer) -> str:
    """What each relative date means; what it was counted from is folded away."""
    published = given.citations[0].published if given.citations else None
    counted = sentence("counted_from", given.language, date=local_date(published, given.language)) if published else ""
    return "".join(
        f'<details class="counting"><summary><q dir="auto">{_text(mention.text)}</q> = '
        f"<span>{_text(local_date(mention.value, given.language))}</span></summary><p>{_text(counted)}</p></details>"
        for mention in given.dates
        if mention.derived and not mention.reporting and counted
    )


def _sources(given: Answer, turn: int) -> str:
    if not given.citations:
        return ""
    heading = sentence("sources", given.language) if given.answerable else sentence("nearest", given.language)
    rows = "".join(f"<li>{_card(cited, given, turn)}{_evidence(cited, given, turn)}</li>" for cited in given.citations)
    return f'<h3 class="rubric">{_text(heading)}</h3><ol class="sources">{rows}</ol>'


def _card(citation: Citation, given: Answer, turn: int) -> str:
    guess = f'<em class="guess">{_text(sentence("date_guess", given.language))}</em>' if _is_guess(citation) else ""
    return (
        f'<button type="button" class="card" data-evidence="{_key(citation, turn)}" aria-haspopup="dialog">'
        f'<span class="number">{citation.number}</span>'
        f'<span class="title"><bdi {_attributes(citation.language)}>{_text(citation.title)}</bdi></span>'
        f'<span class="byline">{_byline(citation, given)}{guess}</span></button>'
    )


def _byline(citation: Citation, given: Answer) -> str:
    """Source, date and language, each an item of its own so that their directions do not mix."""
    items = [f'<bdi dir="auto">{_text(citation.source)}</bdi>'] if citation.source else []
    if citation.published:
        shown = _text(local_date(citation.published, given.language))
        items.append(f'<time datetime="{_text(citation.published)}">{shown}</time>')
    items.append(f"<span>{_text(_language(citation, given))}</span>")
    return "".join(items)


def _is_guess(citation: Citation) -> bool:
    return bool(citation.published) and citation.published_from in _GUESSES


def _guessed(citation: Citation, given: Answer) -> str:
    """That the date of publication is a guess, in a sentence; nothing if it is none."""
    if not citation.published or not _is_guess(citation):
        return ""
    date = local_date(citation.published, given.language)
    return f'<p class="guessed">{_text(sentence("date_inferred", given.language, date=date))}</p>'


def _evidence(citation: Citation, given: Answer, turn: int) -> str:
    """What the side panel shows for a citation; it stays hidden until the page copies it there."""
    start, end = citation.passage_start, citation.passage_start + len(citation.quote)
    passage = citation.passage
    link = safe_link(citation.url)
    opened = (
        f'<p class="link"><a href="{_text(link)}" target="_blank" rel="noopener noreferrer nofollow">'
        f"{_text(sentence('open_article', given.language))}</a></p>"
        if link
        else ""
    )
    return (
        f'<div id="{_key(citation, turn)}" class="evidence" {_attributes(given.language)} hidden>'
        f'<h3 class="title" {_attributes(citation.language)}>{_text(citation.title)}</h3>'
        f'<p class="byline">{_byline(citation, given)}</p>{_guessed(citation, given)}'
        f'<div class="passage" {_attributes(citation.language)}>{_text(passage[:start])}'
        f"<mark>{_quote(citation, given.dates)}</mark>{_text(passage[end:])}</div>{opened}</div>"
    )
