"""Reading the head of an invariant's file, and the word for each thing that can be wrong with it."""

from __future__ import annotations

import pytest

from health.check import SeverityByPhase
from health.data.invariants import InvariantError, InvariantResult, findings, parse

SOUND = """-- title: Every A has a B.
-- severity: warning
-- reads: Table, Other_2
-- why: Without it, nothing
--   works.
--
-- fix: Make one.

SELECT id FROM "Table" -- all: of them
WHERE 'a;b' <> '';
"""


def without(key: str) -> str:
    return "".join(line for line in SOUND.splitlines(keepends=True) if not line.startswith(f"-- {key}:"))


def test_a_head_and_its_query() -> None:
    read = parse(SOUND, "checks/invariants/a-b.sql", "a-b")
    assert (read.id, read.title, read.reads) == ("a-b", "Every A has a B.", ("Table", "Other_2"))
    assert (read.why, read.fix) == ("Without it, nothing works.", "Make one.")
    assert read.query == "SELECT id FROM \"Table\" -- all: of them\nWHERE 'a;b' <> ''"
    assert read.line == 9
    assert read.finds == {
        "a-b": SeverityByPhase("warning", "warning", "warning"),
        "a-b-known": SeverityByPhase("info", "info", "info"),
    }
    assert read.documentation == "Every A has a B.\n\nWithout it, nothing works.\n\nMend it so: Make one."


def test_a_severity_for_each_phase() -> None:
    read = parse(SOUND.replace("warning", "before=info, after=error, nightly=warning"), "f", "a")
    assert read.severity == SeverityByPhase("info", "error", "warning")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "f.sql:1: no title, severity, reads, why, fix. Begin the file with a line -- title: …."),
        ("SELECT 1", "f.sql:1: no title, severity, reads, why, fix. Begin the file with a line -- title: …."),
        (without("fix"), "f.sql:1: no fix. Begin the file with a line -- fix: …."),
        (SOUND.replace("Make one.", ""), "f.sql:1: no fix. Begin the file with a line -- fix: …."),
        (SOUND.replace("severity", "severty"), "f.sql:2: unknown key severty; did you mean severity?"),
        (SOUND.replace("warning", "grave"), "f.sql:2: 'grave' is no severity. Write one of error, warning, info, or "),
        (SOUND.replace("warning", "before=info"), "f.sql:2: 'before=info' is no severity. Write one of "),
        (SOUND.replace("Table, ", "public.Table, "), "f.sql:3: 'public.Table' is no table. Write names with commas"),
        (SOUND.replace("Table, ", 'Table"; --, '), "f.sql:3: 'Table\"; --' is no table. Write names with commas"),
        (SOUND.replace("-- fix", "-- title: Again.\n-- fix"), "f.sql:7: title is there twice. Keep one of the two."),
        ("-- An invariant.\n" + SOUND, "f.sql:1: text before the first key. Begin with a line -- title: …."),
        (SOUND.partition("SELECT")[0], "f.sql:9: no query. Write a SELECT of the offending rows' keys."),
        (SOUND.partition("SELECT")[0] + ";", "f.sql:9: no query. Write a SELECT of the offending rows' keys."),
    ],
)
def test_a_malformed_file_is_named_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InvariantError) as error:
        parse(text, "f.sql", "f")
    assert str(error.value).startswith(said)


@pytest.mark.parametrize("name", ["A", "a_b", "a--b", "-a", "a.b", ""])
def test_a_name_that_is_no_id(name: str) -> None:
    with pytest.raises(InvariantError, match="Use small letters, digits and single dashes"):
        parse(SOUND, "f.sql", name)


@pytest.mark.parametrize(
    ("answer", "baseline", "codes", "begins"),
    [
        (InvariantResult(), 0, [], ""),
        (InvariantResult(), 5, [], ""),
        (InvariantResult(1, ("id 1",)), 0, ["a"], "1 row offends (id 1). Without it"),
        (InvariantResult(1200, ("id 1", "id 2")), 0, ["a"], "1,200 rows offend (id 1; id 2, …). Without it"),
        (InvariantResult(3, ("id 1",)), 2, ["a"], "Above the baseline of 2: 3 rows offend"),
        (InvariantResult(3, ("id 1",)), 3, ["a-known"], "Within the baseline of 3: 3 rows offend"),
    ],
)
def test_what_is_said_of_an_answer(answer: InvariantResult, baseline: int, codes: list[str], begins: str) -> None:
    found = list(findings(parse(SOUND, "f", "a"), answer, baseline))
    assert [each.code for each in found] == codes
    assert [each.subject for each in found] == ["Table"] * len(codes)
    assert all(each.message.startswith(begins) for each in found)
