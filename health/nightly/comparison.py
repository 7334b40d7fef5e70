"""Compares a run with the history of the runs before it, environment by environment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from health.finding import Severity
from health.nightly.drift import Change, Drift, DriftFinding
from health.nightly.night import LEVELS, KeptFinding, Level, Night, NightlyRun, day
from health.nightly.trend import trend
from health.words import listed

LEAST_ROWS, ROWS_SHARE = 10, 0.1  # a number of rows that differs by less is no change
_IDENTITY = ("endpoint", "database")  # of what is observed: what tells environments apart
_NAMES = 5


@dataclass(frozen=True)
class Compared:
    """A comparison.

    Attributes:
        run: as it is to be kept: with what is known from earlier nights.
        drifts: of each of its environments.
    """

    run: NightlyRun
    drifts: Mapping[str, Drift]


def compare(
    history: Sequence[NightlyRun], run: NightlyRun, known: Collection[str] = (), fail_on: Severity = "error"
) -> Compared:
    """Compare a run with the last one of each of its environments.

    Args:
        history: the runs before it.
        run: this one, as its checks ended.
        known: the environments of the registry: one of the history that is not among them may have been renamed.
        fail_on: from which severity on a new finding blocks.
    """
    earlier = sorted(history, key=lambda each: each.time)
    of_environment: dict[str, list[tuple[str, Night]]] = {}
    for each in earlier:
        for night in each.nights:
            of_environment.setdefault(night.environment, []).append((each.at, night))
    names = {night.environment for night in run.nights}
    vanished = {name: nights[-1][1] for name, nights in of_environment.items() if name not in names | set(known)}
    nights, drifts = [], {}
    for tonight in run.nights:
        before = of_environment.get(tonight.environment, [])
        kept = with_memory(before[-1][1] if before else None, tonight)
        nights.append(kept)
        drift = _drift(before, kept, run.at, vanished)
        drifts[tonight.environment] = replace(drift, fail_on=fail_on)
    return Compared(replace(run, nights=tuple(nights)), drifts)


def with_memory(last: Night | None, tonight: Night) -> Night:
    """Return a night with what the last one knew: since when a finding is there, and what got no answer tonight."""
    if last is None:
        return tonight
    before = {finding.key: finding for finding in last.findings}
    found = [
        replace(finding, first_seen=before[finding.key].first_seen) if finding.key in before else finding
        for finding in tonight.findings
    ]
    keys = {finding.key for finding in found}
    carried = [
        replace(finding, carried=True)
        for finding in last.findings
        if finding.key not in keys and not _answered(finding.check, tonight)
    ]
    # What could not be seen is as it was seen last: else a night without an answer hides a change.
    return replace(
        tonight,
        findings=(*found, *carried),
        observed={**last.observed, **tonight.observed},
        applied=last.applied if tonight.applied is None else tonight.applied,
        last=last.last if tonight.applied is None else tonight.last,
    )


def _answered(check: str, night: Night) -> bool:
    return check in night.judged or (night.complete and check not in night.unjudged)


def _drift(before: Sequence[tuple[str, Night]], night: Night, at: str, vanished: Mapping[str, Night]) -> Drift:
    since, last = before[-1] if before else (None, None)
    known = {finding.key: finding for finding in last.findings} if last is not None else {}
    keys = {finding.key for finding in night.findings}
    new: list[DriftFinding] = []
    still: list[DriftFinding] = []
    for finding in (each for each in night.findings if not each.carried):
        was = known[finding.key].level if finding.key in known else None
        (new if was is None or _worse(finding.level, was) else still).append(_shown(finding, at, was))
    unjudged = 0
    for _, each in [*before, (at, night)][::-1]:
        if not (each.unjudged or each.verdict == "unknown"):
            break
        unjudged += 1
    return Drift(
        since=since,
        new=_worst_first(new),
        gone=_worst_first(_shown(each, at) for key, each in known.items() if key not in keys),
        still=_worst_first(still),
        carried=_worst_first(_shown(each, at) for each in night.findings if each.carried),
        unjudged=night.unjudged,
        nights_unjudged=unjudged,
        changes=tuple(_changes(last, night)) if last is not None else (),
        trend=trend([*before, (at, night)]),
        renamed_from=_renamed(night, vanished) if last is None else None,
    )


def _worse(now: Level, was: Level) -> bool:
    return LEVELS.index(now) > LEVELS.index(was)


def _shown(finding: KeptFinding, at: str, was: Level | None = None) -> DriftFinding:
    days = max(0, (day(at) - day(finding.first_seen)).days)
    return DriftFinding(
        finding.code, finding.subject, finding.level, finding.message, finding.first_seen, days,
        was if was != finding.level else None,
    )  # fmt: skip


def _worst_first(findings: Iterator[DriftFinding] | Sequence[DriftFinding]) -> tuple[DriftFinding, ...]:
    return tuple(sorted(findings, key=lambda each: (-LEVELS.index(each.level), each.code, each.subject)))


def _changes(last: Night, night: Night) -> Iterator[Change]:
    for label in dict.fromkeys([*last.observed, *night.observed]):
        before, after = last.observed.get(label), night.observed.get(label)
        if before is not None and before != after:  # what is seen for the first time has not changed
            yield Change(label, before, after)
    if last.applied is not None and night.applied is not None and last.applied != night.applied:
        names = [name for name in night.last if name not in last.last]
        more = f" ({listed(names, _NAMES)})" if names and night.applied > last.applied else ""
        yield Change("migrations applied", str(last.applied), f"{night.applied}{more}")
    rows = {finding.key: finding.rows for finding in last.findings}
    for finding in night.findings:
        was = rows.get(finding.key)
        if (
            was is not None
            and finding.rows is not None
            and abs(finding.rows - was) >= max(LEAST_ROWS, was * ROWS_SHARE)
        ):
            yield Change(f"rows of {finding.code}, {finding.subject}", str(was), str(finding.rows))


def _renamed(night: Night, vanished: Mapping[str, Night]) -> str | None:
    """The vanished environment with the same address, else the same findings."""
    identity = [night.observed[label] for label in _IDENTITY if label in night.observed]
    keys = {finding.key for finding in night.findings}
    alike = [
        name for name, each in vanished.items()
        if identity and identity == [each.observed[label] for label in _IDENTITY if label in each.observed]
    ]  # fmt: skip
    alike += [name for name, each in vanished.items() if keys and keys == {finding.key for finding in each.findings}]
    return alike[0] if alike else None
