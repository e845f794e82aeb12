"""Every error that ``index`` raises.

KabarError
├── ConfigError        config.yaml: unknown key, wrong value, no such file
├── ArticleError       one article could not be read (says where and why); a sync goes on with the others
│   └── FetchError         an address on the web: refused, not reachable, too large, not allowed by robots.txt
├── ModelError         model weights are missing, damaged or not of the expected kind
├── ClusterError       a Ray cluster: not reachable, or its workers cannot do the work
└── StoreError         the index on disk
    ├── NoIndexError       there is none yet
    ├── BusyError          another process is writing
    ├── DamagedError       a checksum or a structure is wrong
    ├── EncoderMismatchError  made by another encoder than the configured one
    ├── ServiceError       the service that searches its vectors: not reachable, not let in, or they are not there
    ├── SupersededError    what is read has made way for newer; begin again
    └── WriteError         the disk is full or refuses; the index is as it was

A message is one line: what is wrong, where, and what to do.
"""


class KabarError(Exception):
    """Base of every error that kabar raises on purpose; its text is fit for a user's eyes."""


class ConfigError(KabarError):
    """The configuration cannot be used."""


class ArticleError(KabarError):
    """One article cannot be read.

    ``where`` is its path (with ``:line`` for JSON lines), ``reason`` the rest.
    """

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")
        self.where = where
        self.reason = reason


class FetchError(ArticleError):
    """An address cannot be fetched from; if ``transient``, trying again later may help."""

    def __init__(self, where: str, reason: str, *, transient: bool = False) -> None:
        super().__init__(where, reason)
        self.transient = transient


class ModelError(KabarError):
    """Model weights are missing, damaged or of another kind."""


class ClusterError(KabarError):
    """A Ray cluster cannot be reached, or its workers lack something or cannot finish."""


class StoreError(KabarError):
    """The index on disk cannot be used."""


class NoIndexError(StoreError):
    """There is no index at the configured place."""


class BusyError(StoreError):
    """Another process is writing to the index."""


class DamagedError(StoreError):
    """The index does not pass its own checks."""


class EncoderMismatchError(StoreError):
    """The index was made by another encoder than the one configured."""


class ServiceError(StoreError):
    """The service that searches the vectors cannot be used, or lacks them; nothing is lost."""


class SupersededError(StoreError):
    """The generation that is read is gone, since there are newer ones; reading begins again."""


class WriteError(StoreError):
    """The index could not be written; it is as it was before."""
