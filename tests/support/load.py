"""Time limits of tests: a busy machine gets more, so that a limit tells a defect from a lack of processors."""

from __future__ import annotations

import os

_MOST = 8.0  # what never ends must still be seen to


def patience(seconds: float) -> float:
    """Scale a limit with the machine's load per processor."""
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * min(_MOST, max(1.0, load))
