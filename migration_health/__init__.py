"""The program ``migration-health``: in a checkout the suite stands beside this package, in a wheel inside it."""

from pathlib import Path

__version__ = "0.1.0"

_HERE = Path(__file__).resolve().parent
INSTALLED = (_HERE / "suite").is_dir()
SUITE = _HERE / "suite" if INSTALLED else _HERE.parent
