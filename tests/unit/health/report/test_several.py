"""What a person sees of several environments, and at the widths of terminals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from health.history.history import Deployment
from health.report.headline import cause
from health.report.matrix import matrix, matrix_lines, matrix_markdown
from health.report.overview import HistoryOverview, MigrationState
from health.report.record import EnvironmentResult, FactsOverview, Record
from health.report.several import one_line_each, table_lines, worst
from health.report.terminal import block
from plugins.output.markdown_summary import summary
from plugins.run.check_catalog import all_checks
from tests.unit.health.report.test_terminal import HOSTILE, RECORDS, matches_snapshot, record

AT = "2026-10-03T12:00:00+00:00"
NEW, OLD = "20261003000000_add_authorization_session", "20250930193005_init"


def state(migration: str, word: str) -> MigrationState:
    return MigrationState(migration, word, None if word == "pending" else AT)


def environment(kind: str, name: str, *states: MigrationState) -> EnvironmentResult:
    history = HistoryOverview(0, {}, (), 0, 0, Deployment(), newest=states) if states else None
    return replace(record(kind), name=name, overview=FactsOverview(history=history))


@pytest.fixture(autouse=True)
def checks() -> None:
    """Load the checks: they name each other's causes."""
    all_checks()


def several() -> tuple[EnvironmentResult, ...]:
    """Four environments; made anew, as what explains what is known once the checks are loaded."""
    return (
        environment("healthy", "dev", state(NEW, "applied"), state("20260101000000_experiment", "orphaned")),
        environment("several", "prod", state(NEW, "failed"), state(OLD, "applied")),
        environment("unknown", "qa"),
        environment("waived-healthy", "staging", state(NEW, "pending"), state(OLD, "edited")),
    )


@pytest.mark.parametrize("width", [80, 140])
def test_several_environments_are_tables(width: int) -> None:
    lines = [*table_lines(several(), width - 1), "", *matrix_lines(matrix(several()), width - 1)]
    assert max(map(len, lines)) < width
    matches_snapshot(f"environments-{width}.txt", "\n".join(lines) + "\n")


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", ["healthy", "plan", "unknown", "waived"])
def test_a_block_fits_the_terminal(name: str, width: int) -> None:
    lines = list(block(record(name), False, lambda text, _: text, width - 1))
    text = "\n".join(lines) + "\n"
    assert max(len(line) for line in lines if "xxxx" not in line) < width  # a long word is not broken
    matches_snapshot(f"{name}-{width}.txt", text)


@pytest.mark.parametrize("name", ["healthy", "unknown"])
def test_summary_of_what_needs_no_fix(name: str) -> None:
    matches_snapshot(f"{name}.md", "\n".join(summary(Record("", "", 0.0, 0, (record(name),)))) + "\n")


def test_summary_begins_with_what_is_to_be_done() -> None:
    text = "\n".join(summary(Record("", "", 0.0, 1, (record("plan"),))))
    places = [text.index(each) for each in ("## prod: blocked", "**3 causes; begin with fix 1.**", "1. x.sh: Patch it")]
    assert places == sorted(places)
    assert text.index("5. Deploy prod") < text.index("| check |") < text.index("### error")
    folded = text.partition("<details>")[2]
    assert "account: 123456789012" in folded
    assert "| four | passed |" in folded


def test_summary_has_tables_of_several() -> None:
    matches_snapshot("environments.md", "\n".join(summary(Record("", "", 0.0, 1, several()))) + "\n")


@pytest.mark.parametrize("name", RECORDS)
def test_quiet_is_a_line_an_environment(name: str) -> None:
    (line,) = one_line_each([record(name)])
    assert line.startswith(f"prod: {record(name).verdict.upper()}  before a deploy; ")
    assert " ".join((cause(record(name)) or "").rstrip(".").split()[:3]) in line


def test_the_worst_are_shown_in_full() -> None:
    assert [each.name for each in worst(several())] == ["prod"]
    assert [each.name for each in worst(several()[:1] + several()[2:])] == ["qa"]
    assert [each.name for each in worst([several()[0], several()[3]])] == ["dev", "staging"]
    assert worst([]) == []


def test_newest_first_and_no_more_than_asked_for() -> None:
    table = matrix(several(), newest=2)
    assert [row.migration for row in table.rows] == [NEW, "20260101000000_experiment"]
    assert table.environments == ("dev", "prod", "staging")
    assert table.unread == ("qa",)
    assert [each and each.state for each in table.rows[1].states] == ["orphaned", None, None]


def test_after_a_migration_its_second_judgement_counts() -> None:
    before, after = (environment("healthy", "dev", state(NEW, each)) for each in ("pending", "applied"))
    assert [each.state for row in matrix([before, after]).rows for each in row.states if each] == ["applied"]
    assert [each.state for row in matrix([before, environment("unknown", "dev")]).rows for each in row.states if each]


def test_hostile_names_of_migrations_and_many_environments() -> None:
    many = [environment("healthy", f"e{number}", state(HOSTILE, "applied")) for number in range(100)]
    lines = list(matrix_lines(matrix(many), 79))
    assert len(lines) == 8
    assert lines[-1] == "  94 more environments: --report DIR writes all of them to summary.md."
    assert "\x1b" not in "".join(lines)
    assert "<script>" not in "".join(matrix_markdown(matrix(many)))
    assert list(matrix_lines(matrix([several()[2]]), 79)) == []


def test_no_line_begins_like_a_command_of_a_runner() -> None:
    hostile = replace(record("healthy"), name="::error::x")
    assert not [line for line in one_line_each([hostile]) if line.startswith("::")]
