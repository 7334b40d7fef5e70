"""The sandbox's application checkout: a tunnel script, an SSH key's place and a migrations directory."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from health.prisma.engine import LOCK_FILE
from sandbox.aws.seed import Endpoints
from sandbox.bastion import USER
from sandbox.plan import LOCAL, OTHER, Plan

_PRISMA = "6.19.3"
_MIGRATIONS = Path(__file__).parent / "migrations"

_SCRIPT = """\
#!/usr/bin/env bash
# Opens a tunnel to a stage's database: postgres-tunnel.sh <stage> [local port]
set -euo pipefail

case "${{1:-}}" in
  {stage})
    ENDPOINT="{endpoint}"
    BASTION_HOST="{bastion}"
    ;;
  {other})
    ENDPOINT="{other_endpoint}"
    BASTION_HOST="{other_bastion}"
    ;;
  *)
    echo "usage: $0 {stage}|{other} [local port]" >&2
    exit 2
    ;;
esac

exec ssh -i backend/security/quo-postgres-bastion.pem -N \\
  -L "${{2:-5433}}:$ENDPOINT:5432" "{user}@$BASTION_HOST"
"""


class Checkout:
    """The files of the checkout below a directory."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "app"
        self.script = self.root / "scripts" / "postgres-tunnel.sh"
        self.key = self.root / "backend" / "security" / "quo-postgres-bastion.pem"
        self.known_hosts = directory / "known_hosts"
        self.migrations = (
            self.root / "backend" / "node_modules" / "@friggframework" / "core" / "prisma-postgresql" / "migrations"
        )
        for path in (self.script.parent, self.key.parent, self.migrations.parent):
            path.mkdir(parents=True)
        self.root.chmod(0o700)

    def write_migrations(self, plan: Plan, given: Path | None) -> None:
        """Put the migrations in: the sandbox's own, a case's, or a directory that is used where it stands.

        A fault that changes the directory changes a copy. A case that has no lock file gets our own.
        """
        if plan.case is not None:
            shutil.copytree(plan.case.path / "migrations", self.migrations, symlinks=True)
            if not os.path.lexists(self.migrations / LOCK_FILE):
                shutil.copyfile(_MIGRATIONS / LOCK_FILE, self.migrations / LOCK_FILE)
            return
        if given is not None and not plan.changes_directory:
            self.migrations = given
            return
        shutil.copytree(given or _MIGRATIONS, self.migrations)
        for name, text in (plan.applied_migrations | plan.extra_migrations).items():
            (self.migrations / name).mkdir()
            if text is not None:
                (self.migrations / name / "migration.sql").write_text(text, encoding="utf-8")
        if plan.lock_file is not None:
            (self.migrations / LOCK_FILE).write_text(plan.lock_file)

    def write_prisma(self, plan: Plan) -> None:
        """Write the lock file that says which Prisma the application deploys with."""
        version = _PRISMA if plan.case is None else plan.case.prisma
        package = {"packages": {"node_modules/prisma": {"version": version}}, "lockfileVersion": 3}
        (self.root / "backend" / "package-lock.json").write_text(json.dumps(package))

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        """Change the file of a migration."""
        file = self.migrations / name / "migration.sql"
        file.write_text(change(file.read_text()))

    def write_script(self, plan: Plan, endpoints: Endpoints) -> None:
        """Write the tunnel script."""
        if not plan.way.script_exists:
            return
        endpoint = plan.script_endpoint.format(**vars(endpoints))
        self.script.write_text(
            _SCRIPT.format(
                stage=LOCAL.name,
                other=OTHER.name,
                other_endpoint=endpoints.other,
                other_bastion=OTHER.bastion_address,
                endpoint=endpoint,
                bastion=plan.script_bastion,
                user=USER,
            )
        )
        self.script.chmod(0o755)
