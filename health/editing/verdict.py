"""What the gate says of an environment with the file of a pending migration as it is, or edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from health.pending.data_check import RequirementResult
from health.pending.forecast import MigrationForecast
from health.words import plural


@dataclass(frozen=True)
class EditVerdict:
    """What the next deploy comes to.

    Attributes:
        problem: why it is not proven that the deploy ends well, in a clause; None where it is, or where rows alone stop
            the file.
        violations: the rows of the environment that the file does not bear, in a clause for each requirement.
        findings: what the gate says of the deploy, a line each.
        asked: how many questions about rows were answered.
    """

    problem: str | None = None
    violations: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    asked: int = 0

    @property
    def proven(self) -> bool:
        """Whether the deploy was seen to end well, and no row is in its way."""
        return self.problem is None and not self.violations

    @property
    def sentence(self) -> str:
        """The verdict in a line."""
        if self.problem is not None:
            return f"unproven: {self.problem}"
        if self.violations:
            return f"applies to the schema, but {' and '.join(self.violations)}"
        rows = f"{self.asked} {plural(self.asked, 'question')} to its rows answered" if self.asked else "no row matters"
        return f"proven: the whole deploy was run on a clone; {rows}"


def violations(answers: Sequence[RequirementResult], name: str) -> tuple[str, ...]:
    """Say which rows a migration meets that do not fit it, in a clause for each requirement."""
    return tuple(_violation(each) for each in answers if each.violated and each.requirement.migration == name)


def _violation(answer: RequirementResult) -> str:
    asked = answer.requirement
    if answer.rows is None:
        rows, verb = "at least one row", "violates"
    else:
        rows, verb = f"{answer.rows} {plural(answer.rows, 'row')}", "violates" if answer.rows == 1 else "violate"
    return f"{rows} of {asked.table} {verb} it (line {asked.line}, {answer.sqlstate})"


def conflicting(foreseen: MigrationForecast) -> bool:
    """Whether a statement of the file fails on the schema, so that guards may help; not where rows are the cause."""
    return any(not each.of_rows and not each.says_nothing for each in foreseen.said)
