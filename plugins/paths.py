"""Where the suite itself is."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
CHECKS = ROOT / "checks"
INVARIANTS = CHECKS / "invariants"
SANDBOX_MIGRATIONS = ROOT / "sandbox" / "migrations"
