"""How long a server asks to be left alone."""

import math
import time
from email.utils import parsedate_to_datetime


def seconds_to_wait(stated: str) -> float:
    """Seconds of a Retry-After header: a number, or until a date (RFC 9110, 10.2.3); 0 if it is neither."""
    try:
        seconds = float(stated)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(stated).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0
