"""What happened: what ran of which migration, and what is left that no script explains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from health.catalog.catalog import Key
from health.reconstruction.explanations import Explanation
from health.reconstruction.hypotheses import Ran


@dataclass(frozen=True)
class Tie:
    """What cannot be told of a migration.

    Attributes:
        ran: how much of it may have run.
        names: the migrations of which one or the other ran, itself among them.
    """

    ran: tuple[Ran, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Reconstruction:
    """What happened, as far as the schema tells.

    Attributes:
        ran: by name, how much of a migration ran, where that is not what its rows say or where they say nothing.
        ties: by name, what cannot be told.
        left: the objects that no script explains.
        problem: why it could not be found out.
    """

    ran: Mapping[str, Ran] = field(default_factory=dict)
    ties: Mapping[str, Tie] = field(default_factory=dict)
    left: frozenset[Key] = frozenset()
    problem: str | None = None


def put_together(
    found: Iterable[list[Explanation]], certain: Mapping[str, Ran], usual: Mapping[str, Ran]
) -> Reconstruction:
    """Put together what was found of each component.

    Args:
        found: the cheapest explanations of each.
        certain: what must have happened for the recorded scripts to run at all.
        usual: how much of each migration ran, by the rows.
    """
    ran = dict(certain)
    ties: dict[str, Tie] = {}
    left: set[Key] = set()
    for candidates in found:
        said = {
            name: tuple(dict.fromkeys(dict(each.ran).get(name, usual[name]) for each in candidates))
            for name in sorted({name for each in candidates for name, _ in each.ran})
        }
        open_ = tuple(name for name, options in said.items() if len(options) > 1)
        ran |= {name: options[0] for name, options in said.items() if name not in open_}
        ties |= {name: Tie(said[name], open_) for name in open_}
        left |= frozenset.intersection(*(each.left for each in candidates)) if candidates else frozenset()
    return Reconstruction({name: each for name, each in ran.items() if name not in ties}, ties, frozenset(left))
