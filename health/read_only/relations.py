"""Whether a relation's rows may be read: only of a table whose reading runs no code that others have written."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from health.finding import CouldNotCheck
from health.sanitize import one_line

_KINDS = {
    "v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence", "c": "a composite type",
    "i": "an index", "I": "an index", "t": "a TOAST table",
}  # fmt: skip
_TABLES = ("r", "p")  # relkind of tables, and of partitioned ones
_VIEWS = ("v", "m")


@dataclass(frozen=True)
class Relation:
    """What the catalog says of a relation before a row of it is read.

    Attributes:
        name: without its schema.
        kind: ``pg_class.relkind``.
        foreign: foreign tables among its partitions and children.
        policies: whether row security holds for whoever is logged in.
        code: what PostgreSQL would run while it plans or reads, and whose owner could not become the login's role;
            each as ``index "i" calls f()``.
    """

    name: str
    kind: str
    foreign: tuple[str, ...] = ()
    policies: bool = False
    code: tuple[str, ...] = ()

    @property
    def is_table(self) -> bool:
        """Whether it is a table, partitioned or not."""
        return self.kind in _TABLES

    def refusal(self, *, view: bool = False) -> str | None:
        """Why its rows are not read; None if they may be.

        Args:
            view: whether a view is read as well: somebody vouches for it by its name.
        """
        named = f'"{one_line(self.name, 63)}"'
        if not self.is_table and not (view and self.kind in _VIEWS):
            return f"{named} is {_KINDS.get(self.kind, 'no table')}, not a table: it is not read"
        if self.foreign:
            return f'{named} is not read: its rows are also in the foreign table "{one_line(self.foreign[0], 63)}"'
        if self.policies:
            return f"{named} is not read: row-level security holds for this login, and would hide rows"
        if self.code:
            return f"{named} is not read: {one_line(self.code[0], 200)}, a function of a role that this login is not"
        return None

    @property
    def remedy(self) -> str:
        """What to do where its rows are not read."""
        if not self.is_table:
            return "Find out who made it in the place of a table."
        if self.foreign:
            return "Detach the foreign table, or ask the question by hand."
        if self.policies:
            return "Log in as a role with BYPASSRLS, or as the table's owner."
        return "Look at the function. Drop it, or log in as its owner."


def unread(relations: Iterable[Relation], names: Iterable[str], views: Collection[str] = ()) -> Relation | None:
    """The first of some relations whose rows may not be read.

    Args:
        relations: those that exist.
        names: those that would be read.
        views: the names of views that may be read.
    """
    wanted = set(names)
    refused = (each for each in relations if each.name in wanted and each.refusal(view=each.name in views))
    return next(refused, None)


def could_not_read(relation: Relation, where: str) -> CouldNotCheck:
    """The answer of a check whose relation may not be read."""
    return CouldNotCheck(relation.refusal() or "", where, relation.remedy)
