"""Random histories to which something has happened, with what that was."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from fixtures.clone.server import CloneDatabase, CloneServer
from health.prisma.engine import TABLE as PRISMA_TABLE
from health.prisma.engine import checksum
from health.reconstruction.hypotheses import Ran
from health.sql.statements import acting, only
from sandbox.database.history import _TABLE as TABLE
from tests.support.random_history import files

# A value that is found again wherever it went, by a number.
_VALUES = {
    "integer": "{n}", "bigint": "{n}", "text": "'v{n}'", "character varying": "'v{n}'", "jsonb": "'{{\"v\": {n}}}'",
    "numeric": "{n}.25", "boolean": "true", "timestamp": "now()", "date": "'2026-01-01'",
}  # fmt: skip
_TRACED = ("integer", "bigint", "text", "character varying", "jsonb", "numeric")
DAMAGES = (
    "never ran", "row deleted", "edited", "half run", "half run, rolled back", "failed, nothing ran",
    "application rolled back", "by hand",
)  # fmt: skip


@dataclass
class Damaged:
    """One state.

    Attributes:
        migrations: of the directory.
        damages: what happened, by its kind.
        ran: what ran otherwise than the rows say.
        hands: statements of a person.
        rows: INSERTs of the history.
        orphan: whether a migration ran that the directory has not.
    """

    migrations: dict[str, str]
    damages: list[str] = field(default_factory=list)
    ran: dict[str, Ran] = field(default_factory=dict)
    hands: list[str] = field(default_factory=list)
    rows: dict[str, tuple[str, str, int]] = field(default_factory=dict)  # name: state, checksum, steps
    orphan: str | None = None


class _Damager:
    def __init__(self, seed: int, server: CloneServer) -> None:
        self._chance, self._server = random.Random(seed), server
        self.state = Damaged(self._usable(files(seed, self._chance.randint(4, 12))))
        for name, script in self.state.migrations.items():
            self.state.rows[name] = ("applied", checksum(script), 1)

    def _usable(self, scripts: list[str]) -> dict[str, str]:
        """Those that run one after the other."""
        runs: list[str] = []
        while runs != scripts:  # one that fails may have committed a part, on which others stand
            with self._server.database("usable") as copy:
                scripts, runs = [each for each in scripts if copy.run(each) is None], scripts
        return {f"{number:03}_m": each for number, each in enumerate(runs)}

    def damage(self) -> None:
        kinds: dict[str, Callable[[], bool]] = {
            "never ran": self._never_ran, "row deleted": self._row_deleted,
            "half run": lambda: self._half("failed"), "half run, rolled back": lambda: self._half("rolled back"),
            "failed, nothing ran": self._nothing_ran, "by hand": self._by_hand, "edited": self._edited,
            "application rolled back": self._orphan,
        }  # fmt: skip
        for kind in sorted(self._chance.sample(DAMAGES, self._chance.choice((1, 1, 2))), key=DAMAGES.index):
            if kinds[kind]():
                self.state.damages.append(kind)

    def _free(self) -> list[str]:
        return [name for name in self.state.migrations if self.state.rows.get(name, ("",))[0] == "applied"
                and name not in self.state.ran]  # fmt: skip

    def _last(self) -> str | None:
        """The last one, beyond which no deploy goes, while nothing has happened to it."""
        name = next(reversed(self.state.migrations), None)
        return name if name in self._free() else None

    def _try(self, name: str, ran: Ran) -> bool:
        """Whether all else runs where only so much of it ran."""
        self.state.ran[name] = ran
        with self._server.database("truth") as copy:
            if all(copy.run(script) is None for script in self.scripts()):
                return True
        del self.state.ran[name]
        return False

    def scripts(self) -> Iterator[str]:
        for name, script in self.state.migrations.items():
            ran = self.state.ran.get(name, None if self.state.rows.get(name, ("",))[0] == "applied" else ())
            if ran is None:
                yield script
            elif ran:
                yield only(script, ran)

    def _never_ran(self) -> bool:
        for name in self._chance.sample(self._free(), len(self._free())):
            if self._try(name, ()):
                count = 0 if self._chance.random() < 0.7 else 1
                self.state.rows[name] = ("applied", self.state.rows[name][1], count)
                return True
        return False

    def _row_deleted(self) -> bool:
        if not (free := self._free()):
            return False
        name = self._chance.choice(free)
        del self.state.rows[name]
        self.state.ran[name] = None
        return True

    def _half(self, state: str) -> bool:
        if (name := self._last()) is None:
            return False
        many = statements(self.state.migrations[name])
        if many < 2 or not self._try(name, tuple(range(self._chance.randint(1, many - 1)))):
            return False
        self.state.rows[name] = (state, self.state.rows[name][1], 0)
        return True

    def _nothing_ran(self) -> bool:
        if (name := self._last()) is None:
            return False
        self.state.rows[name] = ("failed", self.state.rows[name][1], 0)
        return True

    def _by_hand(self) -> bool:
        with self._server.database("hands") as copy:
            for script in self.scripts():
                copy.run(script)
            for statement in _hands(copy, self._chance):
                before = copy.fingerprint()
                if copy.run(statement) is None and copy.fingerprint() != before:
                    self.state.hands.append(statement)
                    return True
        return False

    def _edited(self) -> bool:
        if not (free := self._free()):
            return False
        name = self._chance.choice(free)
        recorded = self.state.rows[name]
        self.state.migrations[name] += '\nCREATE TABLE "Later" ("id" INTEGER);\n'
        many = statements(self.state.migrations[name])
        self.state.ran[name] = tuple(range(many - 1))
        self.state.rows[name] = recorded
        return True

    def _orphan(self) -> bool:
        self.state.orphan = self._chance.choice(
            (
                'CREATE TABLE "Gone" ("id" INTEGER PRIMARY KEY);',
                'CREATE TYPE "GoneKind" AS ENUM (\'A\'); CREATE TABLE "Gone" ("kind" "GoneKind");',
            )
        )
        return True


def _hands(copy: CloneDatabase, chance: random.Random) -> list[str]:
    """What a person may do to what is there."""
    columns = [(each.table, each.name) for each in copy.catalog().columns if each.name != "id"]
    chance.shuffle(columns)
    made = []
    for table, column in columns[:6]:
        made.append(
            chance.choice(
                (
                    f'ALTER TABLE "{table}" DROP COLUMN "{column}"',
                    f'ALTER TABLE "{table}" ALTER COLUMN "{column}" DROP DEFAULT',
                    f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET NOT NULL',
                    f'CREATE INDEX "by_hand" ON "{table}" ("{column}")',
                    f'ALTER TABLE "{table}" ADD COLUMN "byHand" TEXT',
                    f'DROP TABLE "{table}"',
                )
            )
        )
    return made


def statements(script: str) -> int:
    """How many there are that do something."""
    return len(acting(script))


def damaged(seed: int, server: CloneServer) -> Damaged:
    """The state of a seed."""
    damager = _Damager(seed, server)
    damager.damage()
    return damager.state


def put(state: Damaged, copy: CloneDatabase) -> None:
    """Make a database what it describes, with its history."""
    damager = _Damager.__new__(_Damager)
    damager.state = state
    for script in [*damager.scripts(), *([state.orphan] if state.orphan else []), *state.hands]:
        said = copy.run(script)
        assert said is None, said
    copy.run(TABLE)
    rows = {**state.rows, **({"9_gone": ("applied", checksum(state.orphan), 1)} if state.orphan else {})}
    for place, (name, (row, digest, steps)) in enumerate(sorted(rows.items())):
        ended, back = "now()" if row == "applied" else "NULL", "now()" if row == "rolled back" else "NULL"
        said = copy.run(
            "INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, logs, rolled_back_at,"
            f" started_at, applied_steps_count) VALUES ('{uuid.UUID(int=place)}', '{digest}', {ended}, '{name}', NULL,"
            f" {back}, now() - interval '30 days' + {place} * interval '1 s', {steps})"
        )
        assert said is None, said


def fill(copy: CloneDatabase) -> dict[str, str]:
    """Put a row with values in all plain columns into each table, where its constraints let one in.

    Gives where each value is that can be found again.
    """
    numbers, columns, traced = count(1_001), dict[str, dict[str, str]](), dict[str, dict[str, str]]()
    for column in copy.catalog().columns:
        kind = column.type.partition("(")[0]
        if kind in _VALUES and not (column.default or "").startswith("nextval"):
            number = next(numbers)
            columns.setdefault(column.table, {})[column.name] = _VALUES[kind].format(n=number)
            if kind in _TRACED:
                traced.setdefault(column.table, {})[str(number)] = f"{column.table}.{column.name}"
    found: dict[str, str] = {}
    for table, values in columns.items():
        if table != PRISMA_TABLE:
            names = ", ".join(f'"{name}"' for name in values)
            if copy.run(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(values.values())})') is None:
                found |= traced.get(table, {})
    return found


def lost(copy: CloneDatabase, values: Mapping[str, str]) -> list[str]:
    """Where the values were that are nowhere any more."""
    there = ""
    for table in copy.catalog().tables:
        if table != PRISMA_TABLE:
            rows: Any = f"SELECT coalesce(string_agg(t::text, ''), '') FROM \"{table}\" t"
            there += str((copy.execute(rows).fetchone() or ("",))[0])
    return [place for value, place in values.items() if value not in there]
