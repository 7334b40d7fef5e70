"""The sandbox's application checkout: a tunnel script, an SSH key's place and a migrations directory."""

from __future__ import annotations

import shutil
from pathlib import Path

from sandbox.aws import Endpoints
from sandbox.bastion import USER
from sandbox.plan import LOCAL, OTHER, Plan

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
    ENDPOINT="quo-integrations-{other}.cluster-c0ffee.us-east-1.rds.amazonaws.com"
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


class Application:
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
        """Put the migrations in: the sandbox's own, or a directory that is used where it stands.

        A fault that adds a migration adds it to a copy.
        """
        if given is not None and not plan.extra_migrations:
            self.migrations = given
            return
        shutil.copytree(given or _MIGRATIONS, self.migrations)
        for name, text in plan.extra_migrations.items():
            (self.migrations / name).mkdir()
            (self.migrations / name / "migration.sql").write_text(text)

    def write_script(self, plan: Plan, endpoints: Endpoints) -> None:
        """Write the tunnel script."""
        endpoint = plan.script_endpoint.format(writer=endpoints.writer, instance=endpoints.instance)
        self.script.write_text(
            _SCRIPT.format(
                stage=LOCAL.name,
                other=OTHER.name,
                other_bastion=OTHER.bastion_address,
                endpoint=endpoint,
                bastion=plan.script_bastion,
                user=USER,
            )
        )
        self.script.chmod(0o755)
