"""A hot standby of the sandbox's PostgreSQL: the reader of its cluster."""

from __future__ import annotations

from pathlib import Path

from fixtures.clone.servers import local
from fixtures.clone.servers.cluster_template import ClusterTemplate
from fixtures.clone.servers.private_postgres import PostgresError, PrivatePostgres
from health.secrets.secret import Secret


class Standby(PrivatePostgres):
    """A server in recovery that follows another one, which must be running."""

    def __init__(self, directory: Path, password: Secret, primary: PrivatePostgres) -> None:
        super().__init__(
            directory, password, "standby", primary.programs, superuser=primary.superuser, settings=primary.settings
        )  # fmt: skip
        self._primary = primary

    def _template(self) -> None:
        """Nothing: all that it has comes from the primary."""

    def _make(self, binaries: Path, template: ClusterTemplate | None) -> None:
        """Copy the primary with all that it holds, its passwords among it."""
        host, port = self._primary.address
        copied = self._run(
            self._backup(binaries), "-D", self._data, "-R", "--checkpoint=fast", "--no-sync", "--wal-method=stream",
            "-d", f"host={host} port={port} user={self.superuser}", PGPASSWORD=self.password.reveal(),
        )  # fmt: skip
        if copied.returncode:
            raise PostgresError(f"pg_basebackup failed: {copied.stderr.decode(errors='replace').strip()}")

    def _backup(self, binaries: Path) -> Path:
        """The program that copies; npm's installations have none, and a newer one serves as well."""
        if (binaries / "pg_basebackup").exists():
            return binaries / "pg_basebackup"
        programs = [Path(each.place) for each in local.installations() if (Path(each.place) / "pg_basebackup").exists()]
        if not programs:
            raise PostgresError("a second instance needs pg_basebackup, which is not installed.")
        return self._reachable(programs[0]) / "pg_basebackup"
