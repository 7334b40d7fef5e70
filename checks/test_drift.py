"""The live schema is what the applied migrations make."""

from collections.abc import Iterator

from health.check import check
from health.finding import Finding
from health.sanitize import one_line
from health.schema.drift import Difference, Drift
from health.schema.sequences import SequenceState


@check(
    finds={
        "schema-object-missing": "error", "schema-object-different": "error", "schema-object-extra": "warning",
        "constraint-not-validated": "error", "index-invalid": "error", "enum-label-extra": "warning",
        "known-difference-unused": "info",
    }
)  # fmt: skip
def test_schema_matches_history(drift: Drift) -> Iterator[Finding]:
    """The schema is what the migrations that are recorded as applied make of an empty database.

    Nothing in Prisma's deploy looks at the schema: what was changed by hand stays unseen until a request or a later
    migration runs into it. Tables, columns, constraints, indexes, enum labels, functions, views and triggers are
    compared with a replay of the directory. What is there beside is a warning only: nothing of the application asks
    for it, but a later migration may want its name.

    Mend it by the suggested SQL, or declare the object under `known_differences` in the registry.
    """
    for each in drift.differences:
        code, message = _told(each)
        subject = one_line(each.subject, 200)
        yield Finding(code, subject, message, {"migration": each.migration} if each.migration else {})
    for subject in drift.unused:
        message = "The registry declares it under known_differences, and it does not differ: remove the entry."
        yield Finding("known-difference-unused", one_line(subject, 200), message)


@check(finds={"sequence-behind": "error"})
def test_sequences(sequences: tuple[SequenceState, ...]) -> Iterator[Finding]:
    """Every sequence is ahead of the column that takes its values.

    Rows that were inserted with ids of their own, or a restored dump, leave a sequence behind: an INSERT that is given
    a value which is taken fails with 23505 on the primary key, until the sequence has caught up.

    Mend it by setting the sequence to the largest value of its column.
    """
    for each in sequences:
        if each.behind:
            yield Finding(
                "sequence-behind",
                one_line(f'sequence "{each.name}"', 200),
                one_line(
                    f'It gives {each.following} next, and "{each.table}"."{each.column}" holds {each.largest} already: '
                    "an INSERT that is given a value which is taken fails (23505).",
                    400,
                ),
                {"following": each.following, "largest": each.largest},
            )


def _told(each: Difference) -> tuple[str, str]:
    by = f" {one_line(each.migration)} makes it" if each.migration else ""
    kind = each.key[0]
    if each.invalid:
        return "index-invalid", f"It is there, but not valid: PostgreSQL neither uses nor fully enforces it.{_dot(by)}"
    if each.not_validated:
        return "constraint-not-validated", f"It holds for new rows only: the others were never looked at.{_dot(by)}"
    if each.kind == "missing":
        return "schema-object-missing", f"It is not there, although{by or ' the applied migrations make it'}."
    if each.kind == "extra":
        touches = f"; {one_line(each.migration)} speaks of it" if each.migration else ""
        code = "enum-label-extra" if kind == "enum label" else "schema-object-extra"
        return code, f"It is there, and no applied migration makes it{touches}."
    shown = one_line(f"It is {each.live or 'plain'}, and should be {each.expected or 'plain'}.", 600)
    return "schema-object-different", shown + _dot(by)


def _dot(text: str) -> str:
    return f"{text}." if text else ""
