"""An answer as HTML: the fact first, then what proves it."""

import re
from collections.abc import Iterable

from index.article import Article
from qa.answer import Answer, Citation, DateMention
from qa.language import name, sentence
from ui.markup import attributes, local_date, safe_link, text

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
    return f'<div class="{kind}" {attributes(given.language)}>{"".join(parts)}</div>'


def question(asked: str, language: str | None = None) -> str:
    """The question as it was asked."""
    return f'<h2 class="question" {attributes(language)}>{text(_shortened(asked))}</h2>'


def progress(words: str, language: str) -> str:
    """The line that says what is being done."""
    return f'<p class="progress" {attributes(language)}>{text(words)}</p>'


def partial(written: str) -> str:
    """The part of the answer's text that is there already."""
    return f'<p class="text partial" dir="auto" aria-hidden="true">{text(written)}</p>'


def error(message: str, language: str) -> str:
    """A message that something went wrong."""
    return f'<p class="error" role="alert" {attributes(language)}>{text(message)}</p>'


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
        return f'<p class="{kind}">{text(fact)}{marked}</p>'
    return f'<p class="{kind}">{text(fact)}</p><p class="text">{marked}</p>'


def _parts(given: Answer) -> tuple[str, str]:
    """The fact, "" if there is none that can stand alone, and what is said beside it."""
    fact, whole = given.short.strip(), given.text.strip()
    rest = _after(fact, whole)
    if not given.answerable or (rest is None and fact in whole and len(fact) > _LONG_FACT):
        return "", whole
    said = whole if rest is None else rest
    if fact and _is_quotation(said, given):
        said = " ".join(match[0] for match in _CITED.finditer(said))  # the words themselves follow, set apart
    return fact, said


def _is_quotation(said: str, given: Answer) -> bool:
    """Whether it says nothing but the original words of the first citation."""
    return any(
        _CITED.sub("", said).strip()
        == sentence("quotation_in", given.language, language=_language(cited, given), quote=cited.quote)
        for cited in given.citations[:1]
    )


def _after(fact: str, whole: str) -> str | None:
    """What follows the fact if the text begins with it as a sentence of its own; else None."""
    if not fact or not whole.startswith(fact):
        return None
    rest = whole.removeprefix(fact).lstrip()
    if rest[:1] and rest[0] in _FACT_ENDS:
        return rest[1:].lstrip()
    ends_itself = fact[-1] in _FACT_ENDS
    return rest if ends_itself or not _CITED.sub("", rest).strip() else None


def _with_marks(said: str, given: Answer, turn: int) -> str:
    """Text in which ``[1]`` is a button that opens the first citation; numbers without a citation stay text.

    A quotation in another language is set apart, or its full stop would stand on the wrong side of a line that runs
    the other way.
    """
    known = {citation.number: citation for citation in given.citations}
    quoted = {cited.quote.strip(): cited for cited in given.citations if cited.language != given.language}
    places = "|".join([r"\[\d{1,3}\]", *(re.escape(quote) for quote in quoted if quote)])
    pieces, position = [], 0
    for match in re.finditer(places, said):
        number = _CITED.fullmatch(match[0])
        cited = known.get(int(number[1])) if number else quoted[match[0]]
        if cited is None:
            continue
        before = said[position : match.start()]
        pieces.append(text(before.rstrip() if number else before))
        pieces.append(
            _mark(cited, given.language, turn)
            if number
            else f"<bdi {attributes(cited.language)}>{text(match[0])}</bdi>"
        )
        position = match.end()
    return "".join([*pieces, text(said[position:])])


def _mark(citation: Citation, language: str, turn: int) -> str:
    return (
        f'<button type="button" class="mark" data-evidence="{_key(citation, turn)}" aria-haspopup="dialog" '
        f'aria-label="{text(sentence("citation", language, number=citation.number))}" '
        f'title="{text(citation.title)}">{citation.number}</button>'
    )


def _key(citation: Citation, turn: int) -> str:
    return f"evidence-{turn}-{citation.number}"


