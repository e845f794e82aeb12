"""Index places again and again: feeds, above all, which nothing but asking tells new articles of."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from index.config import IndexSettings
from index.errors import KabarError, StoreError
from index.fetch import Fetcher
from index.place import Place, is_address, open_place
from index.update import Progress, SyncReport, sync
from index.watch import StoppedError
from index.web import Web

if TYPE_CHECKING:
    from index.encoder import Encoder


def repeat(
    *places: str | Path,
    every: float,
    config: str | Path | IndexSettings | None = None,
    tell: Callable[[SyncReport], None],
    warn: Callable[[str], None],
    stop: threading.Event,
    encoder: "Encoder | None" = None,
) -> None:
    """Index ``places`` (default: those of the configuration) every so many seconds until ``stop``.

    ``tell`` gets the report of each round, ``warn`` a line if there could be none; the next round then tries again.
    Only what no round can mend is raised, by the first: ArticleError, ConfigError, FetchError, ModelError.
    """
    settings = config if isinstance(config, IndexSettings) else IndexSettings.load(config)

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise StoppedError

    def go_on(_: Progress) -> None:
        if stop.is_set():
            raise StoppedError

    fetcher = Fetcher(settings.fetch, sleep=sleep)
    opened = [_open(place, settings, fetcher) for place in places or settings.index.articles]
    if encoder is None:
        from index.encoder import Encoder

        encoder = Encoder.open(settings.encoder)
    first = True
    while not stop.is_set():
        began = time.monotonic()
        try:
            tell(sync(*opened, config=settings, progress=go_on, encoder=encoder))
        except StoppedError:
            return
        except KabarError as error:
            if first and not isinstance(error, StoreError):
                raise
            warn(str(error))
        first = False
        stop.wait(max(0.0, began + every - time.monotonic()))


def _open(place: str | Path, settings: IndexSettings, fetcher: Fetcher) -> Place:
    if isinstance(place, str) and is_address(place):
        return Web(place, settings, fetcher)
    return open_place(place, settings)
