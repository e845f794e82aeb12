"""Make the index from the configured articles if there is none yet."""

import logging
from collections.abc import Callable

from index.added import default_places
from index.config import IndexSettings
from index.errors import ArticleError, NoIndexError
from index.store import exists
from index.update import SyncReport, sync

logger = logging.getLogger("kabar")


def ensure_index(
    settings: IndexSettings, *, tell: Callable[[str], None] = logger.info, progress: bool = False
) -> SyncReport | None:
    """Index the configured articles if there is no index; None if there is one.

    Raises NoIndexError if there are no articles to make it from.
    """
    folder = settings.index.path
    if exists(folder):
        return None
    places = [place for place in default_places(settings) if isinstance(place, str) or place.exists()]
    names = ", ".join(str(place) for place in settings.index.articles)
    if not places:
        raise NoIndexError(f"{folder}: there is no index yet, and no articles at {names}; run `kabar index FOLDER`")
    tell(f"There is no index yet; making one from {names} in {folder}")
    try:
        return sync(*places, config=settings, progress=progress)
    except ArticleError as error:
        raise NoIndexError(f"{folder}: there is no index yet, and {error}; run `kabar index FOLDER`") from None
