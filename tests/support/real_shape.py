"""Migrations as Prisma writes them for an application that grows: as many as wanted, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_TYPES = ("TEXT", "INTEGER", "BOOLEAN", "TIMESTAMP(3)", "JSONB", "DECIMAL(65,30)", "DOUBLE PRECISION", "TEXT[]")


@dataclass
class _Table:
    name: str
    columns: list[str] = field(default_factory=list)
    children: int = 0


@dataclass
class _Schema:
    """What the migrations so far have made, and the next one."""

    dice: random.Random
    growing: bool = False
    tables: list[_Table] = field(default_factory=list)
    enums: list[str] = field(default_factory=list)
    made: int = 0

    def next(self) -> tuple[str, str]:
        """A name and a script."""
        self.made += 1
        steps = [*([self.create] * 4), self.add_columns, self.add_columns, self.index, self.key]
        if not self.growing:
            steps += [self.enum, self.label, self.drop_column, self.rename_column, self.rename_table]
            steps += [self.drop_table, self.alter]
        step = self.create if len(self.tables) < 3 else self.dice.choice(steps)
        script = step()
        return step.__name__, script or self.add_columns()

    def create(self) -> str:
        """A table with its indexes, and a key to another one."""
        table = _Table(f"Model{self.made}")
        lines = ['    "id" TEXT NOT NULL', '    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP']
        for number in range(self.dice.randint(3, 9)):
            table.columns.append(f"field{number}")
            required = " NOT NULL" if self.dice.random() < 0.5 else ""
            lines.append(f'    "field{number}" {self.dice.choice(_TYPES)}{required}')
        if self.enums:
            lines.append(f'    "state" "{self.dice.choice(self.enums)}" NOT NULL')
        parent = self.dice.choice(self.tables) if self.tables else None
        if parent:
            lines.append('    "parentId" TEXT NOT NULL')
        lines.append(f'\n    CONSTRAINT "{table.name}_pkey" PRIMARY KEY ("id")')
        parts = [f'-- CreateTable\nCREATE TABLE "{table.name}" (\n' + ",\n".join(lines) + "\n);"]
        parts.append(self._index(table, table.columns[0], unique=self.dice.random() < 0.4))
        if parent:
            parts.append(self._index(table, "parentId"))
            parts.append(self._key(table, "parentId", parent))
        self.tables.append(table)
        return "\n\n".join(parts)

    def add_columns(self) -> str:
        """A few columns in one statement."""
        table = self.dice.choice(self.tables)
        new = [f"added{self.made}_{number}" for number in range(self.dice.randint(1, 3))]
        table.columns += new
        adds = ",\n".join(f'ADD COLUMN     "{name}" {self.dice.choice(_TYPES)}' for name in new)
        return f'-- AlterTable\nALTER TABLE "{table.name}" {adds};'

    def index(self) -> str:
        """An index on a column."""
        table = self.dice.choice(self.tables)
        return self._index(table, self.dice.choice(table.columns), number=self.made) if table.columns else ""

    def enum(self) -> str:
        """A type, and its first column."""
        name = f"Kind{self.made}"
        self.enums.append(name)
        table = self.dice.choice(self.tables)
        return (
            f"-- CreateEnum\nCREATE TYPE \"{name}\" AS ENUM ('ONE', 'TWO', 'THREE');\n\n"
            f'-- AlterTable\nALTER TABLE "{table.name}" ADD COLUMN     "kind{self.made}" "{name}" DEFAULT \'ONE\';'
        )

    def label(self) -> str:
        """One more label of a type."""
        if not self.enums:
            return ""
        return f"-- AlterEnum\nALTER TYPE \"{self.dice.choice(self.enums)}\" ADD VALUE 'LABEL{self.made}';"

    def drop_column(self) -> str:
        """A column with what hangs on it."""
        table = self.dice.choice(self.tables)
        if len(table.columns) < 2:
            return ""
        name = table.columns.pop(self.dice.randrange(len(table.columns)))
        return f'-- AlterTable\nALTER TABLE "{table.name}" DROP COLUMN "{name}";'

    def rename_column(self) -> str:
        """As somebody writes by hand."""
        table = self.dice.choice(self.tables)
        if not table.columns:
            return ""
        old = table.columns.pop()
        table.columns.append(f"renamed{self.made}")
        return f'ALTER TABLE "{table.name}" RENAME COLUMN "{old}" TO "renamed{self.made}";'

    def rename_table(self) -> str:
        """With its primary key."""
        table = self.dice.choice(self.tables)
        old, table.name = table.name, f"Renamed{self.made}"
        return (
            f'ALTER TABLE "{old}" RENAME TO "{table.name}";\n'
            f'ALTER TABLE "{table.name}" RENAME CONSTRAINT "{old.replace("Renamed", "Model")}_pkey" TO '
            f'"{table.name}_pkey";'
            if old.startswith("Model")
            else f'ALTER TABLE "{old}" RENAME TO "{table.name}";'
        )

    def drop_table(self) -> str:
        """One that no other one needs."""
        free = [table for table in self.tables if not table.children]
        if len(self.tables) < 10 or not free:
            return ""
        table = self.dice.choice(free)
        self.tables.remove(table)
        return f'-- DropTable\nDROP TABLE "{table.name}";'

    def alter(self) -> str:
        """Another default."""
        table = self.dice.choice(self.tables)
        return f'-- AlterTable\nALTER TABLE "{table.name}" ALTER COLUMN "createdAt" SET DEFAULT now();'

    def key(self) -> str:
        """One more foreign key."""
        table, parent = self.dice.choice(self.tables), self.dice.choice(self.tables)
        name = f"other{self.made}Id"
        return f'-- AlterTable\nALTER TABLE "{table.name}" ADD COLUMN     "{name}" TEXT;\n\n' + self._key(
            table, name, parent
        )

    def _index(self, table: _Table, column: str, *, unique: bool = False, number: int = 0) -> str:
        kind = "UNIQUE INDEX" if unique else "INDEX"
        name = f"{table.name}_{column}_{number or self.made}_{'key' if unique else 'idx'}"
        return f'-- CreateIndex\nCREATE {kind} "{name}" ON "{table.name}"("{column}");'

    @staticmethod
    def _key(table: _Table, column: str, parent: _Table) -> str:
        parent.children += table is not parent
        return (
            f'-- AddForeignKey\nALTER TABLE "{table.name}" ADD CONSTRAINT "{table.name}_{column}_fkey" FOREIGN KEY '
            f'("{column}") REFERENCES "{parent.name}"("id") ON DELETE RESTRICT ON UPDATE CASCADE;'
        )


def scripts(count: int, seed: int = 1, *, growing: bool = False) -> dict[str, str]:
    """The scripts of so many migrations, by their names in order; each runs after those before it.

    Args:
        count: how many.
        seed: of what is drawn by lot.
        growing: whether each only adds, so that all of them in one file make the same.
    """
    schema = _Schema(random.Random(seed), growing)
    made = {}
    for number in range(count):
        name, script = schema.next()
        made[f"{20200101000000 + number}_{name}"] = script + "\n"
    return made
