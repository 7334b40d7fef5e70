"""What a database has from its server and not from itself: roles, extensions; and what a clone's server lacks of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from health.sql.failure import SqlFailure

_ROLE = re.compile(r'^role ".*" does not exist$')
_OF_EXTENSION = re.compile(
    r"^(?:type|function|operator|operator class|access method|text search \w+|collation|procedure) "
)
_SPEAKS_OF_ROLES = re.compile(
    r"\b(?:GRANT|REVOKE|POLICY|AUTHORIZATION|OWNER\s+TO|OWNED\s+BY|(?:CREATE|ALTER|DROP)\s+(?:ROLE|USER|GROUP)"
    r"|SET\s+(?:LOCAL\s+|SESSION\s+)?ROLE|DEFAULT\s+PRIVILEGES|pg_roles|pg_authid)\b",
    re.IGNORECASE,
)
_UNDEFINED = {"42704", "42883"}


@dataclass(frozen=True)
class ClusterRole:
    """A role of the environment's server.

    Attributes:
        member: whether the role that deploys may act as it (SET ROLE).
        uses: whether it may use the schema.
        creates: whether it may make objects in the schema.
        records: whether it may write Prisma's table.
        inherited: whether the role that deploys has its rights without SET ROLE.
    """

    name: str
    member: bool
    uses: bool
    creates: bool
    records: bool
    inherited: bool = True


@dataclass(frozen=True)
class Lacking:
    """What the environment's server has and a clone's has not, so that what it refuses may be for that alone.

    Attributes:
        roles: whether it lacks roles.
        extensions: the names of those that it lacks.
    """

    roles: bool = False
    extensions: tuple[str, ...] = ()

    def explains(self, failure: SqlFailure) -> bool:
        """Whether a failure may come from what is lacking."""
        if failure.sqlstate not in _UNDEFINED:
            return False
        if _ROLE.search(failure.message):
            return self.roles
        return bool(self.extensions) and _OF_EXTENSION.search(failure.message) is not None


def names_roles(sql: str) -> bool:
    """Whether a script may name a role: it holds a word of a statement that does."""
    return _SPEAKS_OF_ROLES.search(sql) is not None
