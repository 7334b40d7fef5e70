"""The database's logins, as RDS has them: a superuser of its own, and the customer's master user, who is none."""

from __future__ import annotations

from typing import LiteralString

from psycopg.sql import SQL, Identifier, Literal

from fixtures.clone.servers.private_postgres import PrivatePostgres
from health.secrets.secret import Secret
from sandbox.database.history import USER, connect

SUPERUSER = "rdsadmin"
_MEMBER_OF = ("pg_monitor", "pg_signal_backend")  # through rds_superuser
# Before PostgreSQL 16, who may make roles could grant them; since, only an administrator of theirs.
_GRANTABLE, _ADMINISTERED_SINCE = ("pg_read_all_data", "pg_write_all_data", "pg_read_all_stats"), 160000
# What it has made: it may act as these, as who made them may, or may allow itself to.
_OWN_ROLES: LiteralString = """
SELECT rolname::text FROM pg_catalog.pg_roles
WHERE oid >= 16384 AND NOT rolsuper AND rolname <> %(user)s AND NOT pg_catalog.pg_has_role(rolname, %(user)s, 'MEMBER')
"""


class MasterUser:
    """The user whose password is in the secret.

    It is a superuser while the database is being filled: whatever a fault or a case makes is its own then. Nobody
    else reaches the server before :meth:`restrict`.

    Args:
        server: running, with a superuser of another name.
        password: of the master user.
    """

    def __init__(self, server: PrivatePostgres, password: str) -> None:
        self._session = connect(server.address, server.password.reveal(), user=server.superuser)
        user, secret = Identifier(USER), Secret(password).reveal().encode()
        verifier = self._session.pgconn.encrypt_password(secret, USER.encode(), b"scram-sha-256").decode()
        self._session.execute(SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(user, Literal(verifier)))
        self._session.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier("postgres"), user))

    def restrict(self) -> None:
        """Take the superuser's rights from it."""
        user = Identifier(USER)
        with self._session as session:
            session.execute(SQL("ALTER ROLE {} NOSUPERUSER CREATEDB CREATEROLE").format(user))
            for (role,) in session.execute(_OWN_ROLES, {"user": USER}).fetchall():
                session.execute(SQL("GRANT {} TO {}").format(Identifier(role), user))
            for role in _MEMBER_OF:
                session.execute(SQL("GRANT {} TO {} WITH ADMIN OPTION").format(Identifier(role), user))
            for role in _GRANTABLE if session.info.server_version >= _ADMINISTERED_SINCE else ():
                options = SQL("GRANT {} TO {} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
                session.execute(options.format(Identifier(role), user))
