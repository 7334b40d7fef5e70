"""A hot standby of the sandbox's PostgreSQL: the reader of its cluster."""

from __future__ import annotations

from pathlib import Path

from fixtures.clone.servers.cluster_template import ClusterTemplate
from fixtures.clone.servers.private_postgres import PostgresError, PrivatePostgres
from health.secrets.secret import Secret


class Standby(PrivatePostgres):
    """A server in recovery that follows another one, which must be running."""

    def __init__(self, directory: Path, password: Secret, primary: PrivatePostgres) -> None:
        super().__init__(directory, password, "standby")
        self._primary = primary

    def _template(self) -> None:
        """Nothing: all that it has comes from the primary."""

    def _make(self, binaries: Path, template: ClusterTemplate | None) -> None:
        """Copy the primary with all that it holds, its passwords among it."""
        copied = self._run(
            binaries / "pg_basebackup", "-D", self._data, "-R", "--checkpoint=fast", "--no-sync", "--wal-method=stream",
            "-d", f"host=127.0.0.1 port={self._primary.port} user=postgres", PGPASSWORD=self._password.reveal(),
        )  # fmt: skip
        if copied.returncode:
            raise PostgresError(f"pg_basebackup failed: {copied.stderr.decode(errors='replace').strip()}")
