"""Changing one object of a schema, if it is as it was seen.

Import it where it is used: psycopg takes a fifth of a second that most starts can save.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier

from health.catalog.catalog import Key, path_of, schema_of
from plugins.fixes.sql import (
    EVERY_ROW,
    fill,
    identifier,
    literal,
    refuse_dependents,
    refuse_if,
    refuse_unless,
    run,
    transaction,
)

_STATE: LiteralString = (
    "CASE {enabled} WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' ENABLED REPLICA' WHEN 'A' THEN ' ENABLED ALWAYS' END"
)
_COMMENT: LiteralString = "SELECT obj_description({object}, '{catalog}')"
_OF_RELATION = _COMMENT.replace("{object}", "to_regclass({name_text})").replace("{catalog}", "pg_class")
_OF_TYPE = _COMMENT.replace("{object}", "to_regtype({name_text})").replace("{catalog}", "pg_type")
_OF_ROUTINE = _COMMENT.replace("{object}", "to_regprocedure({routine})").replace("{catalog}", "pg_proc")
# The definition of an object as fixtures.database.kinds reads it; no row, or NULL, where there is none.
_IS: dict[str, LiteralString] = {
    "column": "SELECT concat(format_type(a.atttypid, a.atttypmod),\n"
    "      CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN ' COLLATE ' || a.attcollation::regcollation END,\n"
    "      CASE WHEN a.attnotnull THEN ' NOT NULL' END, ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))\n"
    "    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid\n"
    "    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum\n"
    "    WHERE a.attrelid = to_regclass({owner_text}) AND a.attname = {text} AND NOT a.attisdropped",
    "constraint": "SELECT concat(pg_get_constraintdef(o.oid), CASE WHEN EXISTS (SELECT FROM pg_trigger\n"
    "      WHERE tgconstraint = o.oid AND tgisinternal AND tgenabled <> 'O') THEN ' DISABLED' END)\n"
    "    FROM pg_constraint o WHERE conrelid = to_regclass({owner_text}) AND conname = {text}",
    "domain constraint": "SELECT pg_get_constraintdef(oid) FROM pg_constraint\n"
    "    WHERE contypid = to_regtype({owner_text}) AND conname = {text}",
    "index": "SELECT concat(pg_get_indexdef(indexrelid), CASE WHEN NOT indisvalid THEN ' INVALID' END)\n"
    "    FROM pg_index WHERE indexrelid = to_regclass({name_text})",
    "enum label": "SELECT '' FROM pg_enum WHERE enumtypid = to_regtype({owner_text}) AND enumlabel = {text}",
    "trigger": "SELECT concat(pg_get_triggerdef(oid), " + _STATE.replace("{enabled}", "tgenabled") + ")\n"
    "    FROM pg_trigger WHERE tgrelid = to_regclass({owner_text}) AND tgname = {text} AND NOT tgisinternal",
    "rule": "SELECT concat(pg_get_ruledef(oid), " + _STATE.replace("{enabled}", "ev_enabled") + ")\n"
    "    FROM pg_rewrite WHERE ev_class = to_regclass({owner_text}) AND rulename = {text}",
    "statistics": "SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext\n"
    "    WHERE stxrelid = to_regclass({owner_text}) AND stxname = {text}",
    "function": "SELECT pg_get_functiondef(to_regprocedure({routine}))",
    "procedure": "SELECT pg_get_functiondef(to_regprocedure({routine}))",
    "comment on column": "SELECT col_description(attrelid, attnum) FROM pg_attribute\n"
    "    WHERE attrelid = to_regclass({owner_text}) AND attname = {text} AND NOT attisdropped",
    "comment on schema": "SELECT obj_description(to_regnamespace({own_text}), 'pg_namespace')",
    **dict.fromkeys(("comment on function", "comment on procedure", "comment on aggregate"), _OF_ROUTINE),
    **dict.fromkeys(
        ("comment on table", "comment on view", "comment on materialized view", "comment on sequence",
         "comment on index", "comment on foreign table"), _OF_RELATION
    ),
    **dict.fromkeys(
        ("comment on enum", "comment on domain", "comment on composite type", "comment on range type"), _OF_TYPE
    ),
}  # fmt: skip
# What an object has that its definition does not tell, so that making it again would lose it.
_BESIDE: LiteralString = "Something is set for it that dropping it would lose, such as a comment."
_OF_INDEX: LiteralString = (
    "(i.indisclustered OR i.indisreplident OR obj_description(i.indexrelid, 'pg_class') IS NOT NULL\n"
    "      OR EXISTS (SELECT FROM pg_class c WHERE c.oid = i.indexrelid AND c.reltablespace <> 0))"
)
_COMMENTED: dict[str, LiteralString] = {
    "column": "EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass({owner_text}) AND attname = {text}\n"
    "      AND NOT attisdropped AND col_description(attrelid, attnum) IS NOT NULL)",
    "index": "EXISTS (SELECT FROM pg_index i WHERE i.indexrelid = to_regclass({name_text}) AND " + _OF_INDEX + ")",
    "constraint": "EXISTS (SELECT FROM pg_constraint o LEFT JOIN pg_index i\n"
    "        ON i.indexrelid = o.conindid AND i.indrelid = o.conrelid\n"
    "      WHERE o.conrelid = to_regclass({owner_text}) AND o.conname = {text}\n"
    "      AND (obj_description(o.oid, 'pg_constraint') IS NOT NULL OR " + _OF_INDEX + "))",
    "domain constraint": "EXISTS (SELECT FROM pg_constraint WHERE contypid = to_regtype({owner_text})\n"
    "      AND conname = {text} AND obj_description(oid, 'pg_constraint') IS NOT NULL)",
    "trigger": "EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass({owner_text}) AND tgname = {text}\n"
    "      AND obj_description(oid, 'pg_trigger') IS NOT NULL)",
    "rule": "EXISTS (SELECT FROM pg_rewrite WHERE ev_class = to_regclass({owner_text}) AND rulename = {text}\n"
    "      AND obj_description(oid, 'pg_rewrite') IS NOT NULL)",
    "statistics": "EXISTS (SELECT FROM pg_statistic_ext WHERE stxrelid = to_regclass({owner_text})\n"
    "      AND stxname = {text} AND obj_description(oid, 'pg_statistic_ext') IS NOT NULL)",
    **dict.fromkeys(("function", "procedure"), "obj_description(to_regprocedure({routine}), 'pg_proc') IS NOT NULL"),
}
# A default that is the same for every row, as PostgreSQL spells it.
_CONSTANT = re.compile(r"(?:-?[\d.]+|\(-[\d.]+\)|true|false|NULL|'(?:[^']|'')*')(?:::[\w\s\".\[\](),]+)?")


def is_known(kind: str) -> bool:
    """Whether SQL can look at an object of this kind."""
    return kind in _IS


class SchemaObject:
    """An object by its key in the catalog.

    Args:
        schema: the environment's own.
        key: of a kind that :func:`is_known`.
    """

    def __init__(self, schema: str, key: Key) -> None:
        kind, owner, name = key
        own = path_of(name, schema)[1]
        full, above = Identifier(*path_of(name, schema)), Identifier(*path_of(owner, schema))
        other = schema_of(name)  # a routine's name is spelt as PostgreSQL spells it, with the environment's own schema
        routine = own if other is None else f"{Identifier(other).as_string(None)}.{own}"
        self._kind, self._owner, self._own = kind, above.as_string(None), own
        self._names = {
            "name": identifier(*path_of(name, schema)),
            "own": identifier(own),
            "owner": identifier(*path_of(owner, schema)),
            "text": literal(own),
            "name_text": literal(full.as_string(None)),
            "own_text": literal(Identifier(own).as_string(None)),
            "owner_text": literal(above.as_string(None)),
            "beside": identifier(path_of(owner, schema)[0], own),  # what is named in its table's schema
            "routine": literal(routine),
            "routine_name": SQL(routine),  # PostgreSQL's own spelling
        }

    def unwritten(self, type_: str, default: str | None) -> list[Composable]:
        """PL/pgSQL that locks a column's table, and refuses while the column may hold what was written to it.

        Args:
            type_: of the column.
            default: of the column; of one that is computed, a row's value cannot be told from one that was written.
        """
        # By their text, as not every type has an equality.
        as_default = f"(({default})::{type_})::text"
        held: LiteralString = "EXISTS (SELECT FROM {owner} t WHERE t.{own} IS NOT NULL)"
        if default is not None:
            held = "EXISTS (SELECT FROM {owner})"
            if _CONSTANT.fullmatch(default):
                held = "EXISTS (SELECT FROM {owner} t WHERE t.{own}::text IS DISTINCT FROM {default})"
        values = {**self._names, "default": SQL(as_default)}
        return [
            EVERY_ROW,
            fill("  LOCK TABLE {owner} IN ACCESS EXCLUSIVE MODE;", **self._names),
            refuse_if(fill(held, **values), "The column may hold what was written to it since."),
            *self.alone(),
        ]

    def alone(self) -> list[Composable]:
        """PL/pgSQL that refuses where dropping a column would drop something else, too."""
        return [
            refuse_dependents(self._owner, self._own),
            refuse_if(fill(_COMMENTED["column"], **self._names), _BESIDE),
        ]

    def change(self, seen: str | None, statements: Sequence[str], guards: Sequence[Composable] = ()) -> str:
        """One transaction that runs statements if the object is as it was seen.

        Args:
            seen: its definition; None where it was not there.
            statements: with ``{name}``, ``{own}``, ``{owner}``, ``{text}`` and ``{routine_name}``, as PostgreSQL spells
                definitions where ``search_path`` is ``pg_catalog``: every other name has its schema.
            guards: PL/pgSQL that refuses, run before them.
        """
        is_ = fill("(" + _IS[self._kind] + ") IS NOT DISTINCT FROM {seen}", **self._names, seen=literal(seen))
        if seen is not None and self._kind in _COMMENTED and any("DROP " in each for each in statements):
            guards = [*guards, refuse_if(fill(_COMMENTED[self._kind], **self._names), _BESIDE)]
        # Constants of plugins.fixes.schema.drift, with definitions from PostgreSQL's catalog.
        made = (SQL(each).format(**self._names).as_string(None) for each in statements)
        return transaction([refuse_unless(is_, "It has changed."), *guards, *map(run, made)])
