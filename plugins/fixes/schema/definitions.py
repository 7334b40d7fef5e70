"""Fixes for objects whose definition, as PostgreSQL spells it, is the statement that makes them."""

from __future__ import annotations

import re
from collections.abc import Callable

from health.catalog.parts import COMMENT
from health.finding import Fix
from health.schema.drift import Difference

_STATE = re.compile(r" (?P<state>DISABLED|ENABLED REPLICA|ENABLED ALWAYS)$")
_STATES = {"DISABLED": "DISABLE", "ENABLED REPLICA": "ENABLE REPLICA", "ENABLED ALWAYS": "ENABLE ALWAYS"}
_ROUTINES = ("function", "procedure", "aggregate")
# What COMMENT ON calls a kind otherwise.
_CALLED = {"enum": "TYPE", "composite type": "TYPE", "range type": "TYPE"}


def remade(each: Difference, schema: str) -> Fix | None:
    """The SQL that makes an object as the migrations have it; None where its definition is no statement."""
    from plugins.fixes.schema.object_sql import SchemaObject, is_known

    kind = each.key[0]
    statements = _comment if kind.startswith(COMMENT) else _MAKING.get(kind)
    if statements is None or not is_known(kind) or any("STATISTICS" in (d or "") for d in _statistics(each)):
        return None
    what = SchemaObject(schema, each.key)
    return Fix(
        "sql",
        "Make it as the migration has it",
        what.change(each.live, statements(kind, each.live, each.expected)),
        undo=what.change(each.expected, statements(kind, each.expected, each.live)),
    )


def _statistics(each: Difference) -> tuple[str | None, ...]:
    """Definitions of extended statistics without their beginning: a target stands at the end."""
    if each.key[0] != "statistics":
        return ()
    return tuple(text and text.removeprefix("CREATE STATISTICS") for text in (each.expected, each.live))


def _switchable(kind: str, there: str | None, wanted: str | None) -> list[str]:
    """A trigger or rule, with its state."""
    word = kind.upper()
    statements = [f"DROP {word} {{own}} ON {{owner}};"] if there is not None else []
    if wanted is not None:
        state = _STATE.search(wanted)
        statements.append(escaped(_STATE.sub("", wanted).rstrip(";")) + ";")
        if state is not None:
            statements.append(f"ALTER TABLE {{owner}} {_STATES[state['state']]} {word} {{own}};")
    return statements


def _routine(kind: str, there: str | None, wanted: str | None) -> list[str]:
    """A function or procedure: it is replaced, as others may hang on it."""
    if wanted is None:
        return [f"DROP {kind.upper()} {{routine_name}};"]
    return [escaped(wanted.rstrip()) + ";"]


def _statistic(kind: str, there: str | None, wanted: str | None) -> list[str]:
    dropped = ["DROP STATISTICS {beside};"] if there is not None else []
    return dropped + ([] if wanted is None else [escaped(wanted) + ";"])


def _domain_constraint(kind: str, there: str | None, wanted: str | None) -> list[str]:
    dropped = ["ALTER DOMAIN {owner} DROP CONSTRAINT {own};"] if there is not None else []
    return dropped + ([] if wanted is None else [f"ALTER DOMAIN {{owner}} ADD CONSTRAINT {{own}} {escaped(wanted)};"])


def _comment(kind: str, there: str | None, wanted: str | None) -> list[str]:
    from plugins.fixes.sql import literal

    of = kind.removeprefix(COMMENT)
    name = "{routine_name}" if of in _ROUTINES else {"column": "{owner}.{own}", "schema": "{own}"}.get(of, "{name}")
    return [f"COMMENT ON {_CALLED.get(of, of.upper())} {name} IS {escaped(literal(wanted).as_string(None))};"]


_MAKING: dict[str, Callable[[str, str | None, str | None], list[str]]] = {
    "trigger": _switchable,
    "rule": _switchable,
    "function": _routine,
    "procedure": _routine,
    "statistics": _statistic,
    "domain constraint": _domain_constraint,
}


def escaped(definition: str | None) -> str:
    """Spell PostgreSQL's own definition of an object as part of a template."""
    return (definition or "").replace("{", "{{").replace("}", "}}")
