"""Sitemaps, sitemap indexes and news sitemaps (sitemaps.org, protocol 0.9)."""

from datetime import date, datetime
from io import BytesIO
from typing import NamedTuple

from index.addresses import parse_address
from index.errors import ArticleError, FetchError
from index.sources.entry import Entry


class Sitemap(NamedTuple):
    """Pages that a sitemap lists, and other sitemaps."""

    entries: list[Entry]
    sitemaps: list[str]


def read_sitemap(content: bytes, *, url: str) -> Sitemap:
    """What the sitemap at ``url`` lists, each once, newest first; of a damaged one what stands before the damage.

    ``lastmod`` is no date of publication; only a news sitemap states that. Raises ArticleError if it is no sitemap.
    """
    from lxml import etree

    entries: dict[str, Entry] = {}
    sitemaps: dict[str, str] = {}
    found = False
    fields: dict[str, str] = {}
    try:
        steps = etree.iterparse(
            BytesIO(content),
            recover=True,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
        )
        for _, element in steps:
            name, space = etree.QName(element).localname, etree.QName(element).namespace or ""
            if name in ("url", "sitemap"):
                found = True
                page = _address(fields, url)
                if page and name == "sitemap":
                    sitemaps[page] = fields.get("lastmod", "")
                elif page:
                    entries.setdefault(page, _entry(page, fields))
                fields = {}
                element.clear()
            elif name in ("urlset", "sitemapindex"):
                found = True
            elif "sitemap-image" not in space and "sitemap-video" not in space:
                fields.setdefault(name, " ".join((element.text or "").split()))
    except (etree.LxmlError, ValueError) as error:
        if not found:
            raise ArticleError(url, f"not a sitemap that can be read: {' '.join(str(error).split())[:200]}") from None
    if not found:
        raise ArticleError(url, "not a sitemap")
    newest_first = sorted(
        entries.values(), key=lambda entry: entry.modified or str(entry.published or ""), reverse=True
    )
    return Sitemap(newest_first, sorted(sitemaps, key=sitemaps.__getitem__, reverse=True))


def _address(fields: dict[str, str], base: str) -> str | None:
    try:
        return str(parse_address(fields["loc"], base=base)) if fields.get("loc") else None
    except FetchError:
        return None


def _entry(page: str, fields: dict[str, str]) -> Entry:
    return Entry(
        identity=page,
        url=page,
        title=fields.get("title") or None,
        published=_date(fields.get("publication_date", "")),
        modified=fields.get("lastmod"),
        source=fields.get("name") or None,
        language=fields.get("language") or None,
    )


def _date(stated: str) -> date | None:
    try:
        return datetime.fromisoformat(stated) if "T" in stated else date.fromisoformat(stated)
    except ValueError:
        return None
