"""``python bench/gate.py [--runs N]``: what the gate costs, beside a bare pytest and the same questions by hand.

Under the system's Python it brings ``.venv`` up to date first, as ``ci/gate`` does; under ``.venv``'s own it uses
that as it is. Exit status 4 is a failed set-up; otherwise 0 whatever the figures are, and 1 if none could be had.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the file is started by its path

from ci import bootstrap

_EXTRAS = ["gate", "clone", "sandbox", "bench"]
# Whatever would make one side cold or lead it elsewhere, be it pytest, AWS, libpq or Python's bytecode.
_SETTINGS = ("PYTEST_", "AWS_", "PG", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")


def main() -> None:
    """Become ``python -m bench.compare`` in the project's own environment."""
    try:
        if Path(sys.prefix).resolve() != bootstrap.VENV:
            bootstrap.prepare("bench", _EXTRAS)
        inherited = bootstrap.environment(PYTHONPATH=str(bootstrap.ROOT))
        clean = {name: value for name, value in inherited.items() if not name.startswith(_SETTINGS)}
        run = [bootstrap.PYTHON, "-P", "-m", "bench.compare", *sys.argv[1:]]
        os.execve(bootstrap.PYTHON, run, clean)  # noqa: S606 - the project's own Python
    except (bootstrap.SetupError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(4)


if __name__ == "__main__":
    main()
