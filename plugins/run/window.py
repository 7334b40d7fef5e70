"""How many environments one process reads at once: as many as keep it busy, and as this machine lets it open."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable

from fixtures.clients.machine import open_descriptors, raise_descriptor_limit

_FEWEST, _MOST = 4, 16
_BY_CORE = 4  # they wait for the network most of the time
_DESCRIPTORS = 40  # of one environment, with an AWS account, a clone and the programs that it starts
_RESERVE = 64  # of the process itself: imports, reports, sandbox


def window(asked: int | None) -> int:
    """The number of environments that are read together; at least one.

    Args:
        asked: by the user; it counts where descriptors allow it.
    """
    wanted = asked or min(_MOST, max(_FEWEST, _BY_CORE * (os.cpu_count() or 1)))
    free = raise_descriptor_limit() - open_descriptors() - _RESERVE
    return max(1, min(wanted, free // _DESCRIPTORS))


def side_by_side(works: Iterable[Callable[[], object]]) -> None:
    """Do pieces of work at the same time, as far as this machine has threads; returns when all have ended."""
    threads = []
    for work in works:
        thread = threading.Thread(target=work, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            work()
        else:
            threads.append(thread)
    for thread in threads:
        thread.join()
