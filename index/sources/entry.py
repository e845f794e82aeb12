"""What a feed or a sitemap says of one article."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Entry:
    """One article, as a list of articles names it.

    Attributes:
        identity: the same for this article as long as the list holds it, and for no other in it.
        url: where its page is (http or https).
        title: as plain text.
        published: when; with a time zone if the list states one.
        modified: what the list says of its last change, as it says it.
        text: what the list itself holds of the article, as plain text; "" if nothing.
        source: who published it.
        language: ISO 639-1, or longer.
    """

    identity: str
    url: str | None = None
    title: str | None = None
    published: date | None = None
    modified: str | None = None
    text: str = ""
    source: str | None = None
    language: str | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 that changes when the list says that the article has."""
        said = (self.url, self.title, self.published, self.modified, self.text)
        return hashlib.sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()

    def day(self, fetched: datetime) -> date | None:
        """The day of publication where it was published, not after ``fetched``; None if it would be days later."""
        if not isinstance(self.published, datetime):
            now = fetched.date()
            day = self.published
        else:
            now = fetched.astimezone(self.published.tzinfo or UTC).date()
            day = self.published.date()
        return None if day is None or day > now + timedelta(days=1) else min(day, now)
