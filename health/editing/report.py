"""The answer to ``--editing`` and its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from health.editing.advice import EditConflict, EditProof, MigrationState
from health.sanitize import one_line, printable


@dataclass(frozen=True)
class EnvironmentAnswer:
    """What was found out in one environment.

    Attributes:
        state: None where the environment could not be read, as ``why_unanswered`` says.
        effect: how much of a failed migration took effect, in a sentence.
        why_unanswered: why nothing could be found out, or nothing be tried.
        rows: why the environment's rows may stop the file, which its copy does not show; None where they do not.
    """

    name: str
    state: MigrationState | None = None
    effect: str | None = None
    conflicts: tuple[EditConflict, ...] = ()
    proof: EditProof | None = None
    why_unanswered: str | None = None
    rows: str | None = None


@dataclass(frozen=True)
class EditingAnswer:
    """All that is to be said of a migration.

    Attributes:
        places: one per environment; none where the directory alone was judged.
        problem: why the file as it stands cannot be taken as a model for an edit.
        bare: the statements that conflict and have no guard, with their lines.
        diff: the edit; empty where none is needed or none was found.
        traps: what the directory alone tells.
        warnings: what else to know before an edit.
    """

    migration: str
    places: tuple[EnvironmentAnswer, ...] = ()
    problem: str | None = None
    bare: tuple[str, ...] = ()
    diff: str = ""
    traps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def answer(self) -> tuple[int, str]:
        """The exit status, and the answer in a line."""
        if (said := _closed(self.places) or _unread(self.places)) is not None:
            return 1, said
        if (said := _no_edit(self)) is not None:
            return 1, f"no edit found: {said}"
        if not self.places:
            return 0, "sound in the directory; no environment was asked (--env=NAME[,NAME…]) whether it is applied"
        if (said := _unproven(self.places)) is not None:
            return 1, f"unproven: {said}"
        names = ", ".join(place.name for place in self.places)
        need = f"the edit below is proven in {names}" if self.diff else f"it needs no edit: it applies in {names}"
        return 0, f"may be edited: applied nowhere; {need}"


def report(told: EditingAnswer) -> Iterator[str]:
    """The report's lines: the answer, each environment, the edit, what else to know."""
    yield f"{one_line(told.migration)}: {told.answer[1]}"
    for place in told.places:
        yield ""
        yield from _place(place)
    for line in told.bare:
        yield f"  no guard is known for {line}"
    if told.diff:
        yield ""
        yield "The edit, for patch -p1 in the migrations directory:"
        yield ""
        yield from printable(told.diff).split("\n")[:-1]
        if printable(told.diff) != told.diff:
            yield "It holds characters that are shown in another form here; --report=DIR writes it as it is."
    for title, lines in (("The directory:", told.traps), ("Before you edit:", told.warnings)):
        if lines:
            yield ""
            yield title
            yield from (f"  {line}" for line in lines)


def _place(place: EnvironmentAnswer) -> Iterator[str]:
    if place.state is None:
        yield f"{place.name}: could not be read: {place.why_unanswered}"
        return
    yield f"{place.name}: {place.state.sentence}"
    if place.effect is not None:
        yield f"  {place.effect}"
    if place.why_unanswered is not None:
        yield f"  not tried: {place.why_unanswered}"
    if not place.state.open:
        return
    for conflict in place.conflicts:
        yield f"  {conflict}"
        yield f"    {conflict.statement}"
        yield f"    {'No edit: ' + conflict.reason if conflict.reason else 'What it makes is there already.'}"
    if place.proof is not None:
        why = place.proof.problem or place.rows
        yield f"  {'proven on a clone' if why is None else 'unproven: ' + why}"
        if place.proof.later:
            yield f"  After it the next deploy stops at {place.proof.later}"


def _closed(places: tuple[EnvironmentAnswer, ...]) -> str | None:
    closed = [(p.name, p.state) for p in places if p.state is not None and not p.state.open]
    told = [f"{state.word} in {name} since {state.since:%Y-%m-%d}" for name, state in closed]
    return f"do not edit: {', '.join(told)}" if told else None


def _unread(places: tuple[EnvironmentAnswer, ...]) -> str | None:
    return next((f"unknown: {p.name} could not be read: {p.why_unanswered}" for p in places if p.state is None), None)


def _no_edit(told: EditingAnswer) -> str | None:
    if told.problem is not None:
        return told.problem
    for place in told.places:
        for conflict in place.conflicts:
            if conflict.reason is not None:
                return f"in {place.name}, line {conflict.line}: {conflict.reason}"
    return f"there is no guard for {told.bare[0]}" if told.bare else None


def _unproven(places: tuple[EnvironmentAnswer, ...]) -> str | None:
    for place in places:
        tried = place.proof.problem if place.proof is not None else "it was not tried"
        why = place.why_unanswered or tried or place.rows
        if why is not None:
            return f"in {place.name}, {why}"
    return None
