"""The answer to ``--editing`` and its words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from health.editing.advice import EditConflict, MigrationState
from health.editing.verdict import EditVerdict
from health.finding import UNANSWERED
from health.sanitize import inert, one_line, printable


@dataclass(frozen=True)
class EnvironmentAnswer:
    """What was found out in one environment.

    Attributes:
        state: None where the environment could not be read, as ``why_unanswered`` says.
        effect: how much of a failed migration took effect, in a sentence.
        conflicts: the statements that do not run on its schema.
        verdict: of the gate, on the file that the answer is about: the edited one where there is an edit.
        why_unanswered: why nothing could be found out, or nothing be tried.
    """

    name: str
    state: MigrationState | None = None
    effect: str | None = None
    conflicts: tuple[EditConflict, ...] = ()
    verdict: EditVerdict | None = None
    why_unanswered: str | None = None


@dataclass(frozen=True)
class Step:
    """One thing that a person does after the edit.

    Attributes:
        title: what it does, on one line.
        body: what may be copied; empty where nothing is.
    """

    title: str
    body: str = ""


@dataclass(frozen=True)
class EditingAnswer:
    """All that is known of a migration.

    Attributes:
        places: one per environment; none where the directory alone was judged.
        problem: why the file as it is cannot be taken as a model for an edit.
        bare: the statements that conflict and have no guard, with their lines.
        diff: the edit; empty where none is needed or none was found.
        traps: what the directory alone shows.
        warnings: what else to know before an edit.
        steps: what leads to a good deploy, in order; none where no edit does.
    """

    migration: str
    places: tuple[EnvironmentAnswer, ...] = ()
    problem: str | None = None
    bare: tuple[str, ...] = ()
    diff: str = ""
    traps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()

    @property
    def answer(self) -> tuple[int, str]:
        """The exit status, and the answer in a line."""
        closed, unread = _closed(self.places), _unread(self.places)
        if closed is not None or unread is not None:
            return (UNANSWERED, unread) if closed is None and unread is not None else (1, closed or "")
        if (reason := _no_edit(self)) is not None:
            return 1, f"no edit found: {reason}"
        if not self.places:
            return 0, "sound in the directory; no environment was asked (--env=NAME[,NAME…]) whether it is applied"
        if (reason := _unproven(self.places)) is not None:
            return 1, f"unproven: {reason}"
        if (reason := _violated(self.places)) is not None:
            return 1, f"{'the edit below ' if self.diff else ''}applies to the schema, but {reason}"
        names = ", ".join(place.name for place in self.places)
        need = f"the edit below is proven in {names}" if self.diff else f"it needs no edit: it applies in {names}"
        return 0, f"may be edited: applied nowhere; {need}"

    @property
    def leads_on(self) -> bool:
        """Whether the edit, or the file as it is, applies to every schema: then there is something to do next."""
        verdicts = [place.verdict for place in self.places]
        return bool(verdicts) and all(each is not None and each.problem is None for each in verdicts)


def report(answer: EditingAnswer) -> Iterator[str]:
    """The report's lines: the answer, each environment, the edit, what is next, what else to know."""
    yield f"{one_line(answer.migration)}: {answer.answer[1]}"
    for place in answer.places:
        yield ""
        yield from _place(place)
    for line in answer.bare:
        yield f"  no guard is known for {line}"
    if answer.diff:
        yield ""
        yield "The edit, for patch -p1 in the migrations directory:"
        yield ""
        yield from printable(answer.diff).split("\n")[:-1]
        if printable(answer.diff) != answer.diff:
            yield "It holds characters that are shown in another form here; --report=DIR writes it as it is."
    if answer.steps:
        yield ""
        yield "Then, in this order:"
        for number, step in enumerate(answer.steps, 1):
            yield from _step(number, step)
    for title, lines in (("The directory:", answer.traps), ("Before you edit:", answer.warnings)):
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
    if place.verdict is not None:
        yield f"  {place.verdict.sentence}"
        yield from (f"    {line}" for line in place.verdict.findings)


def _step(number: int, step: Step) -> Iterator[str]:
    yield f"  {number:>2}  {step.title}"
    yield from (f"      {line}" for line in inert(step.body).splitlines())


def _closed(places: tuple[EnvironmentAnswer, ...]) -> str | None:
    closed = [(p.name, p.state) for p in places if p.state is not None and not p.state.open]
    clauses = [f"{state.word} in {name} since {state.since:%Y-%m-%d}" for name, state in closed]
    return f"do not edit: {', '.join(clauses)}" if clauses else None


def _unread(places: tuple[EnvironmentAnswer, ...]) -> str | None:
    return next((f"unknown: {p.name} could not be read: {p.why_unanswered}" for p in places if p.state is None), None)


def _no_edit(answer: EditingAnswer) -> str | None:
    if answer.problem is not None:
        return answer.problem
    for place in answer.places:
        for conflict in place.conflicts:
            if conflict.reason is not None:
                return f"in {place.name}, line {conflict.line}: {conflict.reason}"
    return f"there is no guard for {answer.bare[0]}" if answer.bare else None


def _unproven(places: tuple[EnvironmentAnswer, ...]) -> str | None:
    for place in places:
        untried = "it was not tried" if place.verdict is None else place.verdict.problem
        if (why := place.why_unanswered or untried) is not None:
            return f"in {place.name}, {why}"
    return None


def _violated(places: tuple[EnvironmentAnswer, ...]) -> str | None:
    violated = [(each.name, each.verdict.violations) for each in places if each.verdict and each.verdict.violations]
    return "; ".join(f"in {name} {' and '.join(clauses)}" for name, clauses in violated) or None
