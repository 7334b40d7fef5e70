"""Ends a program of the sandbox with its standard input, which closes with its owner, whatever it is doing."""

from __future__ import annotations

import os
import signal
import threading
import time

_END_S = 15.0  # for an orderly end


def end_with_input() -> None:
    """Watch standard input from now on: its end is a SIGTERM, and an end without ado where that does not help."""
    threading.Thread(target=_watch, name="owner", daemon=True).start()


def _watch() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_END_S)
    os._exit(1)