def _originals(given: Answer) -> str:
    """The words that prove the answer, with their language, if that is another one and they are not shown already."""
    return "".join(
        f'<figure class="original"><figcaption>'
        f"{text(sentence('original', given.language, language=_language(cited, given)))}</figcaption>"
        f"<blockquote {attributes(cited.language)}>{_quote(cited, given.dates)}</blockquote></figure>"
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
            pieces += [text(quote[position:start]), f"<strong>{text(mention.text)}</strong>"]
            position = end
    return "".join([*pieces, text(quote[position:])])


def _countings(given: Answer) -> str:
    """What each relative date means; what it was counted from is folded away."""
    published = given.citations[0].published if given.citations else None
    counted = sentence("counted_from", given.language, date=local_date(published, given.language)) if published else ""
    return "".join(
        f'<details class="counting"><summary><q dir="auto">{text(mention.text)}</q> = '
        f"<span>{text(local_date(mention.value, given.language))}</span></summary><p>{text(counted)}</p></details>"
        for mention in given.dates
        if mention.derived and not mention.reporting and counted
    )


def _sources(given: Answer, turn: int) -> str:
    shown = given.citations or given.nearest
    if not shown:
        return ""
    heading = sentence("sources", given.language) if given.answerable else sentence("nearest", given.language)
    rows = "".join(f"<li>{_card(cited, given, turn)}{_evidence(cited, given, turn)}</li>" for cited in shown)
    return f'<h3 class="rubric">{text(heading)}</h3><ol class="sources">{rows}</ol>'


def _card(citation: Citation, given: Answer, turn: int) -> str:
    guess = f'<em class="guess">{text(sentence("date_guess", given.language))}</em>' if _is_guess(citation) else ""
    return (
        f'<button type="button" class="card" data-evidence="{_key(citation, turn)}" aria-haspopup="dialog">'
        f'<span class="number">{citation.number}</span>'
        f'<span class="title"><bdi {attributes(citation.language)}>{text(citation.title)}</bdi></span>'
        f'<span class="byline">{_byline(citation, given.language)}{guess}</span></button>'
    )


def _byline(citation: Citation, language: str) -> str:
    """Source, date and language, each an item of its own so that their directions do not mix."""
    items = [f'<bdi dir="auto">{text(citation.source)}</bdi>'] if citation.source else []
    if citation.published:
        shown = text(local_date(citation.published, language))
        items.append(f'<time datetime="{text(citation.published)}">{shown}</time>')
    items.append(f"<span>{text(name(citation.language, language))}</span>")
    return "".join(items)


def _is_guess(citation: Citation) -> bool:
    return bool(citation.published) and citation.published_from in _GUESSES


def _guessed(citation: Citation, language: str) -> str:
    """That the date of publication is a guess, in a sentence; nothing if it is none."""
    if not citation.published or not _is_guess(citation):
        return ""
    date = local_date(citation.published, language)
    return f'<p class="guessed">{text(sentence("date_inferred", language, date=date))}</p>'


def _evidence(citation: Citation, given: Answer, turn: int) -> str:
    """What the side panel shows for a citation; it stays hidden until the page copies it there."""
    return evidence(citation, given.language, key=_key(citation, turn), dates=given.dates)


def evidence(citation: Citation, language: str, *, key: str, dates: Iterable[DateMention] = ()) -> str:
    """A citation's article as far as the citation has it, its quotation marked, for a page in ``language``; hidden.

    ``key`` is its identifier; the page's script puts the whole article in its place.
    """
    start, end = citation.passage_start, citation.passage_start + len(citation.quote)
    passage = citation.passage
    link = safe_link(citation.url)
    opened = (
        f'<p class="link"><a href="{text(link)}" target="_blank" rel="noopener noreferrer nofollow">'
        f"{text(sentence('open_article', language))}</a></p>"
        if link
        else ""
    )
    return (
        f'<div id="{text(key)}" class="evidence" {attributes(language)} data-article="{text(citation.article_id)}" '
        f'data-start="{citation.start}" data-end="{citation.end}" hidden>'
        f'<h3 class="title" {attributes(citation.language)}>{text(citation.title)}</h3>'
        f'<p class="byline">{_byline(citation, language)}</p>{_guessed(citation, language)}'
        f'<div class="passage" {attributes(citation.language)}>{text(passage[:start])}'
        f"<mark>{_quote(citation, dates)}</mark>{text(passage[end:])}</div>{opened}</div>"
    )


def article(whole: Article, start: int, end: int, language: str) -> str:
    """The whole article for the side panel, with ``text[start:end]`` marked. Raises ValueError for other places."""
    if not 0 <= start < end <= len(whole.text):
        raise ValueError((start, end))
    cited = Citation(
        number=0,
        article_id=whole.id,
        title=whole.title,
        url=whole.url,
        source=whole.source,
        language=whole.language,
        published=whole.published.isoformat() if whole.published else None,
        published_from=whole.published_from,
        passage=whole.text,
        passage_start=start,
        start=start,
        end=end,
        quote=whole.text[start:end],
    )
    return evidence(cited, language, key="article")
