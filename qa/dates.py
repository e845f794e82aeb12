"""Date expressions -> calendar dates; the work is done in ``index.dates``, since dates are stored with passages."""

from index.dates import DateKind, DateMention, Resolver, resolve

__all__ = ["DateKind", "DateMention", "Resolver", "resolve"]
