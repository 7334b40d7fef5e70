"""``python bench/gate.py [--runs N]``: what the gate costs, beside a bare pytest and the same questions by hand.

Under the system's Python it brings ``.venv`` up to date first, as ``ci/gate`` does; under ``.venv``'s own it uses
that as it is. Exit status 4 is a failed set-up; otherwise 0 whatever the figures are, and 1 if none could be had.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file is started by its path

from bench.start import become

_EXTRAS = ["bench"]
# Whatever would make one side cold or lead it elsewhere, be it pytest, AWS, libpq or Python's bytecode.
_SETTINGS = ("PYTEST_", "AWS_", "PG", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")


if __name__ == "__main__":
    become("bench.compare", _EXTRAS, without=_SETTINGS)
