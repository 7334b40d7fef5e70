"""Which migration a person means by a name, or by the beginning of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from health.sanitize import did_you_mean, one_line
from health.words import listed

_SHOWN = 10  # names that a message lists


class EditingError(Exception):
    """The question cannot be asked; the text says why and what to do."""


def resolve(name: str, directories: Mapping[str, Sequence[str]]) -> str:
    """Return the full name of a migration: the name itself, or the only one that begins with it, as in git.

    Args:
        name: as the person wrote it.
        directories: the names in each migrations directory, in Prisma's order, by the directory's path.

    Raises:
        EditingError: no migration, or more than one, has such a name; or a directory lacks the migration.
    """
    found = list(dict.fromkeys(known for names in directories.values() for known in names))
    if name not in found:
        begins = [known for known in found if known.startswith(name)] if name else []
        if len(begins) > 1:
            raise EditingError(
                f"'{one_line(name)}' is the beginning of {len(begins)} migrations: "
                f"{listed([one_line(each) for each in begins], _SHOWN)}. Write more of the name."
            )
        if not begins:
            raise EditingError(_unknown(name, directories, found))
        (name,) = begins
    if lacking := [path for path, names in directories.items() if name not in names]:
        raise EditingError(
            f"{one_line(lacking[0])} has no migration {one_line(name)}, and another environment's directory has it. "
            "Name one directory by --migrations=DIR, or fewer environments."
        )
    return name


def _unknown(name: str, directories: Mapping[str, Sequence[str]], found: Sequence[str]) -> str:
    shown = [one_line(each) for each in found]
    last = f"the last are {', '.join(shown[-3:])}." if shown else "it holds nothing."
    hint = did_you_mean(name, shown, last, 0.5)
    where = " and ".join(one_line(path) for path in directories)
    return f"{where} {'has' if len(directories) == 1 else 'have'} no migration '{one_line(name)}'; {hint}"
