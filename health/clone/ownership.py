"""Who owns what in a database, and who may do what with it; and the statements that make a clone's as another's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

# What the server calls a kind of object, as ALTER and as GRANT call it.
_KINDS: Mapping[str, tuple[str, str]] = {
    "table": ("TABLE", "TABLE"),
    "view": ("VIEW", "TABLE"),
    "materialized view": ("MATERIALIZED VIEW", "TABLE"),
    "foreign table": ("FOREIGN TABLE", "TABLE"),
    "sequence": ("SEQUENCE", "SEQUENCE"),
    "function": ("ROUTINE", "ROUTINE"),
    "procedure": ("ROUTINE", "ROUTINE"),
    "aggregate": ("ROUTINE", "ROUTINE"),
    "type": ("TYPE", "TYPE"),
    "schema": ("SCHEMA", "SCHEMA"),
}
_MADE_LATER: Mapping[str, str] = {"r": "TABLES", "S": "SEQUENCES", "f": "FUNCTIONS", "T": "TYPES", "n": "SCHEMAS"}
_PRIVILEGES = frozenset(
    "SELECT INSERT UPDATE DELETE TRUNCATE REFERENCES TRIGGER USAGE CREATE EXECUTE".split()  # noqa: SIM905
)
_PUBLIC = ""

Key = tuple[str, str, str]  # kind, identity as PostgreSQL writes it, and column
RoleNames = Callable[[str], str | None]


@dataclass(frozen=True)
class Grant:
    """A privilege of a role; of all where the name is empty."""

    role: str
    privilege: str
    grantable: bool = False


@dataclass(frozen=True)
class OwnedObject:
    """An object with its owner and its privileges.

    Attributes:
        follows: whether its owner is that of a table to which it belongs.
    """

    key: Key
    owner: str
    grants: frozenset[Grant] = frozenset()
    follows: bool = False


@dataclass(frozen=True)
class DefaultGrants:
    """What ALTER DEFAULT PRIVILEGES gives on what a role makes from then on.

    Attributes:
        schema: where it holds, as PostgreSQL writes it in SQL; empty: everywhere.
        usual: what everybody has without it.
    """

    role: str
    schema: str
    kind: str
    grants: frozenset[Grant]
    usual: frozenset[Grant]


@dataclass(frozen=True)
class Ownership:
    """Who owns what in a database.

    Attributes:
        deployer: the role that deploys: it owns Prisma's table; empty where that is not known.
        bypasses: whether row security does not hold for it.
    """

    deployer: str = ""
    bypasses: bool = False
    objects: tuple[OwnedObject, ...] = ()
    defaults: tuple[DefaultGrants, ...] = ()


def quoted(name: str) -> str:
    """A name as SQL's identifier."""
    return '"' + name.replace('"', '""') + '"'


def owner_statements(environment: Ownership, clone: Ownership, names: RoleNames) -> Iterator[str]:
    """What gives the clone's objects their owners.

    Args:
        environment: as it is to be.
        clone: as it is; only its own server's names of objects are used.
        names: gives the clone's role for one of the environment's; None where it has none.
    """
    here = {each.key: each for each in clone.objects}
    for wanted in environment.objects:
        found, owner = here.get(wanted.key), names(wanted.owner)
        if found is None or owner is None or found.follows or wanted.key[2] or found.owner == owner:
            continue
        if (kind := _KINDS.get(found.key[0])) is not None:
            yield f"ALTER {kind[0]} {found.key[1]} OWNER TO {quoted(owner)}"


def grant_statements(environment: Ownership, clone: Ownership, names: RoleNames) -> Iterator[str]:
    """What gives the clone's objects, whose owners are right, their privileges; and what is made later its own.

    Args:
        environment: as it is to be.
        clone: as it is.
        names: as of :func:`owner_statements`.
    """
    here = {each.key: each for each in clone.objects}
    for wanted in environment.objects:
        found = here.get(wanted.key)
        kind = _KINDS.get(wanted.key[0])
        if found is not None and kind is not None:
            column = f" ({quoted(found.key[2])})" if found.key[2] else ""
            yield from _changes(_named(wanted.grants, names), found.grants, f"{kind[1]} {found.key[1]}", column)
    later = {(each.role, each.schema, each.kind): each for each in clone.defaults}
    for each in environment.defaults:
        role = names(each.role)
        known = not each.schema or ("schema", each.schema, "") in here
        if role is None or each.kind not in _MADE_LATER or not known:
            continue
        before = later.get((role, each.schema, each.kind))
        has = before.grants if before is not None else _named(each.usual, names)
        place = f" IN SCHEMA {each.schema}" if each.schema else ""
        start = f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(role)}{place} "
        yield from _changes(_named(each.grants, names), has, _MADE_LATER[each.kind], start=start)


def _named(grants: Iterable[Grant], names: RoleNames) -> frozenset[Grant]:
    known = ((_PUBLIC if each.role == _PUBLIC else names(each.role), each) for each in grants)
    return frozenset(Grant(role, each.privilege, each.grantable) for role, each in known if role is not None)


def _changes(
    wanted: frozenset[Grant], has: frozenset[Grant], on: str, column: str = "", start: str = ""
) -> Iterator[str]:
    for verb, to, changed in (("REVOKE", "FROM", has - wanted), ("GRANT", "TO", wanted - has)):
        alike: dict[tuple[str, bool], list[str]] = {}
        for each in changed:
            if each.privilege in _PRIVILEGES:
                alike.setdefault((each.role, each.grantable), []).append(each.privilege)
        for (name, grantable), privileges in sorted(alike.items()):
            listed = ", ".join(privilege + column for privilege in sorted(privileges))
            role = quoted(name) if name != _PUBLIC else "PUBLIC"
            option = " WITH GRANT OPTION" if verb == "GRANT" and grantable else ""
            yield f"{start}{verb} {listed} ON {on} {to} {role}{option}"
