"""Date expressions in news text, in many languages, as calendar dates."""

from index.dates.mention import DateKind, DateMention
from index.dates.resolver import Resolver, resolve

__all__ = ["DateKind", "DateMention", "Resolver", "resolve"]
