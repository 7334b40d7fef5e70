"""Time limits of tests, which a busy machine needs longer for."""

from __future__ import annotations

import os

_MOST = 8.0


def patience(seconds: float) -> float:
    """Scale a limit by how many processes wait for a core."""
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * min(_MOST, max(1.0, busy))
